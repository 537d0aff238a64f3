//! Which tensor of a file belongs to which layer of a network.

use std::collections::{BTreeMap, BTreeSet};

use thumbnet::graph::{Graph, Node};

use super::{ImportError, Names, Spec, specs};
use crate::network::snake_case;

/// The tensors of a file that are named as a layer's: `<path>/<layer>/<variable>`, with points for slashes or not, with
/// `:0` behind or not.
struct File<'a> {
    graph: Graph<'a>,
    names: &'a BTreeSet<&'a str>,
    layers: BTreeMap<Vec<&'a str>, Layer<'a>>,
}

/// A layer of a file: its tensors' names by variable.
#[derive(Default)]
struct Layer<'a> {
    /// What stands before the variable in their names.
    stem: &'a str,
    variables: BTreeMap<&'a str, &'a str>,
}

/// Finds the tensors of a network among a file's `names`: each tensor with its name in the file, in the order of the
/// weights.
///
/// The layers of a class go by their own names, if all of these are there; else by those that Keras gives by itself, in
/// the order of their numbers: of a second model the first convolution is `conv2d_2`, and `conv2d_10` comes after
/// `conv2d_9`. Where some have a name of their own that is none of Keras's, the numbers are the others'.
pub(super) fn find<'a>(
    graph: &Graph<'a>,
    names: &'a BTreeSet<&'a str>,
) -> Result<Vec<(&'a str, Spec<'a>)>, ImportError> {
    let file = File::new(*graph, names)?;
    let mut classes = BTreeMap::new();
    for layer in graph.layers().iter().filter(|layer| layer.parameters() > 0) {
        classes.entry(layer.op.name()).or_insert_with(Vec::new).push(layer);
    }
    let mut layers = BTreeMap::new();
    for (class, wanted) in &classes {
        let found = file.of_class(class, wanted)?;
        layers.extend(wanted.iter().map(|layer| layer.name).zip(found));
    }

    let mut tensors = Vec::new();
    for spec in specs(graph, Names::Own) {
        let layer = layers[spec.layer];
        match layer.variable(&spec) {
            Some(name) => tensors.push((name, spec)),
            None => {
                let name = format!("{}{}", layer.stem, spec.variable);
                return Err(file.missing(name, spec.shape));
            }
        }
    }
    let used: BTreeSet<&str> = tensors.iter().map(|(name, _)| *name).collect();
    match names.difference(&used).find(|name| !is_of_training(name)) {
        Some(name) => Err(ImportError::Extra { name: (*name).into(), network: graph.name.into() }),
        None => Ok(tensors),
    }
}

