//! The RAM of a quantised network.

use super::Network;

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

/// Memory that several quantised networks use in turn, as large as the [largest] of them needs:
///
/// ```
/// # use thumbnet::{Int8, Network, sequential};
/// # sequential! { struct Wake: [4, 4, 1] { flatten: Flatten, out: Dense { units: 1, activation: Sigmoid } } }
/// # sequential! { struct Words: [8, 8, 1] { conv: Conv2D { filters: 4, kernel_size: 3 }, flatten: Flatten,
/// #     out: Dense { units: 10, activation: Softmax } } }
/// # fn listen() -> ([i8; 16], [i8; 64]) { ([0; 16], [0; 64]) }
/// use thumbnet::network::{SharedMemory, largest};
///
/// type Memory = SharedMemory<{ largest(&[Wake::MEMORY_BYTES, Words::MEMORY_BYTES]) }>;
///
/// fn hear(wake: &Int8<'_, Wake>, words: &Int8<'_, Words>, memory: &mut Memory) -> Option<[i8; 10]> {
///     let (short, long) = listen();
///     let [heard] = wake.predict_in(&short, memory);
///     (heard > 0).then(|| words.predict_in(&long, memory))
/// }
/// ```
///
/// One that is too small for a network does not compile:
///
/// ```compile_fail
/// # use thumbnet::{Int8, Network, sequential};
/// # sequential! { struct Wake: [4, 4, 1] { flatten: Flatten, out: Dense { units: 9, activation: Sigmoid } } }
/// # use thumbnet::network::SharedMemory;
/// fn hear(wake: &Int8<'_, Wake>, memory: &mut SharedMemory<8>) -> [i8; 9] {
///     wake.predict_in(&[0; 16], memory)
/// }
/// # let _ = hear as fn(&_, &mut _) -> _;
/// ```
///
/// No network needs what another has left in it. Like [`Memory`], it belongs into a `static`, or, on a PC, on the heap.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
#[repr(C, align(16))]
pub struct SharedMemory<const BYTES: usize>([u8; BYTES]);

impl<const BYTES: usize> SharedMemory<BYTES> {
    /// Memory of zeros.
    pub const ZERO: Self = Self([0; BYTES]);

    /// Memory of zeros on the heap, of which nothing lay on the stack before.
    ///
    /// # Panics
    ///
    /// Where there is no such memory.
    #[cfg(feature = "alloc")]
    pub fn boxed() -> alloc::boxed::Box<Self> {
        bytemuck::allocation::zeroed_box()
    }

    /// The bytes for a network's activations and the words for its scratch, as [`WorkingMemory::parts`].
    pub(super) fn parts<N: Network>(&mut self) -> (&mut [i8], &mut [i32]) {
        const { assert!(BYTES >= N::MEMORY_BYTES, "this memory is smaller than the network's `MEMORY_BYTES`") };
        // Neither is ever missing: the memory is aligned, and scratch is whole words.
        let (scratch, rest) = self.0.split_at_mut_checked(N::SCRATCH_BYTES).unwrap_or_default();
        let activations = rest.get_mut(..N::ACTIVATION_BYTES).unwrap_or_default();
        (
            bytemuck::try_cast_slice_mut(activations).unwrap_or_default(),
            bytemuck::try_cast_slice_mut(scratch).unwrap_or_default(),
        )
    }
}

impl<const BYTES: usize> Default for SharedMemory<BYTES> {
    fn default() -> Self {
        Self::ZERO
    }
}

/// The largest of some networks' [`Network::MEMORY_BYTES`], for a [`SharedMemory`].
pub const fn largest(bytes: &[usize]) -> usize {
    let (mut largest, mut i) = (0, 0);
    while i < bytes.len() {
        if bytes[i] > largest {
            largest = bytes[i];
        }
        i += 1;
    }
    largest
}
