//! Runs two networks in one piece of memory, one after the other, and holds every output to the PC's.
#![no_std]
#![no_main]

use cortex_m::singleton;
use defmt::{error, info, unwrap};
use firmware::board::{Board, Selected};
use thumbnet::{
    Int8, Network,
    blob::Description,
    include_blob,
    network::{SharedMemory, largest},
    train::argmax,
};
use two_networks_network::{Belt, Fruits};

/// What the larger network needs.
type Memory = SharedMemory<{ largest(&[Belt::MEMORY_BYTES, Fruits::MEMORY_BYTES]) }>;

/// Written by `cargo trainer sample`: inputs as each network takes them, and the PC's outputs for them.
static BELT: [&[u8]; 2] = [include_bytes!("../belt-inputs.bin"), include_bytes!("../belt-scores.bin")];
static FRUITS: [&[u8]; 2] = [include_bytes!("../fruits-inputs.bin"), include_bytes!("../fruits-scores.bin")];

#[cortex_m_rt::entry]
fn main() -> ! {
    Selected::start();
    // Written by `cargo trainer quantize`.
    let (belt, fruits) = (include_blob!("../belt.blob"), include_blob!("../fruits.blob"));
    let (belt_network, fruits_network) = (unwrap!(Belt::from_blob(belt)), unwrap!(Fruits::from_blob(fruits)));
    let (belt, fruits) = (unwrap!(Description::read(belt)), unwrap!(Description::read(fruits)));
    let memory = unwrap!(singleton!(: Memory = Memory::ZERO));

    let mut different = 0;
    let samples = BELT[0].len() / Belt::INPUT.len();
    for sample in 0..samples {
        different += run(&belt_network, &belt, sample, BELT, memory);
        different += run(&fruits_network, &fruits, sample, FRUITS, memory);
    }
    if different > 0 || samples == 0 {
        error!("of {=usize} samples, {=usize} outputs differ from the PC's", samples, different);
        firmware::exit(1)
    }
    info!("{=usize} samples of each, every output as on the PC", samples);
    firmware::exit(0)
}

/// Runs a network on one of its samples, and counts the outputs that differ from the PC's.
fn run<N: Network>(
    network: &Int8<'_, N>,
    description: &Description<'_>,
    sample: usize,
    [inputs, scores]: [&[u8]; 2],
    memory: &mut Memory,
) -> usize {
    let mut image = N::ZERO_IMAGE;
    for (value, byte) in image.as_mut().iter_mut().zip(inputs.iter().skip(sample * N::INPUT.len())) {
        *value = byte.cast_signed();
    }
    let found = network.predict_in(&image, memory);
    let found = found.as_ref();
    info!("{=str}: {=str}", description.name(), description.label(argmax(found)).unwrap_or("?"));
    let wanted = scores.iter().skip(sample * N::OUTPUT.len());
    found.iter().zip(wanted).filter(|(score, byte)| **score != byte.cast_signed()).count()
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    firmware::report_panic(info)
}
