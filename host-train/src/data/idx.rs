//! The IDX format, plain or gzipped: two zero bytes, the element type, the rank, one big-endian u32 a dimension, then
//! the elements, the last dimension innermost.
//!
//! Source: the description at the foot of the original MNIST page.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek},
    path::{Path, PathBuf},
};

use super::{
    array::{Array, Kind, MOST},
    gzip::Members,
};

/// Why a file could not be read, and which file.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct IdxError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: IdxProblem,
}

/// What is wrong with an IDX file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdxProblem {
    /// The file cannot be opened or read.
    #[error("{0}")]
    Io(io::Error),
    /// The compressed data is damaged.
    #[error("damaged gzip data: {0}")]
    Gzip(io::Error),
    /// The first four bytes are not those of an IDX file.
    #[error(
        "wrong magic number {found:#010x}, must be 0x0000TTNN of a type TT (08 for u8, 09 i8, 0b i16, 0c i32, 0d f32, \
         0e f64) and NN dimensions"
    )]
    Magic {
        /// The four bytes found, big-endian.
        found: u32,
    },
    /// The file ends before its header or its data does.
    #[error("truncated: it ends after {found} bytes, its header announces {expected}")]
    Truncated {
        /// Uncompressed bytes found.
        found: u64,
        /// Uncompressed bytes that the header calls for (of the header alone, if it is cut itself).
        expected: u64,
    },
    /// The file goes on after its data.
    #[error("trailing bytes: it is longer than the {expected} bytes that its header announces")]
    Trailing {
        /// Uncompressed bytes that the header calls for.
        expected: u64,
    },
    /// A dimension is zero.
    #[error("empty: its dimensions are {0:?}")]
    Empty(Vec<usize>),
    /// The product of the dimensions exceeds what this machine can address.
    #[error("impossible dimensions {0:?}")]
    Dimensions(Vec<usize>),
    /// More data than is read.
    #[error("its dimensions are {dimensions:?}, {len} bytes, but must be at most {MOST} bytes")]
    TooLarge {
        /// The dimensions.
        dimensions: Vec<usize>,
        /// Their product, in bytes.
        len: u64,
    },
}

/// A file whose header was read, and whose data was not yet.
pub struct IdxFile {
    path: PathBuf,
    kind: Kind,
    dimensions: Vec<usize>,
    content: Content,
}

impl IdxFile {
    /// Opens the file `path`, plain or gzipped. Gzip is recognised by its first two bytes, whatever the file's name.
    ///
    /// # Errors
    ///
    /// [`IdxError`], for anything that does not begin like such an array, or announces more than any data set has.
    pub fn open(path: &Path) -> Result<Self, IdxError> {
        let open = || {
            let mut content = Content::open(path)?;
            let (kind, dimensions) = header(&mut content)?;
            Ok(Self { path: path.into(), kind, dimensions, content })
        };
        open().map_err(|problem| IdxError { path: path.into(), problem })
    }

    /// Lengths, outermost first. None is zero.
    pub fn dimensions(&self) -> &[usize] {
        &self.dimensions
    }

    /// Reads the data.
    ///
    /// # Errors
    ///
    /// [`IdxError`], where there is less or more than announced. Memory grows with the bytes really there, not with
    /// what a damaged header announces.
    pub fn read(self) -> Result<Array, IdxError> {
        let (kind, dimensions, bytes) = self.data()?;
        Ok(Array { dimensions, values: kind.decode(bytes, true) })
    }

    /// As [`read`](Self::read), and how the element at an index is written, to the last digit.
    pub(super) fn read_written(self) -> Result<(Array, impl Fn(usize) -> String), IdxError> {
        let (kind, dimensions, bytes) = self.data()?;
        let written = bytes.clone();
        let text = move |index| kind.text(&written[index * kind.len()..][..kind.len()], true);
        Ok((Array { dimensions, values: kind.decode(bytes, true) }, text))
    }

    fn data(self) -> Result<(Kind, Vec<usize>, Vec<u8>), IdxError> {
        let Self { path, kind, dimensions, mut content } = self;
        let bytes = data(&mut content, kind, &dimensions).map_err(|problem| IdxError { path, problem })?;
        Ok((kind, dimensions, bytes))
    }
}

