//! The whole of a blob, as postcard reads it on a PC.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::read::{check, malformed};
use super::{BlobError, WriteError};
use crate::graph::{Activation, Graph, Node};
use crate::infer::{Header, Parts, Record, U32, fits};
use crate::input::{Scaling, Shows};

/// A blob as one postcard value. See [`crate::blob`] for what the fields hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contents<'a> {
    /// What a blob begins with.
    pub header: Header,
    /// Zeros, so that the records are aligned.
    #[serde(borrow)]
    pub pad: &'a [u8],
    /// One for each step of inference.
    pub records: Vec<Record>,
    /// Zeros, so that the tensors are aligned.
    #[serde(borrow)]
    pub tensor_pad: &'a [u8],
    /// The tensors of every record.
    #[serde(borrow)]
    pub tensors: &'a [u8],
    /// What a device does not need for its scores.
    #[serde(borrow)]
    pub info: Info<'a>,
    /// The CRC of all before it.
    pub crc: U32,
}

/// What a blob says about its network besides what scores need. A device reads all before the nodes, by
/// [`Description`](super::Description).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Info<'a> {
    /// The network's name.
    pub name: &'a str,
    /// As [`About::labels`].
    #[serde(borrow)]
    pub labels: Vec<&'a str>,
    /// As [`About::scaling`].
    pub scaling: Vec<Scaling>,
    /// As [`About::shows`].
    pub shows: Shows,
    /// The nodes of its graph.
    #[serde(borrow)]
    pub nodes: Vec<Node<'a>>,
    /// As [`About::columns`].
    #[serde(borrow)]
    pub columns: Vec<&'a str>,
    /// As [`About::targets`].
    #[serde(borrow)]
    pub targets: Vec<&'a str>,
}

/// What stands for the inputs and outputs of a network, as [`write`](super::write()) puts it into a blob.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct About<'a> {
    /// The names of the classes, in the order of the outputs: none, or one for each. One sigmoid alone has two classes:
    /// that of 0, and that of 1.
    pub labels: &'a [&'a str],
    /// What raw values mean: one scaling for all, or one for each channel, which is the last axis of the input.
    pub scaling: &'a [Scaling],
    /// What a sample is.
    pub shows: Shows,
    /// Where samples are rows of a table: what its columns of values are called, in the order of the input. None, one
    /// for each value, or, where a row is a time step, one for each channel. A device passes these over.
    pub columns: &'a [&'a str],
    /// Likewise its columns of what is wanted: none, one, or one for each output.
    pub targets: &'a [&'a str],
}

impl Default for About<'_> {
    /// Bytes that stand for 0 to 1, of which nothing else is known; classes without names.
    fn default() -> Self {
        Self { labels: &[], scaling: &[Scaling::UNIT], shows: Shows::Values, columns: &[], targets: &[] }
    }
}

impl About<'_> {
    /// Fails where it is none of this network.
    ///
    /// # Errors
    ///
    /// [`WriteError::Labels`] where there are some labels, but not one for each class; [`WriteError::Scalings`] where
    /// there is neither one scaling nor one for each channel; [`WriteError::Scaling`] where one is not
    /// [valid](Scaling::is_valid); [`WriteError::Columns`] and [`WriteError::Targets`] where there are some names, but
    /// not as many as above.
    pub fn check(&self, graph: &Graph<'_>) -> Result<(), WriteError> {
        let classes = match (graph.output().len(), graph.output_activation()) {
            (1, Activation::Sigmoid) => 2,
            (outputs, _) => outputs,
        };
        let (labels, scalings, channels) = (self.labels.len(), self.scaling.len(), graph.input().channels);
        if labels != 0 && labels != classes {
            return Err(WriteError::Labels { labels, classes });
        }
        if scalings != 1 && scalings != channels {
            return Err(WriteError::Scalings { scalings, channels });
        }
        let (columns, values) = (self.columns.len(), graph.input().len());
        if ![0, channels, values].contains(&columns) {
            return Err(WriteError::Columns { columns, channels, values });
        }
        let (targets, outputs) = (self.targets.len(), graph.output().len());
        if ![0, 1, outputs].contains(&targets) {
            return Err(WriteError::Targets { targets, outputs });
        }
        match self.scaling.iter().position(|scaling| !scaling.is_valid()) {
            Some(channel) => Err(WriteError::Scaling { channel, scaling: self.scaling[channel] }),
            None => Ok(()),
        }
    }
}

impl<'a> Info<'a> {
    /// What the blob at the start of `bytes` says about its network. The graph is checked, and the blob is of no other
    /// one.
    ///
    /// # Errors
    ///
    /// [`BlobError`], for anything that is off.
    pub fn read(bytes: &'a [u8]) -> Result<Self, BlobError> {
        Ok(Self::read_with_parts(bytes)?.0)
    }

    /// The same, with what a device reads.
    pub(super) fn read_with_parts(bytes: &'a [u8]) -> Result<(Self, Parts<'a>), BlobError> {
        let parts = check(bytes)?;
        let blob = &bytes[..parts.header.length.0 as usize];
        let contents: Contents<'a> = postcard::from_bytes(blob).map_err(|_| malformed("info"))?;
        // A device finds what is behind the tensors by the header.
        if !core::ptr::eq(contents.tensors, bytemuck::cast_slice::<i8, u8>(parts.tensors)) {
            return Err(malformed("tensors"));
        }
        let info = contents.info;
        info.graph().check().map_err(|_| malformed("info"))?;
        if !fits(&info.graph()) {
            return Err(malformed("info"));
        }
        info.about().check(&info.graph()).map_err(|_| malformed("labels, scaling or columns"))?;
        Ok((info, parts))
    }

    /// The network.
    pub fn graph(&self) -> Graph<'_> {
        Graph { name: self.name, nodes: &self.nodes }
    }

    /// What stands for its inputs and outputs.
    pub fn about(&self) -> About<'_> {
        let Self { labels, scaling, shows, columns, targets, .. } = self;
        About { labels, scaling, shows: *shows, columns, targets }
    }
}
