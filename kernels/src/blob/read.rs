//! Reading a blob: every check, once; no copy.

use bytemuck::Pod;
use serde::Deserialize;

use super::{ALIGNMENT, AfterRecord, BlobError, CRC, MAGIC, StageRecord, VERSION};
use crate::arch::Backend;
use crate::layer::LayerInfo;
use crate::quant::{Affine, After, LayerS8, Packing, Requantize};
use crate::sequential::{Int8, Network, Stage};

#[cfg(target_endian = "big")]
compile_error!("blobs hold little-endian numbers that are read in place");

/// Bytes of magic, version and length.
const PREFIX: usize = 8 + 1 + 4;

/// Reads the blob of network `N` at the start of `bytes`, which may be longer (a flash partition, say).
///
/// # Errors
///
/// [`BlobError`], for anything that is off; afterwards nothing can fail.
pub fn read<N: Network>(bytes: &[u8]) -> Result<Int8<'_, N>, BlobError> {
    let content = check(bytes)?;
    let (input, rest) = take::<Affine>(content, "input")?;
    check_affine(input, "input")?;
    let rest = check_layers::<N>(rest)?;
    let (count, records) = take::<u32>(rest, "stages")?;
    if count as usize != N::STAGES.len() {
        return Err(BlobError::Malformed { field: "stages" });
    }

    // The records are read twice: over them once to find the tensors behind them.
    let mut rest = records;
    for _ in N::STAGES {
        rest = take::<StageRecord>(rest, "stages")?.1;
    }
    let (_, rest) = take::<&[u8]>(rest, "pad")?;
    let (mut cursor, end) = take::<&[u8]>(rest, "tensors")?;
    if !end.is_empty() {
        return Err(BlobError::Malformed { field: "length" });
    }

    let mut tensors = N::no_tensors();
    let mut records = records;
    let mut current = input;
    for (tensors, stage) in tensors.as_mut().iter_mut().zip(N::STAGES) {
        let record;
        (record, records) = take::<StageRecord>(records, "stages")?;
        (*tensors, cursor) = read_stage(stage, &record, current, cursor)?;
        current = record.output;
    }
    if !cursor.is_empty() {
        return Err(BlobError::Malformed { field: "tensors" });
    }
    Ok(Int8::new(Backend::detect(), tensors, input, current))
}

/// Checks the whole blob's integrity, and gives what lies between the length and the CRC.
fn check(bytes: &[u8]) -> Result<&[u8], BlobError> {
    let offset = bytes.as_ptr().addr() % ALIGNMENT;
    if offset != 0 {
        return Err(BlobError::Alignment { offset });
    }
    let Some((magic, rest)) = bytes.split_first_chunk::<8>() else { return Err(BlobError::NotABlob) };
    if *magic != MAGIC {
        return Err(BlobError::NotABlob);
    }
    let truncated = |needed| BlobError::Truncated { len: bytes.len(), needed };
    let Some((&version, rest)) = rest.split_first() else { return Err(truncated(PREFIX)) };
    if version != VERSION {
        return Err(BlobError::Version { found: version });
    }
    let Some((needed, _)) = rest.split_first_chunk::<4>() else { return Err(truncated(PREFIX)) };
    let needed = u32::from_le_bytes(*needed) as usize;
    let Some(blob) = bytes.get(..needed) else { return Err(truncated(needed)) };
    let Some((covered, stored)) = blob.split_last_chunk::<4>() else {
        return Err(BlobError::Malformed { field: "length" });
    };
    let (stored, computed) = (u32::from_le_bytes(*stored), CRC.checksum(covered));
    if stored != computed {
        return Err(BlobError::Corrupt { stored, computed });
    }
    covered.get(PREFIX..).ok_or(BlobError::Malformed { field: "length" })
}

/// The next postcard value, and what lies behind it.
fn take<'a, T: Deserialize<'a>>(bytes: &'a [u8], field: &'static str) -> Result<(T, &'a [u8]), BlobError> {
    postcard::take_from_bytes(bytes).map_err(|_| BlobError::Malformed { field })
}

