//! Cases about the board and the measurements on it.

use device_tests::Case;
use firmware::board::{Board, Counter, Selected};

/// The cases of this file.
pub(crate) const CASES: &[Case] = &[
    Case { name: "board::a_loop_of_known_length_is_counted_exactly", run: a_loop_of_known_length_is_counted_exactly },
    Case { name: "board::the_stack_of_a_call_is_measured", run: the_stack_of_a_call_is_measured },
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

fn the_stack_of_a_call_is_measured() {
    let (_, none) = firmware::stack::used_by(|| ());
    let (_, kilobyte) = firmware::stack::used_by(|| core::hint::black_box([1u8; 1024]));
    assert!(none < 128, "{none} bytes for nothing");
    assert!((1024..1024 + 128 + 1024).contains(&kilobyte), "{kilobyte} bytes for a kilobyte");
}
