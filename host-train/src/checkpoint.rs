//! A network's f32 weights as a file.
//!
//! A checkpoint is one [postcard](https://postcard.jamesmunns.com/wire-format) value in an [`envelope`] of magic
//! `thumbf32`, with these fields, in order:
//!
//! | field | type | |
//! |---|---|---|
//! | network | string | the name of the network's type |
//! | nodes | sequence of [`Node`] | its graph |
//! | about | [`About`] | what goes in and comes out: labels, scaling, what samples are, names of columns |
//! | weights | bytes | `f32`, little-endian: each layer's tensors in Keras's order and layouts |

use serde::{Deserialize, Serialize};
use thumbnet::{
    blob::WriteError,
    graph::{Graph, Node, Op},
};

use crate::{
    envelope::{self, EnvelopeError, Kind},
    model::About,
};

/// The first bytes of every checkpoint.
pub const MAGIC: [u8; 8] = *b"thumbf32";
/// The version that is written and read.
pub const VERSION: u8 = 3;

const KIND: Kind = Kind { magic: MAGIC, version: VERSION, name: "checkpoint" };

/// A checkpoint that was read, and whose CRC is right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint<'a> {
    /// The name of the network's type.
    pub network: &'a str,
    /// The nodes of its graph.
    #[serde(borrow)]
    pub nodes: Vec<Node<'a>>,
    /// What goes in and comes out.
    pub about: About,
    /// The weights, four bytes each.
    weights: &'a [u8],
}

/// Why a checkpoint cannot be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file is no checkpoint, or not a whole one.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The CRC is right, but the nodes are no network.
    #[error("the checkpoint's network is none: {0}")]
    Graph(String),
    /// The CRC is right, but labels, scaling or columns are not such as the network has.
    #[error("the checkpoint's network has other labels, scaling or columns: {0}")]
    About(WriteError),
    /// The weights are another network's.
    #[error("the checkpoint is of network {found}, not {expected}")]
    Network {
        /// The network's name in the file.
        found: String,
        /// The one that is to be loaded.
        expected: String,
    },
    /// The network has been changed since.
    #[error("the checkpoint is of another {network}: layer `{layer}` differs")]
    Architecture {
        /// The network.
        network: String,
        /// The first layer that differs.
        layer: String,
    },
}

/// The checkpoint of a network.
///
/// # Panics
///
/// Where there are not as many weights as the network's parameters.
pub fn write(graph: &Graph<'_>, about: &About, weights: &[f32]) -> Vec<u8> {
    assert_eq!(weights.len(), graph.parameters(), "the weights are the network's");
    let weights = envelope::bytes_of(weights);
    let (network, nodes, about) = (graph.name, graph.nodes.to_vec(), about.clone());
    envelope::seal(KIND, &Checkpoint { network, nodes, about, weights: &weights })
}

impl<'a> Checkpoint<'a> {
    /// Reads a checkpoint of any network.
    ///
    /// # Errors
    ///
    /// [`CheckpointError`], for anything that is not a whole, unchanged checkpoint.
    pub fn read(bytes: &'a [u8]) -> Result<Self, CheckpointError> {
        envelope::open::<Self>(KIND, bytes)?.checked()
    }

    /// The network.
    pub fn graph(&self) -> Graph<'_> {
        Graph { name: self.network, nodes: &self.nodes }
    }

    /// The checkpoint, if its nodes are a network, and its weights all of the network's.
    fn checked(self) -> Result<Self, CheckpointError> {
        let graph = self.graph();
        graph.check().map_err(|error| CheckpointError::Graph(error.to_string()))?;
        self.about.check(&graph).map_err(CheckpointError::About)?;
        let fits = Some(self.weights.len()) == graph.parameters().checked_mul(size_of::<f32>());
        if fits { Ok(self) } else { Err(EnvelopeError::Malformed { name: KIND.name }.into()) }
    }

    /// The weights.
    pub fn weights(&self) -> Vec<f32> {
        envelope::floats(self.weights)
    }

    /// The weights, if they are those of `network`, whose layers may be named otherwise: names compute nothing.
    ///
    /// # Errors
    ///
    /// [`CheckpointError`], where they are another network's.
    pub fn weights_of(&self, network: &Graph<'_>) -> Result<Vec<f32>, CheckpointError> {
        if self.network != network.name {
            return Err(CheckpointError::Network { found: self.network.into(), expected: network.name.into() });
        }
        let differs = |layer: &str| CheckpointError::Architecture { network: network.name.into(), layer: layer.into() };
        let nodes = network.nodes;
        for (position, node) in nodes.iter().enumerate() {
            let found = self.nodes.get(position).ok_or(differs(node.name))?;
            if !is_same(found, node) {
                return Err(differs(node.name));
            }
        }
        if let Some(extra) = self.nodes.get(nodes.len()) {
            return Err(differs(extra.name));
        }
        Ok(self.weights())
    }
}

