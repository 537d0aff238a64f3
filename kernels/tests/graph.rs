//! What a graph that comes from a file may be.

#[cfg(feature = "alloc")]
use thumbnet::arch::Cores;
use thumbnet::geometry::{Geometry, Padding, Shape};
use thumbnet::graph::{Activation, Graph, Node, Op};
#[cfg(feature = "alloc")]
use thumbnet::plan::{Fusion, PlanBuf, count};
use thumbnet::{Network, sequential};

sequential! {
    struct Block: [4, 4, 2] {
        stem: Conv2D { filters: 3, kernel_size: 3, padding: Same, activation: Relu },
        conv: Conv2D { filters: 3, kernel_size: 3, padding: Same },
        sum: Add(stem, conv) { activation: Relu },
        drop: Dropout { rate: 0.5 },
        flatten: Flatten,
        out: Dense { units: 2 },
    }
}

/// The sentence that refuses a network in which something was changed.
fn refusal(change: impl FnOnce(&mut Vec<Node<'static>>)) -> String {
    let mut nodes = Block::GRAPH.nodes.to_vec();
    change(&mut nodes);
    Graph { name: "Block", nodes: &nodes }.check().unwrap_err().to_string()
}

#[test]
fn what_the_macro_makes_is_a_network() {
    assert_eq!(Block::GRAPH.check(), Ok(()));
    assert_eq!(Block::GRAPH.layers().len(), 6);
    assert_eq!(Block::GRAPH.parameters(), Block::PARAMETERS);
    assert_eq!(Block::PARAMETERS, (9 * 2 * 3 + 3) + (9 * 3 * 3 + 3) + (48 * 2 + 2));
    assert_eq!(Block::GRAPH.nodes[3].inputs(), [1, 2]);
    // The sum takes the place of one of its terms.
    assert_eq!(Block::ACTIVATION_BYTES, 2 * 48);
}

#[test]
fn what_is_no_network_is_refused_with_its_layer() {
    let one_input = "a network is one input and at least one layer";
    assert_eq!(refusal(|nodes| nodes.clear()), one_input);
    assert_eq!(refusal(|nodes| nodes.truncate(1)), one_input);
    assert_eq!(refusal(|nodes| nodes[2].op = Op::Input), one_input);
    assert_eq!(refusal(|nodes| nodes[0].output.width = 0), one_input);
    assert_eq!(refusal(|nodes| nodes[2].name = "stem"), "two layers are called `stem`");
    assert_eq!(refusal(|nodes| nodes[2].name = ""), "the network or a layer has no name");
    for name in ["a.kernel", "a/b", "a:0", "a b", "a\u{1b}[31m"] {
        let said = refusal(|nodes| nodes[2].name = name);
        assert_eq!(said, format!("a name is {name:?}, but may have no control character, space, `.`, `/` or `:`"));
        let unnamed = Graph { name, nodes: Block::GRAPH.nodes }.check().unwrap_err();
        assert_eq!(unnamed.to_string(), said);
    }
    assert!(Graph { name: "", nodes: Block::GRAPH.nodes }.check().is_err());
    for activation in [Activation::Sigmoid, Activation::Tanh, Activation::Softmax] {
        let said = refusal(|nodes| nodes[3].op = Op::Add { activation });
        assert_eq!(said, "layer `sum` has a size or a setting that is out of range");
    }
    let order = "layer `sum` reads layer 3, which does not come before it";
    assert_eq!(refusal(|nodes| nodes[3].inputs[1] = 3), order);
    assert!(refusal(|nodes| nodes[1].inputs[0] = 500).starts_with("layer `stem` reads layer 500"));
    assert_eq!(refusal(|nodes| nodes[3].inputs = [1, 1]), "no layer reads layer `conv`, which is not the last");
    let shape = "layer `sum` does not make (4, 4, 3) of its input, which is (4, 4, 2)";
    assert_eq!(refusal(|nodes| nodes[3].inputs = [0, 2]), shape);
    assert_eq!(
        refusal(|nodes| nodes[6].op = Op::Dense { inputs: 47, use_bias: true, activation: Activation::Linear }),
        "layer `out` does not make (2) of its input, which is (48)"
    );
    assert!(refusal(|nodes| nodes[6].output = Shape::vector(usize::MAX / 2)).contains("out of range"));
    assert!(refusal(|nodes| nodes[4].op = Op::Dropout { rate: f32::NAN }).contains("`drop` has a size or a setting"));
    assert!(refusal(|nodes| nodes[2].weights += 1).starts_with("the weights of layer `conv` do not begin"));
    let pool = Geometry::new(Shape::new(4, 4, 3), 5, [1, 1], [1, 1], Padding::Same).unwrap();
    assert!(refusal(|nodes| nodes[2].op = Op::MaxPooling2D { geometry: pool }).starts_with("layer `conv` does not"));
    let nothing = [Block::GRAPH.nodes[0], Node { op: Op::Dropout { rate: 0.1 }, weights: 0, ..Block::GRAPH.nodes[0] }];
    let nothing = [nothing[0], Node { name: "drop", ..nothing[1] }];
    let error = Graph { name: "nothing", nodes: &nothing }.check().unwrap_err().to_string();
    assert_eq!(error, "the network computes nothing: all of its layers pass on what they read");
}

/// A pooling whose padding with the convolution's strides has no rows: it is a step of its own.
#[cfg(feature = "alloc")]
#[test]
fn a_pooling_that_no_kernel_fuses_is_planned_by_itself() {
    let point = Shape::new(1, 1, 1);
    let conv = Geometry::new(point, 1, [1, 1], [1 << 20, 1], Padding::Same).unwrap();
    let pool = Geometry::new(point, 1, [1 << 30, 1], [1, 1], Padding::Same).unwrap();
    let node = |name, op, reads, weights| Node { name, op, inputs: [reads, 0], output: point, weights };
    let nodes = [
        node("input", Op::Input, 0, 0),
        node("conv", Op::Conv2D { geometry: conv, use_bias: false, activation: Activation::Relu }, 0, 0),
        node("pool", Op::MaxPooling2D { geometry: pool }, 1, 1),
    ];
    let graph = Graph { name: "Strides", nodes: &nodes };
    assert_eq!(graph.check(), Ok(()));
    for fusion in [Fusion::Int8, Fusion::F32] {
        assert_eq!(count(&graph, fusion), 2, "{fusion:?}");
        let plan = PlanBuf::new(&graph, fusion);
        assert_eq!(Cores::ALL.map(|cores| plan.plan().scratch_bytes_on(cores, &graph)).len(), Cores::ALL.len());
    }
    let plan = PlanBuf::new(&graph, Fusion::Int8);
    let windows = thumbnet::infer::windows(&graph, &plan.plan());
    assert_eq!(thumbnet::infer::steps(&graph, &plan.plan(), &windows).len(), 2);
}

sequential! {
    struct SoftmaxThenFlatten: [2, 2, 1] {
        conv: Conv2D { filters: 3, kernel_size: 2, activation: Softmax },
        flatten: Flatten,
    }
}

/// The loss follows what computes the outputs, not what passes them on.
#[test]
fn the_output_is_what_the_last_computing_layer_makes() {
    assert_eq!(SoftmaxThenFlatten::OUTPUT_ACTIVATION, Activation::Softmax);
}

sequential! {
    /// Activations behind what one layer reads, and behind what two read; behind what has one, and what takes none.
    struct Activated: [2, 2, 1] {
        alone: Conv2D { filters: 2, kernel_size: 1 },
        relu: Activation { activation: Relu },
        shared: Conv2D { filters: 2, kernel_size: 1 },
        tanh: Activation { activation: Tanh },
        sum: Add(shared, tanh),
        leaky: LeakyReLU,
        has_one: Conv2D { filters: 2, kernel_size: 1, activation: Relu },
        relu6: Activation { activation: Relu6 },
        norm: BatchNormalization,
        softmax: Activation { activation: Softmax },
    }
}

/// A layer applies the activation behind it if that alone reads it, it has none of its own, and its kernels can.
#[test]
fn an_activation_is_its_layers_own_where_it_alone_reads_it() {
    let graph = Activated::GRAPH;
    let number = |name: &str| graph.nodes.iter().position(|node| node.name == name).unwrap();
    let activation = |name| graph.op(number(name)).activation();
    assert_eq!([activation("alone"), activation("norm")], [Activation::Relu, Activation::Softmax]);
    assert_eq!([activation("shared"), activation("sum")], [Activation::Linear; 2]);
    assert_eq!(activation("has_one"), Activation::Relu);
    for (name, is_applied) in [("relu", true), ("tanh", false), ("leaky", false), ("relu6", false), ("softmax", true)] {
        assert_eq!(graph.is_alias(number(name), true), is_applied, "{name}");
    }
    let steps: Vec<_> = Activated::STEPS_S8.iter().map(|step| step.name()).collect();
    assert_eq!(steps, ["alone", "shared", "tanh", "sum", "leaky", "has_one", "relu6", "norm"]);
}
