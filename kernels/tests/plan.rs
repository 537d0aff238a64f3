//! The memory planner over random networks: no two tensors that exist at the same time overlap, chains take what is
//! needed at the least, and networks with residual connections hardly more.
#![cfg(feature = "alloc")]

use rand_core::RngCore;
use rand_pcg::Pcg64Mcg;
use thumbnet::geometry::{Geometry, Padding, Shape};
use thumbnet::graph::{Activation, Graph, Node, Op};
use thumbnet::plan::{Fusion, GradientPlanBuf, INPUT, PlanBuf};

/// A network that grows layer by layer. Names are leaked: these are tests.
struct Builder {
    nodes: Vec<Node<'static>>,
    random: Pcg64Mcg,
}

impl Builder {
    fn new(seed: u64) -> Self {
        let random = Pcg64Mcg::new(u128::from(seed) << 64 | 0x9e37_79b9_7f4a_7c15);
        let mut builder = Self { nodes: Vec::new(), random };
        let input = Shape::new(1 + builder.below(16), 1 + builder.below(16), 1 + builder.below(8));
        builder.push(Op::Input, [0; 2], input);
        builder
    }

    fn below(&mut self, end: usize) -> usize {
        self.random.next_u32() as usize % end
    }

    fn push(&mut self, op: Op, inputs: [usize; 2], output: Shape) -> usize {
        let name = if self.nodes.is_empty() { "input".into() } else { format!("layer{}", self.nodes.len()) };
        let weights = self.nodes.last().map_or(0, |node| node.weights + node.parameters());
        let inputs = inputs.map(|input| input as u16);
        self.nodes.push(Node { name: name.leak(), op, inputs, output, weights });
        self.nodes.len() - 1
    }

    /// A convolution of `input` to so many filters.
    fn conv(&mut self, input: usize, filters: usize, stride: usize) -> usize {
        let shape = self.nodes[input].output;
        let geometry = Geometry::new(shape, filters, [1, 1], [stride; 2], Padding::Same).unwrap();
        let op = Op::Conv2D { geometry, use_bias: true, activation: Activation::Relu };
        self.push(op, [input, 0], geometry.output())
    }

    /// A layer of any kind.
    fn any(&mut self, input: usize) -> usize {
        let shape = self.nodes[input].output;
        match self.below(6) {
            0 => self.push(Op::Dropout { rate: 0.5 }, [input, 0], shape),
            1 => {
                let geometry = Geometry::new(shape, shape.channels, [2, 2], [2, 2], Padding::Same).unwrap();
                self.push(Op::MaxPooling2D { geometry }, [input, 0], geometry.output())
            }
            _ => {
                let filters = 1 + self.below(24);
                self.conv(input, filters, 1)
            }
        }
    }

    /// A block of one to three layers, and what it reads added to what it gives: as it is, or through a convolution of
    /// 1 x 1.
    fn residual(&mut self, input: usize) -> usize {
        let stride = 1 + self.below(2);
        let same = stride == 1 && self.below(2) == 0;
        let filters = if same { self.nodes[input].output.channels } else { 1 + self.below(24) };
        let mut last = input;
        for _ in 0..self.below(3) {
            let filters = 1 + self.below(24);
            last = self.conv(last, filters, 1);
        }
        let last = self.conv(last, filters, stride);
        let short = if same { input } else { self.conv(input, filters, stride) };
        let terms = if self.below(2) == 0 { [short, last] } else { [last, short] };
        let output = self.nodes[last].output;
        self.push(Op::Add { activation: Activation::Relu }, terms, output)
    }
}

fn chain(seed: u64) -> Vec<Node<'static>> {
    let mut builder = Builder::new(seed);
    let mut last = builder.conv(0, 3, 1);
    for _ in 0..builder.below(20) {
        last = builder.any(last);
    }
    builder.nodes
}

fn residual(seed: u64) -> Vec<Node<'static>> {
    let mut builder = Builder::new(seed);
    let filters = 1 + builder.below(24);
    let mut last = builder.conv(0, filters, 1);
    for _ in 0..1 + builder.below(6) {
        last = builder.residual(last);
    }
    builder.nodes
}

