//! A network as a table: Keras's `model.summary()`, and what the network costs on a device.

use std::fmt;

use serde::Serialize;
use thousands::Separable;
use thumbnet::{
    arch::Cores,
    blob::Loaded,
    graph::{Activation, Graph, Op},
    infer::StepS8,
    int8::{Affine, Packing},
    plan::{self, Fusion, Plan, PlanBuf, Step},
};

/// A network and what it costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Its name.
    pub network: String,
    /// Height, width and channels of the input.
    pub input: [usize; 3],
    /// The layers.
    pub layers: Vec<Row>,
    /// Values of its weights.
    pub parameters: usize,
    /// Multiply-accumulates of one inference.
    pub macs: usize,
    /// Bytes of all tensors in the int8 network.
    pub flash_bytes: usize,
    /// Bytes of RAM for the activations of the int8 network, on any core.
    pub activation_bytes: usize,
    /// Bytes of the activations that exist at the same time, at most: no plan can do with less.
    pub activation_bound: usize,
    /// Its RAM on devices.
    pub devices: Vec<DeviceRam>,
}

/// The RAM of the int8 network on some cores.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceRam {
    /// The cores' names.
    pub cores: &'static str,
    /// Bytes that their kernels work in.
    pub scratch_bytes: usize,
    /// The layer whose kernel works in so many; none where they work in none.
    pub scratch_layer: Option<String>,
    /// Bytes in all: activations and scratch.
    pub ram_bytes: usize,
}

/// One layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Keras's name of its class.
    pub kind: &'static str,
    /// Height, width and channels of the output, or its length.
    pub output: Vec<usize>,
    /// Values of its weights.
    pub parameters: usize,
    /// Multiply-accumulates.
    pub macs: usize,
    /// Bytes of its int8 tensors: weights, bias, multipliers and shifts, table.
    pub flash_bytes: usize,
    /// Bytes of RAM while the int8 network runs it: its input (unless that is the image) and its output. Zero for a
    /// layer that has no step of its own.
    pub ram_bytes: usize,
    /// How it is quantised.
    pub quantization: String,
}

impl Summary {
    /// The summary of a network's f32 weights.
    pub fn new(graph: &Graph<'_>) -> Self {
        Self::with(graph, &PlanBuf::new(graph, Fusion::Int8).plan(), None)
    }

    /// The summary of a quantised network.
    pub fn of_quantized(network: &Loaded<'_>) -> Self {
        Self::with(&network.graph(), &network.plan(), Some(network))
    }

    fn with(graph: &Graph<'_>, plan: &Plan<'_>, quantized: Option<&Loaded<'_>>) -> Self {
        let steps = quantized.map(|network| (network, network.steps()));
        let quantized = steps.as_ref().map(|(network, steps)| (*network, steps.as_slice()));
        let layers: Vec<Row> = (1..graph.nodes.len()).map(|i| row(graph, plan, i, quantized)).collect();
        let device_ram = |cores: Cores| {
            let scratch_bytes = plan.scratch_bytes_on(cores, graph);
            let scratch_of = |step: &&Step| step.scratch_bytes_on(cores, graph);
            let most = plan.steps.iter().rev().max_by_key(scratch_of).filter(|step| scratch_of(step) > 0);
            let scratch_layer = most.map(|step| graph.nodes[usize::from(step.node)].name.into());
            DeviceRam { cores: cores.names(), scratch_bytes, scratch_layer, ram_bytes: plan.values + scratch_bytes }
        };
        let input = graph.input();
        Self {
            network: graph.name.into(),
            input: [input.height, input.width, input.channels],
            parameters: graph.parameters(),
            macs: graph.macs(),
            flash_bytes: layers.iter().map(|row| row.flash_bytes).sum(),
            activation_bytes: plan.values,
            activation_bound: plan.bound,
            devices: Cores::ALL.map(device_ram).into(),
            layers,
        }
    }
}

