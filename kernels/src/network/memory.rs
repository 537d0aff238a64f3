//! The RAM of a quantised network.

/// `ACTIVATIONS` bytes and `SCRATCH` words; their contents do not matter. On a device, put it into a `static` or on the
/// stack. On a PC, whose scratch is of megabytes where a thread's stack has two, take [`boxed`](WorkingMemory::boxed).
#[derive(Clone, Debug)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
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
    /// Memory of zeros on the heap, of which nothing lay on the stack before.
    ///
    /// # Panics
    ///
    /// Where there is no such memory.
    #[cfg(feature = "alloc")]
    fn boxed() -> alloc::boxed::Box<Self>
    where
        Self: Sized;

    /// The bytes for activations and the words for scratch.
    fn parts(&mut self) -> (&mut [i8], &mut [i32]);
}

impl<const ACTIVATIONS: usize, const SCRATCH: usize> WorkingMemory for Memory<ACTIVATIONS, SCRATCH> {
    #[cfg(feature = "alloc")]
    fn boxed() -> alloc::boxed::Box<Self> {
        bytemuck::allocation::zeroed_box()
    }

    fn parts(&mut self) -> (&mut [i8], &mut [i32]) {
        (&mut self.activations, &mut self.scratch)
    }
}
