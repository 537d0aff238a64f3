//! A network's f32 weights as a file.
//!
//! A checkpoint is one [postcard](https://postcard.jamesmunns.com/wire-format) value with these fields, in order:
//!
//! | field | type | |
//! |---|---|---|
//! | magic | `[u8; 8]` | `thumbf32` |
//! | version | `u8` | [`VERSION`] |
//! | length | `u64`, fixed width, little-endian | bytes of the whole file |
//! | network | string | the name of the network's type |
//! | nodes | sequence of [`Node`] | its graph |
//! | weights | bytes | `f32`, little-endian: each layer's tensors in Keras's order and layouts |
//! | crc | `u32`, fixed width, little-endian | CRC-32 (ISO-HDLC, as in zip) over all before it |

use serde::{Deserialize, Serialize};
use thumbnet::graph::{Graph, Node, Op};

/// The first bytes of every checkpoint.
pub const MAGIC: [u8; 8] = *b"thumbf32";
/// The version that is written and read.
pub const VERSION: u8 = 2;

/// Bytes of magic, version and length.
const PREFIX: usize = 8 + 1 + 8;
const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

/// A checkpoint that was read, and whose CRC is right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint<'a> {
    /// The name of the network's type.
    pub network: &'a str,
    /// The nodes of its graph.
    #[serde(borrow)]
    pub nodes: Vec<Node<'a>>,
    /// The weights, four bytes each.
    weights: &'a [u8],
}

/// Why a checkpoint cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The bytes do not begin with [`MAGIC`].
    #[error("not a checkpoint: it does not begin with `thumbf32`")]
    NotACheckpoint,
    /// The file was written by another version.
    #[error("the checkpoint has format version {found}, but this program reads {VERSION}")]
    Version {
        /// The version in the file.
        found: u8,
    },
    /// The file ends early, or goes on after its end.
    #[error(
        "the checkpoint has {len} bytes, must have {needed}: it is {}",
        if len < needed { "truncated" } else { "followed by others" }
    )]
    Length {
        /// Bytes that there are.
        len: usize,
        /// Bytes that the file says it has.
        needed: usize,
    },
    /// The bytes are not those that were written.
    #[error("the checkpoint is corrupt: its CRC-32 is {computed:08x}, but {stored:08x} is stored")]
    Corrupt {
        /// The CRC in the file.
        stored: u32,
        /// The CRC of its bytes.
        computed: u32,
    },
    /// The CRC is right, but the nodes are no network.
    #[error("the checkpoint's network is none: {0}")]
    Graph(String),
    /// The CRC is right, but the fields make no sense; a defect in the program that wrote them.
    #[error("the checkpoint's fields make no sense")]
    Malformed,
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
pub fn write(graph: &Graph<'_>, weights: &[f32]) -> Vec<u8> {
    assert_eq!(weights.len(), graph.parameters(), "the weights are the network's");
    let weights: Vec<u8> = weights.iter().flat_map(|weight| weight.to_le_bytes()).collect();
    let checkpoint = Checkpoint { network: graph.name, nodes: graph.nodes.to_vec(), weights: &weights };
    let mut bytes = Vec::with_capacity(weights.len() + 4096);
    bytes.extend(MAGIC);
    bytes.push(VERSION);
    bytes.extend([0; 8]);
    let mut bytes = postcard::to_extend(&checkpoint, bytes).expect("growing memory takes any plain data");
    let len = bytes.len() as u64 + 4;
    bytes[PREFIX - 8..PREFIX].copy_from_slice(&len.to_le_bytes());
    bytes.extend(CRC.checksum(&bytes).to_le_bytes());
    bytes
}

