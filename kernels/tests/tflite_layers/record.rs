//! What the file holds of an operator.

use std::collections::HashMap;
use std::sync::LazyLock;

use safetensors::SafeTensors;
use thumbnet::int8::Affine;

const FILE: &[u8] = include_bytes!("../data/tflite_layers.safetensors");

static TENSORS: LazyLock<HashMap<String, Vec<u8>>> = LazyLock::new(|| {
    let file = SafeTensors::deserialize(FILE).unwrap();
    file.tensors().into_iter().map(|(name, tensor)| (name, tensor.data().to_vec())).collect()
});

/// An operator of a network that TFLite converted, with its inputs and outputs.
pub(crate) struct Record(String);

/// Every record of an operator; there is at least one.
pub(crate) fn records(operator: &str) -> Vec<Record> {
    let names = (0..).map(|number| Record(format!("{operator}/{number}")));
    let records: Vec<_> = names.take_while(|record| TENSORS.contains_key(&format!("{record}.out"))).collect();
    assert!(!records.is_empty(), "the file has no {operator}");
    records
}

impl std::fmt::Display for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Record {
    fn raw(&self, field: &str) -> &'static [u8] {
        &TENSORS[&format!("{self}.{field}")]
    }

    fn floats(&self, field: &str) -> Vec<f32> {
        self.raw(field).as_chunks().0.iter().map(|&word| f32::from_le_bytes(word)).collect()
    }

    /// An int8 tensor: `in0`, `in1`, `out`.
    pub(crate) fn bytes(&self, field: &str) -> Vec<i8> {
        self.raw(field).iter().map(|&byte| byte as i8).collect()
    }

    /// Scale and zero point of each input that is no constant, and of the output.
    pub(crate) fn quantization<const N: usize>(&self) -> [Affine; N] {
        let all = self.floats("quantization");
        let affine =
            all.as_chunks().0.iter().map(|&[scale, zero_point]| Affine { scale, zero_point: zero_point as i8 });
        affine.collect::<Vec<_>>().try_into().unwrap()
    }

    /// The least and the largest output that the fused activation lets through.
    pub(crate) fn activation(&self, output: Affine) -> [i8; 2] {
        let fused = self.floats("options")[0];
        let steps = |value: f32| (value / output.scale).round() + f32::from(output.zero_point);
        let [least, largest] = match fused {
            0.0 => [-128.0, 127.0],
            1.0 => [steps(0.0), 127.0],
            3.0 => [steps(0.0), steps(6.0)],
            _ => panic!("{self} has an activation of number {fused}"),
        };
        [least.max(-128.0) as i8, largest.min(127.0) as i8]
    }
}
