//! Postcard's values, taken off the front of bytes. By hand, because the few that a blob has take a tenth of the flash so that
//! a decoder for any value takes.

use super::{AfterRecord, StageRecord};
use crate::quant::{Affine, SoftmaxS8};

/// The bytes that are left. Every method gives `None` where they end early, or hold no such value.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const LEN: usize>(&mut self) -> Option<[u8; LEN]> {
        self.take(LEN)?.first_chunk().copied()
    }

    /// An unsigned number: seven bits a byte, the low ones first; the top bit says that more follow.
    #[inline(never)]
    pub(super) fn number(&mut self) -> Option<u32> {
        let mut number = 0;
        for shift in (0..32).step_by(7) {
            let [byte] = self.array()?;
            number |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// A signed number: 0, -1, 1, -2, and so on.
    fn signed(&mut self) -> Option<i32> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    /// Bytes behind their number.
    #[inline(never)]
    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let count = self.number()?;
        self.take(count as usize)
    }

    /// Scale and zero point; the scale is positive and finite.
    #[inline(never)]
    pub(super) fn affine(&mut self) -> Option<Affine> {
        let [a, b, c, d, zero_point] = self.array()?;
        let bits = u32::from_le_bytes([a, b, c, d]);
        // In whole numbers, because not every core has floating point.
        let scale = (1..f32::INFINITY.to_bits()).contains(&bits).then_some(f32::from_bits(bits))?;
        Some(Affine { scale, zero_point: zero_point.cast_signed() })
    }

    /// The record of a stage.
    #[inline(never)]
    pub(super) fn record(&mut self) -> Option<StageRecord> {
        let [zero_point, least, largest, packing] = self.array()?;
        let after = match self.number()? {
            0 => AfterRecord::Nothing,
            1 => {
                let multiplier = self.signed()?;
                let [left_shift] = self.array()?;
                AfterRecord::Softmax(SoftmaxS8 { multiplier, left_shift, diff_min: self.signed()? })
            }
            2 => AfterRecord::Table,
            _ => return None,
        };
        let output = self.affine()?;
        let activation = [least, largest].map(u8::cast_signed);
        Some(StageRecord { zero_point: zero_point.cast_signed(), activation, packing, after, output })
    }
}
