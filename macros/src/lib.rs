//! The `sequential!` macro of thumbnet.
