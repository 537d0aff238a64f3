//! Work spread over threads: rayon behind the feature `std`, one after the other without it.
//!
//! No kernel lets the number of threads change a sum: work is split over *outputs* only, and every output is summed by
//! one task in a fixed order. So the pieces may follow the number of threads and the results stay bit-identical.

/// Something that can be cut in two: a slice, a matrix, a tuple of these.
pub(crate) trait Split: Sized + Send {
    /// Items along the axis that is cut.
    fn count(&self) -> usize;
    /// The first `at` items, and the others.
    fn cut(self, at: usize) -> (Self, Self);
}

impl<T: Sync> Split for &[T] {
    fn count(&self) -> usize {
        self.len()
    }
    fn cut(self, at: usize) -> (Self, Self) {
        self.split_at(at)
    }
}

impl<T: Send> Split for &mut [T] {
    fn count(&self) -> usize {
        self.len()
    }
    fn cut(self, at: usize) -> (Self, Self) {
        self.split_at_mut(at)
    }
}

impl<A: Split, B: Split> Split for (A, B) {
    fn count(&self) -> usize {
        self.0.count()
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let (a, b) = (self.0.cut(at), self.1.cut(at));
        ((a.0, b.0), (a.1, b.1))
    }
}

/// A slice of rows, each of `width` items, cut between rows.
pub(crate) struct Rows<S> {
    pub(crate) items: S,
    pub(crate) width: usize,
}

impl<S: Split> Split for Rows<S> {
    fn count(&self) -> usize {
        self.items.count() / self.width
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let (a, b) = self.items.cut(at * self.width);
        (Self { items: a, width: self.width }, Self { items: b, width: self.width })
    }
}

/// How many threads may work at once.
pub(crate) fn threads() -> usize {
    #[cfg(feature = "std")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "std"))]
    1
}

/// Runs both, at once where there are threads.
fn join(a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
    #[cfg(feature = "std")]
    linger::join(a, b);
    #[cfg(not(feature = "std"))]
    {
        a();
        b();
    }
}

/// Runs `work` on one of the threads that share it, if it is long: a thread from elsewhere would sleep and be woken for each of
/// its pieces. `multiplications` says how long it is, about.
pub(crate) fn inside<R: Send>(multiplications: usize, work: impl FnOnce() -> R + Send) -> R {
    /// What one thread does in the time that it takes to wake another one, or several times as much.
    #[cfg(feature = "std")]
    const LONG: usize = 1 << 22;
    #[cfg(feature = "std")]
    if multiplications > LONG && rayon::current_thread_index().is_none() {
        return rayon::scope(|_| work());
    }
    let _ = multiplications;
    work()
}

/// Threads that stay awake for the next piece of work. The pieces of a layer are short, and rayon's threads fall asleep within
/// some microseconds; to wake one takes 50 to 100, ten times as long as to find one awake.
#[cfg(feature = "std")]
mod linger {
    use core::cell::Cell;
    use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::{
        thread,
        time::{Duration, Instant},
    };

    /// How long a thread stays awake without work.
    const IDLE: Duration = Duration::from_micros(200);

    /// Threads that linger or are about to.
    static LINGERING: AtomicUsize = AtomicUsize::new(0);

    std::thread_local! {
        /// How many calls of [`join`] this thread is in. It may be offered other work while it waits there for its own, but must not
        /// linger.
        static JOINS: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn join(a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
        JOINS.set(JOINS.get() + 1);
        rayon::join(a, b);
        JOINS.set(JOINS.get() - 1);
        if JOINS.get() == 0 && LINGERING.load(Relaxed) + 1 < rayon::current_num_threads() {
            LINGERING.fetch_add(1, Relaxed);
            rayon::spawn(linger);
        }
    }

    fn linger() {
        let mut idle = Instant::now();
        while JOINS.get() == 0 && idle.elapsed() < IDLE {
            if rayon::yield_now() == Some(rayon::Yield::Executed) {
                idle = Instant::now();
            } else {
                thread::yield_now();
            }
        }
        LINGERING.fetch_sub(1, Relaxed);
    }
}

/// Calls `work(first item's index, piece)` on pieces that cover `data`, each but the last a multiple of `grain` items.
///
/// One piece a thread; data of at most `grain` items stays whole, on this thread.
pub(crate) fn pieces<T: Split>(data: T, grain: usize, work: &(impl Fn(usize, T) + Sync)) {
    lanes(data, grain, threads(), &mut [], 0, &|first, piece, _: &mut [f32]| work(first, piece));
}

/// As [`pieces`], in at most `most` pieces, each with its own `each` values of `scratch`.
///
/// # Panics
///
/// If `scratch` has fewer than `each` values a piece.
pub(crate) fn lanes<T: Split>(
    data: T,
    grain: usize,
    most: usize,
    scratch: &mut [f32],
    each: usize,
    work: &(impl Fn(usize, T, &mut [f32]) + Sync),
) {
    let grains = data.count().div_ceil(grain);
    halve(data, 0, grain, threads().min(most).min(grains).max(1), scratch, each, work);
}

fn halve<T: Split>(
    data: T,
    first: usize,
    grain: usize,
    lanes: usize,
    scratch: &mut [f32],
    each: usize,
    work: &(impl Fn(usize, T, &mut [f32]) + Sync),
) {
    if lanes <= 1 {
        return work(first, data, &mut scratch[..each]);
    }
    let left = lanes / 2;
    let at = data.count().div_ceil(grain) * left / lanes * grain;
    let (a, b) = data.cut(at);
    let (scratch_a, scratch_b) = scratch.split_at_mut(left * each);
    join(
        || halve(a, first, grain, left, scratch_a, each, work),
        || halve(b, first + at, grain, lanes - left, scratch_b, each, work),
    );
}
