//! What a graph that comes from a file may be.

use thumbnet::geometry::{Geometry, Padding, Shape};
use thumbnet::graph::{Activation, Graph, Node, Op};
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
    assert_eq!(refusal(|nodes| nodes[2].name = ""), "a layer has no name");
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
