//! Writing a blob.

use alloc::vec;
use alloc::vec::Vec;

use serde::Serialize;

use super::crc::crc32;
use super::{ALIGNMENT, AfterRecord, MAGIC, RepackError, StageRecord, VERSION, WriteError};
use crate::layer::LayerKind;
use crate::quant::{
    Affine, After, LayerS8, OwnedAfter, Packing, QuantizedNetwork, QuantizedStage, Requantize, SoftmaxS8,
};
use crate::sequential::{Network, Stage};

/// The cores whose order the weights are written in. Cortex-M3 and up read that of their own family alone, PCs and Cortex-M0 both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// PCs, Cortex-M0, M0+, and Cortex-M55 and M85 with Helium.
    #[default]
    Plain,
    /// Cortex-M3, and Cortex-M4, M7 and M33: cores with DSP instructions.
    Dsp,
}

impl Family {
    /// The order of a layer's weights.
    fn packing(self, kind: &LayerKind) -> Packing {
        match (self, kind) {
            (Self::Plain, _) => Packing::Plain,
            (Self::Dsp, LayerKind::Dense { .. }) => Packing::Quads,
            (Self::Dsp, _) => Packing::Pairs,
        }
    }
}

/// The blob of a quantised network, its weights in the order of `family`.
///
/// # Errors
///
/// [`WriteError`], when `network` is not a quantised `N`, its weights cannot be packed, or it has a value that
/// [`read`](super::read()) refuses. As there, weights and biases are not looked at: sums that they make too large wrap.
pub fn write<N: Network>(network: &QuantizedNetwork, family: Family) -> Result<Vec<u8>, WriteError> {
    let first = N::LAYERS.first().map_or("", |layer| layer.name);
    if network.stages.len() != N::STAGES.len() {
        return Err(WriteError::Mismatch { layer: first });
    }
    check_scale(None, network.input)?;
    let mut records = Vec::new();
    let mut tensors = Vec::new();
    for (stage, quantized) in N::STAGES.iter().zip(&network.stages) {
        let packing = family.packing(&stage.layer.kind);
        check_values(stage, quantized)?;
        records.push(record(quantized, packing));
        write_stage(stage, quantized, packing, &mut tensors)?;
    }

    let mut blob = MAGIC.to_vec();
    blob.push(VERSION);
    let length_at = blob.len();
    blob.extend([0; 4]);
    append(&mut blob, &network.input);
    append(&mut blob, &N::LAYERS);
    append(&mut blob, &records);
    // One byte says how long the pad is, then come the pad and the length of the tensors.
    let mut tensors_len = Vec::new();
    append(&mut tensors_len, &tensors.len());
    let before = blob.len() + 1 + tensors_len.len();
    let pad = vec![0u8; before.next_multiple_of(ALIGNMENT) - before];
    append(&mut blob, &pad);
    blob.extend(tensors_len);
    blob.extend(tensors);
    let length = u32::try_from(blob.len() + 4).map_err(|_| WriteError::TooLarge)?;
    blob[length_at..][..4].copy_from_slice(&length.to_le_bytes());
    let crc = crc32(&blob);
    blob.extend(crc.to_le_bytes());
    Ok(blob)
}

/// The same network as a blob whose weights are in the order of `family`.
///
/// # Errors
///
/// [`RepackError`], when `blob` is not a blob of this network, or its weights cannot be packed.
pub fn repack<N: Network>(blob: &[u8], family: Family) -> Result<Vec<u8>, RepackError> {
    let network = super::read::<N>(blob).map_err(RepackError::Read)?;
    let stages = N::STAGES.iter().zip(network.tensors()).map(|(stage, tensors)| unpack(stage, tensors)).collect();
    write::<N>(&QuantizedNetwork { input: network.input(), stages }, family).map_err(RepackError::Write)
}

/// The tensors of a stage as they were before they were packed.
fn unpack(stage: &Stage, tensors: &LayerS8<'_>) -> QuantizedStage {
    let mut weights = vec![0; tensors.weights.len()];
    let rows = stage.layer.output.channels;
    for (row, plain) in weights.chunks_exact_mut(stage.layer.fan_in().max(1)).enumerate() {
        tensors.packing.unpack_row(tensors.weights, rows, row, plain);
    }
    let Requantize { multiplier, shift, zero_point, activation } = tensors.requantize;
    QuantizedStage {
        weights,
        bias: tensors.bias.to_vec(),
        multiplier: multiplier.to_vec(),
        shift: shift.to_vec(),
        zero_point,
        activation,
        after: match tensors.after {
            After::Nothing => OwnedAfter::Nothing,
            After::Softmax(softmax) => OwnedAfter::Softmax(softmax),
            After::Table(table) => OwnedAfter::Table(table.to_vec()),
        },
        output: tensors.output,
    }
}

