//! A blob that says of itself that it is whole: either it is refused, or its network runs, the same on every back end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thumbnet::Network;
use thumbnet_fuzz::{Guarded, backends, edited};
use thumbnet_models::MnistSmall;

const VALID: &[u8] = include_bytes!("../../models/blobs/mnist_small.plain.tnb");
const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

fuzz_target!(|data: &[u8]| {
    let mut blob = edited(VALID, data);
    // Behind magic, version, family and count: the length. At the end: the CRC of all before it.
    if let (Some(covered), Ok(len)) = (blob.len().checked_sub(4), u32::try_from(blob.len())) {
        if let Some(length) = blob.get_mut(12..16) {
            length.copy_from_slice(&len.to_le_bytes());
        }
        let crc = CRC.checksum(&blob[..covered]);
        blob[covered..].copy_from_slice(&crc.to_le_bytes());
    }
    let blob = Guarded::new(&blob, false);
    let Ok(network) = MnistSmall::from_blob(blob.get()) else { return };
    let image = std::array::from_fn(|i| data.get(i % data.len().max(1)).map_or(0, |&byte| byte as i8));
    let mut memory = Box::new(MnistSmall::ZERO_MEMORY);
    let expected = network.predict(&image, &mut memory);
    for backend in backends() {
        assert_eq!(network.with_backend(backend).predict(&image, &mut memory), expected, "{}", backend.name());
    }
});
