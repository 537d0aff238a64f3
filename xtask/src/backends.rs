//! The back ends of x86-64 that the tests must not pass over in silence where a CPU lacks them.

use std::env;

use anyhow::{Result, bail, ensure};

/// Names, with commas between them, of back ends that the tests may leave out.
const WAIVE: &str = "THUMBNET_WAIVE_BACKENDS";

/// Every back end of x86-64 besides the scalar one, and AVX-512's reduced precision.
const NAMES: [&str; 3] = ["avx2", "avx512", "avx512-bf16"];

/// How a back end is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// This CPU has it: whatever tests every back end tests this one.
    Native,
    /// QEMU stands in for the CPU.
    Qemu,
    /// Not at all, and whoever runs the tests knows.
    Waived,
    /// Not at all.
    Missing,
}

/// Every back end, and how it is tested here.
///
/// # Errors
/// What is waived is no back end.
pub(crate) fn all() -> Result<Vec<(&'static str, How)>> {
    let waived = env::var(WAIVE).unwrap_or_default();
    let waived: Vec<_> = waived.split(',').filter(|name| !name.is_empty()).collect();
    for name in &waived {
        ensure!(NAMES.contains(name), "{WAIVE} names {name}, but can name only {}", NAMES.join(", "));
    }
    Ok(NAMES.map(|name| (name, how(name, has(name), cfg!(target_arch = "x86_64"), waived.contains(&name)))).into())
}

/// `is_pc` is whether this machine runs programs for x86-64 at all, if by QEMU, which knows AVX2 and no AVX-512.
fn how(name: &str, has: bool, is_pc: bool, waived: bool) -> How {
    match name {
        _ if has => How::Native,
        "avx2" if is_pc => How::Qemu,
        _ if waived => How::Waived,
        _ => How::Missing,
    }
}

/// The error where a back end is tested in no way.
pub(crate) fn missing(name: &str) -> Result<()> {
    bail!(
        "the kernels with {name} were not tested: this CPU lacks what they need, and QEMU cannot stand in for it here; run the \
         tests on another machine too, or set {WAIVE}={name} to do without"
    )
}

/// Whether this CPU has all that a back end's kernels need, those of int8 too.
#[cfg(target_arch = "x86_64")]
fn has(name: &str) -> bool {
    macro_rules! has {
        ($($feature:tt)+) => { $(std::arch::is_x86_feature_detected!($feature))&&+ };
    }
    let avx2 = has!("avx2" "fma");
    let avx512 = avx2 && has!("avx512f" "avx512bw" "avx512dq" "avx512vl" "avx512vnni");
    match name {
        "avx2" => avx2,
        "avx512" => avx512,
        _ => avx512 && has!("avx512bf16"),
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn has(_name: &str) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_back_end_is_left_out_only_where_it_is_waived() {
        for (has, is_pc, waived, avx2, avx512) in [
            (true, true, false, How::Native, How::Native),
            (true, true, true, How::Native, How::Native),
            (false, true, false, How::Qemu, How::Missing),
            (false, true, true, How::Qemu, How::Waived),
            (false, false, false, How::Missing, How::Missing),
            (false, false, true, How::Waived, How::Waived),
        ] {
            let found = NAMES.map(|name| how(name, has, is_pc, waived));
            assert_eq!(found, [avx2, avx512, avx512], "has {has}, is a PC {is_pc}, waived {waived}");
        }
    }
}
