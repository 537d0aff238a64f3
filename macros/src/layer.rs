//! One layer as written, checked for the settings that its kind has.

use proc_macro2::Span;
use quote::format_ident;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, ExprLit, Ident, Lit, LitBool, Result, Token, braced, parenthesized, parse_quote};

/// A layer.
pub(crate) struct Layer {
    pub(crate) name: Ident,
    /// The layers that it names as its inputs.
    pub(crate) inputs: Vec<Ident>,
    pub(crate) kind: Kind,
    /// The kind as written, for messages.
    pub(crate) kind_name: Ident,
}

/// `name: Kind(input, ...) { setting: value, ... }`: mostly one layer. The inputs are left out where the layer reads
/// the one before it, the braces where nothing is set.
pub(crate) struct Written {
    pub(crate) layers: Vec<Layer>,
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
    BatchNormalization { momentum: Option<Expr>, epsilon: Option<Expr> },
    Activation { activation: Ident },
    LeakyReLU { negative_slope: Expr },
    ZeroPadding2D { padding: [Expr; 4] },
    Concatenate,
    Multiply { activation: Ident },
    Reshape { shape: [Expr; 3] },
    GlobalMaxPooling2D,
}

impl Kind {
    /// The name of the layer's type.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Conv2D { .. } => "Conv2D",
            Self::DepthwiseConv2D { .. } => "DepthwiseConv2D",
            Self::MaxPooling2D { .. } => "MaxPooling2D",
            Self::AveragePooling2D { .. } => "AveragePooling2D",
            Self::GlobalAveragePooling2D => "GlobalAveragePooling2D",
            Self::GlobalMaxPooling2D => "GlobalMaxPooling2D",
            Self::Flatten => "Flatten",
            Self::Reshape { .. } => "Reshape",
            Self::Dense { .. } => "Dense",
            Self::Dropout { .. } => "Dropout",
            Self::BatchNormalization { .. } => "BatchNormalization",
            Self::Activation { .. } => "Activation",
            Self::LeakyReLU { .. } => "LeakyReLU",
            Self::ZeroPadding2D { .. } => "ZeroPadding2D",
            Self::Concatenate => "Concatenate",
            Self::Add { .. } => "Add",
            Self::Multiply { .. } => "Multiply",
        }
    }

    /// How many layers it reads.
    pub(crate) fn arity(&self) -> usize {
        match self {
            Self::Conv2D { .. }
            | Self::DepthwiseConv2D { .. }
            | Self::MaxPooling2D { .. }
            | Self::AveragePooling2D { .. }
            | Self::GlobalAveragePooling2D
            | Self::Flatten
            | Self::GlobalMaxPooling2D
            | Self::Dense { .. }
            | Self::Dropout { .. }
            | Self::BatchNormalization { .. }
            | Self::Activation { .. }
            | Self::LeakyReLU { .. }
            | Self::ZeroPadding2D { .. }
            | Self::Reshape { .. } => 1,
            Self::Add { .. } | Self::Multiply { .. } | Self::Concatenate => 2,
        }
    }

    /// Whether it only passes on what it reads, in inference.
    pub(crate) fn passes_on(&self) -> bool {
        match self {
            Self::Flatten | Self::Reshape { .. } | Self::Dropout { .. } => true,
            Self::Activation { activation } => activation == "Linear",
            Self::Conv2D { .. }
            | Self::DepthwiseConv2D { .. }
            | Self::MaxPooling2D { .. }
            | Self::AveragePooling2D { .. }
            | Self::GlobalAveragePooling2D
            | Self::GlobalMaxPooling2D
            | Self::Dense { .. }
            | Self::BatchNormalization { .. }
            | Self::LeakyReLU { .. }
            | Self::ZeroPadding2D { .. }
            | Self::Concatenate
            | Self::Add { .. }
            | Self::Multiply { .. } => false,
        }
    }
}

/// A sliding window: sizes and strides as height and width.
pub(crate) struct Window {
    pub(crate) kernel: [Expr; 2],
    pub(crate) strides: [Expr; 2],
    pub(crate) padding: Ident,
}

const KINDS: &str = "Conv2D, DepthwiseConv2D, SeparableConv2D, MaxPooling2D, AveragePooling2D, GlobalMaxPooling2D, \
    GlobalAveragePooling2D, ZeroPadding2D (each of these with 1D, too), Dense, BatchNormalization, Activation, \
    LeakyReLU, Add, Multiply, Concatenate, Flatten, Reshape, Dropout";
const ACTIVATIONS: [&str; 7] = ["Linear", "Relu", "Relu6", "LeakyRelu", "Sigmoid", "Tanh", "Softmax"];
/// Those that int8 kernels apply as they store.
const CLAMPS: [&str; 3] = ["Linear", "Relu", "Relu6"];
const PADDINGS: [&str; 2] = ["Same", "Valid"];