/// Follows the values of a network through its plan: each step reads what the right step has written, which nothing has
/// overwritten. Returns memory and bound.
fn follow(nodes: &[Node<'static>], fusion: Fusion) -> (usize, usize) {
    let graph = Graph { name: "random", nodes };
    graph.check().unwrap();
    let plan = PlanBuf::new(&graph, fusion);
    let plan = plan.plan();
    // The node whose output each byte of the memory is a part of.
    let mut memory = vec![0u16; plan.values];
    for step in plan.steps {
        let node = &nodes[usize::from(step.node)];
        let output = step.output..step.output + nodes[step.makes()].output.len();
        for i in 0..node.op.arity() {
            let source = step.sources[i];
            assert_eq!(graph.source(usize::from(source), false), usize::from(source), "a source computes");
            let reads = step.sources.iter().any(|&read| {
                node.inputs().iter().any(|&input| graph.source(usize::from(input), false) == usize::from(read))
            });
            assert!(reads, "{} reads what it names", node.name);
            if source == 0 {
                assert_eq!(step.inputs[i], INPUT);
                continue;
            }
            let input = step.inputs[i]..step.inputs[i] + nodes[usize::from(source)].output.len();
            assert!(memory[input.clone()].iter().all(|&of| of == source), "{} in {nodes:?}", node.name);
            let apart = input.end <= output.start || output.end <= input.start;
            let in_place = matches!(node.op, Op::Add { .. }) && input == output && i == 0;
            assert!(apart || in_place, "{} writes over what it reads: {nodes:?}", node.name);
        }
        memory[output].fill(step.makes() as u16);
    }
    let last = graph.source(nodes.len() - 1, false) as u16;
    assert_eq!(memory.iter().filter(|&&of| of == last).count(), graph.output().len(), "the output stays");
    (plan.values, plan.bound)
}

#[test]
fn chains_take_the_least_that_is_possible() {
    for seed in 0..1000 {
        for fusion in [Fusion::Int8, Fusion::F32, Fusion::Nothing] {
            let (values, bound) = follow(&chain(seed), fusion);
            assert_eq!(values, bound, "seed {seed}, {fusion:?}");
        }
    }
}

#[test]
fn residual_networks_take_hardly_more() {
    let (mut more, mut worst) = (0, 1.0f64);
    for seed in 0..1000 {
        let (values, bound) = follow(&residual(seed), Fusion::Int8);
        more += usize::from(values > bound);
        worst = worst.max(values as f64 / bound as f64);
    }
    println!("{more} of 1000 take more than the bound, at most {worst:.3} times as much");
    assert!(more <= 80 && worst <= 1.25, "{more} of 1000 take more than the bound, at most {worst:.3} times as much");
}

/// The gradients of a training step: none that is still needed is written over, and each node finds the sum of what its
/// readers have left.
#[test]
fn gradients_are_kept_apart() {
    for seed in 0..1000 {
        let nodes = if seed % 2 == 0 { chain(seed) } else { residual(seed) };
        let graph = Graph { name: "random", nodes: &nodes };
        let plan = GradientPlanBuf::new(&graph);
        let plan = plan.plan();
        let mut memory = vec![0; plan.values];
        let range = |at: usize, node: usize| at..at + nodes[node].output.len();
        let last = graph.source(nodes.len() - 1, true);
        memory[range(plan.steps[last].output, last)].fill(last);
        for (number, node) in nodes.iter().enumerate().skip(1).rev().filter(|(_, node)| !node.op.is_alias(true)) {
            let step = &plan.steps[number];
            let own = range(step.output, number);
            assert!(memory[own.clone()].iter().all(|&of| of == number), "{} finds its gradient: {nodes:?}", node.name);
            for (i, &input) in node.inputs().iter().enumerate() {
                let source = graph.source(usize::from(input), true);
                if source == 0 {
                    assert_eq!(step.inputs[i], INPUT);
                    continue;
                }
                assert_eq!(step.inputs[i], plan.steps[source].output);
                let to = range(step.inputs[i], source);
                assert!(own.end <= to.start || to.end <= own.start, "{}: {nodes:?}", node.name);
                if step.adds[i] {
                    assert!(memory[to.clone()].iter().all(|&of| of == source), "{} adds: {nodes:?}", node.name);
                    if !matches!(node.op, Op::Add { .. }) {
                        let part = range(step.part, source);
                        assert!(part.end <= to.start || to.end <= part.start);
                        assert!(part.end <= own.start || own.end <= part.start);
                        memory[part].fill(usize::MAX);
                        assert!(memory[to.clone()].iter().all(|&of| of == source));
                    }
                }
                memory[to].fill(source);
            }
        }
    }
}
