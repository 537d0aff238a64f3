//! One memory-mapped register as a safe value.
#![expect(unsafe_code, reason = "a device register is reached through its address")]

use core::ptr;

/// A 32-bit device register.
#[derive(Clone, Copy)]
pub(crate) struct Register(usize);

impl Register {
    /// The register at `address`.
    ///
    /// # Safety
    /// `address` is that of a 32-bit register of this board whose reads and writes cannot break memory safety, for
    /// example by starting a DMA transfer.
    pub(crate) const unsafe fn new(address: usize) -> Self {
        Self(address)
    }

    /// Reads the register.
    pub(crate) fn read(self) -> u32 {
        // SAFETY: `new` was promised that the address is a register's.
        unsafe { ptr::with_exposed_provenance::<u32>(self.0).read_volatile() }
    }

    /// Writes the register.
    pub(crate) fn write(self, value: u32) {
        // SAFETY: `new` was promised that the address is a register's and that a write does no harm.
        unsafe { ptr::with_exposed_provenance_mut::<u32>(self.0).write_volatile(value) }
    }
}
