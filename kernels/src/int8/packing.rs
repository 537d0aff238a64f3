//! The orders in which weights lie in flash.

/// The order of a layer's int8 weights: `rows` (filters or units) of `len` values (kernel height x width x channels, or
/// inputs). Every order takes `rows * len` bytes.
///
/// The DSP orders interleave rows by two, for the multiply-accumulate instructions of Cortex-M4 and its like. The
/// weights `a` and `b` of two rows at one position `k` share one little-endian halfword that holds the number `a + 256
/// b`. With `x` the inputs, one sum `S = Σ (a + 256 b) x` needs no unpacking at all; `A = Σ a x` needs the low bytes,
/// sign-extended, which is one instruction for two positions; and then `B = Σ b x = (S - A) / 256` exactly. So four
/// weights are unpacked by one instruction and no pair has to be shuffled. Requires `|b| < 128` (in TFLite's scheme
/// weights are in `-127..=127`) and that kernels split sums after [`Packing::SUM_LIMIT`] positions, before `S`
/// overflows. Reading a blob does not look at every weight: with a halfword that no writer makes, scores are those of
/// other weights, and nothing panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Packing {
    /// Row after row, as TFLite stores them: OHWI for a convolution, output x input for a dense layer. For the host,
    /// Helium, and cores without DSP instructions.
    #[default]
    Plain,
    /// Rows in groups of two: `k` by `k`, the halfword of the pair. What convolutions on DSP cores read.
    Pairs,
    /// Rows in groups of four: for every two `k`, one word of each pair (and a halfword of each for the last `k` of an
    /// odd length). What dense layers on DSP cores read.
    Quads,
}

/// A weight is -128, which the interleaved orders cannot hold (nor do symmetric int8 weights have it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct PackError {
    /// The filter or unit.
    pub row: usize,
    /// The position in it.
    pub position: usize,
}

impl core::fmt::Display for PackError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "weight {} of row {} is -128; packed weights are in -127..=127", self.position, self.row)
    }
}

impl core::error::Error for PackError {}

/// Where the weights of one row are: `first + k / 2 * step + k % 2 * 2`, and for the last `k` of an odd length, `last`.
#[derive(Clone, Copy)]
struct Interleaved {
    first: usize,
    step: usize,
    last: usize,
}

impl Packing {
    /// How many positions a sum `Σ (a + 256 b) x` may run over before `B` is taken out of it: `512 * 127 * 128 < 2^23`.
    pub const SUM_LIMIT: usize = 512;

    /// Rows in a full group.
    pub const fn group(self) -> usize {
        match self {
            Self::Plain => 1,
            Self::Pairs => 2,
            Self::Quads => 4,
        }
    }

    /// The order's number in a blob.
    pub const fn code(self) -> u8 {
        match self {
            Self::Plain => 0,
            Self::Pairs => 1,
            Self::Quads => 2,
        }
    }

