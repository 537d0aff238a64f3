//! MNIST: what it is known by, and how it comes to be there.

#[cfg(feature = "download")]
mod fetch;

#[cfg(feature = "download")]
pub use fetch::{DATA_VARIABLE, MnistError, ensure, folder};

/// Whether labels, without a file's header, are those of MNIST's training or test half: by their number and CRC-32.
pub(super) fn are_labels(labels: &[u8]) -> bool {
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    let is_one = |(len, sum)| labels.len() == len && crc.checksum(labels) == sum;
    [(60_000, 0xba07_e8ef), (10_000, 0xee86_04d9)].into_iter().any(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_labels_are_not_mnists() {
        assert!(!are_labels(&[7; 60_000]) && !are_labels(&[7; 10_000]) && !are_labels(&[]));
    }
}
