//! The blob: a quantised network as one file, read in place from flash.
//!
//! A blob is one [postcard](https://postcard.jamesmunns.com/wire-format) value, the struct [`Contents`] (feature
//! `alloc`), with these fields in order:
//!
//! | field | type | |
//! |---|---|---|
//! | header | [`Header`](crate::infer::Header) | magic, version, family, counts, offsets, length; of fixed width |
//! | pad | bytes | so many zeros that the first record starts at a multiple of 4 |
//! | records | sequence of [`Record`](crate::infer::Record) | one for each step of inference; numbers of fixed width |
//! | pad | bytes | so many zeros that the next field's content starts at a multiple of 16 |
//! | tensors | bytes | those of each record, aligned to 16; see below |
//! | info | [`Info`] | names, labels, what raw inputs mean ([`Description`]); for PCs the graph, columns |
//! | crc | `u32`, fixed width | CRC-32 (ISO-HDLC, as in zip) over all before it |
//!
//! The tensors of a record are weights (`i8`); then, aligned to 4, bias (`i32`), multiplier (`i32`), shift (`i8`) and
//! table (`i8`).
//!
//! `Info` begins with what a device may want, as postcard writes it: the name (its length as a varint, then UTF-8), the
//! labels (their number, then each as the name), the scalings (their number, then mean and deviation of each, `f32`),
//! and what samples are (0 values, 1 pictures, 2 digits).
//!
//! Numbers are little-endian, as Cortex-M and PCs are, so that they need no decoding: a device reads header, records
//! and tensors where they lie. The blob itself must lie at a multiple of 16 ([`Aligned`],
//! [`include_blob!`](crate::include_blob)).

#[cfg(feature = "alloc")]
mod contents;
mod crc;
mod description;
mod include;
mod integrity;
#[cfg(feature = "alloc")]
mod loaded;
mod read;
#[cfg(feature = "alloc")]
mod write;
#[cfg(feature = "alloc")]
mod write_error;

#[cfg(feature = "alloc")]
pub use contents::{About, Contents, Info};
pub use description::Description;
pub use include::check_included;
pub use integrity::Integrity;
#[cfg(feature = "alloc")]
pub use loaded::Loaded;
pub use read::read;
#[cfg(feature = "alloc")]
pub use write::{Family, repack, write};
#[cfg(feature = "alloc")]
pub use write_error::{RepackError, WriteError};

use core::fmt;

use crate::int8::Packing;

/// The first bytes of every blob.
pub const MAGIC: [u8; 8] = *b"thumbnet";
/// The version that this library writes and reads.
pub const VERSION: u8 = 3;
/// A blob, and the tensors of each step in it, start at a multiple of this many bytes.
pub const ALIGNMENT: usize = 16;
/// Why a blob cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum BlobError {
    /// The bytes do not start at a multiple of [`ALIGNMENT`].
    Alignment {
        /// How far they are beyond one.
        offset: usize,
    },
    /// The bytes do not begin with [`MAGIC`].
    NotABlob,
    /// The blob was written by another version of the format.
    Version {
        /// The version in the blob.
        found: u8,
    },
    /// The blob ends early.
    Truncated {
        /// Bytes that there are.
        len: usize,
        /// Bytes that the blob says it has.
        needed: usize,
    },
    /// The bytes are not those that were written: the CRC differs.
    Corrupt {
        /// The CRC in the blob.
        stored: u32,
        /// The CRC of its bytes.
        computed: u32,
    },
    /// The blob is of another network.
    Architecture {
        /// The first layer of this network that the blob's differs in; empty if the blob's goes on after the last.
        layer: &'static str,
    },
    /// The weights lie in an order that this core's kernels do not read.
    Packing {
        /// The order in the blob.
        found: Packing,
        /// The order that the kernels read.
        needed: Packing,
    },
    /// The CRC is right, but a field makes no sense; a defect in the program that wrote the blob.
    Malformed {
        /// The field.
        field: &'static str,
    },
}

impl fmt::Display for BlobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alignment { offset } => {
                write!(
                    f,
                    "the blob starts {offset} bytes after a multiple of {ALIGNMENT}; include it with include_blob!"
                )
            }
            Self::NotABlob => f.write_str("the bytes are not a thumbnet blob: they do not begin with `thumbnet`"),
            Self::Version { found } => {
                write!(f, "the blob has format version {found}, but this library reads {VERSION}")
            }
            Self::Truncated { len, needed } => write!(f, "the blob is truncated: {len} bytes of {needed}"),
            Self::Corrupt { stored, computed } => {
                write!(f, "the blob is corrupt: its CRC-32 is {computed:08x}, but {stored:08x} is stored")
            }
            Self::Architecture { layer: "" } => f.write_str("the blob is of another network: it has more layers"),
            Self::Architecture { layer } => write!(f, "the blob is of another network: layer `{layer}` differs"),
            Self::Packing { found, needed } => write!(
                f,
                "the blob's weights lie in the order {found:?}, but this core's kernels read {needed:?}; write it \
                 with `quantize --family {}` of the program that trained it",
                if *needed == Packing::Plain { "plain" } else { "dsp" }
            ),
            Self::Malformed { field } => write!(f, "the blob's field `{field}` makes no sense"),
        }
    }
}

impl core::error::Error for BlobError {}

/// Bytes at a multiple of 16, as a blob must lie. Made by [`include_blob!`](crate::include_blob).
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub struct Aligned<T: ?Sized>(pub T);

/// Includes a blob from a file, as `&'static [u8]` aligned for [`Network::from_blob`](crate::Network::from_blob). The
/// path is as for `include_bytes!`. A file that is no blob, or one whose weights are ordered for other cores than
/// those of this target, does not compile ([`check_included`](crate::blob::check_included)).
///
/// ```
/// let blob = thumbnet::include_blob!(concat!(env!("CARGO_MANIFEST_DIR"), "/../models/blobs/mnist_small.plain.tnb"));
/// assert!(blob.starts_with(&thumbnet::blob::MAGIC));
/// assert!(blob.as_ptr().addr().is_multiple_of(16));
/// ```
#[macro_export]
macro_rules! include_blob {
    ($path:expr) => {{
        const _: () = $crate::blob::check_included(include_bytes!($path));
        static BLOB: &$crate::blob::Aligned<[u8]> = &$crate::blob::Aligned(*include_bytes!($path));
        &BLOB.0
    }};
}
