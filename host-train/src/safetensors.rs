//! Weights from and to [safetensors](https://huggingface.co/docs/safetensors) files, as Keras users have them.
//!
//! A layer with weights has a tensor `<layer>.kernel` and, where it uses one, `<layer>.bias`, both f32 and laid out as
//! in Keras: height, width, inputs, filters for a convolution, inputs and units for a dense layer. A batch
//! normalisation has `gamma`, `beta`, `moving_mean` and `moving_variance`. `<layer>` is the layer's own name or the one
//! that Keras gives by itself: the class in snake case, numbered from the second on (`conv2d`, `conv2d_1`).
//!
//! Read are all the names that Keras itself gives: those of a second model, whose numbers go on (`conv2d_2`);
//! variables' paths (`conv2d/kernel`, Keras 2's `conv2d/kernel:0`), with a model's name before them
//! (`sequential_1/conv2d_2/kernel`); and those of a file of weights (`layers/conv2d/vars/0`). Where all convolutions
//! run over a single row, as `Conv1D` does, they may be called `conv1d`; a kernel with a height of 1 may be without it.
//! A `SeparableConv2D` is two layers here, which go by their own names.

mod names;

use std::collections::{BTreeMap, BTreeSet};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use thumbnet::graph::{Graph, Node};

use crate::{envelope::bytes_of, model::About, network::snake_case};

/// How layers are called in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// By their own names.
    Own,
    /// As Keras names layers that were given none.
    Keras,
}

/// Why weights cannot be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file is no safetensors file.
    #[error("not a safetensors file")]
    Format(#[from] safetensors::SafeTensorError),
    /// A tensor is not there.
    #[error(
        "tensor `{name}` is missing (f32, shape {shape:?}); the file has {}; the layers are {}, or as Keras names \
         them {}",
        list(found),
        list(own),
        list(keras)
    )]
    Missing {
        /// Its name.
        name: String,
        /// The shape it must have.
        shape: Vec<usize>,
        /// The names of the file's tensors.
        found: Vec<String>,
        /// The network's own names of its layers with weights.
        own: Vec<String>,
        /// Keras's names for them.
        keras: Vec<String>,
    },
    /// There are not as many layers with Keras's names as the network has.
    #[error(
        "{network} has {} layers of class {class} ({}), and for as many Keras's names must stand; the file has {}",
        expected.len(), list(expected), list(found)
    )]
    Count {
        /// The network.
        network: String,
        /// Keras's class.
        class: String,
        /// The network's layers.
        expected: Vec<String>,
        /// The tensors with names of that class.
        found: Vec<String>,
    },
    /// Several tensors could be meant.
    #[error("{} could each be meant by {what}: keep one model in a file", list(names))]
    Ambiguous {
        /// What is wanted once.
        what: String,
        /// The tensors.
        names: Vec<String>,
    },
    /// The names are PyTorch's.
    #[error(
        "tensor `{name}` is named as in PyTorch, which lays weights out otherwise; expected are Keras's names and \
         layouts: `kernel` and `bias`, a convolution's kernel as height, width, inputs, filters (PyTorch's with \
         permute(2, 3, 1, 0)), a dense layer's as inputs, units (transposed, and after Flatten in another order)"
    )]
    PyTorch {
        /// One of the tensors.
        name: String,
    },
    /// A tensor belongs to no layer.
    #[error("tensor `{name}` belongs to no layer of {network}")]
    Extra {
        /// Its name.
        name: String,
        /// The network.
        network: String,
    },
    /// A tensor has another shape.
    #[error("tensor `{name}` has shape {found:?}, must have {expected:?}")]
    Shape {
        /// Its name.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape it must have.
        expected: Vec<usize>,
    },
    /// A tensor holds other numbers than f32.
    #[error("tensor `{name}` has dtype {found:?}, must have F32")]
    Dtype {
        /// Its name.
        name: String,
        /// Its element type.
        found: Dtype,
    },
    /// A moving variance is negative.
    #[error("tensor `{name}` holds {value} at position {position}; a variance must be at least 0")]
    Negative {
        /// Its name.
        name: String,
        /// The value.
        value: f32,
        /// Where.
        position: usize,
    },
    /// A tensor holds a value that is no number.
    #[error("tensor `{name}` holds {value} at position {position}; weights must be finite")]
    NotFinite {
        /// Its name.
        name: String,
        /// The value.
        value: f32,
        /// Where, in the tensor as one row.
        position: usize,
    },
}

/// The names, but no more than a line has room for.
fn list(names: &[String]) -> String {
    const MOST: usize = 20;
    match names.len() {
        0 => "no tensors".into(),
        len if len > MOST => format!("{} and {} more", names[..MOST].join(", "), len - MOST),
        _ => names.join(", "),
    }
}

