//! Reading a blob: every check, once; no copy.
//!
//! All of it but a call for each stage is the same code for every network.

use core::slice::IterMut;

use super::crc::crc32;
use super::cursor::Cursor;
use super::{ALIGNMENT, AfterRecord, BlobError, EncodedLayer, MAGIC, StageRecord, VERSION};
use crate::geometry::Geometry;
use crate::layer::Layer;
use crate::quant::{Affine, After, LayerS8, Packing, Requantize, SoftmaxS8};
use crate::sequential::{Int8, Network, StageVisitor};

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
    let mut tensors = N::no_tensors();
    let mut reader = Reader::new(bytes, N::ENCODED_LAYERS, tensors.as_mut())?;
    let input = reader.current;
    N::visit_stages(&mut reader);
    let output = reader.finish()?;
    Ok(Int8::new(tensors, input, output))
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
    let Some((covered, stored)) = blob.split_last_chunk::<4>() else { return Err(malformed("length")) };
    let (stored, computed) = (u32::from_le_bytes(*stored), crc32(covered));
    if stored != computed {
        return Err(BlobError::Corrupt { stored, computed });
    }
    covered.get(PREFIX..).ok_or(malformed("length"))
}

const fn malformed(field: &'static str) -> BlobError {
    BlobError::Malformed { field }
}

/// Checks the architecture. Layers may be named otherwise: names compute nothing.
fn check_layers(cursor: &mut Cursor<'_>, layers: &[EncodedLayer]) -> Result<(), BlobError> {
    let count = cursor.number().ok_or(malformed("layers"))? as usize;
    for (i, layer) in layers.iter().enumerate() {
        let differs = BlobError::Architecture { layer: layer.name };
        if i >= count {
            return Err(differs);
        }
        cursor.bytes().ok_or(malformed("layers"))?;
        // By hand: a slice's `==` is a call of `memcmp`, which nothing else needs.
        if !cursor.take(layer.bytes.len()).is_some_and(|found| found.iter().eq(layer.bytes)) {
            return Err(differs);
        }
    }
    if count > layers.len() { Err(BlobError::Architecture { layer: "" }) } else { Ok(()) }
}

/// A blob half read: what is left of the stages' records and of their tensors.
struct Reader<'a, 't> {
    records: Cursor<'a>,
    tensors: Tensors<'a>,
    /// Where the tensors of the stages to come go.
    stages: IterMut<'t, LayerS8<'a>>,
    /// Scale and zero point of the last stage's output, or of the network's input.
    current: Affine,
    result: Result<(), BlobError>,
}

