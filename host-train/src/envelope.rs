//! What files of this program have in common: a magic, a version, a length and a CRC around one
//! [postcard](https://postcard.jamesmunns.com/wire-format) value.
//!
//! | field | type | |
//! |---|---|---|
//! | magic | `[u8; 8]` | which kind of file it is |
//! | version | `u8` | of that kind |
//! | length | `u64`, fixed width, little-endian | bytes of the whole file |
//! | value | | as its kind says |
//! | crc | `u32`, fixed width, little-endian | CRC-32 (ISO-HDLC, as in zip) over all before it |

use serde::{Deserialize, Serialize};

/// Bytes of magic, version and length.
pub(crate) const PREFIX: usize = 8 + 1 + 8;
const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

/// A kind of file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// The first bytes of every such file.
    pub(crate) magic: [u8; 8],
    /// The version that is written and read.
    pub(crate) version: u8,
    /// What it is called in errors.
    pub(crate) name: &'static str,
}

/// Why a file is not one of its kind, whole and unchanged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The bytes do not begin with the kind's magic.
    #[error("not a {name}: it does not begin with `{magic}`")]
    Magic {
        /// What it was to be.
        name: &'static str,
        /// How one begins.
        magic: String,
    },
    /// The file was written by another version.
    #[error("the {name} has format version {found}, but this program reads {version}")]
    Version {
        /// What it is.
        name: &'static str,
        /// The version in the file.
        found: u8,
        /// The version that is read.
        version: u8,
    },
    /// The file ends early, or goes on after its end.
    #[error(
        "the {name} has {len} bytes, must have {needed}: it is {}",
        if len < needed { "truncated" } else { "followed by others" }
    )]
    Length {
        /// What it is.
        name: &'static str,
        /// Bytes that there are.
        len: usize,
        /// Bytes that the file says it has.
        needed: usize,
    },
    /// The bytes are not those that were written.
    #[error("the {name} is corrupt: its CRC-32 is {computed:08x}, but {stored:08x} is stored")]
    Corrupt {
        /// What it is.
        name: &'static str,
        /// The CRC in the file.
        stored: u32,
        /// The CRC of its bytes.
        computed: u32,
    },
    /// The CRC is right, but the fields make no sense; a defect in the program that wrote them.
    #[error("the {name}'s fields make no sense")]
    Malformed {
        /// What it is.
        name: &'static str,
    },
}

/// The bytes of a file with this value.
pub(crate) fn seal(kind: Kind, value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(kind.magic);
    bytes.push(kind.version);
    bytes.extend([0; 8]);
    let mut bytes = postcard::to_extend(value, bytes).expect("growing memory takes any plain data");
    let len = bytes.len() as u64 + 4;
    bytes[PREFIX - 8..PREFIX].copy_from_slice(&len.to_le_bytes());
    bytes.extend(CRC.checksum(&bytes).to_le_bytes());
    bytes
}

/// The value in a file.
pub(crate) fn open<'a, T: Deserialize<'a>>(kind: Kind, bytes: &'a [u8]) -> Result<T, EnvelopeError> {
    let Kind { magic, version, name } = kind;
    let not_one = || EnvelopeError::Magic { name, magic: String::from_utf8_lossy(&magic).into() };
    let rest = bytes.strip_prefix(&magic).ok_or_else(not_one)?;
    let length = |needed| EnvelopeError::Length { name, len: bytes.len(), needed };
    let (&found, rest) = rest.split_first().ok_or(length(PREFIX))?;
    if found != version {
        return Err(EnvelopeError::Version { name, found, version });
    }
    let (&needed, _) = rest.split_first_chunk().ok_or(length(PREFIX))?;
    let needed = usize::try_from(u64::from_le_bytes(needed)).unwrap_or(usize::MAX);
    if bytes.len() != needed {
        return Err(length(needed));
    }
    let malformed = EnvelopeError::Malformed { name };
    let (covered, &stored) = bytes.split_last_chunk().ok_or(malformed.clone())?;
    let (stored, computed) = (u32::from_le_bytes(stored), CRC.checksum(covered));
    if stored != computed {
        return Err(EnvelopeError::Corrupt { name, stored, computed });
    }
    let content = covered.get(PREFIX..).ok_or(malformed.clone())?;
    match postcard::take_from_bytes(content) {
        Ok((value, [])) => Ok(value),
        _ => Err(malformed),
    }
}

/// The values of bytes, four each, little-endian.
pub(crate) fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|&value| f32::from_le_bytes(value)).collect()
}

/// The bytes of values, little-endian.
pub(crate) fn bytes_of(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
