//! int8 inference of networks with branches.

use thumbnet::Network;
use thumbnet::arch::Backend;
use thumbnet::blob::{Aligned, BlobError};
use thumbnet::infer::OpS8;
use thumbnet_models::{MnistResNet, ResNet8};

use crate::cases;
use crate::residual::{Merged, Residual};

cases![sums_of_every_kind, merged_tensors, mnist_resnet, resnet8, a_weight_that_sums_of_two_cannot_hold];

/// A file of the build script's, in the section of blobs: a board may keep it apart from its code.
macro_rules! made {
    ($name:literal, $what:literal) => {{
        const FILE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/", $name, $what));
        #[expect(unsafe_code, reason = "every board's script has this section or its default")]
        // SAFETY: bytes without relocations may lie in any section of constants.
        #[unsafe(link_section = ".rodata.blob")]
        static BYTES: Aligned<[u8; FILE.len()]> = Aligned(*FILE.first_chunk().unwrap());
        &BYTES.0[..]
    }};
}

/// Checks a network against the bytes that the build script's scalar kernels gave on the host.
macro_rules! check {
    ($network:ty, $name:literal) => {
        check::<$network>(
            [made!($name, ".plain.tnb"), made!($name, ".dsp.tnb")],
            made!($name, ".images.i8"),
            made!($name, ".outputs.i8"),
        )
    };
}

fn check<N: Network>(blobs: [&'static [u8]; 2], images: &[u8], outputs: &[u8]) {
    let (images, outputs) = (bytemuck::cast_slice(images), bytemuck::cast_slice(outputs));
    // A core that reads one order of weights refuses the other.
    let mut read = 0;
    for network in blobs.iter().filter_map(|blob| N::from_blob(blob).ok()) {
        read += 1;
        for backend in Backend::available() {
            let network = network.with_backend(backend);
            let mut memory = N::ZERO_MEMORY;
            for (image, expected) in images.chunks(N::INPUT.len()).zip(outputs.chunks(N::OUTPUT.len())) {
                let image = N::Image::try_from(image).ok().expect("a piece of that length");
                assert_eq!(network.predict(&image, &mut memory).as_ref(), expected);
            }
        }
    }
    assert!(read == if Backend::CONV_S8_PACKING.is_some() { 1 } else { 2 });
}

fn sums_of_every_kind() {
    check!(Residual, "residual");
}

fn merged_tensors() {
    check!(Merged, "merged");
}

fn mnist_resnet() {
    check!(MnistResNet, "mnist_resnet");
}

fn resnet8() {
    check!(ResNet8, "resnet8");
}

/// Where a core adds two products of 8 bits in 16, a blob with a weight of -128 is refused; elsewhere it is read.
fn a_weight_that_sums_of_two_cannot_hold() {
    let plain = made!("residual", ".plain.tnb");
    let Ok(network) = Residual::from_blob(plain) else {
        // The core reads another order, in which a byte is no weight.
        return;
    };
    let name = Backend::detect().name();
    let parts = network.parts();
    let mut tried = 0;
    for (step, record) in Residual::STEPS_S8.iter().zip(parts.records) {
        let refused = match step.op() {
            OpS8::Conv2D { .. } => name == "thumb1",
            OpS8::DepthwiseConv2D { .. } => name == "helium",
            _ => continue,
        };
        let mut blob = Aligned([0; LEN]);
        blob.0[..plain.len()].copy_from_slice(plain);
        // The first weight. The CRC is not looked at.
        blob.0[(parts.header.tensors[0].0 + record.tensors.0) as usize] = 0x80;
        let error = Residual::from_trusted_blob(&blob.0).err();
        assert!(error == refused.then_some(BlobError::Malformed { field: "weights" }));
        tried += 1;
    }
    assert!(tried == 6, "five convolutions and a depthwise one");
}

/// Bytes that hold the blob.
const LEN: usize = 8192;