/// A tensor of a network.
struct Spec<'a> {
    /// The layer's own name.
    layer: &'a str,
    /// The layer's name in a file.
    in_file: String,
    /// `kernel`, `bias`, `gamma` and so on.
    variable: &'static str,
    /// Its number among the layer's.
    number: usize,
    shape: Vec<usize>,
}

/// The tensors of a network, in the order of the weights.
fn specs<'a>(graph: &Graph<'a>, names: Names) -> Vec<Spec<'a>> {
    let mut counts = BTreeMap::new();
    let mut specs = Vec::new();
    for layer in graph.layers().iter().filter(|layer| layer.parameters() > 0) {
        let in_file = match names {
            Names::Own => layer.name.to_owned(),
            Names::Keras => keras_name(layer, &mut counts),
        };
        let tensors = layer.tensors().into_iter().enumerate().filter(|(_, (.., rank))| *rank > 0);
        specs.extend(tensors.map(|(number, (variable, shape, rank))| Spec {
            layer: layer.name,
            in_file: in_file.clone(),
            variable,
            number,
            shape: shape[..rank].to_vec(),
        }));
    }
    specs
}

/// The name that Keras gives to a layer after those counted so far.
fn keras_name(layer: &Node<'_>, counts: &mut BTreeMap<&'static str, usize>) -> String {
    let class = layer.op.name();
    let count = counts.entry(class).or_insert(0);
    let name = snake_case(class);
    let name = if *count == 0 { name } else { format!("{name}_{count}") };
    *count += 1;
    name
}

/// A network's weights from the bytes of a safetensors file. The layers of a class go by their own names, if all of
/// these are there; else by those that Keras gives by itself, in the order of their numbers.
///
/// # Errors
///
/// [`ImportError`], naming the tensor that is missing, superfluous, ambiguous, of another shape or of another type.
pub fn import(graph: &Graph<'_>, bytes: &[u8]) -> Result<Vec<f32>, ImportError> {
    let file = SafeTensors::deserialize(bytes)?;
    let found: BTreeSet<&str> = file.names().into_iter().collect();
    let mut weights = Vec::with_capacity(graph.parameters());
    for (name, spec) in names::find(graph, &found)? {
        let start = weights.len();
        read_tensor(name, &spec.shape, &file.tensor(name)?, &mut weights)?;
        let negative = weights[start..].iter().position(|&value| value < 0.0);
        if let (Some(position), "moving_variance") = (negative, spec.variable) {
            return Err(ImportError::Negative { name: name.into(), value: weights[start + position], position });
        }
    }
    Ok(weights)
}

fn read_tensor(
    name: &str,
    shape: &[usize],
    tensor: &TensorView<'_>,
    weights: &mut Vec<f32>,
) -> Result<(), ImportError> {
    let name = || name.to_owned();
    if tensor.dtype() != Dtype::F32 {
        return Err(ImportError::Dtype { name: name(), found: tensor.dtype() });
    }
    // Keras's Conv1D has no height.
    let without_height = shape.strip_prefix(&[1]).filter(|rest| rest.len() == 3);
    if tensor.shape() != shape && Some(tensor.shape()) != without_height {
        return Err(ImportError::Shape { name: name(), found: tensor.shape().into(), expected: shape.into() });
    }
    let (values, _) = tensor.data().as_chunks::<4>();
    for (position, &value) in values.iter().enumerate() {
        let value = f32::from_le_bytes(value);
        if !value.is_finite() {
            return Err(ImportError::NotFinite { name: name(), value, position });
        }
        weights.push(value);
    }
    Ok(())
}

/// What the file says of a network's input and outputs, if [`export`] wrote it.
pub fn about(bytes: &[u8]) -> Option<About> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).ok()?;
    serde_json::from_str(metadata.metadata().as_ref()?.get("about")?).ok()
}

/// The safetensors file of a network's weights, with what its input and outputs are in its metadata.
///
/// # Errors
///
/// What the format refuses; for a network's own tensors, nothing.
///
/// # Panics
///
/// Where there are not as many weights as the network's parameters.
pub fn export(
    graph: &Graph<'_>,
    about: &About,
    weights: &[f32],
    names: Names,
) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    assert_eq!(weights.len(), graph.parameters(), "the weights are the network's");
    let bytes = bytes_of(weights);
    let mut rest = bytes.as_slice();
    let mut tensors = Vec::new();
    for Spec { in_file, variable, shape, .. } in specs(graph, names) {
        let (data, after) = rest.split_at(4 * shape.iter().product::<usize>());
        rest = after;
        tensors.push((format!("{in_file}.{variable}"), TensorView::new(Dtype::F32, shape, data)?));
    }
    let about = serde_json::to_string(about).expect("names and numbers are JSON");
    let metadata = [("network".to_owned(), graph.name.to_owned()), ("about".to_owned(), about)].into();
    safetensors::serialize(tensors, Some(metadata))
}

#[cfg(test)]
mod tests;
