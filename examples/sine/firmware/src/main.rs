//! Runs angles of the test half through the network, logs their sines, and holds every output to the PC's.
#![no_std]
#![no_main]

use cortex_m::singleton;
use defmt::{error, info, unwrap};
use firmware::board::{Board, Selected};
use sine_network::Sine;
use thumbnet::{Network, include_blob};

/// Written by `cargo trainer sample`: inputs as the network takes them, and the PC's outputs for them.
static INPUTS: &[u8] = include_bytes!("../inputs.bin");
static SCORES: &[u8] = include_bytes!("../scores.bin");

#[cortex_m_rt::entry]
fn main() -> ! {
    Selected::start();
    // Written by `cargo trainer quantize`.
    let network = unwrap!(Sine::from_blob(include_blob!("../model.blob")));
    let memory = unwrap!(singleton!(: <Sine as Network>::Memory = Sine::ZERO_MEMORY));

    let mut different = 0;
    for (input, wanted) in INPUTS.iter().zip(SCORES) {
        let angle = input.cast_signed();
        let [sine] = network.predict(&[angle], memory);
        info!(
            "the sine of {=f32} half turns is {=f32}",
            network.input().dequantize(angle),
            network.output().dequantize(sine)
        );
        different += usize::from(sine != wanted.cast_signed());
    }
    if different > 0 {
        error!("{=usize} outputs differ from the PC's", different);
        firmware::exit(1)
    }
    info!("{=usize} samples, every output as on the PC", INPUTS.len());
    firmware::exit(0)
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    firmware::report_panic(info)
}
