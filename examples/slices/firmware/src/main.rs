//! Runs a network step by step: between two steps a watchdog is fed, or other async tasks go on.
#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::singleton;
use defmt::{error, info, unwrap};
use embassy_executor::Spawner;
use embassy_futures::yield_now;
use firmware::board::{Board, Selected};
use slices_network::Fruits;
use thumbnet::{Network, blob::Description, include_blob, train::argmax};

/// Written by `cargo trainer sample`: inputs as the network takes them, and the PC's outputs for them.
static INPUTS: &[u8] = include_bytes!("../inputs.bin");
static SCORES: &[u8] = include_bytes!("../scores.bin");

/// How often the watchdog was fed. That of a chip is a register, which its HAL writes.
static FED: AtomicU32 = AtomicU32::new(0);

fn feed() {
    FED.fetch_add(1, Ordering::Relaxed);
}

/// Another task, which must not wait for a whole inference.
#[embassy_executor::task]
async fn watchdog() {
    loop {
        feed();
        yield_now().await;
    }
}

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    Selected::start();
    // Written by `cargo trainer quantize`.
    let blob = include_blob!("../model.blob");
    let network = unwrap!(Fruits::from_blob(blob));
    let description = unwrap!(Description::read(blob));
    let memory = unwrap!(singleton!(: <Fruits as Network>::Memory = Fruits::ZERO_MEMORY));

    let mut image = Fruits::ZERO_IMAGE;
    for (value, byte) in image.iter_mut().zip(INPUTS) {
        *value = byte.cast_signed();
    }
    // Where nothing else runs: a loop.
    let mut run = network.start(&image, memory);
    while run.step() {
        feed();
    }
    let first = run.scores();
    info!("a loop: the watchdog was fed {=u32} times in an inference", FED.swap(0, Ordering::Relaxed));

    // Where tasks run: after each step, the others have their turn.
    unwrap!(spawner.spawn(watchdog()));
    let (mut samples, mut different) = (0, 0);
    for (input, wanted) in INPUTS.chunks_exact(Fruits::INPUT.len()).zip(SCORES.chunks_exact(Fruits::OUTPUT.len())) {
        for (value, byte) in image.iter_mut().zip(input) {
            *value = byte.cast_signed();
        }
        let mut run = network.start(&image, memory);
        while run.step() {
            yield_now().await;
        }
        let scores = run.scores();
        info!("{=str}", description.label(argmax(&scores)).unwrap_or("?"));
        different += scores.iter().zip(wanted).filter(|(score, byte)| **score != byte.cast_signed()).count();
        different += usize::from(samples == 0 && scores != first);
        samples += 1;
    }
    let fed = FED.load(Ordering::Relaxed);
    if different > 0 || fed < samples {
        error!("{=usize} outputs differ from the PC's; fed {=u32} times in {=u32} inferences", different, fed, samples);
        firmware::exit(1)
    }
    info!("{=u32} samples, every output as on the PC; the watchdog's task ran {=u32} times meanwhile", samples, fed);
    firmware::exit(0)
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    firmware::report_panic(info)
}
