//! Random int8 layers, and buffers that show who writes beyond them.

use crate::support::Random;
use thumbnet::int8::{Packing, Requantize};

/// What one layer is made of.
#[derive(Debug)]
pub(crate) struct Tensors {
    pub(crate) weights: Vec<i8>,
    pub(crate) packing: Packing,
    pub(crate) bias: Vec<i32>,
    pub(crate) multiplier: Vec<i32>,
    pub(crate) shift: Vec<i8>,
    pub(crate) zero_point: i8,
    pub(crate) activation: [i8; 2],
}

impl Tensors {
    /// `rows` filters or units of `len` weights.
    pub(crate) fn random(random: &mut Random, rows: usize, len: usize) -> Self {
        let packing = [Packing::Plain, Packing::Plain, Packing::Pairs, Packing::Quads][random.between(0, 3)];
        let mut plain = bytes(random, rows * len);
        if packing != Packing::Plain {
            plain.iter_mut().for_each(|weight| *weight = (*weight).max(-127));
        }
        let mut weights = vec![0; plain.len()];
        packing.pack(&plain, len, &mut weights).unwrap();
        // Half of the layers are as trained ones: outputs of middling size. The others are anything.
        let trained = random.next().is_multiple_of(2);
        let places = (len * 128 * 128).ilog2() as usize;
        let bias =
            (0..rows).map(|_| if trained { random.between(0, 2000) as i32 - 1000 } else { word(random) }).collect();
        let shift = match trained {
            true => (0..rows).map(|_| 7 - random.between(places.saturating_sub(4), places) as i8).collect(),
            false => (0..rows).map(|_| random.between(0, 61) as i8 - 31).collect(),
        };
        Self {
            weights,
            packing,
            bias,
            multiplier: (0..rows).map(|_| multiplier(random)).collect(),
            shift,
            zero_point: byte(random),
            activation: match random.between(0, 2) {
                0 => [-128, 127],
                _ => {
                    let (a, b) = (byte(random), byte(random));
                    [a.min(b), a.max(b)]
                }
            },
        }
    }

    pub(crate) fn requantize(&self) -> Requantize<'_> {
        Requantize {
            multiplier: &self.multiplier,
            shift: &self.shift,
            zero_point: self.zero_point,
            activation: self.activation,
        }
    }
}

/// A multiplier as `quantize_multiplier` makes them, and sometimes any that is not negative.
fn multiplier(random: &mut Random) -> i32 {
    match random.between(0, 9) {
        0 => 0,
        1 => i32::MAX,
        2 => (random.next() >> 33) as i32,
        _ => (1 << 30) | (random.next() >> 34) as i32,
    }
}

pub(crate) fn byte(random: &mut Random) -> i8 {
    random.next() as i8
}

/// An accumulator: of any size, and often at an end.
pub(crate) fn word(random: &mut Random) -> i32 {
    let any = random.next() as i32;
    match random.between(0, 5) {
        0 => i32::MIN.wrapping_add(any & 3),
        1 => i32::MAX.wrapping_sub(any & 3),
        2 => any,
        _ => any >> random.between(0, 31),
    }
}

/// Bytes that are all random, or all at the ends.
pub(crate) fn bytes(random: &mut Random, len: usize) -> Vec<i8> {
    match random.between(0, 3) {
        0 => (0..len).map(|_| if random.next().is_multiple_of(2) { -128 } else { 127 }).collect(),
        1 => vec![-128; len],
        _ => (0..len).map(|_| byte(random)).collect(),
    }
}

/// A buffer between canaries.
pub(crate) struct Fenced<T> {
    all: Vec<T>,
    canary: T,
}

const FENCE: usize = 64;

impl<T: Copy + PartialEq + std::fmt::Debug> Fenced<T> {
    pub(crate) fn new(len: usize, canary: T) -> Self {
        Self { all: vec![canary; len + 2 * FENCE], canary }
    }

    pub(crate) fn inside(&mut self) -> &mut [T] {
        let end = self.all.len() - FENCE;
        &mut self.all[FENCE..end]
    }

    /// The contents, after a look at the canaries.
    pub(crate) fn checked(&self) -> &[T] {
        let end = self.all.len() - FENCE;
        let intact = |fence: &[T]| fence.iter().all(|value| *value == self.canary);
        assert!(intact(&self.all[..FENCE]) && intact(&self.all[end..]), "written beyond the buffer");
        &self.all[FENCE..end]
    }
}

/// How many cases to try, of those that a native run tries: a tenth under emulation.
pub(crate) fn cases(native: usize) -> usize {
    if cfg!(target_arch = "x86_64") { native } else { native.div_ceil(10) }
}
