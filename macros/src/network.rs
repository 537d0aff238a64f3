//! The grammar: `pub struct Name: [height, width, channels] { name: Kind { setting: value, ... }, ... }`.

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, Expr, Ident, Result, Token, Visibility, braced, bracketed};

use crate::layer::{self, Layer, Written};

/// A network as written.
pub(crate) struct Network {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    pub(crate) input: [Expr; 3],
    pub(crate) layers: Vec<Layer>,
    /// For each layer the nodes that it reads: 0 is the input, `i + 1` is layer `i`.
    pub(crate) inputs: Vec<Vec<usize>>,
}

impl Parse for Network {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        input.parse::<Token![struct]>()?;
        let name: Ident = input.parse()?;
        input.parse::<Token![:]>()?;

        let shape;
        let bracket = bracketed!(shape in input);
        let shape = Punctuated::<Expr, Token![,]>::parse_terminated(&shape)?;
        let dimensions = shape.len();
        let input_shape = layer::shape(shape.into_iter().collect()).ok_or_else(|| {
            let reason = format!(
                "the input shape of `{name}` has {dimensions} dimensions; write [height, width, channels], \
                 [steps, channels] or [values]"
            );
            Error::new(bracket.span.join(), reason)
        })?;

        let body;
        braced!(body in input);
        let written = Punctuated::<Written, Token![,]>::parse_terminated(&body)?;
        let layers: Vec<Layer> = written.into_iter().flat_map(|written| written.layers).collect();
        if layers.is_empty() {
            return Err(Error::new(name.span(), format!("`{name}` has no layers")));
        }
        if layers.iter().all(|layer| layer.kind.passes_on()) {
            return Err(Error::new(
                name.span(),
                format!("`{name}` computes nothing: all of its layers pass on what they read"),
            ));
        }
        for (i, layer) in layers.iter().enumerate() {
            if layer.name == "input" {
                return Err(Error::new(layer.name.span(), "the network's input is called `input`; no layer may be"));
            }
            if layers[..i].iter().any(|other| other.name == layer.name) {
                return Err(Error::new(layer.name.span(), format!("two layers are called `{}`", layer.name)));
            }
        }
        let inputs = resolve(&layers)?;
        Ok(Self { attributes, visibility, name, input: input_shape, layers, inputs })
    }
}

/// The nodes that each layer reads: those that it names, or the one before it. `input` is the network's own.
fn resolve(layers: &[Layer]) -> Result<Vec<Vec<usize>>> {
    let mut resolved = Vec::new();
    for (i, layer) in layers.iter().enumerate() {
        let mut nodes = Vec::new();
        for input in &layer.inputs {
            let node = layers.iter().position(|other| other.name == *input).map(|position| position + 1);
            match node.or((input == "input").then_some(0)) {
                Some(node) if node <= i => nodes.push(node),
                Some(_) => {
                    let reason = format!("layer `{}` reads `{input}`, which does not come before it", layer.name);
                    return Err(Error::new(input.span(), reason));
                }
                None => {
                    let known: Vec<String> = layers[..i].iter().map(|layer| format!("`{}`", layer.name)).collect();
                    let reason = format!(
                        "layer `{}` reads `{input}`, but before it there are only `input`{}{}",
                        layer.name,
                        if known.is_empty() { "" } else { ", " },
                        known.join(", ")
                    );
                    return Err(Error::new(input.span(), reason));
                }
            }
        }
        resolved.push(if nodes.is_empty() { vec![i] } else { nodes });
    }
    for (i, layer) in layers.iter().enumerate().take(layers.len() - 1) {
        if !resolved.iter().flatten().any(|&node| node == i + 1) {
            let reason = format!("no layer reads `{}`, and it is not the last", layer.name);
            return Err(Error::new(layer.name.span(), reason));
        }
    }
    Ok(resolved)
}
