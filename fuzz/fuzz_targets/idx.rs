//! An IDX file, plain or gzipped.
#![no_main]

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use host_train::data::IdxFile;
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
    if let Ok(array) = IdxFile::open(file(&bytes, "").path()).and_then(IdxFile::read) {
        assert_eq!(array.dimensions.iter().product::<usize>(), array.values.len());
    }
});