/// The row of node `number`.
fn row(graph: &Graph<'_>, plan: &Plan<'_>, number: usize, quantized: Option<(&Loaded<'_>, &[StepS8<'_>])>) -> Row {
    let layer = &graph.nodes[number];
    let step = plan.steps.iter().position(|step| usize::from(step.node) == number);
    let is_activation = matches!(layer.op, Op::Activation { .. });
    let computed_with = match plan::computed_with(graph, Fusion::Int8, number) {
        node if node == number && is_activation => graph.source(number, false),
        node => node,
    };
    let quantization = match (step, quantized) {
        (None, _) if computed_with != number => format!("in {}", graph.nodes[computed_with].name),
        (None, _) => "-".into(),
        (Some(_), None) => "f32".into(),
        (Some(step), Some((network, steps))) => describe(network, steps, step),
    };
    let output = match (layer.output.height, layer.output.width) {
        (1, 1) => vec![layer.output.channels],
        (height, width) => vec![height, width, layer.output.channels],
    };
    Row {
        name: layer.name.into(),
        kind: layer.op.name(),
        output,
        parameters: layer.parameters(),
        macs: layer.macs(),
        flash_bytes: step.map_or(0, |step| flash_bytes(graph, &plan.steps[step])),
        ram_bytes: step.map_or(0, |step| plan.steps[step].activation_bytes(graph)),
        quantization,
    }
}

/// Bytes of the tensors of a step.
fn flash_bytes(graph: &Graph<'_>, step: &Step) -> usize {
    let node = &graph.nodes[usize::from(step.node)];
    let channels = node.output.channels;
    let weights = match node.op {
        // A factor for each channel.
        Op::BatchNormalization { .. } => channels,
        _ => node.kernel_len(),
    };
    let table = match step.activation(graph) {
        Activation::Linear | Activation::Softmax => 0,
        Activation::Relu | Activation::Relu6 if !matches!(node.op, Op::Activation { .. }) => 0,
        _ => 256,
    };
    // A bias and a multiplier of four bytes and a shift of one for each channel.
    weights + if weights == 0 { 0 } else { 9 * channels } + table
}

/// Scales and zero points of a step's first input and output, and how its weights lie.
fn describe(network: &Loaded<'_>, steps: &[StepS8<'_>], step: usize) -> String {
    let layer = network.parts().layer(step, &steps[step].op()).expect("the blob was checked");
    let weights = match (layer.weights.is_empty(), layer.packing()) {
        (true, _) => "int8",
        (false, Packing::Plain) => "int8 per channel",
        (false, Packing::Pairs) => "int8 per channel, pairs",
        (false, Packing::Quads) => "int8 per channel, quads",
    };
    let text = |a: Affine| format!("{:.3e} {:+}", a.scale, a.zero_point);
    let [input, output] = [network.parts().input_of(step, 0), layer.record.output()].map(text);
    format!("{weights}; {input} > {output}")
}

const HEADER: [&str; 7] = ["Layer (type)", "Output shape", "Param #", "MACs", "Flash B", "RAM B", "Quantisation"];

