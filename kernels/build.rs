//! Tells the crate which instructions the target has: stable rustc shows neither `dsp` nor `mve` as
//! `cfg(target_feature)`.
//!
//! Of a microcontroller's cores at most one of these is set, and `thumbnet_cortex` with it:
//! - `thumbnet_helium`: Armv8.1-M with MVE (Cortex-M52, M55, M85), where `RUSTFLAGS` names such a core
//!   (`-C target-cpu=cortex-m55`) or `THUMBNET_HELIUM=1` is in the environment: the target triple does not tell.
//! - `thumbnet_dsp`: Armv7E-M and Armv8-M with the DSP extension (Cortex-M4, M7, M33, M35P), unless `RUSTFLAGS` takes
//!   it away (`-C target-feature=-dsp`).
//! - `thumbnet_thumb2`: Armv7-M (Cortex-M3) and Armv8-M without the extension.
//! - `thumbnet_thumb1`: Armv6-M (Cortex-M0, M0+), and Armv8-M's baseline (Cortex-M23), which has its instructions.
//!
//! Of a PC's, one of `thumbnet_x86` and `thumbnet_neon` (64-bit ARM), and `thumbnet_vector` with it.
//!
//! `--cfg thumbnet_backend="scalar"` leaves none of them.
use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for name in ["cortex", "helium", "dsp", "thumb2", "thumb1", "vector", "x86", "neon"] {
        println!("cargo::rustc-check-cfg=cfg(thumbnet_{name})");
    }
    let target = env::var("TARGET").unwrap_or_default();
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let flag = |text: &str| flags.split('\x1f').any(|flag| flag.contains(text));
    let main_line = target.starts_with("thumbv8m.main");
    if main_line {
        // Of no other target: a build for one is not begun anew where the variable comes or goes.
        println!("cargo::rerun-if-env-changed=THUMBNET_HELIUM");
    }
    if flag("thumbnet_backend=\"scalar\"") {
        return;
    }
    // The core whose instructions the assembly is written in; the target alone does not admit all of them.
    let (name, cpu) = if main_line
        && (env::var("THUMBNET_HELIUM").is_ok_and(|value| value == "1")
            || ["cortex-m52", "cortex-m55", "cortex-m85"].into_iter().any(flag))
    {
        ("helium", "cortex-m55")
    } else if target.starts_with("thumbv7em") {
        ("dsp", "cortex-m4")
    } else if main_line && !flag("-dsp") {
        ("dsp", "cortex-m33")
    } else if main_line {
        ("thumb2", "cortex-m33")
    } else if target.starts_with("thumbv7m") {
        ("thumb2", "cortex-m3")
    } else if target.starts_with("thumbv8m.base") {
        ("thumb1", "cortex-m23")
    } else if target.starts_with("thumbv6m") {
        ("thumb1", "cortex-m0")
    } else {
        let name = match env::var("CARGO_CFG_TARGET_ARCH").as_deref() {
            Ok("x86_64") => "x86",
            Ok("aarch64") => "neon",
            _ => return,
        };
        println!("cargo::rustc-cfg=thumbnet_{name}\ncargo::rustc-cfg=thumbnet_vector");
        return;
    };
    println!("cargo::rustc-cfg=thumbnet_{name}\ncargo::rustc-cfg=thumbnet_cortex");
    println!("cargo::rustc-env=THUMBNET_CPU={cpu}");
}
