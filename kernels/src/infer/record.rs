//! The parts of a blob that a device reads in place: the header, and one record for each step.
//!
//! All numbers have a fixed width and their natural alignment, and no byte is padding, so that the bytes of postcard's
//! encoding are those that lie in memory on a little-endian machine.

use bytemuck::{Pod, Zeroable};
#[cfg(feature = "alloc")]
use serde::{Deserialize, Serialize, de::Deserializer, ser::Serializer};

use super::StepS8;
use crate::geometry::Geometry;
use crate::graph::Uses;
use crate::int8::{AddS8, Affine, MeanS8, MulS8, QuantizedMultiplier, RescaleS8, SoftmaxS8};

/// A number whose bytes are written as they are: postcard's own numbers have as many bytes as they need.
macro_rules! fixed {
    ($($(#[$doc:meta])* $name:ident($number:ty, $bytes:literal);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
        #[repr(transparent)]
        pub struct $name(pub $number);

        #[cfg(feature = "alloc")]
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.to_le_bytes().serialize(serializer)
            }
        }

        #[cfg(feature = "alloc")]
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <[u8; $bytes]>::deserialize(deserializer).map(|bytes| Self(<$number>::from_le_bytes(bytes)))
            }
        }
    )*};
}

fixed! {
    /// A `u16` of two bytes.
    U16(u16, 2);
    /// A `u32` of four bytes.
    U32(u32, 4);
    /// An `i32` of four bytes.
    I32(i32, 4);
}

/// What a blob begins with.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[cfg_attr(feature = "alloc", derive(Serialize, Deserialize))]
#[repr(C)]
pub struct Header {
    /// `thumbnet`.
    pub magic: [u8; 8],
    /// The version of the format.
    pub version: u8,
    /// The cores whose order the weights have; see [`Family`](crate::blob::Family).
    pub family: u8,
    /// How many records there are.
    pub steps: U16,
    /// Bytes of the whole blob.
    pub length: U32,
    /// Where the records begin.
    pub records: U32,
    /// Where the tensors begin, and how many bytes they are.
    pub tensors: [U32; 2],
    /// The scale of the input.
    pub input_scale: f32,
    /// The zero point of the input.
    pub input_zero_point: i8,
    /// Zeros.
    pub reserved: [u8; 3],
}

/// One step of a quantised network.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[cfg_attr(feature = "alloc", derive(Serialize, Deserialize))]
#[repr(C)]
pub struct Record {
    /// What is computed: 0 a convolution, 1 a dense layer, 2 a max pooling alone, 3 a sum, 4 an average pooling, 5 the
    /// mean of each channel, 6 a depthwise convolution, 7 an activation alone, 8 a product, 9 a concatenation, 10 a
    /// zero padding.
    pub op: u8,
    /// The order of the weights; see [`Packing`](crate::int8::Packing).
    pub packing: u8,
    /// What follows on the clamp: 0 nothing, 1 softmax, 2 a table of 256 entries behind the other tensors.
    pub after: u8,
    /// The zero point of what the accumulators become.
    pub zero_point: i8,
    /// The least and the largest value that they become.
    pub activation: [i8; 2],
    /// Zero points of the inputs. Padding reads as the first.
    pub input_zero_points: [i8; 2],
    /// The records whose outputs are read, counted from 1; 0 is the network's input.
    pub inputs: [U16; 2],
    /// Of any convolution or a pooling: height, width and channels of input and output, height and width of kernel,
    /// strides and padding; then height and width of the fused pooling's output, kernel, strides and padding. In two
    /// halves each, the lower first: inputs and units of a dense layer; values of a sum; of an activation, and those of
    /// a position; of a product, and of its second factor; positions of a concatenation. Then the channels of its two
    /// parts. Of a zero padding: height, width and channels of the input, rows above and below, columns to the left and
    /// to the right. What is not used is 0.
    pub sizes: [U16; SIZES],
    /// Where the tensors of this record begin among all: at a multiple of 16.
    pub tensors: U32,
    /// The scale of the output, after all.
    pub output_scale: f32,
    /// Multipliers of a sum: of the two inputs and of the output; of a concatenation: of the two inputs; of a softmax,
    /// a mean or a product: the first.
    pub multipliers: [I32; 3],
    /// The powers of two that belong to them.
    pub shifts: [i8; 3],
    /// The zero point of the output, after all.
    pub output_zero_point: i8,
    /// The least difference that counts, of a softmax.
    pub diff_min: I32,
}

/// How many sizes a record has.
pub(crate) const SIZES: usize = 20;

impl Record {
    /// Whether the record describes this step: its kind, what it reads, and its [sizes](super::OpS8::sizes). Not
    /// inlined: all sizes lie on the stack meanwhile.
    #[inline(never)]
    pub(crate) fn matches<U: Uses>(&self, step: &StepS8<'_>) -> bool {
        let [a, b] = self.inputs;
        let sizes = step.op.sizes::<U>();
        self.op == step.op.code()
            && [a.0, b.0] == step.sources
            && self.sizes.iter().zip(&sizes).all(|(found, size)| usize::from(found.0) == *size)
    }
}

impl Record {
    /// [`Record::after`] of a softmax.
    pub const SOFTMAX: u8 = 1;
    /// [`Record::after`] of a table.
    pub const TABLE: u8 = 2;

    /// Scale and zero point of the output, after all.
    pub const fn output(&self) -> Affine {
        Affine { scale: self.output_scale, zero_point: self.output_zero_point }
    }

    /// The parameters of the softmax that follows, if one does.
    pub const fn softmax(&self) -> Option<SoftmaxS8> {
        if self.after != Self::SOFTMAX {
            return None;
        }
        let (multiplier, left_shift) = (self.multipliers[0].0, self.shifts[0] as u8);
        Some(SoftmaxS8 { multiplier, left_shift, diff_min: self.diff_min.0 })
    }

    const fn factor(&self, i: usize) -> QuantizedMultiplier {
        QuantizedMultiplier { multiplier: self.multipliers[i].0, shift: self.shifts[i] }
    }

    /// The parameters of a mean of each channel.
    pub const fn mean(&self, geometry: &Geometry) -> MeanS8 {
        let [height, width] = geometry.kernel();
        let offset = -(self.input_zero_points[0] as i32) * (height * width) as i32;
        MeanS8 { offset, factor: self.factor(0), zero_point: self.zero_point }
    }

    /// The parameters of a product.
    pub const fn product(&self) -> MulS8 {
        let Self { input_zero_points, zero_point, activation, .. } = *self;
        MulS8 { input_zero_points, factor: self.factor(0), zero_point, activation }
    }

    /// The parameters of the part of a concatenation that is the input `read`, 0 or 1.
    pub const fn part(&self, read: usize) -> RescaleS8 {
        let (input_zero_point, factor) = (self.input_zero_points[read], self.factor(read));
        let Self { zero_point, activation, .. } = *self;
        RescaleS8 { input_zero_point, factors: [factor; 2], zero_point, activation }
    }

    /// The parameters of a sum.
    pub const fn sum(&self) -> AddS8 {
        AddS8 {
            input_zero_points: self.input_zero_points,
            inputs: [self.factor(0), self.factor(1)],
            output: self.factor(2),
            zero_point: self.zero_point,
            activation: self.activation,
        }
    }
}
