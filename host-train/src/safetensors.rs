//! Weights from and to [safetensors](https://huggingface.co/docs/safetensors) files, as Keras users have them.
//!
//! A layer with weights has a tensor `<layer>.kernel` and, where it uses one, `<layer>.bias`, both f32 and laid out as in
//! Keras: height, width, inputs, filters for a convolution, inputs and units for a dense layer. `<layer>` is the layer's own
//! name or the one that Keras gives by itself: the class in snake case, numbered from the second on (`conv2d`, `conv2d_1`).

use std::collections::{BTreeMap, BTreeSet};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use thumbnet::{Network, layer::LayerInfo};

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
    #[error("tensor `{name}` is missing (f32, shape {shape:?}); the file has {}", list(found))]
    Missing {
        /// Its name.
        name: String,
        /// The shape it must have.
        shape: Vec<usize>,
        /// The names of the file's tensors.
        found: Vec<String>,
    },
    /// A tensor belongs to no layer.
    #[error("tensor `{name}` belongs to no layer of {network}")]
    Extra {
        /// Its name.
        name: String,
        /// The network.
        network: &'static str,
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

fn list(names: &[String]) -> String {
    if names.is_empty() { "no tensors".into() } else { names.join(", ") }
}

/// A tensor of a network: name and shape, in the order of the weights.
struct Spec {
    name: String,
    shape: Vec<usize>,
}

fn specs<N: Network>(names: Names) -> Vec<Spec> {
    let mut counts = BTreeMap::new();
    let mut specs = Vec::new();
    for layer in N::LAYERS.iter().filter(|layer| layer.parameters() > 0) {
        let name = match names {
            Names::Own => layer.name.to_owned(),
            Names::Keras => keras_name(layer, &mut counts),
        };
        let (shape, rank) = layer.kernel_shape();
        specs.push(Spec { name: format!("{name}.kernel"), shape: shape[..rank].to_vec() });
        if layer.bias_len() > 0 {
            specs.push(Spec { name: format!("{name}.bias"), shape: vec![layer.bias_len()] });
        }
    }
    specs
}

/// The name that Keras gives to a layer after those counted so far.
fn keras_name(layer: &LayerInfo<'_>, counts: &mut BTreeMap<&'static str, usize>) -> String {
    let class = layer.kind.name();
    let count = counts.entry(class).or_insert(0);
    let name = snake_case(class);
    let name = if *count == 0 { name } else { format!("{name}_{count}") };
    *count += 1;
    name
}

/// Keras's `to_snake_case`: a word begins at a capital that follows a small letter or stands before one.
fn snake_case(class: &str) -> String {
    let letters: Vec<char> = class.chars().collect();
    let mut name = String::new();
    for (i, letter) in letters.iter().enumerate() {
        let after_small = i > 0 && letters[i - 1].is_lowercase();
        let before_small = i > 0 && letters.get(i + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && (after_small || before_small) {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

/// Network `N`'s weights from the bytes of a safetensors file. Which of the two ways its layers are named follows from which
/// of the names it has.
///
/// # Errors
///
/// [`ImportError`], naming the tensor that is missing, superfluous, of another shape or of another type.
pub fn import<N: Network>(bytes: &[u8]) -> Result<Vec<f32>, ImportError> {
    let file = SafeTensors::deserialize(bytes)?;
    let found: BTreeSet<&str> = file.names().into_iter().collect();
    let matches = |specs: &[Spec]| specs.iter().filter(|spec| found.contains(spec.name.as_str())).count();
    let (own, keras) = (specs::<N>(Names::Own), specs::<N>(Names::Keras));
    let specs = if matches(&keras) > matches(&own) { keras } else { own };

    let mut weights = Vec::with_capacity(N::PARAMETERS);
    for Spec { name, shape } in &specs {
        let Ok(tensor) = file.tensor(name) else {
            let found = found.iter().map(|name| (*name).to_owned()).collect();
            return Err(ImportError::Missing { name: name.clone(), shape: shape.clone(), found });
        };
        read_tensor(name, shape, &tensor, &mut weights)?;
    }
    if let Some(name) = found.iter().find(|name| specs.iter().all(|spec| spec.name != **name)) {
        return Err(ImportError::Extra { name: (*name).into(), network: N::NAME });
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
    if tensor.shape() != shape {
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

/// The safetensors file of network `N`'s weights.
///
/// # Errors
///
/// What the format refuses; for a network's own tensors, nothing.
///
/// # Panics
///
/// Where there are not `N::PARAMETERS` weights.
pub fn export<N: Network>(weights: &[f32], names: Names) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    assert_eq!(weights.len(), N::PARAMETERS, "the weights are the network's");
    let bytes: Vec<u8> = weights.iter().flat_map(|weight| weight.to_le_bytes()).collect();
    let mut rest = bytes.as_slice();
    let mut tensors = Vec::new();
    for Spec { name, shape } in specs::<N>(names) {
        let (data, after) = rest.split_at(4 * shape.iter().product::<usize>());
        rest = after;
        tensors.push((name, TensorView::new(Dtype::F32, shape, data)?));
    }
    let metadata = [("network".to_owned(), N::NAME.to_owned())].into();
    safetensors::serialize(tensors, Some(metadata))
}

#[cfg(test)]
mod tests;
