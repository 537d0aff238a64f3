//! What a device may read about its network: names and what raw inputs mean.

use core::str;

use super::BlobError;
use super::read::{covered, malformed};
use crate::input::{Scaling, Shows};

/// What a blob says about its network, read where it lies, without a heap: only who asks for it pays for it.
///
/// ```
/// # use thumbnet::blob::{BlobError, Description};
/// # fn log(text: &str) {}
/// /// Logs the name of the class that has the largest score.
/// fn report(blob: &[u8], class: usize) -> Result<(), BlobError> {
///     let description = Description::read(blob)?;
///     log(description.label(class).unwrap_or("a class without a name"));
///     Ok(())
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Description<'a> {
    name: &'a str,
    labels: usize,
    /// The labels, as they are in the blob.
    texts: Fields<'a>,
    /// Mean and deviation of each.
    scaling: &'a [[u8; 8]],
    shows: Shows,
}

impl<'a> Description<'a> {
    /// Reads that of the blob at the start of `bytes`. Its CRC is [`Integrity`](super::Integrity)'s to check, and
    /// whether it is of some network [`Network::from_blob`](crate::Network::from_blob)'s.
    ///
    /// # Errors
    ///
    /// [`BlobError`], if this is no blob, or what it says makes no sense; afterwards nothing can fail.
    pub fn read(bytes: &'a [u8]) -> Result<Self, BlobError> {
        let (header, covered, _) = covered(bytes)?;
        let [start, len] = header.tensors.map(|word| word.0 as usize);
        let info = start.checked_add(len).and_then(|start| covered.get(start..)).ok_or(malformed("tensors"))?;
        let mut fields = Fields(info);
        let name = fields.text().ok_or(malformed("name"))?;
        let labels = fields.number().ok_or(malformed("labels"))?;
        let texts = fields;
        for _ in 0..labels {
            fields.text().ok_or(malformed("labels"))?;
        }
        let scaling = fields.scalings().ok_or(malformed("scaling"))?;
        let shows = match fields.number() {
            Some(0) => Shows::Values,
            Some(1) => Shows::Pictures,
            Some(2) => Shows::Digits,
            Some(_) | None => return Err(malformed("shows")),
        };
        Ok(Self { name, labels, texts, scaling, shows })
    }

    /// The network's name.
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// The names of the classes, in the order of the outputs; none where they have none. One sigmoid alone has two: of
    /// 0, and of 1.
    pub fn labels(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut texts = self.texts;
        (0..self.labels).map_while(move |_| texts.text())
    }

    /// The name of a class; `None` where classes have none, or there are not so many.
    pub fn label(&self, class: usize) -> Option<&'a str> {
        self.labels().nth(class)
    }

    /// What a raw value of a channel, the last axis of the input, means; `None` where there are not so many. One
    /// scaling may be that of every channel.
    pub fn scaling(&self, channel: usize) -> Option<Scaling> {
        match self.scaling {
            [all] => Some(scaling(all)),
            each => each.get(channel).map(scaling),
        }
    }

    /// What a sample is.
    pub const fn shows(&self) -> Shows {
        self.shows
    }
}

/// The bytes of values that postcard wrote one after the other.
#[derive(Clone, Copy, Debug)]
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The next `len` bytes.
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of as many bytes as it needs: seven bits in each, the lowest first.
    fn number(&mut self) -> Option<usize> {
        let mut number = 0;
        for shift in [0, 7, 14, 21] {
            let byte = *self.take(1)?.first()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        // 256 MiB and more.
        None
    }

    /// A text behind its length.
    fn text(&mut self) -> Option<&'a str> {
        let len = self.number()?;
        str::from_utf8(self.take(len)?).ok()
    }

    /// At least one scaling, behind their number.
    fn scalings(&mut self) -> Option<&'a [[u8; 8]]> {
        let len = self.number()?.checked_mul(8)?;
        let (scalings, _) = self.take(len)?.as_chunks();
        (!scalings.is_empty() && scalings.iter().all(|bytes| scaling(bytes).is_valid())).then_some(scalings)
    }
}

fn scaling(bytes: &[u8; 8]) -> Scaling {
    let [a, b, c, d, e, f, g, h] = *bytes;
    Scaling { mean: f32::from_le_bytes([a, b, c, d]), deviation: f32::from_le_bytes([e, f, g, h]) }
}
