//! What the machine can do at most, measured.

use std::{hint::black_box, time::Instant};

use rayon::prelude::*;
use serde::Serialize;
use thumbnet::arch::Backend;

use crate::memory::{NoMemory, Values};

/// The two roofs: operations and bytes a second, on all threads together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Machine {
    /// Floating-point operations a second of the back end's widest multiply-adds, on values in registers.
    pub flops: f64,
    /// Bytes a second of STREAM's triad `a = b + s c` on arrays that no cache holds: two read, one written.
    pub bytes: f64,
}

impl Machine {
    /// Measures for about half a second, or some seconds where there are more threads than cores.
    ///
    /// # Errors
    ///
    /// [`NoMemory`] for the arrays that are read and written, 192 MiB.
    pub fn measure(backend: Backend) -> Result<Self, NoMemory> {
        Ok(Self { bytes: bytes()?, flops: flops(backend) })
    }

    /// Seconds that some work takes at least, and whether its bytes are the reason.
    pub fn bound(&self, flops: f64, bytes: f64) -> (f64, bool) {
        let (arithmetic, traffic) = (flops / self.flops, bytes / self.bytes);
        (arithmetic.max(traffic), traffic > arithmetic)
    }
}

fn flops(backend: Backend) -> f64 {
    // As many rounds as one thread does in some 2 ms: waking threads then counts for little, and so do other programs,
    // since the best of many counts.
    let mut rounds = 1000;
    while seconds(|| black_box(backend.multiply_adds(rounds))) < 0.002 {
        rounds *= 2;
    }
    let (mut best, begin): (f64, _) = (0.0, Instant::now());
    for round in 0..100 {
        // With more threads than cores, each round takes longer.
        if round > 0 && begin.elapsed().as_secs() >= 2 {
            break;
        }
        let mut done = 0;
        let elapsed = seconds(|| done = rayon::broadcast(|_| backend.multiply_adds(rounds)).into_iter().sum());
        best = best.max(done as f64 / elapsed);
    }
    best
}

fn bytes() -> Result<f64, NoMemory> {
    /// 64 MiB an array.
    const LEN: usize = 1 << 24;
    let zeroed = || Values::try_zeroed(LEN);
    let (mut a, mut b, mut c) = (zeroed()?, zeroed()?, zeroed()?);
    b.fill(1.0);
    c.fill(2.0);
    let piece = LEN.div_ceil(rayon::current_num_threads());
    let mut best: f64 = 0.0;
    for round in 0..15u8 {
        let s = f32::from(round);
        let elapsed = seconds(|| {
            let pieces = a.par_chunks_mut(piece).zip(b.par_chunks(piece)).zip(c.par_chunks(piece));
            pieces.for_each(|((a, b), c)| {
                a.iter_mut().zip(b).zip(c).for_each(|((a, b), c)| *a = b + s * c);
            });
        });
        black_box(&a);
        best = best.max((3 * size_of::<f32>() * LEN) as f64 / elapsed);
    }
    Ok(best)
}

/// How long some work takes.
pub(super) fn seconds<T>(work: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    black_box(work());
    start.elapsed().as_secs_f64()
}
