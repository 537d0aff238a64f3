//! The whole of a blob, as postcard reads it on a PC.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::BlobError;
use super::read::{check, malformed};
use crate::graph::{Graph, Node};
use crate::infer::{Header, Parts, Record, U32, fits};

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
    /// What a device skips.
    #[serde(borrow)]
    pub info: Info<'a>,
    /// The CRC of all before it.
    pub crc: U32,
}

/// What a blob says about its network besides what a device needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Info<'a> {
    /// The network's name.
    pub name: &'a str,
    /// The nodes of its graph.
    #[serde(borrow)]
    pub nodes: Vec<Node<'a>>,
    /// The names of its classes, in the order of the outputs; empty where they have none.
    #[serde(borrow)]
    pub labels: Vec<&'a str>,
    /// What a raw input value means.
    pub raw: Raw,
}

/// What a raw input value (a pixel, a sample) means: the network's input is `scale * raw + offset`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Raw {
    /// The real distance of two neighbouring raw values.
    pub scale: f32,
    /// What a raw 0 means.
    pub offset: f32,
}

impl Raw {
    /// Bytes that stand for 0 to 1, as pixels do.
    pub const UNIT: Self = Self { scale: 1.0 / 255.0, offset: 0.0 };
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
        let info = contents.info;
        info.graph().check().map_err(|_| malformed("info"))?;
        if fits(&info.graph()) { Ok((info, parts)) } else { Err(malformed("info")) }
    }

    /// The network.
    pub fn graph(&self) -> Graph<'_> {
        Graph { name: self.name, nodes: &self.nodes }
    }
}
