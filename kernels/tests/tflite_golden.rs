//! The int8 kernels against TFLite's reference kernels, byte for byte: a network that TFLite quantised, with what its
//! interpreter gave after every operator. `data/make_golden.py` made the files.
use safetensors::SafeTensors;
use thumbnet::arch::Backend;
use thumbnet::geometry::{Geometry, Padding, Shape};
use thumbnet::int8::{ConvS8, DenseS8, Packing, Requantize, SoftmaxS8, fold_zero_point, quantize_multiplier};

const FILE: &[u8] = include_bytes!("data/small_int8.safetensors");
const IMAGES: usize = 200;

fn bytes(name: &str) -> Vec<i8> {
    SafeTensors::deserialize(FILE).unwrap().tensor(name).unwrap().data().iter().map(|&b| b as i8).collect()
}

fn words(name: &str) -> Vec<i32> {
    let file = SafeTensors::deserialize(FILE).unwrap();
    file.tensor(name).unwrap().data().as_chunks().0.iter().map(|&b| i32::from_le_bytes(b)).collect()
}

fn scales(name: &str) -> Vec<f64> {
    words(name).into_iter().map(|bits| f64::from(f32::from_bits(bits as u32))).collect()
}

/// A convolution or dense layer of the file, its weights in some order.
struct Weighted {
    weights: Vec<i8>,
    packing: Packing,
    bias: Vec<i32>,
    multiplier: Vec<i32>,
    shift: Vec<i8>,
    input_zero_point: i8,
    zero_point: i8,
    min: i8,
}

impl Weighted {
    fn read(name: &str, relu: bool, packing: Packing) -> Self {
        let input_zero_point = words(&format!("{name}.input.zero_point"))[0] as i8;
        let zero_point = words(&format!("{name}.output.zero_point"))[0] as i8;
        let plain = bytes(&format!("{name}.weight"));
        let bias = words(&format!("{name}.bias"));
        let len = plain.len() / bias.len();
        let bias = bias.iter().zip(plain.chunks(len)).map(|(&b, w)| fold_zero_point(b, input_zero_point, w)).collect();
        let input_scale = scales(&format!("{name}.input.scale"))[0];
        let output_scale = scales(&format!("{name}.output.scale"))[0];
        let (multiplier, shift) = scales(&format!("{name}.weight.scale"))
            .into_iter()
            .map(|scale| quantize_multiplier(input_scale * scale / output_scale))
            .map(|m| (m.multiplier, m.shift))
            .unzip();
        let mut weights = vec![0; plain.len()];
        packing.pack(&plain, len, &mut weights).unwrap();
        let min = if relu { zero_point } else { -128 };
        Self { weights, packing, bias, multiplier, shift, input_zero_point, zero_point, min }
    }

    fn requantize(&self) -> Requantize<'_> {
        Requantize {
            multiplier: &self.multiplier,
            shift: &self.shift,
            zero_point: self.zero_point,
            activation: [self.min, 127],
        }
    }

    fn conv<'a>(&'a self, geometry: &'a Geometry, pool: Option<&'a Geometry>) -> ConvS8<'a> {
        ConvS8 {
            geometry,
            pool,
            input_zero_point: self.input_zero_point,
            weights: &self.weights,
            packing: self.packing,
            bias: &self.bias,
            requantize: self.requantize(),
        }
    }

    fn dense(&self) -> DenseS8<'_> {
        DenseS8 {
            inputs: self.weights.len() / self.bias.len(),
            units: self.bias.len(),
            weights: &self.weights,
            packing: self.packing,
            bias: &self.bias,
            requantize: self.requantize(),
        }
    }
}

struct Network {
    conv1: Weighted,
    conv2: Weighted,
    dense1: Weighted,
    dense2: Weighted,
    softmax: SoftmaxS8,
    backend: Backend,
}

impl Network {
    fn read(backend: Backend, conv: Packing, dense: Packing) -> Self {
        Self {
            conv1: Weighted::read("op0_conv_2d", true, conv),
            conv2: Weighted::read("op2_conv_2d", true, conv),
            dense1: Weighted::read("op5_fully_connected", true, dense),
            dense2: Weighted::read("op6_fully_connected", false, dense),
            softmax: SoftmaxS8::new(scales("op7_softmax.input.scale")[0]),
            backend,
        }
    }