/// Appends a postcard value.
fn append<T: Serialize>(blob: &mut Vec<u8>, value: &T) {
    let bytes = postcard::to_allocvec(value).expect("plain data in memory always serialises");
    blob.extend(bytes);
}

fn check_scale(layer: Option<&'static str>, Affine { scale, .. }: Affine) -> Result<(), WriteError> {
    if scale > 0.0 && scale.is_finite() { Ok(()) } else { Err(WriteError::Scale { layer, scale }) }
}

/// Checks the values of a stage that its record and [`Requantize`] hold.
fn check_values(stage: &Stage, quantized: &QuantizedStage) -> Result<(), WriteError> {
    let (layer, classes) = (stage.layer.name, stage.layer.output.channels);
    check_scale(Some(layer), quantized.output)?;
    for (channel, &multiplier) in quantized.multiplier.iter().enumerate() {
        if multiplier < 0 {
            return Err(WriteError::Multiplier { layer, channel, multiplier });
        }
    }
    for (channel, &shift) in quantized.shift.iter().enumerate() {
        if !Requantize::SHIFTS.contains(&shift) {
            return Err(WriteError::Shift { layer, channel, shift });
        }
    }
    let activation = quantized.activation;
    if activation[0] > activation[1] {
        return Err(WriteError::Activation { layer, activation });
    }
    match quantized.after {
        OwnedAfter::Softmax(_) if classes > SoftmaxS8::MAX_CLASSES => Err(WriteError::Classes { layer, classes }),
        OwnedAfter::Softmax(softmax) if !softmax.is_valid() => Err(WriteError::Softmax { layer, softmax }),
        _ => Ok(()),
    }
}

fn record(stage: &QuantizedStage, packing: Packing) -> StageRecord {
    StageRecord {
        zero_point: stage.zero_point,
        activation: stage.activation,
        packing: packing.code(),
        after: match stage.after {
            OwnedAfter::Nothing => AfterRecord::Nothing,
            OwnedAfter::Softmax(softmax) => AfterRecord::Softmax(softmax),
            OwnedAfter::Table(_) => AfterRecord::Table,
        },
        output: stage.output,
    }
}

fn write_stage(
    stage: &Stage,
    quantized: &QuantizedStage,
    packing: Packing,
    tensors: &mut Vec<u8>,
) -> Result<(), WriteError> {
    let layer = stage.layer.name;
    let channels = if stage.layer.kernel_len() == 0 { 0 } else { stage.layer.output.channels };
    let lengths = [quantized.bias.len(), quantized.multiplier.len(), quantized.shift.len()];
    if quantized.weights.len() != stage.layer.kernel_len() || lengths != [channels; 3] {
        return Err(WriteError::Mismatch { layer });
    }
    let mut packed = vec![0; quantized.weights.len()];
    if !packed.is_empty() {
        let pack = packing.pack(&quantized.weights, stage.layer.fan_in(), &mut packed);
        pack.map_err(|error| WriteError::Pack { layer, error })?;
    }
    tensors.extend_from_slice(bytemuck::cast_slice(&packed));
    align(tensors, 4);
    tensors.extend(quantized.bias.iter().flat_map(|value| value.to_le_bytes()));
    tensors.extend(quantized.multiplier.iter().flat_map(|value| value.to_le_bytes()));
    tensors.extend_from_slice(bytemuck::cast_slice(&quantized.shift));
    if let OwnedAfter::Table(table) = &quantized.after {
        if table.len() != 256 {
            return Err(WriteError::Mismatch { layer });
        }
        tensors.extend_from_slice(bytemuck::cast_slice(table));
    }
    align(tensors, ALIGNMENT);
    Ok(())
}

fn align(bytes: &mut Vec<u8>, alignment: usize) {
    bytes.resize(bytes.len().next_multiple_of(alignment), 0);
}
