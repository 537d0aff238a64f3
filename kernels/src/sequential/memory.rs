//! The RAM of a quantised network.

/// `ACTIVATIONS` bytes and `SCRATCH` words. Put it into a `static` or on the stack; its contents do not matter.
#[derive(Clone, Debug)]
#[repr(C, align(16))]
pub struct Memory<const ACTIVATIONS: usize, const SCRATCH: usize> {
    scratch: [i32; SCRATCH],
    activations: [i8; ACTIVATIONS],
}

impl<const ACTIVATIONS: usize, const SCRATCH: usize> Memory<ACTIVATIONS, SCRATCH> {
    /// Memory of zeros.
    pub const ZERO: Self = Self { scratch: [0; SCRATCH], activations: [0; ACTIVATIONS] };
}

impl<const ACTIVATIONS: usize, const SCRATCH: usize> Default for Memory<ACTIVATIONS, SCRATCH> {
    fn default() -> Self {
        Self::ZERO
    }
}

/// A [`Memory`] of any size.
pub trait WorkingMemory {
    /// The bytes for activations and the words for scratch.
    fn parts(&mut self) -> (&mut [i8], &mut [i32]);
}

impl<const ACTIVATIONS: usize, const SCRATCH: usize> WorkingMemory for Memory<ACTIVATIONS, SCRATCH> {
    fn parts(&mut self) -> (&mut [i8], &mut [i32]) {
        (&mut self.activations, &mut self.scratch)
    }
}
