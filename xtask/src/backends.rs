//! The back ends of x86-64, and how each is tested on this machine: what its CPU lacks is never passed over in silence.

use std::env;

use anyhow::{Result, bail, ensure};

/// Names, with commas between them, of back ends that must be tested: to lack one is a failure. The tests of the
/// library read it too, and fail where one of these is not found.
pub(crate) const REQUIRE: &str = "THUMBNET_REQUIRE_BACKENDS";

/// Every back end of x86-64 besides the scalar one, and AVX-512's reduced precision.
const NAMES: [&str; 3] = ["avx2", "avx512", "avx512-bf16"];

/// How a back end is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// This CPU has it: whatever tests every back end tests this one.
    Native,
    /// QEMU stands in for the CPU.
    Qemu,
    /// Not at all, and the summary says so.
    Skipped,
    /// Not at all, although it is required.
    Missing,
}

/// Every back end, and how it is tested here.
///
/// # Errors
/// What is required is no back end.
pub(crate) fn all() -> Result<Vec<(&'static str, How)>> {
    let required = env::var_os(REQUIRE).unwrap_or_default();
    plan(has, cfg!(target_arch = "x86_64"), &required.to_string_lossy())
}

/// `has` tells what the CPU has. `is_pc` is whether this machine runs programs for x86-64 at all, if by QEMU, which
/// knows AVX2 and no AVX-512.
fn plan(has: impl Fn(&str) -> bool, is_pc: bool, required: &str) -> Result<Vec<(&'static str, How)>> {
    let required: Vec<_> = required.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    for name in &required {
        ensure!(NAMES.contains(name), "{REQUIRE} names {name:?}, but can name only {}", NAMES.join(", "));
    }
    let how = |name| match name {
        _ if has(name) => How::Native,
        "avx2" if is_pc => How::Qemu,
        _ if required.contains(&name) => How::Missing,
        _ => How::Skipped,
    };
    Ok(NAMES.map(|name| (name, how(name))).into())
}

/// The line of the summary about the back ends that are skipped, if any is.
pub(crate) fn note(skipped: &[&str]) -> Option<String> {
    // Whoever has reduced precision has the rest.
    let wanted = match skipped {
        [] => return None,
        ["avx512-bf16"] => "AVX-512 BF16",
        _ => "AVX-512",
    };
    Some(format!("not run on this CPU: kernels with {}; a machine with {wanted} runs them", skipped.join(", ")))
}

/// The error where a back end is required and tested in no way.
pub(crate) fn missing(name: &str) -> Result<()> {
    bail!(
        "the kernels with {name} were not tested: {REQUIRE} asks for {name}, this CPU lacks what it needs, and QEMU \
         cannot stand in for it here"
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

    /// How each back end is tested on a machine with these.
    fn on(has: &[&str], is_pc: bool, required: &str) -> [How; 3] {
        let plan = plan(|name| has.contains(&name), is_pc, required).unwrap();
        assert_eq!(plan.iter().map(|(name, _)| *name).collect::<Vec<_>>(), NAMES);
        [plan[0].1, plan[1].1, plan[2].1]
    }

    #[test]
    fn what_a_cpu_lacks_is_skipped_unless_it_is_required() {
        use How::{Missing, Native, Qemu, Skipped};
        let (zen3, ice_lake) = (["avx2"], ["avx2", "avx512"]);
        for required in ["", "avx2", "avx2,avx512", "avx512,avx512-bf16"] {
            assert_eq!(on(&NAMES, true, required), [Native; 3], "Zen 4, {required:?} required");
        }
        assert_eq!(on(&zen3, true, ""), [Native, Skipped, Skipped]);
        assert_eq!(on(&zen3, true, "avx2"), [Native, Skipped, Skipped]);
        assert_eq!(on(&zen3, true, "avx512"), [Native, Missing, Skipped]);
        assert_eq!(on(&zen3, true, " avx512, avx512-bf16,"), [Native, Missing, Missing]);
        assert_eq!(on(&ice_lake, true, "avx512"), [Native, Native, Skipped]);
        assert_eq!(on(&ice_lake, true, "avx512-bf16"), [Native, Native, Missing]);
        // An old PC, and a machine that is none.
        assert_eq!(on(&[], true, "avx2"), [Qemu, Skipped, Skipped]);
        assert_eq!(on(&[], false, ""), [Skipped; 3]);
        assert_eq!(on(&[], false, "avx2"), [Missing, Skipped, Skipped]);
    }

    #[test]
    fn a_name_that_no_back_end_has_is_an_error() {
        for required in ["avx1024", "avx2,neon", "AVX512"] {
            let error = plan(|_| true, true, required).unwrap_err().to_string();
            assert!(error.starts_with("THUMBNET_REQUIRE_BACKENDS names \""), "{error}");
            assert!(error.ends_with("but can name only avx2, avx512, avx512-bf16"), "{error}");
        }
    }

    #[test]
    fn the_summary_names_what_was_skipped_and_who_has_it() {
        assert_eq!(note(&[]), None);
        assert_eq!(
            note(&["avx512", "avx512-bf16"]).unwrap(),
            "not run on this CPU: kernels with avx512, avx512-bf16; a machine with AVX-512 runs them"
        );
        assert!(note(&["avx512-bf16"]).unwrap().ends_with("a machine with AVX-512 BF16 runs them"));
        assert!(missing("avx512").unwrap_err().to_string().contains("THUMBNET_REQUIRE_BACKENDS asks for avx512"));
    }
}
