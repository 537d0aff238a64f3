//! One layer as written, checked for the settings that its kind has.

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, ExprLit, Ident, Lit, LitBool, Result, Token, braced, parenthesized, parse_quote};

/// A layer: `name: Kind(input, ...) { setting: value, ... }`. The inputs are left out where the layer reads the one before it, the
/// braces where nothing is set.
pub(crate) struct Layer {
    pub(crate) name: Ident,
    /// The layers that it names as its inputs.
    pub(crate) inputs: Vec<Ident>,
    pub(crate) kind: Kind,
    pub(crate) kind_name: Ident,
}

/// The kind of a layer, with its settings.
pub(crate) enum Kind {
    Conv2D { filters: Expr, window: Window, activation: Ident, use_bias: LitBool },
    DepthwiseConv2D { multiplier: Expr, window: Window, activation: Ident, use_bias: LitBool },
    MaxPooling2D { window: Window },
    AveragePooling2D { window: Window },
    GlobalAveragePooling2D,
    Flatten,
    Dense { units: Expr, activation: Ident, use_bias: LitBool },
    Dropout { rate: Expr },
    Add { activation: Ident },
}

impl Kind {
    /// How many layers it reads.
    pub(crate) fn arity(&self) -> usize {
        match self {
            Self::Conv2D { .. }
            | Self::DepthwiseConv2D { .. }
            | Self::MaxPooling2D { .. }
            | Self::AveragePooling2D { .. }
            | Self::GlobalAveragePooling2D
            | Self::Flatten
            | Self::Dense { .. }
            | Self::Dropout { .. } => 1,
            Self::Add { .. } => 2,
        }
    }

    /// Whether it only passes on what it reads, in inference.
    pub(crate) fn passes_on(&self) -> bool {
        match self {
            Self::Flatten | Self::Dropout { .. } => true,
            Self::Conv2D { .. }
            | Self::DepthwiseConv2D { .. }
            | Self::MaxPooling2D { .. }
            | Self::AveragePooling2D { .. }
            | Self::GlobalAveragePooling2D
            | Self::Dense { .. }
            | Self::Add { .. } => false,
        }
    }
}

/// A sliding window: sizes and strides as height and width.
pub(crate) struct Window {
    pub(crate) kernel: [Expr; 2],
    pub(crate) strides: [Expr; 2],
    pub(crate) padding: Ident,
}

const KINDS: &str = "Conv2D, DepthwiseConv2D, MaxPooling2D, AveragePooling2D, GlobalAveragePooling2D, \
    Flatten, Dense, Dropout, Add";
const ACTIVATIONS: [&str; 6] = ["Linear", "Relu", "Relu6", "Sigmoid", "Tanh", "Softmax"];
/// Those that int8 kernels apply as they store.
const CLAMPS: [&str; 3] = ["Linear", "Relu", "Relu6"];
const PADDINGS: [&str; 2] = ["Same", "Valid"];

impl Parse for Layer {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name: Ident = input.parse()?;
        input.parse::<Token![:]>()?;
        let kind_name: Ident = input.parse()?;
        let mut settings =
            Settings { layer: format!("layer `{name}` ({kind_name})"), span: kind_name.span(), all: Vec::new() };
        let mut inputs = Vec::new();
        if input.peek(syn::token::Paren) {
            let names;
            parenthesized!(names in input);
            inputs = Punctuated::<Ident, Token![,]>::parse_terminated(&names)?.into_iter().collect();
        }
        if input.peek(syn::token::Brace) {
            let body;
            braced!(body in input);
            settings.all = Punctuated::<Setting, Token![,]>::parse_terminated(&body)?.into_iter().collect();
        }
        let kind = match kind_name.to_string().as_str() {
            "Conv2D" => {
                settings.allow(&["filters", "kernel_size", "strides", "padding", "activation", "use_bias"])?;
                Kind::Conv2D {
                    filters: settings.required("filters")?,
                    window: settings.kernel()?,
                    activation: settings.word("activation", &ACTIVATIONS, "Linear")?,
                    use_bias: settings.flag("use_bias")?,
                }
            }
            "DepthwiseConv2D" => {
                let names = ["kernel_size", "strides", "padding", "depth_multiplier", "activation", "use_bias"];
                settings.allow(&names)?;
                Kind::DepthwiseConv2D {
                    multiplier: settings.optional("depth_multiplier").unwrap_or_else(|| parse_quote!(1)),
                    window: settings.kernel()?,
                    activation: settings.word("activation", &ACTIVATIONS, "Linear")?,
                    use_bias: settings.flag("use_bias")?,
                }
            }
            "MaxPooling2D" => Kind::MaxPooling2D { window: settings.pooling()? },
            "AveragePooling2D" => Kind::AveragePooling2D { window: settings.pooling()? },
            "GlobalAveragePooling2D" => {
                settings.allow(&[])?;
                Kind::GlobalAveragePooling2D
            }
            "Flatten" => {
                settings.allow(&[])?;
                Kind::Flatten
            }
            "Dense" => {
                settings.allow(&["units", "activation", "use_bias"])?;
                Kind::Dense {
                    units: settings.required("units")?,
                    activation: settings.word("activation", &ACTIVATIONS, "Linear")?,
                    use_bias: settings.flag("use_bias")?,
                }
            }
            "Dropout" => {
                settings.allow(&["rate"])?;
                Kind::Dropout { rate: settings.required("rate")? }
            }
            "Add" => {
                settings.allow(&["activation"])?;
                Kind::Add { activation: settings.word("activation", &CLAMPS, "Linear")? }
            }
            _ => {
                let reason = format!("layer `{name}`: there is no layer `{kind_name}`; thumbnet has {KINDS}");
                return Err(Error::new(kind_name.span(), reason));
            }
        };
        let arity = kind.arity();
        if inputs.len() != arity && !(inputs.is_empty() && arity == 1) {
            let reason = format!(
                "layer `{name}` ({kind_name}) reads {arity} layer{}, but names {}; write `{kind_name}({})`",
                if arity == 1 { "" } else { "s" },
                inputs.len(),
                if arity == 1 { "input" } else { "a, b" },
            );
            return Err(Error::new(kind_name.span(), reason));
        }
        Ok(Self { name, inputs, kind, kind_name })
    }
}

