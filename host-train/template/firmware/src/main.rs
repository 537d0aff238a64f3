//! Runs samples of the test half through the network, logs what it makes of each, and holds every output to the PC's.
#![no_std]
#![no_main]

use cortex_m::singleton;
use defmt::{error, info, unwrap};
use firmware::board::{Board, Counter, Selected};
use my_project_network::MyProjectNet;
use thumbnet::{Network, blob::Description, include_blob, train::argmax};

/// Written by `cargo trainer sample`: inputs as the network takes them, and the PC's outputs for them.
static INPUTS: &[u8] = include_bytes!("../inputs.bin");
static SCORES: &[u8] = include_bytes!("../scores.bin");

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut counter = Selected::start().counter;
    // Written by `cargo trainer quantize`.
    let blob = include_blob!("../model.blob");
    let network = unwrap!(MyProjectNet::from_blob(blob));
    let description = unwrap!(Description::read(blob));
    let memory = unwrap!(singleton!(: <MyProjectNet as Network>::Memory = MyProjectNet::ZERO_MEMORY));

    let (inputs, scores) = (MyProjectNet::INPUT.len(), MyProjectNet::OUTPUT.len());
    let mut different = 0;
    for (input, wanted) in INPUTS.chunks_exact(inputs).zip(SCORES.chunks_exact(scores)) {
        let mut image = MyProjectNet::ZERO_IMAGE;
        for (value, byte) in image.iter_mut().zip(input) {
            *value = byte.cast_signed();
        }
        let (scores, count) = counter.count(|| network.predict(&image, memory));
        let class = argmax(&scores);
        let (score, unit) = (network.output().dequantize(scores[class]), <Selected as Board>::Counter::UNIT);
        match description.label(class) {
            Some(label) => info!("{=str}: score {=f32}, {=u64} {=str}", label, score, count, unit),
            None => info!("output {=usize}: {=f32}, {=u64} {=str}", class, score, count, unit),
        }
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
