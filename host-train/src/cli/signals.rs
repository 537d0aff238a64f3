//! Signals that end the program.

use std::{fs, thread};

use signal_hook::{
    consts::{SIGINT, SIGTERM, SIGXFSZ},
    flag,
    iterator::Signals,
    low_level::emulate_default_handler,
};

use crate::atomic;

/// From now on, what ends the program from outside waits for the file that is being written; and a file that must not
/// grow so large is an error like any other.
pub(super) fn handle() {
    // Without a thread that waits for them, signals end the program at once, as they always do.
    let _ = thread::Builder::new().name("signals".into()).spawn(|| {
        let signals = [SIGINT, SIGTERM].into_iter().filter(|&signal| !is_ignored(signal));
        let Ok(mut signals) = Signals::new(signals) else { return };
        if let Some(signal) = signals.forever().next() {
            let _written = atomic::hold();
            // It ends the program, or cannot: both are the end of this thread.
            let _ = emulate_default_handler(signal);
        }
    });
    // Where this fails, the signal ends the program, as it always does.
    let _ = flag::register(SIGXFSZ, std::sync::Arc::default());
}

/// Whether who started the program wants it to ignore a signal, as a shell does for what runs in the background.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