/// `setting: value`.
struct Setting {
    name: Ident,
    value: Expr,
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![:]>()?;
        Ok(Self { name, value: input.parse()? })
    }
}

/// The settings of one layer, and what errors call that layer.
struct Settings {
    layer: String,
    span: Span,
    all: Vec<Setting>,
}

impl Settings {
    /// Refuses settings that the layer does not have, and those given twice.
    fn allow(&self, allowed: &[&str]) -> Result<()> {
        for (i, setting) in self.all.iter().enumerate() {
            let name = &setting.name;
            if !allowed.iter().any(|word| name == word) {
                let known = if allowed.is_empty() { "none".to_owned() } else { allowed.join(", ") };
                return Err(Error::new(name.span(), format!("{} has no setting `{name}`; it has {known}", self.layer)));
            }
            if self.all[..i].iter().any(|other| other.name == *name) {
                return Err(Error::new(name.span(), format!("{}: `{name}` is set twice", self.layer)));
            }
        }
        Ok(())
    }

    /// The window of a convolution.
    fn kernel(&self) -> Result<Window> {
        Ok(Window {
            kernel: pair(self.required("kernel_size")?),
            strides: pair(self.optional("strides").unwrap_or_else(|| parse_quote!(1))),
            padding: self.word("padding", &PADDINGS, "Valid")?,
        })
    }

    /// The window of a pooling.
    fn pooling(&self) -> Result<Window> {
        self.allow(&["pool_size", "strides", "padding"])?;
        let kernel = pair(self.optional("pool_size").unwrap_or_else(|| parse_quote!(2)));
        let strides = self.optional("strides").map_or_else(|| kernel.clone(), pair);
        Ok(Window { kernel, strides, padding: self.word("padding", &PADDINGS, "Valid")? })
    }

    fn optional(&self, name: &str) -> Option<Expr> {
        self.all.iter().find(|setting| setting.name == name).map(|setting| setting.value.clone())
    }

    fn required(&self, name: &str) -> Result<Expr> {
        self.optional(name).ok_or_else(|| Error::new(self.span, format!("{} needs `{name}`", self.layer)))
    }

    /// A setting that is one of a few words.
    fn word(&self, name: &str, words: &[&str], default: &str) -> Result<Ident> {
        let Some(value) = self.optional(name) else { return Ok(Ident::new(default, self.span)) };
        if let Expr::Path(path) = &value
            && let Some(word) = path.path.get_ident()
            && words.iter().any(|known| word == known)
        {
            return Ok(word.clone());
        }
        Err(Error::new_spanned(value, format!("{}: `{name}` must be one of {}", self.layer, words.join(", "))))
    }

    /// A setting that is `true` or `false`, `true` where it is left out.
    fn flag(&self, name: &str) -> Result<LitBool> {
        match self.optional(name) {
            None => Ok(LitBool::new(true, self.span)),
            Some(Expr::Lit(ExprLit { lit: Lit::Bool(flag), .. })) => Ok(flag),
            Some(other) => Err(Error::new_spanned(other, format!("{}: `{name}` must be true or false", self.layer))),
        }
    }
}

/// A size as height and width: `5`, `(5, 3)` or `[5, 3]`.
fn pair(value: Expr) -> [Expr; 2] {
    let parts = match &value {
        Expr::Tuple(tuple) => tuple.elems.iter().cloned().collect(),
        Expr::Array(array) => array.elems.iter().cloned().collect(),
        _ => Vec::new(),
    };
    <[Expr; 2]>::try_from(parts).unwrap_or_else(|_| [value.clone(), value])
}
