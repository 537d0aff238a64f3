use thumbnet::{
    arch::Cores,
    geometry::{Geometry, Padding, Shape},
    graph::{Activation, Graph, Node, Op},
    plan::{Fusion, GradientPlanBuf, PlanBuf},
};

use crate::Source;

const NAMES: [&str; 9] = ["input", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "last"];

/// The nodes of some graph, most of which are networks.
pub fn nodes(source: &mut Source<'_>) -> Vec<Node<'static>> {
    let input = Shape::new(source.size(9), source.size(9), source.size(4));
    let mut nodes = vec![Node { name: NAMES[0], op: Op::Input, inputs: [0; 2], output: input, weights: 0 }];
    let mut weights = 0usize;
    for name in &NAMES[1..=source.between(1, NAMES.len() - 1)] {
        let last = nodes.len() - 1;
        let reads = if source.one_in(8) { source.between(0, last + 1) } else { last };
        let input = nodes.get(reads).map_or(input, |node| node.output);
        let activation = activation(source);
        let use_bias = source.one_in(2);
        let (channels, multiplier) = (source.size(6), source.between(1, 3));
        let mut other = 0;
        let (op, output) = match source.between(0, 9) {
            0 | 1 => match source.geometry(Some(input), Some(channels)) {
                Some(geometry) => (Op::Conv2D { geometry, use_bias, activation }, geometry.output()),
                None => continue,
            },
            2 => match source.geometry(Some(input), Some(input.channels)) {
                Some(geometry) => (Op::MaxPooling2D { geometry }, geometry.output()),
                None => continue,
            },
            3 if input == Shape::vector(input.channels) => {
                (Op::Dense { inputs: input.channels, use_bias, activation }, Shape::vector(channels))
            }
            3 => (Op::Flatten, Shape::vector(input.checked_len().unwrap_or(0))),
            7 => match source.geometry(Some(input), Some(input.channels.saturating_mul(multiplier))) {
                Some(geometry) => (Op::DepthwiseConv2D { geometry, use_bias, activation }, geometry.output()),
                None => continue,
            },
            8 => match source.geometry(Some(input), Some(input.channels)) {
                Some(geometry) => (Op::AveragePooling2D { geometry }, geometry.output()),
                None => continue,
            },
            9 => match Geometry::new(input, input.channels, [input.height, input.width], [1, 1], Padding::Valid) {
                Ok(geometry) => (Op::GlobalAveragePooling2D { geometry }, Shape::vector(input.channels)),
                Err(_) => continue,
            },
            4 => (Op::Dropout { rate: source.between(0, 10) as f32 / 10.0 }, input),
            _ => {
                // A term of the same shape, if only what is read already.
                let terms = (0..=last).filter(|&node| nodes[node].output == input).collect::<Vec<_>>();
                other = if terms.is_empty() { 0 } else { terms[source.between(0, terms.len() - 1)] };
                (Op::Add { activation }, input)
            }
        };
        let node = Node { name, op, inputs: [reads as u16, other as u16], output, weights };
        // Where this overflows, the next check refuses the graph.
        let kernel = op.fan_in().saturating_mul(output.channels);
        weights = weights.saturating_add(kernel).saturating_add(if op.use_bias() { output.channels } else { 0 });
        nodes.push(node);
    }
    nodes
}

fn activation(source: &mut Source<'_>) -> Activation {
    use Activation::{Linear, Relu, Relu6, Sigmoid, Softmax, Tanh};
    [Linear, Relu, Relu6, Sigmoid, Tanh, Softmax][source.between(0, 5)]
}

/// Computes all that follows from a graph that was accepted. Whether it is small enough to run.
pub fn follow(graph: &Graph<'_>) -> bool {
    let plans = [Fusion::Int8, Fusion::F32, Fusion::Nothing].map(|fusion| PlanBuf::new(graph, fusion));
    let sizes = plans.each_ref().map(|plan| {
        let plan = plan.plan();
        assert!(plan.values >= plan.bound, "the memory of {graph:?} has room for what exists at the same time");
        let _ = Cores::ALL.map(|cores| plan.scratch_bytes_on(cores, graph));
        plan.memory_len(graph, 1).max(plan.scratch_bytes(graph))
    });
    let gradients = GradientPlanBuf::new(graph);
    let training = gradients.plan().memory_len(graph, 1);
    graph.macs() <= 1 << 20 && graph.parameters() <= 1 << 18 && sizes.iter().all(|&len| len.max(training) <= 1 << 24)
}
