//! Reading a blob: every check, once; no copy.

#[cfg(feature = "alloc")]
use super::Integrity;
use super::{ALIGNMENT, BlobError, MAGIC, VERSION};
use crate::arch::Backend;
use crate::graph::{Op, Uses};
use crate::infer::{Header, OpS8, Parts, Record, StepS8};
use crate::int8::{Affine, MeanS8, Packing, SoftmaxS8};

#[cfg(target_endian = "big")]
compile_error!("blobs hold little-endian numbers that are read in place");

/// Reads the blob of a network with these steps at the start of `bytes`, which may be longer (a flash partition, say).
/// Its CRC is [`Integrity`]'s to check.
///
/// # Errors
///
/// [`BlobError`], for anything else that is off; afterwards nothing can fail.
pub fn read<'a, U: Uses>(bytes: &'a [u8], steps: &[StepS8<'static>]) -> Result<Parts<'a>, BlobError> {
    let parts = parts(bytes)?;
    let differs = |k: usize| BlobError::Architecture { layer: steps.get(k).map_or("", |step| step.name) };
    check_records::<U>(&parts, steps).map_err(|error| error.unwrap_or_else(differs))?;
    Ok(parts)
}

/// What is wrong with the records of these steps: an error, or the number of the first that is of another step.
pub(super) fn check_records<U: Uses>(parts: &Parts<'_>, steps: &[StepS8<'_>]) -> Result<(), Wrong> {
    for (k, step) in steps.iter().enumerate() {
        if !parts.records.get(k).is_some_and(|record| record.matches::<U>(step)) {
            return Err(Wrong::Step(k));
        }
        check_record::<U>(parts, k, step).map_err(Wrong::Value)?;
    }
    if parts.records.len() > steps.len() { Err(Wrong::Step(steps.len())) } else { Ok(()) }
}

/// Why records do not fit.
pub(super) enum Wrong {
    Value(BlobError),
    Step(usize),
}

impl Wrong {
    pub(super) fn unwrap_or_else(self, differs: impl FnOnce(usize) -> BlobError) -> BlobError {
        match self {
            Self::Value(error) => error,
            Self::Step(k) => differs(k),
        }
    }
}

/// The header of the blob at the start of `bytes`, what its CRC covers, and the CRC that it has.
pub(super) fn covered(bytes: &[u8]) -> Result<(&Header, &[u8], u32), BlobError> {
    let Some((magic, rest)) = bytes.split_first_chunk::<8>() else { return Err(BlobError::NotABlob) };
    if *magic != MAGIC {
        return Err(BlobError::NotABlob);
    }
    let offset = bytes.as_ptr().addr() % ALIGNMENT;
    if offset != 0 {
        return Err(BlobError::Alignment { offset });
    }
    let truncated = |needed| BlobError::Truncated { len: bytes.len(), needed };
    match rest.first() {
        Some(&VERSION) => {}
        Some(&found) => return Err(BlobError::Version { found }),
        None => return Err(truncated(size_of::<Header>())),
    }
    let Some(header) = bytes.get(..size_of::<Header>()) else { return Err(truncated(size_of::<Header>())) };
    let Ok(header) = bytemuck::try_from_bytes::<Header>(header) else { return Err(malformed("header")) };
    let needed = header.length.0 as usize;
    let Some(blob) = bytes.get(..needed) else { return Err(truncated(needed)) };
    let Some((covered, crc)) = blob.split_last_chunk() else { return Err(malformed("length")) };
    Ok((header, covered, u32::from_le_bytes(*crc)))
}

/// Checks the whole blob's integrity, and finds its parts.
#[cfg(feature = "alloc")]
pub(super) fn check(bytes: &[u8]) -> Result<Parts<'_>, BlobError> {
    Integrity::check(bytes)?;
    parts(bytes)
}

/// Finds the parts of the blob.
fn parts(bytes: &[u8]) -> Result<Parts<'_>, BlobError> {
    let (header, covered, _) = covered(bytes)?;
    if !is_scale(header.input_scale) {
        return Err(malformed("input"));
    }
    let part = |start: u32, len: usize| covered.get(start as usize..)?.get(..len);
    let records = usize::from(header.steps.0) * size_of::<Record>();
    let Some(Ok(records)) = part(header.records.0, records).map(bytemuck::try_cast_slice) else {
        return Err(malformed("records"));
    };
    let Some(tensors) = part(header.tensors[0].0, header.tensors[1].0 as usize) else {
        return Err(malformed("tensors"));
    };
    if !tensors.as_ptr().addr().is_multiple_of(ALIGNMENT) {
        return Err(malformed("tensors"));
    }
    Ok(Parts { header, records, tensors: bytemuck::cast_slice(tensors) })
}

pub(super) const fn malformed(field: &'static str) -> BlobError {
    BlobError::Malformed { field }
}

