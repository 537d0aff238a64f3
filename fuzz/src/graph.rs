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
        let Some((op, inputs, output)) = layer(source, &nodes, reads) else { continue };
        let node = Node { name, op, inputs: inputs.map(|node| node as u16), output, weights };
        // Where there are too many, the next check refuses the graph.
        let kernel_len = op.fan_in().checked_mul(output.channels);
        let is_countable = kernel_len.is_some_and(|len| len <= usize::MAX / 2) && output.channels <= Geometry::LIMIT;
        weights = weights.saturating_add(if is_countable { node.parameters() } else { 0 });
        nodes.push(node);
    }
    nodes
}

/// Some layer that reads node `reads`, if it can be made: what it computes, what it reads, and its output.
fn layer(source: &mut Source<'_>, nodes: &[Node<'_>], reads: usize) -> Option<(Op, [usize; 2], Shape)> {
    let input = nodes.get(reads).unwrap_or(&nodes[0]).output;
    let output_of = |node: usize| nodes.get(node).map_or(input, |node| node.output);
    let whole = || Geometry::new(input, input.channels, [input.height, input.width], [1, 1], Padding::Valid).ok();
    let activation = activation(source);
    let use_bias = source.one_in(2);
    let (units, multiplier) = (source.size(6), source.between(1, 8));
    let mut inputs = [reads, 0];
    let (op, output) = match source.between(0, 16) {
        0 | 1 => {
            let geometry = source.geometry(input, Some(units))?;
            (Op::Conv2D { geometry, use_bias, activation }, geometry.output())
        }
        2 => {
            let geometry = source.geometry(input, Some(input.channels.saturating_mul(multiplier)))?;
            (Op::DepthwiseConv2D { geometry, use_bias, activation }, geometry.output())
        }
        3 => {
            let geometry = source.geometry(input, Some(input.channels))?;
            (Op::MaxPooling2D { geometry }, geometry.output())
        }
        4 => {
            let geometry = source.geometry(input, Some(input.channels))?;
            (Op::AveragePooling2D { geometry }, geometry.output())
        }
        5 => (Op::GlobalMaxPooling2D { geometry: whole()? }, Shape::vector(input.channels)),
        6 => (Op::GlobalAveragePooling2D { geometry: whole()? }, Shape::vector(input.channels)),
        7 if input == Shape::vector(input.channels) => {
            (Op::Dense { inputs: input.channels, use_bias, activation }, Shape::vector(units))
        }
        7 => (Op::Flatten, Shape::vector(input.checked_len().unwrap_or(0))),
        8 => (Op::Reshape, Shape::new(input.channels, input.height, input.width)),
        9 => (Op::Dropout { rate: source.setting() }, input),
        10 => (Op::Activation { activation }, input),
        11 | 12 => {
            let (momentum, epsilon) = (source.setting(), source.setting());
            (Op::BatchNormalization { momentum, epsilon, activation }, input)
        }
        13 => {
            let padding = [0; 2].map(|_: i32| [0; 2].map(|_: i32| source.size(4).saturating_sub(1)));
            (Op::ZeroPadding2D { padding }, padded(input, padding))
        }
        14 => {
            inputs = pair(source, nodes, reads, |a, b| a == b);
            (Op::Add { activation: clamp(source, activation) }, output_of(inputs[0]))
        }
        15 => {
            inputs = pair(source, nodes, reads, |a, b| a == b || b == Shape::vector(a.channels));
            (Op::Multiply { activation: clamp(source, activation) }, output_of(inputs[0]))
        }
        _ => {
            inputs = pair(source, nodes, reads, |a, b| [a.height, a.width] == [b.height, b.width]);
            let [a, b] = inputs.map(output_of);
            (Op::Concatenate, Shape { channels: a.channels.saturating_add(b.channels), ..a })
        }
    };
    Some((op, inputs, output))
}

/// The shape with rows and columns around it.
pub fn padded(of: Shape, [rows, columns]: [[usize; 2]; 2]) -> Shape {
    let along = |size: usize, [before, after]: [usize; 2]| size.saturating_add(before).saturating_add(after);
    Shape::new(along(of.height, rows), along(of.width, columns), of.channels)
}

/// The window of a convolution of zeros around `input`, as the plan has it: over the input alone, if it can be.
pub fn behind_padding(input: Shape, padding: [[usize; 2]; 2], geometry: Geometry) -> Option<Geometry> {
    let convolution = Op::Conv2D { geometry, use_bias: false, activation: Activation::Linear };
    let node = |name, op, reads, output| Node { name, op, inputs: [reads, 0], output, weights: 0 };
    let nodes = [
        node(NAMES[0], Op::Input, 0, input),
        node(NAMES[1], Op::ZeroPadding2D { padding }, 0, geometry.input()),
        node(NAMES[2], convolution, 1, geometry.output()),
    ];
    let graph = Graph { name: "Any", nodes: &nodes };
    graph.check().ok()?;
    PlanBuf::new(&graph, Fusion::Int8).plan().window(&graph, 2).filter(|window| window.input() == input)
}

/// Node `reads` and another, in any order, whose outputs fit; if none does, the input.
fn pair(source: &mut Source<'_>, nodes: &[Node<'_>], reads: usize, fits: impl Fn(Shape, Shape) -> bool) -> [usize; 2] {
    let both = (0..nodes.len()).flat_map(|other| [[reads, other], [other, reads]]);
    let pairs: Vec<_> = both
        .filter(|pair| match pair.map(|node| nodes.get(node)) {
            [Some(a), Some(b)] => fits(a.output, b.output),
            _ => false,
        })
        .collect();
    let chosen = source.between(0, pairs.len().saturating_sub(1));
    pairs.get(chosen).copied().unwrap_or([reads, 0])
}

fn activation(source: &mut Source<'_>) -> Activation {
    use Activation::{LeakyRelu, Linear, Relu, Relu6, Sigmoid, Softmax, Tanh};
    let leaky = LeakyRelu { negative_slope: source.setting() };
    [Linear, Relu, Relu6, Sigmoid, Tanh, Softmax, leaky][source.between(0, 6)]
}

/// What a sum or a product may have behind it; sometimes what it may not.
fn clamp(source: &mut Source<'_>, activation: Activation) -> Activation {
    if activation.is_clamp() || source.one_in(16) { activation } else { Activation::Linear }
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
    let taps = graph.nodes.iter().filter_map(|node| node.op.window()).fold(graph.macs(), |sum, window| {
        sum.saturating_add(window.output().len().saturating_mul(window.kernel()[0] * window.kernel()[1]))
    });
    taps <= 1 << 18 && graph.parameters() <= 1 << 16 && sizes.iter().all(|&len| len.max(training) <= 1 << 18)
}
