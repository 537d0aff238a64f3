//! Runs a network whose blob lies in a memory of its own, outside of the chip, and holds every output to the PC's.
#![no_std]
#![no_main]

use cortex_m::singleton;
use defmt::{error, info, unwrap};
use external_flash_network::Fruits;
use firmware::board::{Board, Counter, Selected};
use thumbnet::{
    Network,
    blob::{Aligned, Description, check_included},
    train::argmax,
};

/// Written by `cargo trainer quantize`. `external.x` gives the section its place.
const BYTES: &[u8] = include_bytes!("../model.blob");
// SAFETY: the section holds nothing else, and nothing depends on what is in it.
#[unsafe(link_section = ".external")]
static BLOB: Aligned<[u8; BYTES.len()]> = Aligned(*include_bytes!("../model.blob"));
const _: () = check_included(BYTES);

/// Written by `cargo trainer sample`: inputs as the network takes them, and the PC's outputs for them.
static INPUTS: &[u8] = include_bytes!("../inputs.bin");
static SCORES: &[u8] = include_bytes!("../scores.bin");

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut counter = Selected::start().counter;
    let blob = &BLOB.0;
    info!("a blob of {=usize} bytes at {=usize:#x}", blob.len(), blob.as_ptr().addr());
    let network = unwrap!(Fruits::from_blob(blob));
    let description = unwrap!(Description::read(blob));
    let memory = unwrap!(singleton!(: <Fruits as Network>::Memory = Fruits::ZERO_MEMORY));

    let (inputs, scores) = (Fruits::INPUT.len(), Fruits::OUTPUT.len());
    let mut different = 0;
    for (input, wanted) in INPUTS.chunks_exact(inputs).zip(SCORES.chunks_exact(scores)) {
        let mut image = Fruits::ZERO_IMAGE;
        for (value, byte) in image.iter_mut().zip(input) {
            *value = byte.cast_signed();
        }
        let (scores, count) = counter.count(|| network.predict(&image, memory));
        let class = argmax(&scores);
        let (label, score) = (description.label(class).unwrap_or("?"), network.output().dequantize(scores[class]));
        info!("{=str}: score {=f32}, {=u64} {=str}", label, score, count, <Selected as Board>::Counter::UNIT);
        different += scores.iter().zip(wanted).filter(|(score, byte)| **score != byte.cast_signed()).count();
    }
    if different > 0 {
        error!("{=usize} outputs differ from the PC's", different);
        firmware::exit(1)
    }
    info!("{=usize} samples, every output as on the PC", INPUTS.len() / inputs);
    firmware::exit(0)
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    firmware::report_panic(info)
}