impl<'a, 't> Reader<'a, 't> {
    /// Checks all that comes before the stages.
    fn new(bytes: &'a [u8], layers: &[EncodedLayer], stages: &'t mut [LayerS8<'a>]) -> Result<Self, BlobError> {
        let mut cursor = Cursor(check(bytes)?);
        let current = cursor.affine().ok_or(malformed("input"))?;
        check_layers(&mut cursor, layers)?;
        if cursor.number() != u32::try_from(stages.len()).ok() {
            return Err(malformed("stages"));
        }
        // The records are read twice: over them once to find the tensors behind them.
        let records = cursor;
        for _ in &*stages {
            cursor.record().ok_or(malformed("stages"))?;
        }
        cursor.bytes().ok_or(malformed("pad"))?;
        let all = cursor.bytes().ok_or(malformed("tensors"))?;
        if !all.as_ptr().addr().is_multiple_of(ALIGNMENT) {
            return Err(malformed("pad"));
        }
        if !cursor.0.is_empty() {
            return Err(malformed("length"));
        }
        Ok(Self {
            records,
            tensors: Tensors { all: bytemuck::cast_slice(all), at: 0 },
            stages: stages.iter_mut(),
            current,
            result: Ok(()),
        })
    }

    /// Scale and zero point of the network's output.
    fn finish(self) -> Result<Affine, BlobError> {
        self.result?;
        if self.tensors.at != self.tensors.all.len() {
            return Err(malformed("tensors"));
        }
        Ok(self.current)
    }

    /// Refuses a softmax in the next stage.
    fn refuse_softmax(&mut self) {
        let mut ahead = self.records;
        if let Some(StageRecord { after: AfterRecord::Softmax(_), .. }) = ahead.record() {
            self.result = self.result.and(Err(malformed("softmax")));
        }
    }

    /// Reads the next stage, which has `weights` weights and `channels` biases, unless something was wrong before.
    #[inline(never)]
    fn stage(&mut self, weights: usize, channels: usize, packing: Option<Packing>) {
        if self.result.is_ok() {
            self.result = self.try_stage(weights, channels, packing);
        }
    }

    fn try_stage(&mut self, weights: usize, channels: usize, packing: Option<Packing>) -> Result<(), BlobError> {
        let input = self.current;
        let StageRecord { zero_point, activation, packing: code, after, output } =
            self.records.record().ok_or(malformed("stages"))?;
        let found = Packing::from_code(code).ok_or(malformed("packing"))?;
        if let Some(needed) = packing
            && needed != found
        {
            return Err(BlobError::Packing { found, needed });
        }
        let Some(stage) = self.tensors.stage(weights, channels) else { return Err(malformed("tensors")) };
        let StageTensors { weights, bias, multiplier, shift } = stage;
        let after = match after {
            AfterRecord::Nothing => After::Nothing,
            AfterRecord::Softmax(softmax) if softmax.is_valid() => After::Softmax(softmax),
            AfterRecord::Softmax(_) => return Err(malformed("softmax")),
            AfterRecord::Table => match self.tensors.take(256, 1).and_then(<[i8]>::first_chunk) {
                Some(table) => After::Table(table),
                None => return Err(malformed("table")),
            },
        };
        // The last stage's end is not padded.
        self.tensors.at = self.tensors.at.next_multiple_of(ALIGNMENT).min(self.tensors.all.len());
        let requantize = Requantize { multiplier, shift, zero_point, activation };
        if !requantize.is_valid() {
            return Err(malformed("requantize"));
        }
        if let Some(stage) = self.stages.next() {
            *stage = LayerS8 { input, output, weights, packing: found, bias, requantize, after };
        }
        self.current = output;
        Ok(())
    }
}

impl StageVisitor for Reader<'_, '_> {
    #[inline(always)]
    fn stage<L: Layer>(&mut self, _pool: Option<&'static Geometry>) {
        // A constant: in other networks nothing of this is left.
        if L::OUTPUT.channels > SoftmaxS8::MAX_CLASSES {
            self.refuse_softmax();
        }
        let channels = if L::KERNEL_LEN == 0 { 0 } else { L::OUTPUT.channels };
        Reader::stage(self, L::KERNEL_LEN, channels, L::PACKING_S8);
    }
}

/// Arrays out of bytes that start at a multiple of [`ALIGNMENT`].
struct Tensors<'a> {
    all: &'a [i8],
    at: usize,
}

/// The arrays of one stage.
struct StageTensors<'a> {
    weights: &'a [i8],
    bias: &'a [i32],
    multiplier: &'a [i32],
    shift: &'a [i8],
}

impl<'a> Tensors<'a> {
    /// The arrays of a stage with `weights` weights and `channels` biases.
    fn stage(&mut self, weights: usize, channels: usize) -> Option<StageTensors<'a>> {
        let weights = self.take(weights, ALIGNMENT)?;
        let words = bytemuck::try_cast_slice::<i8, i32>(self.take(8 * channels, 4)?).ok()?;
        let (bias, multiplier) = words.split_at_checked(channels)?;
        Some(StageTensors { weights, bias, multiplier, shift: self.take(channels, 1)? })
    }

    /// The next `size` bytes from a multiple of `alignment` on.
    #[inline(never)]
    fn take(&mut self, size: usize, alignment: usize) -> Option<&'a [i8]> {
        let start = self.at.next_multiple_of(alignment);
        let (taken, _) = self.all.get(start..)?.split_at_checked(size)?;
        self.at = start + size;
        Some(taken)
    }
}
