//! Whether a blob is what was written: its CRC.

use super::BlobError;
use super::crc::Crc;
use super::read::covered;

/// The check of a blob's CRC, at once or in pieces: between a watchdog's resets, in a task's idle time, or behind a
/// network that [`from_trusted_blob`](crate::Network::from_trusted_blob) has started already.
///
/// ```
/// # use thumbnet::blob::{BlobError, Integrity};
/// # fn feed_the_watchdog() {}
/// # fn check(blob: &[u8]) -> Result<(), BlobError> {
/// let mut integrity = Integrity::new(blob)?;
/// while !integrity.advance(4096)? {
///     feed_the_watchdog();
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Integrity<'a> {
    crc: Crc,
    rest: &'a [u8],
    stored: u32,
}

impl<'a> Integrity<'a> {
    /// Begins with the blob at the start of `bytes`, which may be longer.
    ///
    /// # Errors
    ///
    /// [`BlobError`], if this is no blob, or not a whole one.
    pub fn new(bytes: &'a [u8]) -> Result<Self, BlobError> {
        let (_, rest, stored) = covered(bytes)?;
        Ok(Self { crc: Crc::new(), rest, stored })
    }

    /// Goes on with at most so many bytes, and at least one; says whether all are done.
    ///
    /// # Errors
    ///
    /// [`BlobError::Corrupt`], once all are done and were not those that were written.
    pub fn advance(&mut self, at_most: usize) -> Result<bool, BlobError> {
        let (next, rest) = self.rest.split_at_checked(at_most.max(1)).unwrap_or((self.rest, &[]));
        (self.crc, self.rest) = (self.crc.with(next), rest);
        match (self.rest.is_empty(), self.crc.value()) {
            (true, computed) if computed != self.stored => Err(BlobError::Corrupt { stored: self.stored, computed }),
            (done, _) => Ok(done),
        }
    }

    /// The whole check at once.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new) and [`advance`](Self::advance).
    pub fn check(bytes: &'a [u8]) -> Result<(), BlobError> {
        Self::new(bytes)?.advance(usize::MAX).map(|_| ())
    }
}