/// Checks what the record of step `k` says, and its tensors.
fn check_record<U: Uses>(parts: &Parts<'_>, k: usize, step: &StepS8<'_>) -> Result<(), BlobError> {
    let record = &parts.records[k];
    let found = Packing::from_code(record.packing).ok_or(malformed("packing"))?;
    let needed = match step.op {
        OpS8::Conv2D { .. } => Backend::CONV_S8_PACKING,
        OpS8::Dense { .. } => Backend::DENSE_S8_PACKING,
        OpS8::DepthwiseConv2D { .. }
        | OpS8::MaxPooling2D { .. }
        | OpS8::Add { .. }
        | OpS8::AveragePooling2D { .. }
        | OpS8::Mean { .. }
        | OpS8::Activation { .. }
        | OpS8::Multiply { .. }
        | OpS8::Concatenate { .. }
        | OpS8::ZeroPadding2D { .. } => None,
    };
    if let Some(needed) = needed
        && needed != found
    {
        return Err(BlobError::Packing { found, needed });
    }
    if !is_scale(record.output_scale) {
        return Err(malformed("output"));
    }
    if !record.tensors.0.is_multiple_of(4) {
        return Err(malformed("tensors"));
    }
    let layer = parts.layer(k, &step.op).ok_or(malformed("tensors"))?;
    if !layer.requantize().is_valid() {
        return Err(malformed("requantize"));
    }
    // The scheme has no such weights, and the kernel's sums of two products would not hold them.
    let adds_two = (cfg!(thumbnet_thumb1) && matches!(step.op, OpS8::Conv2D { .. }))
        || (cfg!(thumbnet_helium) && matches!(step.op, OpS8::DepthwiseConv2D { .. }));
    if adds_two && layer.weights.contains(&i8::MIN) {
        return Err(malformed("weights"));
    }
    match record.after {
        0 | Record::TABLE => {}
        Record::SOFTMAX => {
            let channels =
                if const { U::BITS & Op::ACTIVATION != 0 } { step.op.channels() } else { step.op.weights().1 };
            let fits = record.softmax().is_some_and(|softmax| softmax.is_valid());
            if !fits || channels > SoftmaxS8::MAX_CLASSES {
                return Err(malformed("softmax"));
            }
        }
        _ => return Err(malformed("after")),
    }
    let sources = record.inputs.iter().enumerate();
    for (i, source) in sources {
        // Each tensor has one zero point, whoever reads it.
        let zero_point = match usize::from(source.0).checked_sub(1) {
            Some(source) => parts.records.get(source).map(|record| record.output_zero_point),
            None => Some(parts.header.input_zero_point),
        };
        if i < step.op.arity() && zero_point != Some(record.input_zero_points[i]) {
            return Err(malformed("zero point"));
        }
    }
    if const { U::BITS & (Op::AVERAGE_POOLING2D | Op::GLOBAL_AVERAGE_POOLING2D) != 0 } {
        let fits = match step.op {
            OpS8::AveragePooling2D { geometry } => MeanS8::is_window(geometry),
            OpS8::Mean { geometry } => MeanS8::is_window(geometry) && record.mean(geometry).is_consistent(),
            OpS8::Conv2D { .. }
            | OpS8::DepthwiseConv2D { .. }
            | OpS8::Dense { .. }
            | OpS8::MaxPooling2D { .. }
            | OpS8::Activation { .. }
            | OpS8::Multiply { .. }
            | OpS8::Concatenate { .. }
            | OpS8::ZeroPadding2D { .. }
            | OpS8::Add { .. } => true,
        };
        if !fits {
            return Err(malformed("mean"));
        }
    }
    if const { U::BITS & Op::ADD != 0 } && matches!(step.op, OpS8::Add { .. }) && !record.sum().is_valid() {
        return Err(malformed("sum"));
    }
    if const { U::BITS & Op::MULTIPLY != 0 }
        && matches!(step.op, OpS8::Multiply { .. })
        && !record.product().is_consistent()
    {
        return Err(malformed("product"));
    }
    if const { U::BITS & Op::CONCATENATE != 0 }
        && matches!(step.op, OpS8::Concatenate { .. })
        && !(record.part(0).is_consistent() && record.part(1).is_consistent())
    {
        return Err(malformed("concatenation"));
    }
    Ok(())
}

/// Whether it is positive and finite. In whole numbers, because not every core has floating point.
fn is_scale(scale: f32) -> bool {
    (1..f32::INFINITY.to_bits()).contains(&scale.to_bits())
}

impl Parts<'_> {
    /// Scale and zero point of what step `k` reads, by its number among its inputs.
    pub fn input_of(&self, k: usize, i: usize) -> Affine {
        match self.records[k].inputs[i].0 {
            0 => self.input(),
            source => self.records[usize::from(source) - 1].output(),
        }
    }
}
