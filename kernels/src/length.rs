//! The error of a buffer that has another length than is needed.

use core::fmt;

/// A buffer has the wrong length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct LengthError {
    /// Which buffer.
    pub what: &'static str,
    /// Its length.
    pub len: usize,
    /// The length that is needed.
    pub needed: usize,
}

impl LengthError {
    /// The error of the buffer `what`, if it does not have `needed` values.
    pub(crate) const fn expect(what: &'static str, len: usize, needed: usize) -> Result<(), Self> {
        if len == needed { Ok(()) } else { Err(Self { what, len, needed }) }
    }

    /// The error of the buffer `what`, if it has fewer than `needed` values.
    pub(crate) const fn expect_at_least(what: &'static str, len: usize, needed: usize) -> Result<(), Self> {
        if len >= needed { Ok(()) } else { Err(Self { what, len, needed }) }
    }
}

impl fmt::Display for LengthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has {} values, but {} are needed", self.what, self.len, self.needed)
    }
}

impl core::error::Error for LengthError {}