    /// The order with that number.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Plain),
            1 => Some(Self::Pairs),
            2 => Some(Self::Quads),
            _ => None,
        }
    }

    /// Writes `plain` (row after row of `len` values) into `packed` in this order.
    ///
    /// # Errors
    ///
    /// [`PackError`] where a weight is -128 and the order is not [`Packing::Plain`].
    ///
    /// # Panics
    ///
    /// If the slices differ in length or do not hold whole rows, or `len` is 0.
    pub fn pack(self, plain: &[i8], len: usize, packed: &mut [i8]) -> Result<(), PackError> {
        let are_rows = len > 0 && plain.len() == packed.len() && plain.len().is_multiple_of(len);
        assert!(are_rows, "weights do not fill their rows");
        let rows = plain.len() / len;
        if self == Self::Plain {
            packed.copy_from_slice(plain);
            return Ok(());
        }
        if let Some(at) = plain.iter().position(|&w| w == i8::MIN) {
            return Err(PackError { row: at / len, position: at % len });
        }
        for row in 0..rows {
            for k in 0..len {
                let weight = plain[row * len + k];
                match self.place(rows, len, row) {
                    // The high byte is what is left of a + 256 b once the low byte is a: one less where a is negative.
                    Some(at) if row % 2 == 1 => {
                        packed[at.index(len, k) + 1] = weight - i8::from(plain[(row - 1) * len + k] < 0);
                    }
                    Some(at) => packed[at.index(len, k)] = weight,
                    None => packed[row * len + k] = weight,
                }
            }
        }
        Ok(())
    }

    /// Weight `k` of row `row`, of `rows` rows of `len` values in this order: what any back end can read any order by.
    ///
    /// # Panics
    ///
    /// If there is no such weight.
    ///
    /// Not inlined on cores whose own kernels read most weights: there the size counts more.
    #[cfg_attr(not(thumbnet_cortex), inline(always))]
    #[cfg_attr(thumbnet_cortex, inline(never))]
    pub fn weight(self, weights: &[i8], rows: usize, len: usize, row: usize, k: usize) -> i8 {
        match self.place(rows, len, row) {
            Some(at) if row % 2 == 1 => {
                let at = at.index(len, k);
                weights[at + 1].wrapping_add(i8::from(weights[at] < 0))
            }
            Some(at) => weights[at.index(len, k)],
            None => weights[row * len + k],
        }
    }

    /// Writes row `row` as plain values into `out`, whose length is the row's.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    pub fn unpack_row(self, weights: &[i8], rows: usize, row: usize, out: &mut [i8]) {
        let len = out.len();
        for (k, value) in out.iter_mut().enumerate() {
            *value = self.weight(weights, rows, len, row, k);
        }
    }

    /// Where an interleaved row lies; `None` for one that is stored plain (all of them, or the last of an odd number).
    #[inline(always)]
    fn place(self, rows: usize, len: usize, row: usize) -> Option<Interleaved> {
        let group = self.group();
        if group == 1 || row == rows & !1 {
            return None;
        }
        // The last group may have two rows less.
        let start = row / group * group;
        let pairs = (rows - start).min(group) / 2;
        let pair = (row - start) / 2;
        let base = start * len;
        Some(Interleaved { first: base + pair * 4, step: pairs * 4, last: base + len / 2 * pairs * 4 + pair * 2 })
    }
}

impl Interleaved {
    #[inline(always)]
    fn index(self, len: usize, k: usize) -> usize {
        if k == len - 1 && k.is_multiple_of(2) { self.last } else { self.first + k / 2 * self.step + k % 2 * 2 }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec;

    #[test]
    fn every_order_gives_every_weight_back() {
        for packing in [Packing::Plain, Packing::Pairs, Packing::Quads] {
            for rows in 1..=9 {
                for len in 1..=9 {
                    let plain: std::vec::Vec<i8> = (0..rows * len)
                        .map(|i| ((i * 37 + i * i * 11) % 255) as u8 as i8)
                        .map(|w| w.max(-127))
                        .collect();
                    let mut packed = vec![99; plain.len()];
                    packing.pack(&plain, len, &mut packed).unwrap();
                    for row in 0..rows {
                        let mut unpacked = vec![0; len];
                        packing.unpack_row(&packed, rows, row, &mut unpacked);
                        assert_eq!(unpacked, plain[row * len..][..len], "{packing:?} {rows} x {len}, row {row}");
                    }
                }
            }
        }
    }

    #[test]
    fn quads_are_words_of_two_pairs() {
        // Rows 0..4 of length 3; row r holds 10 r + k.
        let plain = [0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32];
        let mut packed = [0; 12];
        Packing::Quads.pack(&plain, 3, &mut packed).unwrap();
        assert_eq!(packed, [0, 10, 1, 11, 20, 30, 21, 31, 2, 12, 22, 32]);
        Packing::Pairs.pack(&plain, 3, &mut packed).unwrap();
        assert_eq!(packed, [0, 10, 1, 11, 2, 12, 20, 30, 21, 31, 22, 32]);
    }

    #[test]
    fn halfwords_are_exact_sums() {
        let mut packed = [0; 2];
        for a in -127i8..=127 {
            for b in -127i8..=127 {
                Packing::Pairs.pack(&[a, b], 1, &mut packed).unwrap();
                let half = i16::from_le_bytes([packed[0] as u8, packed[1] as u8]);
                assert_eq!(i32::from(half), i32::from(a) + 256 * i32::from(b));
            }
        }
    }

    #[test]
    fn minus_128_is_refused_by_name() {
        let mut packed = [0; 4];
        let error = Packing::Quads.pack(&[0, 1, 2, -128], 2, &mut packed).unwrap_err();
        assert_eq!(error, PackError { row: 1, position: 1 });
        assert!(Packing::Plain.pack(&[0, 1, 2, -128], 2, &mut packed).is_ok());
    }
}
