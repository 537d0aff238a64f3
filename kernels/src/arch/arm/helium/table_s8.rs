//! Sigmoid and tanh of int8 values on cores with Helium, sixteen values at a time.

// thumbnet_table(table, values, count): replaces each value by the table's entry of that index, counted from -128.
crate::arch::arm::thumb_function! {
    "thumbnet_table":
    "push {{r4, lr}}",
    "vmov.i8 q1, #0x80",
    "wlstp.8 lr, r2, 2f",
    "1:",
    "vldrb.u8 q0, [r1]",
    "veor q0, q0, q1",
    "vldrb.u8 q2, [r0, q0]",
    "vstrb.8 q2, [r1], #16",
    "letp lr, 1b",
    "2:",
    "pop {{r4, pc}}"
}

unsafe extern "C" {
    fn thumbnet_table(table: &[i8; 256], values: *mut i8, count: usize);
}

/// Replaces each value by the table's entry of that index, counted from -128.
pub(in crate::arch) fn table_s8(table: &[i8; 256], values: &mut [i8]) {
    // SAFETY: there are so many values, and an entry for each.
    unsafe { thumbnet_table(table, values.as_mut_ptr(), values.len()) }
}
