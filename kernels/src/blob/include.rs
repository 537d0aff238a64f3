//! The check of a blob while the firmware that includes it is built.

use super::{MAGIC, VERSION};
use crate::arch::Backend;
use crate::int8::Packing;

/// Refuses, in a constant, what this core's [`Network::from_blob`](crate::Network::from_blob) would refuse when it
/// runs: bytes that are no blob, or one of another version, or of the other family of cores.
/// [`include_blob!`](crate::include_blob) does it; who places a blob otherwise writes it beside the `include_bytes!`.
/// This does not compile, since the bytes are no blob:
///
/// ```compile_fail
/// const _: () = thumbnet::blob::check_included(b"some other file");
/// ```
///
/// # Panics
///
/// With what is to be written instead.
pub const fn check_included(bytes: &[u8]) {
    if let Some(refusal) = refusal(bytes, Backend::CONV_S8_PACKING) {
        panic!("{}", refusal)
    }
}

/// What is wrong with a blob for a core whose convolutions read that order.
const fn refusal(bytes: &[u8], reads: Option<Packing>) -> Option<&'static str> {
    let Some((magic, rest)) = bytes.split_first_chunk::<8>() else { return Some(NOT_A_BLOB) };
    let mut i = 0;
    while i < MAGIC.len() {
        if magic[i] != MAGIC[i] {
            return Some(NOT_A_BLOB);
        }
        i += 1;
    }
    let Some(([version, family], _)) = rest.split_first_chunk::<2>() else { return Some(NOT_A_BLOB) };
    if *version != VERSION {
        return Some(
            "this blob is of another version of the format than this library reads: write it anew, with `quantize` of \
             a program of the same version of thumbnet",
        );
    }
    // The numbers of `Family`.
    match (reads, family) {
        (Some(Packing::Plain), 1) => Some(
            "this blob's weights are ordered for Cortex-M3, M4, M7 and M33 (--family dsp), but this core reads plain \
             ones: write it with `quantize --family plain`",
        ),
        (Some(Packing::Pairs | Packing::Quads), 0) => Some(
            "this blob's weights are ordered for PCs, Cortex-M0, M55 and M85 (--family plain), but this core reads \
             those of Cortex-M3, M4, M7 and M33: write it with `quantize --family dsp`",
        ),
        _ => None,
    }
}

const NOT_A_BLOB: &str = "this file is not a thumbnet blob: it does not begin with `thumbnet`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_must_be_of_the_cores_family() {
        let refused = |bytes: &[u8], reads, text: &str| refusal(bytes, reads).is_some_and(|found| found.contains(text));
        let [plain, dsp]: [[u8; 10]; 2] = [0, 1].map(|family| {
            let mut bytes = [0; 10];
            bytes[..8].copy_from_slice(&MAGIC);
            (bytes[8], bytes[9]) = (VERSION, family);
            bytes
        });
        for reads in [None, Some(Packing::Plain)] {
            assert_eq!(refusal(&plain, reads), None);
        }
        for reads in [None, Some(Packing::Pairs)] {
            assert_eq!(refusal(&dsp, reads), None);
        }
        assert!(refused(&dsp, Some(Packing::Plain), "write it with `quantize --family plain`"));
        assert!(refused(&plain, Some(Packing::Pairs), "write it with `quantize --family dsp`"));
        for reads in [None, Some(Packing::Plain), Some(Packing::Pairs)] {
            for wrong in [&b""[..], b"thumbne", b"thumbnet", b"thumbnet\x03", b"a text of some length"] {
                assert!(refused(wrong, reads, "not a thumbnet blob"), "{wrong:?}");
            }
            let mut old = plain;
            old[8] = VERSION - 1;
            assert!(refused(&old, reads, "another version"));
        }
    }
}
