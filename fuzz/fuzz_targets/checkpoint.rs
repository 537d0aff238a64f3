//! A checkpoint that says of itself that it is whole.
#![no_main]

use std::sync::LazyLock;

use host_train::checkpoint::{self, Checkpoint};
use libfuzzer_sys::fuzz_target;
use thumbnet::Network;
use thumbnet_fuzz::edited;
use thumbnet_models::MnistSmall;

const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
static VALID: LazyLock<Vec<u8>> = LazyLock::new(|| checkpoint::write::<MnistSmall>(&vec![0.5; MnistSmall::PARAMETERS]));

fuzz_target!(|data: &[u8]| {
    let mut bytes = edited(&VALID, data);
    // Behind the magic and the version: the length. At the end: the CRC of all before it.
    if let Some(covered) = bytes.len().checked_sub(4) {
        let len = bytes.len() as u64;
        if let Some(length) = bytes.get_mut(9..17) {
            length.copy_from_slice(&len.to_le_bytes());
        }
        let crc = CRC.checksum(&bytes[..covered]);
        bytes[covered..].copy_from_slice(&crc.to_le_bytes());
    }
    if let Ok(checkpoint) = Checkpoint::read(&bytes) {
        for layer in &checkpoint.layers {
            // What a file gives is a geometry: with its sizes nothing wraps.
            let _ = layer.window().map(|window| (window.input().len(), window.output().len(), window.patch()));
        }
        if let Ok(weights) = checkpoint.weights::<MnistSmall>() {
            assert_eq!(weights.len(), MnistSmall::PARAMETERS);
        }
    }
});
