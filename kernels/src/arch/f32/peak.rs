use crate::arch::{Backend, Kernels};

impl Backend {
    /// Does `rounds` rounds of the back end's widest multiply-adds on values in registers, and returns how many
    /// floating-point operations those were.
    ///
    /// No kernel can do more operations in the same time, on as many threads as call this: it is what a profile
    /// compares kernels with.
    pub fn multiply_adds(self, rounds: usize) -> usize {
        self.kernels().multiply_adds(rounds)
    }
}