/// Whether two nodes compute the same: names and a dropout's rate compute nothing in inference, and the rate may be
/// changed between two trainings.
fn is_same(found: &Node<'_>, node: &Node<'_>) -> bool {
    let op = match (found.op, node.op) {
        (Op::Dropout { .. }, Op::Dropout { .. }) => node.op,
        (op, _) => op,
    };
    Node { name: node.name, op, ..*found } == *node
}

#[cfg(test)]
mod tests {
    use thumbnet::Network;
    use thumbnet_models::{MnistConvNet, MnistSmall};

    use super::*;
    use crate::envelope::PREFIX;

    thumbnet::sequential! {
        struct Tiny: [1, 1, 2] {
            first: Dense { units: 2, activation: Relu },
            last: Dense { units: 2, activation: Softmax },
        }
    }

    fn tiny() -> (Vec<f32>, Vec<u8>) {
        let mut weights = vec![0.0; Tiny::PARAMETERS];
        thumbnet::train::initialize(&Tiny::GRAPH, thumbnet::train::Initializer::default(), &mut weights, 1);
        let bytes = write(&Tiny::GRAPH, &About::default(), &weights);
        (weights, bytes)
    }

    #[test]
    fn gives_back_the_same_bits() {
        let (weights, bytes) = tiny();
        let checkpoint = Checkpoint::read(&bytes).unwrap();
        assert_eq!((checkpoint.network, checkpoint.nodes.len()), ("Tiny", 3));
        assert_eq!(checkpoint.weights_of(&Tiny::GRAPH).unwrap(), weights);
    }

    #[test]
    fn every_truncation_and_every_changed_byte_is_an_error() {
        let (_, bytes) = tiny();
        for len in 0..bytes.len() {
            let error = Checkpoint::read(&bytes[..len]).unwrap_err();
            let is_right = match error {
                CheckpointError::Envelope(EnvelopeError::Magic { .. }) => len < 8,
                CheckpointError::Envelope(EnvelopeError::Length { len: found, .. }) => found == len,
                _ => false,
            };
            assert!(is_right, "{len}: {error}");
        }
        for position in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[position] ^= 0x10;
            let error = Checkpoint::read(&bytes).unwrap_err();
            let is_right = match error {
                CheckpointError::Envelope(EnvelopeError::Magic { .. }) => position < 8,
                CheckpointError::Envelope(EnvelopeError::Version { .. }) => position == 8,
                CheckpointError::Envelope(EnvelopeError::Length { .. }) => (9..PREFIX).contains(&position),
                CheckpointError::Envelope(EnvelopeError::Corrupt { .. }) => position >= PREFIX,
                _ => false,
            };
            assert!(is_right, "{position}: {error}");
        }
        let mut longer = bytes;
        longer.push(0);
        assert!(Checkpoint::read(&longer).unwrap_err().to_string().contains("followed by others"));
    }

    #[test]
    fn another_network_is_named() {
        let (_, bytes) = tiny();
        let checkpoint = Checkpoint::read(&bytes).unwrap();
        let error = checkpoint.weights_of(&MnistSmall::GRAPH).unwrap_err();
        assert_eq!(error.to_string(), "the checkpoint is of network Tiny, not MnistSmall");

        let disguised = |nodes: &[Node<'static>]| {
            let checkpoint =
                Checkpoint { network: "MnistSmall", nodes: nodes.to_vec(), about: About::default(), weights: &[] };
            checkpoint.weights_of(&MnistSmall::GRAPH).unwrap_err().to_string()
        };
        assert!(disguised(MnistConvNet::GRAPH.nodes).ends_with("layer `conv1` differs"));
        assert!(disguised(&MnistSmall::GRAPH.nodes[..6]).ends_with("layer `dense1` differs"));
        let (nodes, about) = (MnistSmall::GRAPH.nodes.to_vec(), About::default());
        let missing = Checkpoint { network: "MnistSmall", nodes, about, weights: &[0; 8] };
        assert_eq!(missing.checked().unwrap_err().to_string(), "the checkpoint's fields make no sense");
    }
}