    fn conv(&self, layer: &ConvS8<'_>, input: &[i8]) -> Vec<i8> {
        let mut output = vec![99; input.len() / layer.geometry.input().len() * layer.output_len()];
        let mut scratch = vec![-1; Backend::conv_s8_scratch_len(layer.geometry, layer.pool)];
        self.backend.conv_s8(layer, input, &mut output, &mut scratch);
        output
    }

    fn dense(&self, layer: &DenseS8<'_>, input: &[i8]) -> Vec<i8> {
        let mut output = vec![99; input.len() / layer.inputs * layer.units];
        let mut scratch = vec![-1; Backend::dense_s8_scratch_len(layer.inputs, layer.units)];
        self.backend.dense_s8(layer, input, &mut output, &mut scratch);
        output
    }

    fn pool(&self, geometry: &Geometry, input: &[i8]) -> Vec<i8> {
        let mut output = vec![99; input.len() / geometry.input().len() * geometry.output().len()];
        self.backend.max_pool_s8(geometry, input, &mut output);
        output
    }

    fn softmax(&self, input: &[i8]) -> Vec<i8> {
        let mut output = input.to_vec();
        self.backend.softmax_s8(&self.softmax, 10, &mut output);
        output
    }
}

fn conv_geometry(size: usize, channels: usize, filters: usize) -> Geometry {
    Geometry::new(Shape::new(size, size, channels), filters, [3, 3], [1, 1], Padding::Same).unwrap()
}

fn pool_geometry(size: usize, channels: usize) -> Geometry {
    Geometry::new(Shape::new(size, size, channels), channels, [2, 2], [2, 2], Padding::Same).unwrap()
}

/// Each pair of orders that a network may be stored in.
const ORDERS: [(Packing, Packing); 3] =
    [(Packing::Plain, Packing::Plain), (Packing::Pairs, Packing::Quads), (Packing::Quads, Packing::Pairs)];

#[test]
fn every_operator_equals_the_interpreters() {
    for backend in Backend::available() {
        for (conv, dense) in ORDERS {
            let network = Network::read(backend, conv, dense);
            let expect = |name: &str| bytes(&format!("{name}.activation"));
            let input = &bytes("input")[..4 * 784];
            let conv1 = network.conv(&network.conv1.conv(&conv_geometry(28, 1, 8), None), input);
            assert_eq!(conv1, expect("op0_conv_2d"), "{}", backend.name());
            let pool1 = network.pool(&pool_geometry(28, 8), &conv1);
            assert_eq!(pool1, expect("op1_max_pool_2d"), "{}", backend.name());
            let conv2 = network.conv(&network.conv2.conv(&conv_geometry(14, 8, 16), None), &pool1);
            assert_eq!(conv2, expect("op2_conv_2d"), "{}", backend.name());
            let pool2 = network.pool(&pool_geometry(14, 16), &conv2);
            assert_eq!(pool2, expect("op3_max_pool_2d"), "{}", backend.name());
            let dense1 = network.dense(&network.dense1.dense(), &pool2);
            assert_eq!(dense1, expect("op5_fully_connected"), "{}", backend.name());
            let dense2 = network.dense(&network.dense2.dense(), &dense1);
            assert_eq!(dense2, expect("op6_fully_connected")[..40], "{}", backend.name());
            assert_eq!(network.softmax(&dense2), expect("op7_softmax")[..40], "{}", backend.name());
        }
    }
}

#[test]
fn the_network_equals_the_interpreter_with_pooling_fused() {
    for backend in Backend::available() {
        for (conv, dense) in ORDERS {
            let network = Network::read(backend, conv, dense);
            let pool1 = network
                .conv(&network.conv1.conv(&conv_geometry(28, 1, 8), Some(&pool_geometry(28, 8))), &bytes("input"));
            let pool2 =
                network.conv(&network.conv2.conv(&conv_geometry(14, 8, 16), Some(&pool_geometry(14, 16))), &pool1);
            let dense1 = network.dense(&network.dense1.dense(), &pool2);
            let dense2 = network.dense(&network.dense2.dense(), &dense1);
            assert_eq!(dense2.len(), IMAGES * 10);
            assert_eq!(dense2, bytes("op6_fully_connected.activation"), "{}", backend.name());
            assert_eq!(network.softmax(&dense2), bytes("op7_softmax.activation"), "{}", backend.name());
        }
    }
}
