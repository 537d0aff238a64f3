//! Inference one step at a time.

use super::{Int8, Network};
use crate::arch::{Backend, Detected};
use crate::infer;

/// An inference that goes on when it is asked to, of [`Int8::start`] or [`Int8::start_in`]: between two steps of the
/// network a watchdog is fed, or an async executor gives way to other tasks. The scores are those of
/// [`Int8::predict`].
///
/// ```
/// # use thumbnet::{Int8, Network};
/// # fn feed_the_watchdog() {}
/// fn classify<N: Network>(network: &Int8<'_, N>, image: &N::Image, memory: &mut N::Memory) -> N::Scores {
///     let mut run = network.start(image, memory);
///     while run.step() {
///         feed_the_watchdog(); // Or `yield_now().await`.
///     }
///     run.scores()
/// }
/// ```
///
/// Image and memory stay borrowed meanwhile, so that nothing else can write them.
#[derive(Debug)]
pub struct Run<'r, N: Network, B = Detected> {
    network: Int8<'r, N, B>,
    image: &'r N::Image,
    activations: &'r mut [i8],
    scratch: &'r mut [i32],
    next: usize,
}

impl<'r, N: Network, B: Into<Backend> + Copy> Run<'r, N, B> {
    pub(super) fn new(
        network: Int8<'r, N, B>,
        image: &'r N::Image,
        (activations, scratch): (&'r mut [i8], &'r mut [i32]),
    ) -> Self {
        Self { network, image, activations, scratch, next: 0 }
    }

    /// Runs the next of the network's `STEPS_S8` (a layer, and the max pooling behind it), if one is left. Says whether
    /// another one is left then.
    pub fn step(&mut self) -> bool {
        infer::run_step::<N::UsesS8>(
            self.network.backend(),
            &self.network.parts(),
            N::STEPS_S8,
            self.next,
            self.image.as_ref(),
            self.activations,
            self.scratch,
        );
        self.next = (self.next + 1).min(N::STEPS_S8.len());
        self.next < N::STEPS_S8.len()
    }

    /// How many steps were run, of `N::STEPS_S8`.
    pub const fn steps(&self) -> usize {
        self.next
    }

    /// The outputs. What was left of the network is run first.
    pub fn scores(mut self) -> N::Scores {
        while self.step() {}
        let mut scores = N::ZERO_SCORES;
        for (score, value) in scores.as_mut().iter_mut().zip(infer::outputs(N::STEPS_S8, self.activations)) {
            *score = *value;
        }
        scores
    }
}
