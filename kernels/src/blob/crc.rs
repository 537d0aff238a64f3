//! CRC-32 (ISO-HDLC, as in zip), half a byte at a time: 64 bytes of table, where one for whole bytes has 1024 and would
//! make up a tenth of the flash that inference takes.

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

/// The CRC of `bytes`.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let half = |crc: u32| (crc >> 4) ^ REMAINDERS[(crc & 15) as usize];
    !bytes.iter().fold(u32::MAX, |crc, &byte| half(half(crc ^ u32::from(byte))))
}

#[cfg(test)]
mod tests {
    /// The check value of the catalogue of parametrised CRC algorithms (CRC-32/ISO-HDLC).
    #[test]
    fn gives_the_check_value() {
        assert_eq!(super::crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(super::crc32(b""), 0);
    }
}
