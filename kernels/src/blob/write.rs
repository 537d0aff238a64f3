//! Writing a blob.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use serde::Serialize;

use super::crc::Crc;
use super::{ALIGNMENT, About, Contents, Info, Loaded, MAGIC, RepackError, VERSION, WriteError};
use crate::graph::{Activation, AllOps, Graph, Op};
use crate::infer::{Header, I32, LayerS8, OpS8, Record, SIZES, StepS8, U16, U32, fits, steps, windows};
use crate::int8::{MeanS8, Packing, QuantizedMultiplier, Requantize, SoftmaxS8};
use crate::plan::{Fusion, PlanBuf, Step};
use crate::quantize::{OwnedAfter, QuantizedNetwork, QuantizedStep, outgrown};

/// The cores whose order the weights are written in. Cortex-M3 and up read that of their own family alone, PCs and
/// Cortex-M0 both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// PCs, Cortex-M0, M0+, and Cortex-M55 and M85 with Helium.
    #[default]
    Plain,
    /// Cortex-M3, and Cortex-M4, M7 and M33: cores with DSP instructions.
    Dsp,
}

impl Family {
    /// The order of a step's weights.
    const fn packing(self, op: &OpS8<'_>) -> Packing {
        match (self, op) {
            (Self::Plain, OpS8::Conv2D { .. } | OpS8::Dense { .. }) => Packing::Plain,
            (Self::Dsp, OpS8::Conv2D { .. }) => Packing::Pairs,
            (Self::Dsp, OpS8::Dense { .. }) => Packing::Quads,
            (
                Self::Plain | Self::Dsp,
                OpS8::DepthwiseConv2D { .. }
                | OpS8::MaxPooling2D { .. }
                | OpS8::Add { .. }
                | OpS8::AveragePooling2D { .. }
                | OpS8::Mean { .. }
                | OpS8::Activation { .. }
                | OpS8::Multiply { .. }
                | OpS8::Concatenate { .. }
                | OpS8::ZeroPadding2D { .. },
            ) => Packing::Plain,
        }
    }
}

/// The blob of a quantised network, its weights in the order of `family`.
///
/// # Errors
///
/// [`WriteError`], when `graph` is no network, `network` is not a quantised `graph`, its weights cannot be packed,
/// `about` is of another network, there is a value that [`read`](super::read()) refuses, what follows on a layer is not
/// what its activation asks for, or a sum may leave 32 bits. `read` does not look at the last two, which a device would
/// pay for.
pub fn write(
    graph: &Graph<'_>,
    network: &QuantizedNetwork,
    family: Family,
    about: &About<'_>,
) -> Result<Vec<u8>, WriteError> {
    graph.check().map_err(|error| WriteError::Graph { reason: error.to_string() })?;
    if !fits(graph) {
        return Err(WriteError::TooLarge);
    }
    about.check(graph)?;
    let plan = PlanBuf::new(graph, Fusion::Int8);
    let plan = plan.plan();
    let windows = windows(graph, &plan);
    let steps = steps(graph, &plan, &windows);
    if network.steps.len() != steps.len() {
        let layer = graph.layers().first().map_or("", |layer| layer.name).into();
        return Err(WriteError::Mismatch { layer });
    }
    check_scale(None, network.input.scale)?;
    let mut records = Vec::new();
    let mut tensors = Vec::new();
    for ((step, planned), quantized) in steps.iter().zip(plan.steps).zip(&network.steps) {
        let packing = family.packing(&step.op);
        check_values(step, quantized)?;
        check_after(graph, planned, quantized)?;
        let input_zero_points = step.sources.map(|source| match usize::from(source).checked_sub(1) {
            Some(source) => network.steps[source].output.zero_point,
            None => network.input.zero_point,
        });
        records.push(record(step, quantized, packing, input_zero_points, tensors.len())?);
        write_tensors(step, quantized, packing, &mut tensors)?;
        check_sums(step, quantized)?;
    }

    // A pad is its length, in one byte, and its zeros; then comes the length of what it aligns.
    let pad = |at: usize, len: usize, alignment: usize| {
        let start = (at + 1 + varint_len(len)).next_multiple_of(alignment);
        (start, start - at - 1 - varint_len(len))
    };
    let (records_at, records_pad) = pad(size_of::<Header>(), records.len(), 4);
    let (tensors_at, tensors_pad) = pad(records_at + size_of_val(&*records), tensors.len(), ALIGNMENT);
    let too_large = |_| WriteError::TooLarge;
    let word = |number: usize| u32::try_from(number).map(U32).map_err(too_large);
    let header = Header {
        magic: MAGIC,
        version: VERSION,
        family: family as u8,
        steps: U16(u16::try_from(records.len()).map_err(too_large)?),
        length: U32(0),
        records: word(records_at)?,
        tensors: [word(tensors_at)?, word(tensors.len())?],
        input_scale: network.input.scale,
        input_zero_point: network.input.zero_point,
        reserved: [0; 3],
    };
    let zeros = [0; ALIGNMENT];
    let info = Info {
        name: graph.name,
        labels: about.labels.to_vec(),
        scaling: about.scaling.to_vec(),
        shows: about.shows,
        nodes: graph.nodes.to_vec(),
        columns: about.columns.to_vec(),
        targets: about.targets.to_vec(),
    };
    let (pad, tensor_pad) = (&zeros[..records_pad], &zeros[..tensors_pad]);
    let mut contents = Contents { header, pad, records, tensor_pad, tensors: &tensors, info, crc: U32(0) };
    contents.header.length = word(encode(&contents).len())?;
    let mut blob = encode(&contents);
    let covered = blob.len() - 4;
    let crc = Crc::new().with(&blob[..covered]).value();
    blob[covered..].copy_from_slice(&crc.to_le_bytes());
    Ok(blob)
}