impl<'a> File<'a> {
    fn new(graph: Graph<'a>, names: &'a BTreeSet<&'a str>) -> Result<Self, ImportError> {
        let mut layers = BTreeMap::<_, Layer<'_>>::new();
        for &name in names {
            let Some((path, stem, variable)) = parts(name) else { continue };
            let layer = layers.entry(path).or_default();
            layer.stem = stem;
            if let Some(other) = layer.variables.insert(variable, name) {
                let what = format!("one {variable} of a layer");
                return Err(ImportError::Ambiguous { what, names: [other, name].map(Into::into).into() });
            }
        }
        let has = |variable| layers.values().find_map(|layer: &Layer<'_>| layer.variables.get(variable));
        if let (Some(name), None) = (has("weight"), has("kernel")) {
            return Err(ImportError::PyTorch { name: (*name).into() });
        }
        Ok(Self { graph, names, layers })
    }

    /// The layers that are the network's `wanted` ones, which are all that it has of their class.
    fn of_class(&self, class: &str, wanted: &[&Node<'_>]) -> Result<Vec<&Layer<'a>>, ImportError> {
        let named = |name: &str| {
            let with_name = move |(path, _): &(&Vec<&str>, &Layer<'a>)| path.last().is_some_and(|last| *last == name);
            self.layers.iter().filter(with_name).map(|(_, layer)| layer).collect::<Vec<_>>()
        };
        let own: Vec<_> = wanted.iter().map(|layer| named(layer.name)).collect();
        if own.iter().all(|layers| !layers.is_empty()) {
            return own.into_iter().map(only).collect();
        }
        let mut numbered = BTreeMap::<u64, Vec<_>>::new();
        for (path, layer) in &self.layers {
            let of = |class: &String| path.last().and_then(|name| keras_number(name, class));
            if let Some(number) = keras_classes(class, wanted).iter().find_map(of) {
                numbered.entry(number).or_default().push(layer);
            }
        }
        let count = numbered.values().map(Vec::len).sum::<usize>();
        if numbered.len() == wanted.len() {
            return numbered.into_values().map(only).collect();
        }
        let is_own = |layer: &Node<'_>| {
            let is_keras_s = |class: &String| keras_number(layer.name, class).is_some();
            !named(layer.name).is_empty() && !keras_classes(class, wanted).iter().any(is_keras_s)
        };
        if numbered.len() + wanted.iter().filter(|layer| is_own(layer)).count() == wanted.len() {
            let mut others = numbered.into_values();
            let layers = wanted.iter().map(|layer| match is_own(layer) {
                true => only(named(layer.name)),
                false => only(others.next().unwrap_or_default()),
            });
            return layers.collect();
        }
        let absent = wanted.iter().zip(&own).find(|(_, layers)| layers.is_empty());
        match absent {
            Some((layer, _)) if count == 0 || own.iter().any(|layers| !layers.is_empty()) => {
                let [(variable, shape, rank), ..] = layer.tensors();
                Err(self.missing(format!("{}.{variable}", layer.name), shape[..rank].to_vec()))
            }
            _ => Err(ImportError::Count {
                network: self.graph.name.into(),
                class: class.into(),
                expected: wanted.iter().map(|layer| layer.name.to_owned()).collect(),
                found: numbered.into_values().flatten().flat_map(Layer::names).collect(),
            }),
        }
    }

    fn missing(&self, name: String, shape: Vec<usize>) -> ImportError {
        let layers = |names| {
            let mut layers: Vec<String> = specs(&self.graph, names).into_iter().map(|spec| spec.in_file).collect();
            layers.dedup();
            layers
        };
        ImportError::Missing {
            name,
            shape,
            found: self.names.iter().map(|name| (*name).to_owned()).collect(),
            own: layers(Names::Own),
            keras: layers(Names::Keras),
        }
    }
}

impl<'a> Layer<'a> {
    /// The name of a tensor: by the variable, its number, or what Keras 2 calls the kernel of a depthwise convolution.
    fn variable(&self, spec: &Spec<'_>) -> Option<&'a str> {
        let by = |variable: &str| self.variables.get(variable).copied();
        let of_keras_2 = || by("depthwise_kernel").filter(|_| spec.variable == "kernel");
        by(spec.variable).or_else(|| by(&spec.number.to_string())).or_else(of_keras_2)
    }

    fn names(&self) -> Vec<String> {
        self.variables.values().map(|name| (*name).to_owned()).collect()
    }
}

/// The one of the layers that have a name.
fn only<'b, 'a>(layers: Vec<&'b Layer<'a>>) -> Result<&'b Layer<'a>, ImportError> {
    match *layers {
        [layer] => Ok(layer),
        _ => {
            let names = layers.into_iter().flat_map(Layer::names).collect();
            Err(ImportError::Ambiguous { what: "one layer".into(), names })
        }
    }
}

/// Whether it is nothing of a layer, but what Keras remembers of a training: the state of a random number generator, or
/// of an optimizer.
fn is_of_training(name: &str) -> bool {
    const OPTIMIZERS: [&str; 13] = [
        "adadelta",
        "adafactor",
        "adagrad",
        "adam",
        "adamax",
        "adamw",
        "ftrl",
        "lion",
        "muon",
        "nadam",
        "optimizer",
        "rmsprop",
        "sgd",
    ];
    parts(name).is_some_and(|(path, _, variable)| {
        let is_optimizer = |name: &&str| OPTIMIZERS.iter().any(|class| keras_number(name, class).is_some());
        variable == "seed_generator_state" || path.contains(&"seed_generator") || path.first().is_some_and(is_optimizer)
    })
}

/// Takes a name apart: the path to the layer, its own name last; what stands before the variable; the variable. In a
/// file of Keras 3 (`layers/conv2d/vars/0`) variables are numbers.
fn parts(name: &str) -> Option<(Vec<&str>, &str, &str)> {
    let plain = name.strip_suffix(":0").unwrap_or(name);
    let mut path: Vec<&str> = plain.split(['/', '.']).collect();
    let variable = path.pop()?;
    let stem = &plain[..plain.len() - variable.len()];
    path.pop_if(|last| *last == "vars");
    (!path.is_empty()).then_some((path, stem, variable))
}

/// The classes, in snake case, that Keras has for layers of one: along one dimension, where all run over a single row.
fn keras_classes(class: &str, layers: &[&Node<'_>]) -> Vec<String> {
    let class = snake_case(class);
    let is_row = |layer: &&Node<'_>| layer.output.height == 1 && matches!(layer.tensors()[0], (_, [1, ..], 4));
    let along_one = class.replace("2d", "1d");
    if along_one != class && layers.iter().all(is_row) { vec![class, along_one] } else { vec![class] }
}

/// The number that Keras gave to a layer of a class: none, which is 0, then `_1`, `_2`.
fn keras_number(name: &str, class: &str) -> Option<u64> {
    match name.strip_prefix(class)? {
        "" => Some(0),
        rest => {
            let digits = rest.strip_prefix('_')?;
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
            is_number.then(|| digits.parse().ok())?
        }
    }
}