fn check_affine(affine: Affine, field: &'static str) -> Result<(), BlobError> {
    if affine.scale > 0.0 && affine.scale.is_finite() { Ok(()) } else { Err(BlobError::Malformed { field }) }
}

/// Checks the architecture, and gives what lies behind it. Layers may be named otherwise: names compute nothing.
fn check_layers<N: Network>(bytes: &[u8]) -> Result<&[u8], BlobError> {
    let (count, mut rest) = take::<u32>(bytes, "layers")?;
    for (i, layer) in N::LAYERS.iter().enumerate() {
        let differs = BlobError::Architecture { layer: layer.name };
        if i >= count as usize {
            return Err(differs);
        }
        let found: LayerInfo<'_>;
        (found, rest) = take(rest, "layers")?;
        if (LayerInfo { name: layer.name, ..found }) != *layer {
            return Err(differs);
        }
    }
    if count as usize > N::LAYERS.len() { Err(BlobError::Architecture { layer: "" }) } else { Ok(rest) }
}

/// The tensors of one stage, and what lies behind them.
fn read_stage<'a>(
    stage: &Stage,
    record: &StageRecord,
    input: Affine,
    bytes: &'a [u8],
) -> Result<(LayerS8<'a>, &'a [u8]), BlobError> {
    let channels = if stage.layer.kernel_len() == 0 { 0 } else { stage.layer.output.channels };
    let malformed = |field| BlobError::Malformed { field };
    let mut reader = Reader { all: bytes, at: 0 };
    let weights = reader.values::<i8>(stage.layer.kernel_len(), ALIGNMENT)?;
    let bias = reader.values::<i32>(channels, 4)?;
    let multiplier = reader.values::<i32>(channels, 4)?;
    let shift = reader.values::<i8>(channels, 1)?;
    let after = match record.after {
        AfterRecord::Nothing => After::Nothing,
        AfterRecord::Softmax(softmax) if softmax.is_valid() => After::Softmax(softmax),
        AfterRecord::Softmax(_) => return Err(malformed("softmax")),
        AfterRecord::Table => After::Table(reader.values::<i8>(256, 1)?.try_into().map_err(|_| malformed("table"))?),
    };
    let rest = reader.align(ALIGNMENT)?;

    let packing = Packing::from_code(record.packing).ok_or(malformed("packing"))?;
    let [min, max] = record.activation;
    let shifts_fit = shift.iter().all(|shift| (-31..=30).contains(shift));
    if multiplier.iter().any(|multiplier| *multiplier < 0) || !shifts_fit || min > max {
        return Err(malformed("requantize"));
    }
    check_affine(record.output, "output")?;
    let requantize = Requantize { multiplier, shift, zero_point: record.zero_point, activation: [min, max] };
    Ok((LayerS8 { input, output: record.output, weights, packing, bias, requantize, after }, rest))
}

/// Takes arrays out of bytes that start at a multiple of [`ALIGNMENT`].
struct Reader<'a> {
    all: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Goes on to the next multiple of `alignment`, or to the end, and gives what lies there.
    fn align(&mut self, alignment: usize) -> Result<&'a [u8], BlobError> {
        self.at = self.at.next_multiple_of(alignment).min(self.all.len());
        self.all.get(self.at..).ok_or(BlobError::Malformed { field: "tensors" })
    }

    fn values<T: Pod>(&mut self, count: usize, alignment: usize) -> Result<&'a [T], BlobError> {
        let malformed = BlobError::Malformed { field: "tensors" };
        let size = count.checked_mul(size_of::<T>()).ok_or(malformed)?;
        let bytes = self.align(alignment)?.get(..size).ok_or(malformed)?;
        self.at += size;
        bytemuck::try_cast_slice(bytes).map_err(|_| malformed)
    }
}