impl<'a> Checkpoint<'a> {
    /// Reads a checkpoint of any network.
    ///
    /// # Errors
    ///
    /// [`CheckpointError`], for anything that is not a whole, unchanged checkpoint.
    pub fn read(bytes: &'a [u8]) -> Result<Self, CheckpointError> {
        let rest = bytes.strip_prefix(&MAGIC).ok_or(CheckpointError::NotACheckpoint)?;
        let length = |needed| CheckpointError::Length { len: bytes.len(), needed };
        let (&version, rest) = rest.split_first().ok_or(length(PREFIX))?;
        if version != VERSION {
            return Err(CheckpointError::Version { found: version });
        }
        let (&needed, _) = rest.split_first_chunk().ok_or(length(PREFIX))?;
        let needed = usize::try_from(u64::from_le_bytes(needed)).unwrap_or(usize::MAX);
        if bytes.len() != needed {
            return Err(length(needed));
        }
        let (covered, &stored) = bytes.split_last_chunk().ok_or(CheckpointError::Malformed)?;
        let (stored, computed) = (u32::from_le_bytes(stored), CRC.checksum(covered));
        if stored != computed {
            return Err(CheckpointError::Corrupt { stored, computed });
        }
        let content = covered.get(PREFIX..).ok_or(CheckpointError::Malformed)?;
        match postcard::take_from_bytes::<Self>(content) {
            Ok((checkpoint, [])) => checkpoint.checked(),
            _ => Err(CheckpointError::Malformed),
        }
    }

    /// The network.
    pub fn graph(&self) -> Graph<'_> {
        Graph { name: self.network, nodes: &self.nodes }
    }

    /// The checkpoint, if its nodes are a network, and its weights all of the network's.
    fn checked(self) -> Result<Self, CheckpointError> {
        let graph = self.graph();
        graph.check().map_err(|error| CheckpointError::Graph(error.to_string()))?;
        let fits = Some(self.weights.len()) == graph.parameters().checked_mul(size_of::<f32>());
        if fits { Ok(self) } else { Err(CheckpointError::Malformed) }
    }

    /// The weights.
    pub fn weights(&self) -> Vec<f32> {
        self.weights.as_chunks::<4>().0.iter().map(|&weight| f32::from_le_bytes(weight)).collect()
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

    thumbnet::sequential! {
        struct Tiny: [1, 1, 2] {
            first: Dense { units: 2, activation: Relu },
            last: Dense { units: 2, activation: Softmax },
        }
    }

    fn tiny() -> (Vec<f32>, Vec<u8>) {
        let mut weights = vec![0.0; Tiny::PARAMETERS];
        thumbnet::train::initialize(&Tiny::GRAPH, thumbnet::train::Initializer::default(), &mut weights, 1);
        let bytes = write(&Tiny::GRAPH, &weights);
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
                CheckpointError::NotACheckpoint => len < 8,
                CheckpointError::Length { len: found, .. } => found == len,
                _ => false,
            };
            assert!(is_right, "{len}: {error}");
        }
        for position in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[position] ^= 0x10;
            let error = Checkpoint::read(&bytes).unwrap_err();
            let is_right = match error {
                CheckpointError::NotACheckpoint => position < 8,
                CheckpointError::Version { .. } => position == 8,
                CheckpointError::Length { .. } => (9..PREFIX).contains(&position),
                CheckpointError::Corrupt { .. } => position >= PREFIX,
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
            let checkpoint = Checkpoint { network: "MnistSmall", nodes: nodes.to_vec(), weights: &[] };
            checkpoint.weights_of(&MnistSmall::GRAPH).unwrap_err().to_string()
        };
        assert!(disguised(MnistConvNet::GRAPH.nodes).ends_with("layer `conv1` differs"));
        assert!(disguised(&MnistSmall::GRAPH.nodes[..6]).ends_with("layer `dense1` differs"));
        let missing = Checkpoint { network: "MnistSmall", nodes: MnistSmall::GRAPH.nodes.to_vec(), weights: &[0; 8] };
        assert_eq!(missing.checked(), Err(CheckpointError::Malformed));
    }
}
