//! An IDX file, plain or gzipped.
#![no_main]

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use host_train::data::Idx;
use libfuzzer_sys::fuzz_target;
use thumbnet_fuzz::{edited, file};

/// Two images of 3 x 2.
const VALID: &[u8] = &[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fuzz_target!(|data: &[u8]| {
    let Some((how, data)) = data.split_first() else { return };
    let bytes = match how % 3 {
        0 => edited(VALID, data),
        1 => edited(&gzip(VALID), data),
        _ => gzip(&edited(VALID, data)),
    };
    let rank = how / 3 % 4;
    if let Ok(idx) = Idx::read(file(&bytes).path(), rank) {
        assert_eq!(idx.dimensions.len(), usize::from(rank));
        assert_eq!(idx.dimensions.iter().product::<usize>(), idx.data.len());
    }
});
