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

/// So few multiplications are not worth another thread.
pub(crate) const SMALL: usize = 1 << 18;

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

/// Runs `work`, many pieces of work one after the other. If it is long, which its number of `multiplications` says, it
/// runs on one of rayon's threads, and the others stay awake meanwhile.
pub(crate) fn inside<R: Send>(multiplications: usize, work: impl FnOnce() -> R + Send) -> R {
    /// What a thread does in some 50 microseconds, as long as it takes to wake one.
    #[cfg(feature = "std")]
    const LONG: usize = 1 << 22;
    #[cfg(feature = "std")]
    if multiplications > LONG {
        return match rayon::current_thread_index() {
            Some(_) => linger::section(work),
            None => rayon::scope(|_| linger::section(work)),
        };
    }
    let _ = multiplications;
    work()
}

/// Threads that stay awake for the next piece of work. The pieces of a layer are short, and rayon's threads fall asleep
/// within some microseconds; to wake one takes 50 to 100, ten times as long as to find one awake.
#[cfg(feature = "std")]
mod linger {
    use core::cell::{Cell, RefCell};
    use core::num::NonZero;
    use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
    use std::{
        sync::{Arc, OnceLock},
        thread,
        time::{Duration, Instant},
    };

    /// How long a thread stays awake without work.
    const IDLE: Duration = Duration::from_micros(200);
    /// Threads that are awake at most: no kernel uses more.
    const MOST: usize = 32;

    /// Work that threads linger for.
    struct Section {
        open: AtomicBool,
        /// Threads that linger, or are about to.
        lingering: AtomicUsize,
    }

    std::thread_local! {
        /// The section that this thread runs.
        static SECTION: RefCell<Option<Arc<Section>>> = const { RefCell::new(None) };
        /// How many calls of [`join`] this thread is in. It may be offered other work while it waits there for its own,
        /// but must neither linger nor have others linger for that.
        static JOINS: Cell<usize> = const { Cell::new(0) };
    }

    /// Undoes something, also when a panic passes.
    struct Undo<F: Fn()>(F);

    impl<F: Fn()> Drop for Undo<F> {
        fn drop(&mut self) {
            (self.0)();
        }
    }

    /// Runs `work`, for whose calls of [`join`] other threads linger.
    pub(super) fn section<R>(work: impl FnOnce() -> R) -> R {
        if JOINS.get() > 0 || SECTION.with_borrow(Option::is_some) {
            return work();
        }
        let section = Arc::new(Section { open: AtomicBool::new(true), lingering: AtomicUsize::new(0) });
        SECTION.set(Some(Arc::clone(&section)));
        let _close = Undo(move || {
            section.open.store(false, Relaxed);
            SECTION.set(None);
        });
        work()
    }

    pub(super) fn join(a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
        let (mut a, mut b) = (Some(a), Some(b));
        both(&mut || a.take().map_or((), |a| a()), &mut || b.take().map_or((), |b| b()));
    }

    /// Work behind pointers, so that rayon's code is compiled once, and not for each kind of work.
    fn both(a: &mut (dyn FnMut() + Send), b: &mut (dyn FnMut() + Send)) {
        {
            JOINS.set(JOINS.get() + 1);
            let _leave = Undo(|| JOINS.set(JOINS.get() - 1));
            rayon::join(a, b);
        }
        if JOINS.get() == 0 {
            SECTION.with_borrow(|section| section.iter().for_each(keep_awake));
        }
    }

    fn keep_awake(section: &Arc<Section>) {
        let others = rayon::current_num_threads().min(cores()).min(MOST) - 1;
        if section.lingering.load(Relaxed) < others {
            section.lingering.fetch_add(1, Relaxed);
            let section = Arc::clone(section);
            rayon::spawn(move || section.linger());
        }
    }

    /// How many cores this process may use: more threads than these would only take time from each other.
    fn cores() -> usize {
        static CORES: OnceLock<usize> = OnceLock::new();
        *CORES.get_or_init(|| thread::available_parallelism().map_or(1, NonZero::get))
    }

    impl Section {
        /// Does what work there is. Ends soon after the section, and does not begin after it: then this thread may be
        /// the section's own, on its way back to whoever waits for it.
        fn linger(&self) {
            let mut idle = Instant::now();
            let begin = self.open.load(Relaxed) && JOINS.get() == 0;
            while begin && idle.elapsed() < IDLE {
                match rayon::yield_now() {
                    Some(rayon::Yield::Executed) if self.open.load(Relaxed) => idle = Instant::now(),
                    Some(rayon::Yield::Executed) => {}
                    _ => thread::yield_now(),
                }
            }
            self.lingering.fetch_sub(1, Relaxed);
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        /// Lingers for 100 short pieces, in a pool of `threads`.
        fn pieces(threads: usize) {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| section(|| (0..100).for_each(|_| join(|| (), || ()))));
        }

        #[test]
        fn pieces_end_with_any_number_of_threads() {
            [1, 2, 3, 8].into_iter().for_each(pieces);
        }

        /// Whether a thread that lingers for a section, in so many calls of `join`, does the work that waits for it.
        fn works(open: bool, joins: usize) -> bool {
            static DONE: AtomicBool = AtomicBool::new(false);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
            pool.install(|| {
                DONE.store(false, Relaxed);
                rayon::spawn(|| DONE.store(true, Relaxed));
                JOINS.set(joins);
                Section { open: AtomicBool::new(open), lingering: AtomicUsize::new(1) }.linger();
                JOINS.set(0);
                DONE.load(Relaxed)
            })
        }

        #[test]
        fn a_thread_lingers_for_open_sections_and_outside_of_joins() {
            assert!(works(true, 0));
            assert!(!works(false, 0), "it may be the section's own thread, which somebody waits for");
            assert!(!works(true, 1), "the section may wait for this thread");
        }

        #[test]
        fn no_work_keeps_a_thread_beyond_its_section() {
            static JOBS: AtomicUsize = AtomicUsize::new(0);
            const MANY: usize = 10_000_000;
            fn again(section: Arc<Section>) {
                section.open.store(false, Relaxed);
                if JOBS.fetch_add(1, Relaxed) < MANY {
                    rayon::spawn(|| again(section));
                }
            }
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
            pool.install(|| {
                let section = Arc::new(Section { open: AtomicBool::new(true), lingering: AtomicUsize::new(1) });
                rayon::spawn({
                    let section = Arc::clone(&section);
                    || again(section)
                });
                section.linger();
                let jobs = JOBS.fetch_add(MANY, Relaxed);
                assert!((1..MANY).contains(&jobs), "{jobs} jobs");
            });
        }

        #[test]
        fn a_panic_leaves_no_section_and_no_join() {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
            pool.install(|| {
                let caught = std::panic::catch_unwind(|| section(|| join(|| panic!("as is meant"), || ())));
                assert!(caught.is_err());
                assert!(JOINS.get() == 0 && SECTION.with_borrow(Option::is_none));
            });
        }
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
