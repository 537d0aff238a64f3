//! The grammar: `pub struct Name: [height, width, channels] { name: Kind { setting: value, ... }, ... }`.

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, Expr, Ident, Result, Token, Visibility, braced, bracketed};

use crate::layer::{Kind, Layer};

/// A network as written.
pub(crate) struct Network {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    pub(crate) input: [Expr; 3],
    pub(crate) layers: Vec<Layer>,
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
        let input_shape = <[Expr; 3]>::try_from(shape.into_iter().collect::<Vec<_>>()).map_err(|shape| {
            let reason = format!(
                "the input shape of `{name}` has {} dimensions; write [height, width, channels], a vector of n values as [1, 1, n]",
                shape.len()
            );
            Error::new(bracket.span.join(), reason)
        })?;

        let body;
        braced!(body in input);
        let layers: Vec<Layer> = Punctuated::<Layer, Token![,]>::parse_terminated(&body)?.into_iter().collect();
        if layers.is_empty() {
            return Err(Error::new(name.span(), format!("`{name}` has no layers")));
        }
        if layers.iter().all(|layer| matches!(layer.kind, Kind::Flatten | Kind::Dropout { .. })) {
            return Err(Error::new(
                name.span(),
                format!("`{name}` computes nothing: it has no Conv2D, MaxPooling2D or Dense"),
            ));
        }
        for (i, layer) in layers.iter().enumerate() {
            if layers[..i].iter().any(|other| other.name == layer.name) {
                return Err(Error::new(layer.name.span(), format!("two layers are called `{}`", layer.name)));
            }
        }
        Ok(Self { attributes, visibility, name, input: input_shape, layers })
    }
}
