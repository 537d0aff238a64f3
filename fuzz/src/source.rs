use std::{
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Once,
};

use arbitrary::Unstructured;
use bytemuck::Pod;
use tempfile::NamedTempFile;
use thumbnet::geometry::{Geometry, Padding, Shape};

use crate::{
    Guarded,
    graph::{behind_padding, padded},
};

/// Slices of more values are not made: a call that wants one gets a short one.
const MOST: usize = 1 << 18;

/// The fuzzer's bytes, made into a call.
pub struct Source<'a> {
    bytes: Unstructured<'a>,
    /// Whether something was made that the call must refuse.
    pub wrong: bool,
}

impl<'a> Source<'a> {
    /// A call that is right so far.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: Unstructured::new(bytes), wrong: false }
    }

    /// A number of `from..=to`.
    pub fn between(&mut self, from: usize, to: usize) -> usize {
        self.bytes.int_in_range(from..=to).unwrap_or(from)
    }

    /// One of `count` times true.
    pub fn one_in(&mut self, count: usize) -> bool {
        self.between(1, count) == count
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.bytes.arbitrary().unwrap_or_default()
    }

    /// A size: mostly a small one, sometimes one next to a power of two, or any.
    pub fn size(&mut self, small: usize) -> usize {
        match self.between(0, 31) {
            0 => (1usize << self.between(0, 63)).wrapping_add(self.between(0, 2)).wrapping_sub(1),
            1 => self.number() as usize,
            _ => self.between(1, small),
        }
    }

    /// A setting: mostly a number of `0.0..=1.0`, sometimes any.
    pub fn setting(&mut self) -> f32 {
        match self.one_in(32) {
            true => f32::from_bits(self.number() as u32),
            false => self.between(0, 20) as f32 / 20.0,
        }
    }

    /// A number of samples.
    pub fn batch(&mut self) -> usize {
        if self.one_in(32) { self.size(4) } else { self.between(0, 4) }
    }

    /// Whatever geometry can be made over `input`, or over any, and sometimes one that a plan makes of it.
    pub fn window(&mut self, input: Option<Shape>, channels: Option<usize>) -> Option<Geometry> {
        let input = input.unwrap_or_else(|| {
            let depth = if self.one_in(4) { 16 * self.between(1, 3) } else { self.size(20) };
            Shape::new(self.size(20), self.size(20), depth)
        });
        if !self.one_in(8) {
            return self.geometry(input, channels);
        }
        let padding = [0; 2].map(|_: i32| [0; 2].map(|_: i32| self.between(0, 3)));
        let geometry = self.geometry(padded(input, padding), channels)?;
        behind_padding(input, padding, geometry)
    }

    /// Whatever geometry can be made over `input`.
    pub fn geometry(&mut self, input: Shape, channels: Option<usize>) -> Option<Geometry> {
        let channels = channels.unwrap_or_else(|| match self.one_in(4) {
            true => 16 * self.between(1, 3),
            false => self.size(40),
        });
        let (kernel, strides) = match self.between(0, 3) {
            0 => ([3, 3], [1, 1]),
            1 => ([5, 5], [1, 1]),
            2 => ([2, 2], [2, 2]),
            _ => ([self.size(7), self.size(7)], [self.size(4), self.size(4)]),
        };
        let padding = if self.one_in(2) { Padding::Same } else { Padding::Valid };
        Geometry::new(input, channels, kernel, strides, padding).ok()
    }

    /// `len` values between guards, `None` standing for a length that no one has; sometimes some more or less.
    pub fn slice<T: Pod>(&mut self, len: Option<usize>, value: impl FnMut(usize) -> T) -> Guarded<T> {
        let other = match self.between(0, 63) {
            0 => len.unwrap_or(0).wrapping_add(self.between(1, 80)),
            1 => len.unwrap_or(0).wrapping_sub(self.between(1, 80)),
            2 => self.between(0, 100),
            _ => len.unwrap_or(0),
        };
        let made = if other <= MOST { other } else { self.between(0, 100) };
        self.wrong |= len != Some(made);
        self.guarded(made, value)
    }

    /// As [`Self::slice`], where more is right, too.
    pub fn scratch<T: Pod>(&mut self, len: usize, value: T) -> Guarded<T> {
        let other = match self.between(0, 63) {
            0 => len.saturating_add(self.between(1, 80)),
            1 => len.saturating_sub(self.between(1, 80)),
            _ => len,
        };
        let made = if other <= 64 * MOST { other } else { self.between(0, 100) };
        self.wrong |= made < len;
        self.guarded(made, |_| value)
    }

    fn guarded<T: Pod>(&mut self, len: usize, value: impl FnMut(usize) -> T) -> Guarded<T> {
        let values: Vec<T> = (0..len).map(value).collect();
        Guarded::new(&values, !self.one_in(4))
    }

    /// Makes the call. Whether it returned, which it must if nothing was wrong, and otherwise must not.
    pub fn call(&self, what: impl Fn() -> String, call: impl FnOnce()) -> bool {
        let refused = catch_unwind(AssertUnwindSafe(call)).is_err();
        if refused != self.wrong {
            eprintln!("{} was {}", what(), if refused { "refused" } else { "not refused" });
            std::process::abort();
        }
        !refused
    }
}

/// Numbers of a generator, in `-3..=3`: so sums of products are exact in f32, in any order.
pub fn values(mut seed: u64) -> impl FnMut(usize) -> f32 {
    move |_| {
        seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        ((seed >> 33) % 7) as f32 - 3.0
    }
}

/// Panics that are meant print nothing. (The fuzzer's own hook would end the program.)
pub fn silent() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}

/// A file with some bytes changed, cut or added; or one that is all the fuzzer's.
pub fn edited(valid: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut source = Source::new(bytes);
    if source.one_in(8) {
        return bytes.to_vec();
    }
    let mut file = valid.to_vec();
    for _ in 0..source.between(0, 12) {
        // What comes first says most about the rest.
        let end = if source.one_in(2) { file.len().min(300) } else { file.len() };
        let at = source.between(0, end.saturating_sub(1));
        let value = source.number() as u8;
        match source.between(0, 15) {
            0 => file.truncate(at),
            1 => file.insert(at.min(file.len()), value),
            2 if at < file.len() => {
                file.remove(at);
            }
            _ => {
                if let Some(byte) = file.get_mut(at) {
                    *byte = value;
                }
            }
        }
    }
    file
}

/// The bytes as a file, whose name ends so.
pub fn file(bytes: &[u8], suffix: &str) -> NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(suffix).tempfile().expect("there is room for a file");
    file.write_all(bytes).expect("there is room for a file");
    file
}