/// What a file holds, uncompressed.
struct Content {
    reader: Box<dyn Read>,
    /// Wraps what the reader reports.
    failure: fn(io::Error) -> IdxProblem,
}

impl Content {
    fn open(path: &Path) -> Result<Self, IdxProblem> {
        let mut file = File::open(path).map_err(IdxProblem::Io)?;
        let mut start = [0; 2];
        let gzipped = file.read_exact(&mut start).is_ok() && start == [0x1f, 0x8b];
        file.rewind().map_err(IdxProblem::Io)?;
        let file = BufReader::new(file);
        Ok(if gzipped {
            Self { reader: Box::new(Members::new(file)), failure: IdxProblem::Gzip }
        } else {
            Self { reader: Box::new(file), failure: IdxProblem::Io }
        })
    }

    /// The next `len` bytes, or fewer where the content ends before, and what a gzip stream that was cut says there.
    fn take(&mut self, len: u64) -> Result<(Vec<u8>, Option<io::Error>), IdxProblem> {
        let mut bytes = Vec::new();
        match self.reader.by_ref().take(len).read_to_end(&mut bytes) {
            // What came before the cut says best what is missing.
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err((self.failure)(error)),
            result => Ok((bytes, result.err())),
        }
    }
}

/// Bytes of the header of an array with `rank` dimensions.
const fn header_len(rank: usize) -> u64 {
    4 + 4 * rank as u64
}

/// Reads a header: the type of the elements and the dimensions.
fn header(content: &mut Content) -> Result<(Kind, Vec<usize>), IdxProblem> {
    let (start, _) = content.take(4)?;
    let Some(&word) = start.first_chunk() else {
        // The rank is not known: that of the shortest.
        return Err(IdxProblem::Truncated { found: start.len() as u64, expected: header_len(1) });
    };
    match (word, Kind::of_idx(word[2])) {
        ([0, 0, _, rank @ 1..=u8::MAX], Some(kind)) => Ok((kind, lengths(content, kind, rank)?)),
        _ => Err(IdxProblem::Magic { found: u32::from_be_bytes(word) }),
    }
}

/// Reads the dimensions behind the first four bytes of a header.
fn lengths(content: &mut Content, kind: Kind, rank: u8) -> Result<Vec<usize>, IdxProblem> {
    let header_len = header_len(rank.into());
    let (rest, _) = content.take(header_len - 4)?;
    let found = 4 + rest.len() as u64;
    if found < header_len {
        return Err(IdxProblem::Truncated { found, expected: header_len });
    }
    let (words, _) = rest.as_chunks::<4>();
    let words = words.iter().map(|&word| u32::from_be_bytes(word));
    let dimensions: Vec<usize> = words.map(|length| length as usize).collect();
    match dimensions.iter().try_fold(kind.len() as u64, |len, &length| len.checked_mul(length as u64)) {
        Some(0) => Err(IdxProblem::Empty(dimensions)),
        Some(len) if len <= MOST => Ok(dimensions),
        Some(len) => Err(IdxProblem::TooLarge { dimensions, len }),
        None if dimensions.contains(&0) => Err(IdxProblem::Empty(dimensions)),
        None => Err(IdxProblem::Dimensions(dimensions)),
    }
}

