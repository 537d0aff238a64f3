//! CRC-32 (ISO-HDLC, as in zip), piece by piece, in one of two ways: by a table of 64 bytes, in ten instructions a byte
//! of a Cortex-M4; or, with the feature `fast-crc` and on a PC, by folding, in three and without a table, which takes
//! 610 bytes of flash more. (A table for whole bytes has 1024 bytes and takes five.)

/// The remainders of the 16 half bytes.
const REMAINDERS: [u32; 16] = {
    let mut remainders = [0; 16];
    let mut i = 0;
    while i < remainders.len() {
        let mut remainder = i as u32;
        let mut bit = 0;
        while bit < 4 {
            // The polynomial, bits reversed.
            remainder = (remainder >> 1) ^ (0xedb8_8320 * (remainder & 1));
            bit += 1;
        }
        remainders[i] = remainder;
        i += 1;
    }
    remainders
};

/// The CRC of the bytes that it was given so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crc(u32);

impl Crc {
    /// That of no bytes.
    pub(super) const fn new() -> Self {
        Self(u32::MAX)
    }

    /// The CRC.
    pub(super) const fn value(self) -> u32 {
        !self.0
    }

    /// Goes on with `bytes`.
    #[must_use]
    pub(super) fn with(self, bytes: &[u8]) -> Self {
        #[cfg(any(feature = "alloc", feature = "fast-crc"))]
        return self.folded(bytes);
        #[cfg(not(any(feature = "alloc", feature = "fast-crc")))]
        return self.byte_by_byte(bytes);
    }

    fn byte_by_byte(self, bytes: &[u8]) -> Self {
        let half = |crc: u32| (crc >> 4) ^ REMAINDERS[(crc & 15) as usize];
        Self(bytes.iter().fold(self.0, |crc, &byte| half(half(crc ^ u32::from(byte)))))
    }

    /// The same by folding: what a word stands for is added to words behind it, until ten words are left.
    ///
    /// The CRC's polynomial divides `x^300 + x^155 + x^117 + x^89 + 1` (its only multiple of five terms below degree
    /// 330). So a bit may be taken away where it is added 145, 183, 211 and 300 places further on. The first bit is a
    /// word's lowest. After Russell, "Chorba: A novel CRC32 implementation" (2024).
    #[cfg(any(feature = "alloc", feature = "fast-crc"))]
    fn folded(self, bytes: &[u8]) -> Self {
        let (blocks, rest) = bytes.as_chunks::<40>();
        let Some((last, blocks)) = blocks.split_last() else { return self.byte_by_byte(bytes) };
        // What is added to the next ten words: to word k of a block, and then to word k of the block after it.
        let mut ahead = [self.0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        fold(&mut ahead, blocks);
        let mut crc = Self(0);
        for (word, ahead) in last.as_chunks::<4>().0.iter().zip(ahead) {
            crc = crc.byte_by_byte(&(u32::from_le_bytes(*word) ^ ahead).to_le_bytes());
        }
        crc.byte_by_byte(rest)
    }
}

/// Adds what each word of the blocks stands for to words behind it. By itself, so that no other value takes a register.
#[cfg(any(feature = "alloc", feature = "fast-crc"))]
#[inline(never)]
fn fold(totals: &mut [u32; 10], blocks: &[[u8; 40]]) {
    let mut ahead = *totals;
    for block in blocks {
        let (words, _) = block.as_chunks::<4>();
        macro_rules! fold {
            ($($k:literal)*) => {$(
                let word = u32::from_le_bytes(words[$k]) ^ ahead[$k];
                // 145 = 4 * 32 + 17, 183 = 5 * 32 + 23, 211 = 6 * 32 + 19, 300 = 9 * 32 + 12. One after the other:
                // a core shifts what it adds in the same instruction.
                ahead[($k + 4) % 10] ^= word << 17;
                ahead[($k + 5) % 10] = (ahead[($k + 5) % 10] ^ (word >> 15)) ^ (word << 23);
                ahead[($k + 6) % 10] = (ahead[($k + 6) % 10] ^ (word >> 9)) ^ (word << 19);
                ahead[($k + 7) % 10] ^= word >> 13;
                ahead[($k + 9) % 10] ^= word << 12;
                ahead[$k] = word >> 20;
            )*};
        }
        fold!(0 1 2 3 4 5 6 7 8 9);
    }
    *totals = ahead;
}

#[cfg(test)]
mod tests {
    use super::Crc;

    /// The check value of the catalogue of parametrised CRC algorithms (CRC-32/ISO-HDLC).
    #[test]
    fn gives_the_check_value() {
        assert_eq!(Crc::new().with(b"123456789").value(), 0xcbf4_3926);
        assert_eq!(Crc::new().byte_by_byte(b"123456789").value(), 0xcbf4_3926);
        assert_eq!(Crc::new().value(), 0);
    }

    #[cfg(any(feature = "alloc", feature = "fast-crc"))]
    #[test]
    fn folding_is_the_same() {
        let bytes: [u8; 512] = core::array::from_fn(|i| ((i * i * 31 + i * 7) >> 3) as u8);
        for start in [0, 1, 2, 3] {
            for end in start..bytes.len() {
                let bytes = &bytes[start..end];
                let expected = Crc::new().byte_by_byte(bytes).value();
                assert_eq!(Crc::new().folded(bytes).value(), expected, "{start}..{end}");
                let (a, b) = bytes.split_at(bytes.len() / 3);
                assert_eq!(Crc::new().folded(a).folded(b).value(), expected, "{start}..{end} in two pieces");
            }
        }
    }
}
