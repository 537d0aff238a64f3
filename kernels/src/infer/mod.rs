//! The int8 forward pass: a loop over the steps of a quantised network, each of whose records is read in the blob when
//! the step runs.

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
pub use step::{OpS8, StepS8};
#[cfg(feature = "alloc")]
pub use step::{steps, windows};

use core::ops::Range;

use crate::arch::{Backend, Kernels};
use crate::graph::{Op, Uses};

/// Runs all steps of a checked blob, and returns the last one's output. Not inlined: networks of the same layers share
/// it.
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
    outputs(steps, activations)
}

/// What the last step has left.
#[inline(always)]
pub(crate) fn outputs<'m>(steps: &[StepS8<'_>], activations: &'m [i8]) -> &'m [i8] {
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
    let mut read = 0;
    if step.op.begins_as_its_first_input() {
        if const { U::BITS & (Op::ADD | Op::MULTIPLY | Op::ACTIVATION) == 0 } {
            // No step of the network does.
            return;
        }
        if step.inputs[0] != step.output
            && let Some((x, y)) = operands(step, 0, image, activations, output.clone())
        {
            y.iter_mut().zip(x).for_each(|(y, x)| *y = *x);
        }
        read = 1;
    }
    if const { U::BITS & Op::ACTIVATION != 0 }
        && let (OpS8::Activation { channels, .. }, Some(y)) = (step.op, activations.get_mut(output.clone()))
    {
        layer.after(backend, channels as usize, y);
        return;
    }
    if const { U::BITS & Op::CONCATENATE != 0 }
        && let OpS8::Concatenate { widths: [a, b], .. } = step.op
        && let Some((x, y)) = operands(step, 0, image, activations, output.clone())
    {
        let columns = [a, b].map(usize::from);
        layer.concatenate(backend, 0, columns, x, y);
        read = 1;
    }
    let Some((x, y)) = operands(step, read, image, activations, output) else { return };
    match step.op {
        OpS8::Conv2D { geometry, pool } => {
            if const { U::BITS & Op::CONV2D != 0 } {
                layer.conv(backend, geometry, pool, x, y, scratch);
            }
        }
        OpS8::DepthwiseConv2D { geometry } => {
            if const { U::BITS & (Op::DEPTHWISE_CONV2D | Op::BATCH_NORMALIZATION) != 0 } {
                layer.depthwise_conv(backend, geometry, x, y, scratch);
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
        OpS8::Multiply { .. } => {
            if const { U::BITS & Op::MULTIPLY != 0 } {
                layer.multiply(backend, x, y);
            }
        }
        OpS8::Concatenate { widths, .. } => {
            if const { U::BITS & Op::CONCATENATE != 0 } {
                layer.concatenate(backend, 1, widths.map(usize::from), x, y);
            }
        }
        OpS8::ZeroPadding2D { input, padding } => {
            if const { U::BITS & Op::ZERO_PADDING2D != 0 } {
                layer.zero_padding(input, padding, x, y);
            }
        }
        // It reads no more than what it began as.
        OpS8::Activation { .. } => {}
    }
}

/// The input of that number, and the output. Never missing, since a plan keeps them apart.
#[inline(always)]
fn operands<'a>(
    step: &StepS8<'_>,
    read: usize,
    image: &'a [i8],
    activations: &'a mut [i8],
    output: Range<usize>,
) -> Option<(&'a [i8], &'a mut [i8])> {
    let (input, len) = (*step.inputs.get(read)?, step.op.input_len(read));
    if input == IMAGE {
        return Some((image.get(..len)?, activations.get_mut(output)?));
    }
    let [x, y] = activations.get_disjoint_mut([range(input, len), output]).ok()?;
    Some((x, y))
}

/// `len` bytes from `start` on.
const fn range(start: u32, len: usize) -> Range<usize> {
    start as usize..start as usize + len
}
