//! Gzip files as gzip and Python read them: members one after the other, and zeros behind them.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// Zeros behind a member at most: they fill a block of a tape or a disk.
const MOST_PADDING: usize = 1 << 24;

/// The contents of all members.
pub(super) struct Members<R> {
    /// The member that is read, until the last one has ended.
    member: Option<GzDecoder<R>>,
    /// Its number, from 1.
    number: usize,
}

impl<R: BufRead> Members<R> {
    /// Of a reader at the beginning of the first.
    pub(super) fn new(reader: R) -> Self {
        Self { member: Some(GzDecoder::new(reader)), number: 1 }
    }

    /// The error with the number of the member that it is of.
    fn name(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("member {}: {error}", self.number))
    }

    /// The reader at the next member, behind the one that ended and its padding; none at the end of the file.
    fn skip_padding(&self, mut reader: R) -> io::Result<Option<R>> {
        let mut padding = 0;
        loop {
            let rest = reader.fill_buf()?;
            let zeros = rest.iter().take_while(|&&byte| byte == 0).count();
            let next = rest.get(zeros).copied();
            padding += zeros;
            if padding > MOST_PADDING {
                return Err(io::Error::new(io::ErrorKind::InvalidData, format!("over {MOST_PADDING} zeros behind it")));
            }
            match next {
                None if zeros == 0 => return Ok(None),
                None => reader.consume(zeros),
                Some(0x1f) => {
                    reader.consume(zeros);
                    return Ok(Some(reader));
                }
                Some(byte) => {
                    let text = format!("byte {byte:#04x} behind it, where another member (0x1f) or zeros may stand");
                    return Err(io::Error::new(io::ErrorKind::InvalidData, text));
                }
            }
        }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(mut member) = self.member.take() {
            let len = member.read(buffer).map_err(|error| self.name(&error))?;
            if len > 0 || buffer.is_empty() {
                self.member = Some(member);
                return Ok(len);
            }
            let next = self.skip_padding(member.into_inner()).map_err(|error| self.name(&error))?;
            self.member = next.map(GzDecoder::new);
            self.number += 1;
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Write};

    use super::*;

    fn member(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Read with a buffer that ends anywhere in the file.
    fn read(bytes: &[u8], buffer: usize) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        Members::new(BufReader::with_capacity(buffer, bytes)).read_to_end(&mut content).map(|_| content)
    }

    fn both(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let all = read(bytes, 1 << 16);
        for buffer in [1, 2, 3, 7] {
            let text = |result: &io::Result<Vec<u8>>| result.as_ref().map_err(ToString::to_string).cloned();
            assert_eq!(text(&read(bytes, buffer)), text(&all), "buffer of {buffer}");
        }
        all
    }

    /// What Python reads, by `gzip.decompress(bytes)`, and `gzip -dc` too but for zeros between members, which it takes
    /// for the end.
    #[test]
    fn members_and_zeros_are_read_as_by_python() {
        let (a, b, empty) = (member(b"first"), member(b"second"), member(b""));
        let zeros = [0; 1000];
        for (parts, content) in [
            (&[&a[..]][..], "first"),
            (&[&a, &b], "firstsecond"),
            (&[&a, &zeros[..1]], "first"),
            (&[&a, &b, &zeros], "firstsecond"),
            (&[&a, &zeros, &b, &zeros], "firstsecond"),
            (&[&empty, &a, &empty, &b, &empty], "firstsecond"),
        ] {
            assert_eq!(both(&parts.concat()).unwrap(), content.as_bytes());
        }
    }

    #[test]
    fn what_is_cut_or_no_member_is_named() {
        let (a, b) = (member(b"first"), member(b"second"));
        let error = |parts: &[&[u8]]| both(&parts.concat()).unwrap_err().to_string();
        let behind = "byte 0x67 behind it, where another member (0x1f) or zeros may stand";
        assert_eq!(error(&[&a, b"garbage"]), format!("member 1: {behind}"));
        assert_eq!(error(&[&a, &b, &[0; 9], b"garbage"]), format!("member 2: {behind}"));
        for len in 1..b.len() {
            assert!(error(&[&a, &b[..len]]).starts_with("member 2: "), "{len}");
            assert!(error(&[&b[..len]]).starts_with("member 1: "), "{len}");
        }
        for position in [0, 1, 2, b.len() - 8, b.len() - 1] {
            let mut damaged = b.clone();
            damaged[position] ^= 0x55;
            let text = error(&[&a, &damaged]);
            assert!(
                text.starts_with(if position == 0 { "member 1: byte " } else { "member 2: " }),
                "{position}: {text}"
            );
        }
        let error = read(&[&a[..], &vec![0; MOST_PADDING + 1]].concat(), 1 << 16).unwrap_err();
        assert_eq!(error.to_string(), "member 1: over 16777216 zeros behind it");
    }
}
