//! Makes the network's input of what an accelerometer gives, logs what the hand did, and holds it to what the PC says.
#![no_std]
#![no_main]

use cortex_m::singleton;
use defmt::{error, info, unwrap};
use firmware::board::{Board, Counter, Selected};
use gestures_network::Gestures;
use thumbnet::{
    Network,
    blob::Description,
    include_blob,
    input::{InputMultiplier, Scaling},
    train::argmax,
};

/// Written by the example `record`: accelerations along x, y and z, 16 bits each, again and again.
static RECORDINGS: &[u8] = include_bytes!("../recordings.bin");
/// Written by `cargo trainer sample`: inputs as the network takes them, and the PC's outputs for them.
static INPUTS: &[u8] = include_bytes!("../inputs.bin");
static SCORES: &[u8] = include_bytes!("../scores.bin");

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut counter = Selected::start().counter;
    // Written by `cargo trainer quantize`.
    let blob = include_blob!("../model.blob");
    let network = unwrap!(Gestures::from_blob(blob));
    let description = unwrap!(Description::read(blob));
    let scalings = [0, 1, 2].map(|channel| description.scaling(channel).unwrap_or(Scaling::NONE));
    let multiplier = InputMultiplier::new(scalings, network.input());
    let memory = unwrap!(singleton!(: <Gestures as Network>::Memory = Gestures::ZERO_MEMORY));

    let (values, classes) = (Gestures::INPUT.len(), Gestures::OUTPUT.len());
    let (mut windows, mut wrong) = (0, 0);
    let wanted = INPUTS.chunks_exact(values).zip(SCORES.chunks_exact(classes));
    for (recording, (input, scores)) in RECORDINGS.chunks_exact(2 * values).zip(wanted) {
        let mut raw = [0; Gestures::INPUT.len()];
        for (value, bytes) in raw.iter_mut().zip(recording.as_chunks().0) {
            *value = i16::from_le_bytes(*bytes);
        }
        let mut image = Gestures::ZERO_IMAGE;
        let (filled, filling) = counter.count(|| multiplier.fill(&raw, &mut image));
        unwrap!(filled);
        let (found, count) = counter.count(|| network.predict(&image, memory));
        let class = argmax(&found);
        info!(
            "{=str}: input {=u64}, network {=u64} instructions",
            description.label(class).unwrap_or("?"),
            filling,
            count
        );

        let as_on_pc = |(value, byte): (&i8, &u8)| value.abs_diff(byte.cast_signed()) <= 1;
        let same_input = image.iter().zip(input).all(as_on_pc);
        let mut pc = Gestures::ZERO_SCORES;
        pc.iter_mut().zip(scores).for_each(|(score, byte)| *score = byte.cast_signed());
        wrong += u32::from(!same_input || class != argmax(&pc));
        windows += 1;
    }
    if wrong > 0 || windows == 0 {
        error!("{=u32} of {=u32} windows are not what they are on the PC", wrong, windows);
        firmware::exit(1)
    }
    info!("{=u32} windows, each of the class that the PC finds", windows);
    firmware::exit(0)
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    firmware::report_panic(info)
}
