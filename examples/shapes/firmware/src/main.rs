//! Makes the network's input of the bytes of pictures, logs what they show, and holds every output to the PC's.
#![no_std]
#![no_main]

use cortex_m::singleton;
use defmt::{error, info, unwrap};
use firmware::board::{Board, Counter, Selected};
use shapes_network::Shapes;
use thumbnet::{
    Network,
    blob::Description,
    include_blob,
    input::{InputTable, Scaling},
    train::argmax,
};

/// Written by `cargo trainer sample`: of each picture its class and its pixels, and the PC's outputs for them.
static PICTURES: &[u8] = include_bytes!("../pictures.bin");
static SCORES: &[u8] = include_bytes!("../scores.bin");

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut counter = Selected::start().counter;
    // Written by `cargo trainer quantize`.
    let blob = include_blob!("../model.blob");
    let network = unwrap!(Shapes::from_blob(blob));
    let description = unwrap!(Description::read(blob));
    let table = InputTable::new(description.scaling(0).unwrap_or(Scaling::UNIT), network.input());
    let memory = unwrap!(singleton!(: <Shapes as Network>::Memory = Shapes::ZERO_MEMORY));

    let name = |class| description.label(class).unwrap_or("?");
    let mut different = 0;
    let pictures = PICTURES.chunks_exact(1 + Shapes::INPUT.len());
    for (picture, wanted) in pictures.zip(SCORES.chunks_exact(Shapes::OUTPUT.len())) {
        let mut image = Shapes::ZERO_IMAGE;
        unwrap!(table.fill(&picture[1..], &mut image));
        let (scores, count) = counter.count(|| network.predict(&image, memory));
        info!("a {=str}, seen as a {=str}, {=u64} instructions", name(picture[0].into()), name(argmax(&scores)), count);
        different += scores.iter().zip(wanted).filter(|(score, byte)| **score != byte.cast_signed()).count();
    }
    if different > 0 {
        error!("{=usize} outputs differ from the PC's", different);
        firmware::exit(1)
    }
    info!("{=usize} outputs, every one as on the PC", SCORES.len());
    firmware::exit(0)
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    firmware::report_panic(info)
}
