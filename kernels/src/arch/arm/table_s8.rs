//! Activations by table on Cortex-M3 and up.
#![expect(unsafe_code, reason = "enters the assembly")]

// thumbnet_table(table, values, count): an int8 is its entry's distance from the middle. Four at a time, 14
// instructions.
thumb_function! {
    "thumbnet_table":
    "push {{r4, r5, r6, lr}}",
    "adds r0, #128",
    "subs r2, #4",
    "blt 2f",
    "1:",
    "ldrsb r3, [r1]",
    "ldrsb r4, [r1, #1]",
    "ldrsb r5, [r1, #2]",
    "ldrsb r6, [r1, #3]",
    "ldrb r3, [r0, r3]",
    "ldrb r4, [r0, r4]",
    "ldrb r5, [r0, r5]",
    "ldrb r6, [r0, r6]",
    "strb r3, [r1], #1",
    "strb r4, [r1], #1",
    "strb r5, [r1], #1",
    "strb r6, [r1], #1",
    "subs r2, #4",
    "bge 1b",
    "2:",
    "adds r2, #4",
    "beq 4f",
    "3:",
    "ldrsb r3, [r1]",
    "ldrb r3, [r0, r3]",
    "strb r3, [r1], #1",
    "subs r2, #1",
    "bne 3b",
    "4:",
    "pop {{r4, r5, r6, pc}}"
}

unsafe extern "C" {
    fn thumbnet_table(table: *const i8, values: *mut i8, count: usize);
}

/// Replaces each value by the table's entry of that index, counted from -128.
pub(in crate::arch) fn table_s8(table: &[i8; 256], values: &mut [i8]) {
    // SAFETY: the function reads the table, and reads and writes the values.
    unsafe { thumbnet_table(table.as_ptr(), values.as_mut_ptr(), values.len()) }
}
