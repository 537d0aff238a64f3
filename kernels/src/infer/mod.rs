//! The int8 forward pass: a loop over the steps of a quantised network, each of whose records is read in the blob when the step runs.

mod layer;
mod record;
mod step;

pub use layer::{LayerS8, Parts};
#[cfg(feature = "alloc")]
pub(crate) use record::SIZES;
pub use record::{Header, I32, Record, U16, U32};
use step::IMAGE;
#[cfg(feature = "alloc")]
pub(crate) use step::fits;
#[cfg(feature = "alloc")]
pub use step::steps;
pub use step::{OpS8, StepS8};

use core::ops::Range;

use crate::arch::{Backend, Kernels};
use crate::graph::{Op, Uses};

/// Runs all steps of a checked blob, and returns the last one's output. Not inlined: networks of the same layers share it.
#[inline(never)]
pub fn run<'m, U: Uses>(
    backend: Backend,
    parts: &Parts<'_>,
    steps: &[StepS8<'_>],
    image: &[i8],
    activations: &'m mut [i8],
    scratch: &mut [i32],
) -> &'m [i8] {
    for k in 0..steps.len() {
        run_step::<U>(backend, parts, steps, k, image, activations, scratch);
    }
    match steps {
        [.., last] => activations.get(range(last.output, last.op.output_len())).unwrap_or_default(),
        [] => &[],
    }
}

/// Runs step `k` alone, on what the steps before it have left.
pub fn run_step<U: Uses>(
    backend: Backend,
    parts: &Parts<'_>,
    steps: &[StepS8<'_>],
    k: usize,
    image: &[i8],
    activations: &mut [i8],
    scratch: &mut [i32],
) {
    let Some(step) = steps.get(k) else { return };
    // Never missing, since the blob was checked. The kernels rely on the lengths, which follow from the step.
    let Some(layer) = parts.layer(k, &step.op) else { return };
    let output = range(step.output, step.op.output_len());
    let mut input = step.inputs[0];
    if let OpS8::Add { .. } = step.op {
        if const { U::BITS & Op::ADD == 0 } {
            // No step of the network is a sum.
            return;
        }
        // A sum begins as its first term; then the other is what it reads.
        if input == IMAGE {
            let (Some(term), Some(image)) = (activations.get_mut(output.clone()), image.get(..output.len())) else {
                return;
            };
            term.copy_from_slice(image);
        } else if input != step.output {
            activations.copy_within(range(input, output.len()), output.start);
        }
        input = step.inputs[1];
    }
    let (x, y) = if input == IMAGE {
        (image.get(..step.op.input_len()), activations.get_mut(output))
    } else {
        match activations.get_disjoint_mut([range(input, step.op.input_len()), output]) {
            Ok([x, y]) => (Some(&*x), Some(y)),
            Err(_) => return,
        }
    };
    let (Some(x), Some(y)) = (x, y) else { return };
    match step.op {
        OpS8::Conv2D { geometry, pool } => {
            if const { U::BITS & Op::CONV2D != 0 } {
                layer.conv(backend, geometry, pool, x, y, scratch);
            }
        }
        OpS8::DepthwiseConv2D { geometry } => {
            if const { U::BITS & Op::DEPTHWISE_CONV2D != 0 } {
                layer.depthwise_conv(backend, geometry, x, y);
            }
        }
        OpS8::Dense { inputs, units } => {
            if const { U::BITS & Op::DENSE != 0 } {
                let units = units.min(const { U::UNITS });
                layer.dense(backend, inputs as usize, units as usize, x, y, scratch);
            }
        }
        OpS8::MaxPooling2D { geometry } => {
            if const { U::BITS & Op::MAX_POOLING2D != 0 } {
                backend.kernels().max_pool_s8(geometry, x, y);
            }
        }
        OpS8::AveragePooling2D { geometry } => {
            if const { U::BITS & Op::AVERAGE_POOLING2D != 0 } {
                backend.kernels().average_pool_s8(geometry, layer.record.activation, x, y);
            }
        }
        OpS8::Mean { geometry } => {
            if const { U::BITS & Op::GLOBAL_AVERAGE_POOLING2D != 0 } {
                backend.kernels().mean_s8(&layer.record.mean(geometry), x, y);
            }
        }
        OpS8::Add { .. } => {
            if const { U::BITS & Op::ADD != 0 } {
                layer.add(backend, x, y);
            }
        }
    }
}

/// `len` bytes from `start` on.
const fn range(start: u32, len: usize) -> Range<usize> {
    start as usize..start as usize + len
}
