//! Cases about the board and the measurements on it.

use device_tests::Case;
use firmware::board::{Board, Counter, Selected};
use thumbnet::LengthError;
use thumbnet::input::{InputMultiplier, InputTable, Scaling};
use thumbnet::int8::Affine;

/// The cases of this file.
pub(crate) const CASES: &[Case] = &[
    Case { name: "board::a_loop_of_known_length_is_counted_exactly", run: a_loop_of_known_length_is_counted_exactly },
    Case { name: "board::the_stack_of_a_call_is_measured", run: the_stack_of_a_call_is_measured },
    Case { name: "board::inputs_take_few_instructions", run: inputs_take_few_instructions },
];

/// Subtract and branch: two instructions a round.
fn a_loop_of_known_length_is_counted_exactly() {
    type Count = <Selected as Board>::Counter;
    let mut counter = Selected::start().counter;
    let ((), short) = counter.count(|| rounds(1_000));
    let ((), long) = counter.count(|| rounds(1_001_000));
    let difference = long - short;
    // Each of the two counts is off by less than one tick.
    let tick = u64::from(Count::UNITS_PER_TICK);
    assert!(difference.abs_diff(2_000_000) < 2 * tick, "{difference} instructions for a million rounds");
}

#[inline(never)]
fn rounds(rounds: u32) {
    cortex_m::asm::delay(rounds);
}

/// What makes an input of samples.
type Fill<'a> = &'a dyn Fn(&[i16], &mut [i8]) -> Result<(), LengthError>;

/// Of a thousand values, what stands around the loop counted too: by a table, at most 4 instructions each on any core;
/// by multiplications at most 4 with DSP instructions, 7.2 without, and 14.8 where products have 32 bits.
fn inputs_take_few_instructions() {
    const VALUES: usize = 960;
    type Count = <Selected as Board>::Counter;
    let mut counter = Selected::start().counter;
    let input = Affine { scale: 0.025, zero_point: -7 };
    let mut image = [0; VALUES];
    let table = InputTable::new(Scaling::UNIT, input);
    let raw = core::hint::black_box([77; VALUES]);
    let (done, table) = counter.count(|| table.fill(&raw, &mut image));
    assert!(done.is_ok());

    let samples = core::hint::black_box([1234; VALUES]);
    let mut of = |call: Fill<'_>| {
        let (done, count) = counter.count(|| call(&samples, &mut image));
        assert!(done.is_ok());
        count
    };
    let scaling = Scaling { mean: 12.0, deviation: 4000.0 };
    let one = InputMultiplier::new([scaling], input);
    let two = InputMultiplier::new([scaling; 2], input);
    let three = InputMultiplier::new([scaling; 3], input);
    let four = InputMultiplier::new([scaling; 4], input);
    let six = InputMultiplier::new([scaling; 6], input);
    let counts = [
        table,
        of(&|raw, image| one.fill(raw, image)),
        of(&|raw, image| two.fill(raw, image)),
        of(&|raw, image| three.fill(raw, image)),
        of(&|raw, image| four.fill(raw, image)),
        of(&|raw, image| six.fill(raw, image)),
    ];
    let hundredths = counts.map(|count| count * 100 / VALUES as u64);
    defmt::info!("hundredths of {=str} a value: table, then 1, 2, 3, 4 and 6 channels: {}", Count::UNIT, hundredths);
    let most = match () {
        () if cfg!(any(feature = "microbit", feature = "mps2-an385-m0")) => 1480,
        () if cfg!(feature = "mps2-an385") => 720,
        () => 400,
    };
    // On a chip the counter counts cycles.
    let limits = [400, most, most, most, most, most];
    for (count, most) in hundredths.into_iter().zip(limits).filter(|_| Count::UNIT == "instructions") {
        assert!(count <= most + 100 * u64::from(Count::UNITS_PER_TICK) / VALUES as u64, "{count} of at most {most}");
    }
}

fn the_stack_of_a_call_is_measured() {
    let (_, none) = firmware::stack::used_by(|| ());
    let (_, kilobyte) = firmware::stack::used_by(|| core::hint::black_box([1u8; 1024]));
    assert!(none < 128, "{none} bytes for nothing");
    assert!((1024..1024 + 128 + 1024).contains(&kilobyte), "{kilobyte} bytes for a kilobyte");
}
