//! What the build script and the cases make inputs of.

use thumbnet::input::{InputMultiplier, Scaling};
use thumbnet::int8::Affine;

/// The network's input.
pub(crate) const INPUT: Affine = Affine { scale: 0.025, zero_point: -7 };

/// What bytes mean, and the channels of samples.
pub(crate) const SCALINGS: [Scaling; 4] = [
    Scaling { mean: 117.3, deviation: 61.9 },
    Scaling { mean: -52.1, deviation: 4096.0 },
    Scaling { mean: 16384.0, deviation: -2903.7 },
    Scaling { mean: 0.25, deviation: 12345.6 },
];

/// How many samples: whole blocks and some more, of each number of channels.
pub(crate) const SAMPLES: usize = 276;

/// Samples over all of their range.
pub(crate) fn samples() -> [i16; SAMPLES] {
    core::array::from_fn(|i| ((i * 40_503 + i * i * 977) % 65_536) as u16 as i16)
}

/// Gives `done` the inputs of one to four channels, fine and steep.
pub(crate) fn for_each_input(raw: &[i16], mut done: impl FnMut(&[i8; SAMPLES])) {
    // The first scaling has a raw step of more than half an int8 step, with a tenth of its deviation several.
    let steep = Scaling { mean: 117.3, deviation: 6.19 };
    let [a, b, c, d] = SCALINGS;
    let mut fill = |image| done(&image);
    fill(filled([b], raw));
    fill(filled([steep], raw));
    fill(filled([c, d], raw));
    fill(filled([b, c, d], raw));
    fill(filled([b, steep, d], raw));
    fill(filled([a, b, c, d], raw));
    fill(filled([a, b, c, d, a, c], raw));
}

fn filled<const CHANNELS: usize>(scalings: [Scaling; CHANNELS], raw: &[i16]) -> [i8; SAMPLES] {
    let mut image = [0; SAMPLES];
    assert!(InputMultiplier::new(scalings, INPUT).fill(raw, &mut image).is_ok());
    image
}