impl Parse for Written {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name: Ident = input.parse()?;
        input.parse::<Token![:]>()?;
        let kind_name: Ident = input.parse()?;
        let layer = format!("layer `{name}` ({kind_name})");
        let word = kind_name.to_string();
        // Steps of one dimension are the columns of a single row.
        let (word, is_1d) = match word.strip_suffix("1D") {
            Some(stem) => (format!("{stem}2D"), true),
            None => (word, false),
        };
        let mut settings = Settings { layer, span: kind_name.span(), is_1d, all: Vec::new() };
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
        let mut layers = Vec::new();
        if word == "SeparableConv2D" {
            let depthwise = format_ident!("{name}_depthwise", span = name.span());
            let kind = settings.depthwise_of_separable()?;
            layers.push(Layer { name: depthwise.clone(), inputs, kind, kind_name: kind_name.clone() });
            inputs = vec![depthwise];
        }
        let kind = settings.kind(&word)?.ok_or_else(|| {
            let reason = format!("layer `{name}`: there is no layer `{kind_name}`; thumbnet has {KINDS}");
            Error::new(kind_name.span(), reason)
        })?;
        let arity = kind.arity();
        let is_wrong = if arity == 1 { inputs.len() > 1 } else { inputs.len() < arity };
        if is_wrong {
            let reason = format!(
                "layer `{name}` ({kind_name}) reads {}, but names {}; write `{kind_name}({})`",
                if arity == 1 { "1 layer" } else { "2 layers or more" },
                inputs.len(),
                if arity == 1 { "input" } else { "a, b" },
            );
            return Err(Error::new(kind_name.span(), reason));
        }
        // Of more than two inputs, the first two are one layer, which the next takes the third to.
        for number in 1.. {
            if inputs.len() <= arity {
                break;
            }
            let part = format_ident!("{name}_{number}", span = name.span());
            let pair = inputs.drain(..arity).collect();
            let kind = settings.of_two(&word)?;
            layers.push(Layer { name: part.clone(), inputs: pair, kind, kind_name: kind_name.clone() });
            inputs.insert(0, part);
        }
        layers.push(Layer { name, inputs, kind, kind_name });
        Ok(Self { layers })
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
    /// Whether windows run along one dimension.
    is_1d: bool,
    all: Vec<Setting>,
}

impl Settings {
    /// The layer of the kind that `word` names; `None` where there is none such.
    fn kind(&self, word: &str) -> Result<Option<Kind>> {
        Ok(Some(match word {
            "Conv2D" => {
                self.allow(&["filters", "kernel_size", "strides", "padding", "activation", "use_bias"])?;
                Kind::Conv2D {
                    filters: self.required("filters")?,
                    window: self.kernel()?,
                    activation: self.activation()?,
                    use_bias: self.flag("use_bias")?,
                }
            }
            "DepthwiseConv2D" => {
                let names = ["kernel_size", "strides", "padding", "depth_multiplier", "activation", "use_bias"];
                self.allow(&names)?;
                Kind::DepthwiseConv2D {
                    multiplier: self.optional("depth_multiplier").unwrap_or_else(|| parse_quote!(1)),
                    window: self.kernel()?,
                    activation: self.activation()?,
                    use_bias: self.flag("use_bias")?,
                }
            }
            // The part that mixes channels.
            "SeparableConv2D" => {
                let one = || -> [Expr; 2] { [parse_quote!(1), parse_quote!(1)] };
                Kind::Conv2D {
                    filters: self.required("filters")?,
                    window: Window { kernel: one(), strides: one(), padding: Ident::new("Valid", self.span) },
                    activation: self.activation()?,
                    use_bias: self.flag("use_bias")?,
                }
            }
            "MaxPooling2D" => Kind::MaxPooling2D { window: self.pooling()? },
            "AveragePooling2D" => Kind::AveragePooling2D { window: self.pooling()? },
            "GlobalAveragePooling2D" => self.without_settings(Kind::GlobalAveragePooling2D)?,
            "GlobalMaxPooling2D" => self.without_settings(Kind::GlobalMaxPooling2D)?,
            "ZeroPadding2D" => {
                self.allow(&["padding"])?;
                Kind::ZeroPadding2D { padding: self.zeros(self.optional("padding")) }
            }
            "Flatten" => self.without_settings(Kind::Flatten)?,
            "Concatenate" => self.without_settings(Kind::Concatenate)?,
            "Reshape" => {
                self.allow(&["target_shape"])?;
                let value = self.required("target_shape")?;
                let shape = shape(elements(&value).unwrap_or_else(|| vec![value.clone()]));
                let reason = || format!("{}: `target_shape` must have 1 to 3 dimensions", self.layer);
                Kind::Reshape { shape: shape.ok_or_else(|| Error::new_spanned(&value, reason()))? }
            }
            "Dense" => {
                self.allow(&["units", "activation", "use_bias"])?;
                Kind::Dense {
                    units: self.required("units")?,
                    activation: self.activation()?,
                    use_bias: self.flag("use_bias")?,
                }
            }
            "Dropout" => {
                self.allow(&["rate"])?;
                Kind::Dropout { rate: self.required("rate")? }
            }
            "BatchNormalization" => {
                self.allow(&["momentum", "epsilon"])?;
                Kind::BatchNormalization { momentum: self.optional("momentum"), epsilon: self.optional("epsilon") }
            }
            "Activation" => {
                self.allow(&["activation"])?;
                self.required("activation")?;
                Kind::Activation { activation: self.activation()? }
            }
            "LeakyReLU" => {
                self.allow(&["negative_slope"])?;
                let negative_slope = self.optional("negative_slope").unwrap_or_else(|| parse_quote!(0.3));
                Kind::LeakyReLU { negative_slope }
            }
            "Add" => {
                self.allow(&["activation"])?;
                Kind::Add { activation: self.word("activation", &CLAMPS, "Linear")? }
            }
            "Multiply" => {
                self.allow(&["activation"])?;
                Kind::Multiply { activation: self.word("activation", &CLAMPS, "Linear")? }
            }
            _ => return Ok(None),
        }))
    }

