//! What a file of vectors holds of a layer.

use std::collections::HashMap;
use std::sync::LazyLock;

use safetensors::SafeTensors;
use thumbnet::geometry::{Geometry, Padding, Shape};
use thumbnet::int8::Affine;

/// Single int8 layers that TFLite converted, with what its reference kernels give: scales that differ much, zero points
/// at both ends, fused activations, extreme values. `data/tflite_layers.py` made the file.
pub(crate) static TFLITE: LazyLock<Vectors> =
    LazyLock::new(|| Vectors::read(include_bytes!("../data/tflite_layers.safetensors")));

/// Single f32 layers as Keras computes them, forward and backward. `data/keras_layers.py` made the file.
pub(crate) static KERAS: LazyLock<Vectors> =
    LazyLock::new(|| Vectors::read(include_bytes!("../data/keras_layers.safetensors")));

/// Places of a record's options.
pub(crate) mod options {
    pub(crate) const FUSED: usize = 0;
    pub(crate) const VALID: usize = 1;
    pub(crate) const STRIDES: usize = 2;
    pub(crate) const WINDOW: usize = 4;
    pub(crate) const ALPHA: usize = 7;
}

struct Tensor {
    shape: Vec<usize>,
    data: Vec<u8>,
}

/// The tensors of a file by name.
pub(crate) struct Vectors(HashMap<String, Tensor>);

impl Vectors {
    fn read(file: &[u8]) -> Self {
        let file = SafeTensors::deserialize(file).unwrap();
        let tensors = file
            .tensors()
            .into_iter()
            .map(|(name, tensor)| (name, Tensor { shape: tensor.shape().to_vec(), data: tensor.data().to_vec() }));
        Self(tensors.collect())
    }

    /// Every record of a kind of layer; there is at least one.
    pub(crate) fn records(&self, kind: &str) -> Vec<Record<'_>> {
        let all = (0..).map(|number| Record { tensors: &self.0, name: format!("{kind}/{number}") });
        let records: Vec<_> = all.take_while(|record| self.0.contains_key(&format!("{record}.out"))).collect();
        assert!(!records.is_empty(), "the file has no {kind}");
        records
    }
}

/// A layer with its inputs and outputs.
pub(crate) struct Record<'a> {
    tensors: &'a HashMap<String, Tensor>,
    name: String,
}

impl std::fmt::Display for Record<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Record<'_> {
    fn tensor(&self, field: &str) -> &Tensor {
        &self.tensors[&format!("{self}.{field}")]
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.tensors.contains_key(&format!("{self}.{field}"))
    }

    pub(crate) fn shape(&self, field: &str) -> &[usize] {
        &self.tensor(field).shape
    }

    pub(crate) fn bytes(&self, field: &str) -> Vec<i8> {
        self.tensor(field).data.iter().map(|&byte| byte as i8).collect()
    }

    pub(crate) fn words(&self, field: &str) -> Vec<i32> {
        self.tensor(field).data.as_chunks().0.iter().map(|&word| i32::from_le_bytes(word)).collect()
    }

    pub(crate) fn floats(&self, field: &str) -> Vec<f32> {
        self.words(field).into_iter().map(|bits| f32::from_bits(bits as u32)).collect()
    }

    /// Scale and zero point of each input that is no constant, and of the output.
    pub(crate) fn quantizations(&self) -> Vec<Affine> {
        let affine = |&[scale, zero_point]: &[f32; 2]| Affine { scale, zero_point: zero_point as i8 };
        self.floats("quantization").as_chunks().0.iter().map(affine).collect()
    }

    /// The same, where it is known how many there are.
    pub(crate) fn quantization<const N: usize>(&self) -> [Affine; N] {
        self.quantizations().try_into().unwrap()
    }

    pub(crate) fn option(&self, place: usize) -> f32 {
        self.floats("options")[place]
    }

    /// The least and the largest output that the fused activation lets through.
    pub(crate) fn activation(&self, output: Affine) -> [i8; 2] {
        match self.option(options::FUSED) {
            0.0 => [-128, 127],
            1.0 => ends(output, [0.0, f32::INFINITY]),
            3.0 => ends(output, [0.0, 6.0]),
            fused => panic!("{self} has an activation of number {fused}"),
        }
    }

    /// The shapes of a convolution or pooling with this window, which is also its step where the options have none.
    pub(crate) fn geometry(&self, window: [usize; 2]) -> Geometry {
        let [_, height, width, channels] = self.shape("in0")[..].try_into().unwrap();
        let strides = [0, 1].map(|axis| match self.option(options::STRIDES + axis) as usize {
            0 => window[axis],
            stride => stride,
        });
        let padding = if self.option(options::VALID) == 0.0 { Padding::Same } else { Padding::Valid };
        let filters = *self.shape("out").last().unwrap();
        Geometry::new(Shape::new(height, width, channels), filters, window, strides, padding).unwrap()
    }

    /// The shapes of a pooling; one without a window is of all positions.
    pub(crate) fn pooling(&self) -> Geometry {
        self.geometry([0, 1].map(|axis| match self.option(options::WINDOW + axis) as usize {
            0 => self.shape("in0")[1 + axis],
            window => window,
        }))
    }
}

/// The outputs that stand for these real numbers; TFLite's `CalculateActivationRangeQuantized`.
pub(crate) fn ends(output: Affine, reals: [f32; 2]) -> [i8; 2] {
    reals.map(|real| ((real / output.scale).round() + f32::from(output.zero_point)).clamp(-128.0, 127.0) as i8)
}