/// Reads the data behind a header.
fn data(content: &mut Content, kind: Kind, dimensions: &[usize]) -> Result<Vec<u8>, IdxProblem> {
    // No more than `MOST`, which a `usize` holds.
    let len: usize = dimensions.iter().product::<usize>() * kind.len();
    // One byte more than announced shows whether the file goes on.
    let (mut data, cut) = content.take(len as u64 + 1)?;
    let header_len = header_len(dimensions.len());
    let expected = header_len + len as u64;
    if data.len() < len {
        return Err(IdxProblem::Truncated { found: header_len + data.len() as u64, expected });
    }
    if data.len() > len {
        return Err(IdxProblem::Trailing { expected });
    }
    if let Some(error) = cut {
        // All data is there, but not the checksum that vouches for it.
        return Err((content.failure)(error));
    }
    data.shrink_to_fit();
    Ok(data)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::data::Values;

    /// Two images of 2 x 3.
    fn images() -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3];
        bytes.extend(0..12);
        bytes
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read_bytes(bytes: &[u8]) -> Result<Array, IdxError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        IdxFile::open(file.path())?.read()
    }

    fn problem(bytes: &[u8]) -> String {
        read_bytes(bytes).unwrap_err().problem.to_string()
    }

    #[test]
    fn reads_plain_and_gzipped_alike() {
        let expected = Array { dimensions: vec![2, 2, 3], values: Values::Bytes((0..12).collect()) };
        assert_eq!(read_bytes(&images()).unwrap(), expected);
        assert_eq!(read_bytes(&gzip(&images())).unwrap(), expected);
        let halves = [gzip(&images()[..9]), gzip(&images()[9..]), vec![0; 512]].concat();
        assert_eq!(read_bytes(&halves).unwrap(), expected);
        assert_eq!(read_bytes(&[0, 0, 8, 1, 0, 0, 0, 2, 5, 6]).unwrap().values, Values::Bytes(vec![5, 6]));
    }

    /// Big-endian, as the format has it.
    #[test]
    fn reads_every_type() {
        for (code, bytes, expected) in [
            (0x09, &[0xff, 0x7f][..], [-1.0, 127.0]),
            (0x0b, &[0xff, 0xfe, 0x01, 0x00], [-2.0, 256.0]),
            (0x0c, &[0xff, 0xff, 0xff, 0xfd, 0, 1, 0, 0], [-3.0, 65536.0]),
            (0x0d, &[0x3f, 0x80, 0, 0, 0xc0, 0x20, 0, 0], [1.0, -2.5]),
            (0x0e, &[0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xc0, 0x04, 0, 0, 0, 0, 0, 0], [1.0, -2.5]),
        ] {
            let file = [&[0, 0, code, 1, 0, 0, 0, 2], bytes].concat();
            assert_eq!(read_bytes(&file).unwrap().values, Values::Floats(expected.into()), "{code:#04x}");
            let text = read_bytes(&file[..file.len() - 1]).unwrap_err().problem.to_string();
            assert!(text.ends_with(&format!("announces {}", file.len())), "{text}");
        }
    }

    #[test]
    fn every_truncation_is_an_error() {
        let bytes = images();
        for len in 0..bytes.len() {
            let text = problem(&bytes[..len]);
            assert!(text.contains(&format!("ends after {len} bytes")), "{len}: {text}");
        }
        assert_eq!(problem(&bytes[..20]), "truncated: it ends after 20 bytes, its header announces 28");
        let bytes = gzip(&images());
        for len in 0..bytes.len() {
            // A gzip stream without its last bytes (the checksum) must not pass either.
            read_bytes(&bytes[..len]).unwrap_err();
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let mut longer = images();
        longer.push(0);
        assert!(problem(&longer).contains("longer than the 28 bytes"));

        let text = "wrong magic number 0x00000703, must be 0x0000TTNN of a type TT (08 for u8, ";
        assert!(problem(&[0, 0, 7, 3]).starts_with(text));
        assert!(problem(&[0, 0, 8, 0]).starts_with("wrong magic number 0x00000800"));
        assert!(problem(b"\x89PNG\r\n").contains("wrong magic number 0x89504e47"));

        let mut empty = images();
        empty[7] = 0;
        assert_eq!(problem(&empty), "empty: its dimensions are [0, 2, 3]");

        let mut huge = images();
        huge[4..].fill(0xff);
        assert!(problem(&huge).contains("impossible dimensions"));

        let mut many = images();
        many[4..8].copy_from_slice(&[0x20, 0, 0, 0]);
        let text = "its dimensions are [536870912, 2, 3], 3221225472 bytes, but must be at most 2147483648 bytes";
        assert_eq!(problem(&many), text);
        assert_eq!(problem(&gzip(&many)), text);

        let garbage = [gzip(&images()), b"garbage".to_vec()].concat();
        assert!(problem(&garbage).starts_with("damaged gzip data: member 1: byte 0x67 behind it"));

        let mut long = images();
        long[4] = 0x01;
        assert!(problem(&long).contains("truncated"));

        let mut damaged = gzip(&images());
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0x55;
        read_bytes(&damaged).unwrap_err();
    }

    #[test]
    fn names_the_file() {
        let error = IdxFile::open(Path::new("no/such-images")).err().unwrap();
        assert!(error.to_string().starts_with("no/such-images: "), "{error}");
    }
}