/// How many bytes postcard makes of a length.
const fn varint_len(number: usize) -> usize {
    let bits = usize::BITS - number.leading_zeros();
    if bits == 0 { 1 } else { bits.div_ceil(7) as usize }
}

/// Postcard's bytes.
fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_allocvec(value).expect("plain data in memory always serialises")
}

/// The same network as a blob whose weights are in the order of `family`.
///
/// # Errors
///
/// [`RepackError`], when `blob` cannot be read on this target, or its weights cannot be packed.
pub fn repack(blob: &[u8], family: Family) -> Result<Vec<u8>, RepackError> {
    let loaded = Loaded::read(blob).map_err(RepackError::Read)?;
    let (parts, info) = (loaded.parts(), loaded.info());
    let unpack = |(k, step): (usize, &StepS8<'_>)| parts.layer(k, &step.op).map(|layer| unpack(step, &layer));
    let steps = loaded.steps().iter().enumerate().filter_map(unpack).collect();
    let network = QuantizedNetwork { input: parts.input(), steps };
    write(&loaded.graph(), &network, family, &info.about()).map_err(RepackError::Write)
}

/// The tensors of a step as they were before they were packed.
fn unpack(step: &StepS8<'_>, layer: &LayerS8<'_>) -> QuantizedStep {
    let mut weights = vec![0; layer.weights.len()];
    let rows = layer.bias.len();
    let len = layer.weights.len().checked_div(rows).unwrap_or(0);
    for (row, plain) in weights.chunks_exact_mut(len.max(1)).enumerate() {
        layer.packing().unpack_row(layer.weights, rows, row, plain);
    }
    let record = layer.record;
    let factors = match step.op {
        OpS8::Add { .. } => {
            let sum = layer.sum();
            [sum.inputs[0], sum.inputs[1], sum.output]
        }
        OpS8::Mean { geometry } => [record.mean(geometry).factor, QuantizedMultiplier::ZERO, QuantizedMultiplier::ZERO],
        OpS8::Multiply { .. } => [record.product().factor, QuantizedMultiplier::ZERO, QuantizedMultiplier::ZERO],
        OpS8::Concatenate { .. } => {
            let [a, b] = [0, 1].map(|read| record.part(read).factors[0]);
            [a, b, QuantizedMultiplier::ZERO]
        }
        OpS8::Conv2D { .. }
        | OpS8::DepthwiseConv2D { .. }
        | OpS8::Dense { .. }
        | OpS8::MaxPooling2D { .. }
        | OpS8::Activation { .. }
        | OpS8::ZeroPadding2D { .. }
        | OpS8::AveragePooling2D { .. } => [QuantizedMultiplier::ZERO; 3],
    };
    QuantizedStep {
        weights,
        bias: layer.bias.to_vec(),
        multiplier: layer.multiplier.to_vec(),
        shift: layer.shift.to_vec(),
        zero_point: record.zero_point,
        activation: record.activation,
        factors,
        after: match (layer.table, record.softmax()) {
            (Some(table), _) => OwnedAfter::Table(table.to_vec()),
            (None, Some(softmax)) => OwnedAfter::Softmax(softmax),
            (None, None) => OwnedAfter::Nothing,
        },
        output: record.output(),
    }
}

fn check_scale(layer: Option<&str>, scale: f32) -> Result<(), WriteError> {
    if scale > 0.0 && scale.is_finite() {
        Ok(())
    } else {
        Err(WriteError::Scale { layer: layer.map(Into::into), scale })
    }
}

/// Checks the values of a step that its record and [`Requantize`] hold.
fn check_values(step: &StepS8<'_>, quantized: &QuantizedStep) -> Result<(), WriteError> {
    let layer = || String::from(step.name);
    check_scale(Some(step.name), quantized.output.scale)?;
    for (channel, &multiplier) in quantized.multiplier.iter().enumerate() {
        if multiplier < 0 {
            return Err(WriteError::Multiplier { layer: layer(), channel, multiplier });
        }
    }
    for (channel, &shift) in quantized.shift.iter().enumerate() {
        if !Requantize::SHIFTS.contains(&shift) {
            return Err(WriteError::Shift { layer: layer(), channel, shift });
        }
    }
    let activation = quantized.activation;
    if activation[0] > activation[1] {
        return Err(WriteError::Activation { layer: layer(), activation });
    }
    let classes = step.op.channels();
    match quantized.after {
        OwnedAfter::Softmax(_) if classes > SoftmaxS8::MAX_CLASSES => {
            return Err(WriteError::Classes { layer: layer(), classes });
        }
        OwnedAfter::Softmax(softmax) if !softmax.is_valid() => {
            return Err(WriteError::Softmax { layer: layer(), softmax });
        }
        OwnedAfter::Softmax(_) | OwnedAfter::Nothing | OwnedAfter::Table(_) => {}
    }
    Ok(())
}

/// Checks that what follows on a step is what [`quantize`](crate::quantize::quantize()) puts there.
fn check_after(graph: &Graph<'_>, step: &Step, quantized: &QuantizedStep) -> Result<(), WriteError> {
    let node = &graph.nodes[usize::from(step.node)];
    let activation = step.activation(graph);
    let is_alone = matches!(node.op, Op::Activation { .. });
    let fits = match (&quantized.after, activation) {
        (OwnedAfter::Nothing, Activation::Linear) => true,
        (OwnedAfter::Nothing, Activation::Relu | Activation::Relu6) => !is_alone,
        (OwnedAfter::Table(_), Activation::Relu | Activation::Relu6) => is_alone,
        (OwnedAfter::Table(_), Activation::LeakyRelu { .. } | Activation::Sigmoid | Activation::Tanh) => true,
        (OwnedAfter::Softmax(_), Activation::Softmax) => true,
        (OwnedAfter::Nothing | OwnedAfter::Table(_) | OwnedAfter::Softmax(_), _) => false,
    };
    if fits { Ok(()) } else { Err(WriteError::After { layer: node.name.into(), activation }) }
}

/// Checks that no input takes the sum of a filter or unit out of 32 bits.
fn check_sums(step: &StepS8<'_>, quantized: &QuantizedStep) -> Result<(), WriteError> {
    let (weights, channels) = step.op.weights();
    let by_taps = matches!(step.op, OpS8::DepthwiseConv2D { .. });
    for (channel, &bias) in quantized.bias.iter().enumerate() {
        // A row for each tap, or for each channel; the bias has the zero point of the input already.
        let [first, stride] = if by_taps { [channel, channels] } else { [channel * (weights / channels), 1] };
        let row = quantized.weights[first..].iter().step_by(stride).take(weights / channels);
        if let Some(sum) = outgrown(bias, 0, row) {
            return Err(WriteError::Outgrown { layer: step.name.into(), channel, sum });
        }
    }
    Ok(())
}

/// The record of a step whose tensors begin at `at`.
fn record(
    step: &StepS8<'_>,
    quantized: &QuantizedStep,
    packing: Packing,
    input_zero_points: [i8; 2],
    at: usize,
) -> Result<Record, WriteError> {
    let layer = || String::from(step.name);
    let mut sizes = [U16(0); SIZES];
    for (to, size) in sizes.iter_mut().zip(step.op.sizes::<AllOps>()) {
        *to = U16(u16::try_from(size).map_err(|_| WriteError::Size { layer: layer() })?);
    }
    let mut factors = quantized.factors;
    let (after, diff_min) = match quantized.after {
        OwnedAfter::Nothing => (0, 0),
        OwnedAfter::Softmax(SoftmaxS8 { multiplier, left_shift, diff_min }) => {
            factors[0] = QuantizedMultiplier { multiplier, shift: left_shift as i8 };
            (Record::SOFTMAX, diff_min)
        }
        OwnedAfter::Table(_) => (Record::TABLE, 0),
    };
    let record = Record {
        op: step.op.code(),
        packing: packing.code(),
        after,
        zero_point: quantized.zero_point,
        activation: quantized.activation,
        input_zero_points,
        inputs: step.sources.map(U16),
        sizes,
        tensors: U32(u32::try_from(at).map_err(|_| WriteError::TooLarge)?),
        output_scale: quantized.output.scale,
        multipliers: factors.map(|factor| I32(factor.multiplier)),
        shifts: factors.map(|factor| factor.shift),
        output_zero_point: quantized.output.zero_point,
        diff_min: I32(diff_min),
    };
    match step.op {
        OpS8::Add { .. } if !record.sum().is_valid() => {
            Err(WriteError::Sum { layer: layer(), factors: quantized.factors })
        }
        OpS8::AveragePooling2D { geometry } | OpS8::Mean { geometry } if !MeanS8::is_window(geometry) => {
            Err(WriteError::Mean { layer: layer(), geometry: *geometry })
        }
        OpS8::Mean { geometry } if !record.mean(geometry).is_consistent() => {
            Err(WriteError::Sum { layer: layer(), factors: quantized.factors })
        }
        OpS8::Multiply { .. } if !record.product().is_consistent() => {
            Err(WriteError::Sum { layer: layer(), factors: quantized.factors })
        }
        OpS8::Concatenate { .. } if !(record.part(0).is_consistent() && record.part(1).is_consistent()) => {
            Err(WriteError::Sum { layer: layer(), factors: quantized.factors })
        }
        OpS8::Add { .. }
        | OpS8::Conv2D { .. }
        | OpS8::DepthwiseConv2D { .. }
        | OpS8::Dense { .. }
        | OpS8::MaxPooling2D { .. }
        | OpS8::AveragePooling2D { .. }
        | OpS8::Mean { .. }
        | OpS8::Activation { .. }
        | OpS8::Multiply { .. }
        | OpS8::Concatenate { .. }
        | OpS8::ZeroPadding2D { .. } => Ok(record),
    }
}

fn write_tensors(
    step: &StepS8<'_>,
    quantized: &QuantizedStep,
    packing: Packing,
    tensors: &mut Vec<u8>,
) -> Result<(), WriteError> {
    let layer = || String::from(step.name);
    let (weights, channels) = step.op.weights();
    let lengths = [quantized.bias.len(), quantized.multiplier.len(), quantized.shift.len()];
    if quantized.weights.len() != weights || lengths != [channels; 3] {
        return Err(WriteError::Mismatch { layer: layer() });
    }
    let mut packed = vec![0; weights];
    if !packed.is_empty() {
        let pack = packing.pack(&quantized.weights, weights / channels, &mut packed);
        pack.map_err(|error| WriteError::Pack { layer: layer(), error })?;
    }
    tensors.extend_from_slice(bytemuck::cast_slice(&packed));
    align(tensors, 4);
    tensors.extend(quantized.bias.iter().flat_map(|value| value.to_le_bytes()));
    tensors.extend(quantized.multiplier.iter().flat_map(|value| value.to_le_bytes()));
    tensors.extend_from_slice(bytemuck::cast_slice(&quantized.shift));
    if let OwnedAfter::Table(table) = &quantized.after {
        if table.len() != 256 {
            return Err(WriteError::Mismatch { layer: layer() });
        }
        tensors.extend_from_slice(bytemuck::cast_slice(table));
    }
    align(tensors, ALIGNMENT);
    Ok(())
}

fn align(bytes: &mut Vec<u8>, alignment: usize) {
    bytes.resize(bytes.len().next_multiple_of(alignment), 0);
}