impl fmt::Display for Summary {
    /// A table whose columns are as wide as they must be.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![HEADER.map(String::from)];
        rows.extend(self.layers.iter().map(|row| {
            let output = row.output.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
            [
                format!("{} ({})", row.name, row.kind),
                format!("({output})"),
                row.parameters.separate_with_commas(),
                row.macs.separate_with_commas(),
                row.flash_bytes.separate_with_commas(),
                row.ram_bytes.separate_with_commas(),
                row.quantization.clone(),
            ]
        }));
        let widths: [usize; 7] =
            std::array::from_fn(|i| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0));
        let width = widths.iter().sum::<usize>() + 2 * (widths.len() - 1);

        let [height, columns, channels] = self.input;
        writeln!(f, "Model: \"{}\", input ({height}, {columns}, {channels})", self.network)?;
        writeln!(f, "{}", "━".repeat(width))?;
        for (number, row) in rows.iter().enumerate() {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
                // Numbers stand to the right.
                let is_number = (2..6).contains(&column);
                line += &if is_number { format!("{cell:>width$}  ") } else { format!("{cell:<width$}  ") };
            }
            writeln!(f, "{}", line.trim_end())?;
            if number == 0 {
                writeln!(f, "{}", "─".repeat(width))?;
            }
        }
        writeln!(f, "{}", "━".repeat(width))?;
        writeln!(f, "Total params: {}", self.parameters.separate_with_commas())?;
        writeln!(f, "Multiply-accumulates: {}", self.macs.separate_with_commas())?;
        writeln!(f, "int8 flash: {} bytes of tensors", self.flash_bytes.separate_with_commas())?;
        let (bytes, bound) =
            (self.activation_bytes.separate_with_commas(), self.activation_bound.separate_with_commas());
        write!(f, "int8 RAM: {bytes} bytes of activations (at the least {bound}), and scratch:")?;
        for DeviceRam { cores, scratch_bytes, ram_bytes, .. } in &self.devices {
            write!(
                f,
                "\n  {cores:20}{:>7}, in all {}",
                scratch_bytes.separate_with_commas(),
                ram_bytes.separate_with_commas()
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use thumbnet::Network;
    use thumbnet_models::{AutoEncoder, DsCnn, MnistConvNet, MnistSmall, MobileNetV1, ResNet8, layers};

    use super::*;

    #[test]
    fn sums_are_the_networks() {
        let summary = Summary::new(&MnistConvNet::GRAPH);
        assert_eq!(summary.layers.iter().map(|row| row.parameters).sum::<usize>(), 3_529_354);
        assert_eq!(summary.layers.iter().map(|row| row.macs).sum::<usize>(), MnistConvNet::MACS);
        assert_eq!(summary.parameters, 3_529_354);
        // Weights take a byte; bias, multiplier and shift nine bytes a channel.
        let channels = 32 + 64 + 1024 + 256 + 10;
        assert_eq!(summary.flash_bytes, 3_529_354 - channels + 9 * channels);
        let most = summary.layers.iter().map(|row| row.ram_bytes).max().unwrap();
        assert_eq!(most, summary.activation_bytes);
    }

    /// The network that `benches/device.json` has under a name.
    pub(crate) fn measured_network(name: &str) -> Graph<'static> {
        match name {
            "small" => MnistSmall::GRAPH,
            "convnet" => MnistConvNet::GRAPH,
            "kws" => DsCnn::GRAPH,
            "ic" => ResNet8::GRAPH,
            "vww" => MobileNetV1::GRAPH,
            "ad" => AutoEncoder::GRAPH,
            "pooled" => layers::Pooled::GRAPH,
            "strided" => layers::Strided::GRAPH,
            "pointwise" => layers::Pointwise::GRAPH,
            "unpooled" => layers::Unpooled::GRAPH,
            "sequence" => layers::Sequence::GRAPH,
            "spectrum" => layers::Spectrum::GRAPH,
            "camera" => layers::Camera::GRAPH,
            "depthwise" => layers::Depthwise::GRAPH,
            "pooling" => layers::Pooling::GRAPH,
            "merging" => layers::Merging::GRAPH,
            other => panic!("unknown network {other}"),
        }
    }

    /// What `cargo xtask device-bench` measured is what is computed here.
    #[test]
    fn ram_is_that_of_each_core() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/device.json");
        let measured = std::fs::read_to_string(path).unwrap();
        let mut seen = [0; Cores::ALL.len()];
        for line in measured.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let graph = measured_network(line["network"].as_str().unwrap());
            let devices = Summary::new(&graph).devices;
            let core = line["core"].as_str().unwrap().to_uppercase();
            let is_of = |device: &DeviceRam| device.cores.split(['-', ',', ' ']).any(|name| name == core);
            let at = devices.iter().position(is_of).unwrap_or_else(|| panic!("no family has {core}"));
            assert_eq!(devices[at].ram_bytes, line["ram_bytes"], "{line}");
            seen[at] += 1;
        }
        assert!(seen.iter().all(|&lines| lines > 0), "a family was not measured: {seen:?}");
    }

    #[test]
    fn is_a_table() {
        let text = Summary::new(&MnistSmall::GRAPH).to_string();
        assert!(text.starts_with("Model: \"MnistSmall\", input (28, 28, 1)\n"), "{text}");
        let pool = text.lines().find(|line| line.starts_with("pool1 (MaxPooling2D)")).unwrap();
        assert!(pool.contains("(14, 14, 8)") && pool.ends_with("in conv1"), "{text}");
        assert!(text.contains("Total params: 26,698"), "{text}");
        let widest = text.lines().nth(1).unwrap().chars().count();
        assert!(text.lines().all(|line| line.chars().count() <= widest), "{text}");
    }
}