    /// The first part of a separable convolution, and its settings checked.
    fn depthwise_of_separable(&self) -> Result<Kind> {
        let names = ["filters", "kernel_size", "strides", "padding", "depth_multiplier", "activation", "use_bias"];
        self.allow(&names)?;
        Ok(Kind::DepthwiseConv2D {
            multiplier: self.optional("depth_multiplier").unwrap_or_else(|| parse_quote!(1)),
            window: self.kernel()?,
            activation: Ident::new("Linear", self.span),
            use_bias: LitBool::new(false, self.span),
        })
    }

    /// The first inputs of a layer with more than two.
    fn of_two(&self, word: &str) -> Result<Kind> {
        let activation = Ident::new("Linear", self.span);
        Ok(match word {
            "Add" => Kind::Add { activation },
            "Multiply" => Kind::Multiply { activation },
            _ => Kind::Concatenate,
        })
    }

    fn without_settings(&self, kind: Kind) -> Result<Kind> {
        self.allow(&[])?;
        Ok(kind)
    }

    fn activation(&self) -> Result<Ident> {
        self.word("activation", &ACTIVATIONS, "Linear")
    }

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
            kernel: self.pair(self.required("kernel_size")?),
            strides: self.pair(self.optional("strides").unwrap_or_else(|| parse_quote!(1))),
            padding: self.word("padding", &PADDINGS, "Valid")?,
        })
    }

    /// The window of a pooling.
    fn pooling(&self) -> Result<Window> {
        self.allow(&["pool_size", "strides", "padding"])?;
        let kernel = self.pair(self.optional("pool_size").unwrap_or_else(|| parse_quote!(2)));
        let strides = self.optional("strides").map_or_else(|| kernel.clone(), |strides| self.pair(strides));
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

    /// A size as height and width: `5`, `(5, 3)` or `[5, 3]`; along one dimension, `5`.
    fn pair(&self, value: Expr) -> [Expr; 2] {
        match elements(&value).map(<[Expr; 2]>::try_from) {
            Some(Ok(pair)) if !self.is_1d => pair,
            _ if self.is_1d => [parse_quote!(1), value],
            _ => [value.clone(), value],
        }
    }

    /// Rows above and below, columns to the left and to the right: `1`, `(1, 2)` or `((1, 1), (2, 2))`; along one
    /// dimension, `1` or `(1, 2)`.
    fn zeros(&self, value: Option<Expr>) -> [Expr; 4] {
        let value = value.unwrap_or_else(|| parse_quote!(1));
        let both = |value: &Expr| match elements(value).map(<[Expr; 2]>::try_from) {
            Some(Ok(pair)) => pair,
            _ => [value.clone(), value.clone()],
        };
        let none: [Expr; 2] = [parse_quote!(0), parse_quote!(0)];
        let [[above, below], [left, right]] = match elements(&value).map(<[Expr; 2]>::try_from) {
            _ if self.is_1d => [none, both(&value)],
            Some(Ok([rows, columns])) => [both(&rows), both(&columns)],
            _ => [both(&value), both(&value)],
        };
        [above, below, left, right]
    }
}

/// The elements of a tuple or an array.
fn elements(value: &Expr) -> Option<Vec<Expr>> {
    match value {
        Expr::Tuple(tuple) => Some(tuple.elems.iter().cloned().collect()),
        Expr::Array(array) => Some(array.elems.iter().cloned().collect()),
        _ => None,
    }
}

/// Height, width and channels of what has so many dimensions: `[channels]`, `[steps, channels]` or all three.
pub(crate) fn shape(mut dimensions: Vec<Expr>) -> Option<[Expr; 3]> {
    while (1..3).contains(&dimensions.len()) {
        dimensions.insert(0, parse_quote!(1));
    }
    dimensions.try_into().ok()
}
