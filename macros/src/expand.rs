//! What a network becomes: a struct with one field a layer, each of a concrete type, and its `Network` implementation.
//!
//! The shapes are associated constants, each computed from the one before, so every size may be any constant
//! expression. A shape that does not work out is a panic in one of these constants: an error of `cargo check` at the
//! layer's name.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Expr, Ident};

use crate::layer::{Kind, Layer, Window};
use crate::network::Network;

/// The tokens of a whole network.
pub(crate) fn expand(network: &Network) -> TokenStream {
    let Network { attributes, visibility, name, input, layers, inputs } = network;
    let [height, width, channels] = input;
    let title = name.to_string();
    let numbered = || layers.iter().zip(inputs).enumerate();
    let shapes = numbered().map(|(i, (layer, inputs))| shape(network, i, layer, inputs));
    let fields = numbered().map(|(_, (layer, inputs))| field(name, layer, inputs));
    let values = numbered().map(|(_, (layer, inputs))| value(name, layer, inputs));
    let nodes = numbered().map(|(i, (layer, inputs))| node(i, layer, inputs));
    let windows = (0..=layers.len()).map(|node| {
        let window = window_name(node);
        quote! {
            const #window: Option<::thumbnet::geometry::Geometry> =
                <Self as ::thumbnet::Network>::INFERENCE.window(&<Self as ::thumbnet::Network>::GRAPH, #node);
        }
    });
    let window_names = (0..=layers.len()).map(window_name);
    let node_count = layers.len() + 1;
    let (first, last) = (shape_name(0), shape_name(layers.len()));
    // A plan has as many steps as the graph asks for.
    let count = |fusion: &str| {
        let fusion = Ident::new(fusion, name.span());
        quote! {
            { ::thumbnet::plan::count(&<#name as ::thumbnet::Network>::GRAPH, ::thumbnet::plan::Fusion::#fusion) }
        }
    };
    let plan = |fusion: &str| {
        let (count, fusion) = (count(fusion), Ident::new(fusion, name.span()));
        quote! {
            const { &::thumbnet::plan::Planned::<#count>::new(
                &<#name as ::thumbnet::Network>::GRAPH, ::thumbnet::plan::Fusion::#fusion,
            ) }.plan()
        }
    };
    let (forward, inference) = (plan("F32"), plan("Int8"));
    let steps = count("Int8");

    quote! {
        #(#attributes)*
        #[derive(Clone, Copy, Debug)]
        #visibility struct #name {
            #(#fields,)*
        }

        #[doc(hidden)]
        impl #name {
            const #first: ::thumbnet::geometry::Shape =
                ::thumbnet::network::define::input(#title, #height, #width, #channels);
            #(#shapes)*
            const __NEW: Self = Self { #(#values,)* };
            const __NODES: [::thumbnet::graph::Node<'static>; #node_count] = ::thumbnet::graph::with_weights([
                ::thumbnet::graph::Node {
                    name: "input", op: ::thumbnet::graph::Op::Input, inputs: [0; 2], output: Self::#first, weights: 0,
                },
                #(#nodes,)*
            ]);
            #(#windows)*
            const __WINDOWS: [Option<&'static ::thumbnet::geometry::Geometry>; #node_count] =
                [#(Self::#window_names.as_ref(),)*];
        }

        // Plans of hundreds of layers take the compiler a while.
        #[allow(long_running_const_eval)]
        impl ::thumbnet::Network for #name {
            const GRAPH: ::thumbnet::graph::Graph<'static> =
                ::thumbnet::graph::Graph { name: #title, nodes: &Self::__NODES };
            const FORWARD: ::thumbnet::plan::Plan<'static> = #forward;
            const GRADIENTS: ::thumbnet::plan::GradientPlan<'static> =
                const { &::thumbnet::plan::PlannedGradients::<#node_count>::new(&Self::GRAPH) }.plan();
            const INFERENCE: ::thumbnet::plan::Plan<'static> = #inference;
            const STEPS_S8: &'static [::thumbnet::infer::StepS8<'static>] =
                &const { ::thumbnet::infer::StepS8::all::<#steps>(&Self::GRAPH, &Self::INFERENCE, &Self::__WINDOWS) };

            type Uses = ::thumbnet::graph::Ops<{ <#name as ::thumbnet::Network>::GRAPH.uses() }>;
            type UsesS8 = ::thumbnet::graph::Ops<
                { <#name as ::thumbnet::Network>::INFERENCE.uses(&<#name as ::thumbnet::Network>::GRAPH) },
                { <#name as ::thumbnet::Network>::INFERENCE.units(&<#name as ::thumbnet::Network>::GRAPH) },
            >;
            type Image = [i8; Self::#first.len()];
            type Scores = [i8; Self::#last.len()];
            type Memory = ::thumbnet::network::Memory<
                { <#name as ::thumbnet::Network>::ACTIVATION_BYTES },
                { <#name as ::thumbnet::Network>::SCRATCH_BYTES / 4 },
            >;

            const ZERO_IMAGE: Self::Image = [0; Self::#first.len()];
            const ZERO_SCORES: Self::Scores = [0; Self::#last.len()];
            const ZERO_MEMORY: Self::Memory = ::thumbnet::network::Memory::ZERO;
        }
    }
}

/// The constant that holds the output shape of node `i`: the input is node 0, layer `i` is node `i + 1`.
fn shape_name(i: usize) -> Ident {
    format_ident!("__SHAPE_{i}")
}

/// The constant that holds the window of node `i`, if it has one.
fn window_name(i: usize) -> Ident {
    format_ident!("__WINDOW_{i}")
}

/// The constant that holds the output shape of layer `i`. Its span is the layer's name, where errors point.
fn shape(network: &Network, i: usize, layer: &Layer, inputs: &[usize]) -> TokenStream {
    let (input, output) = (shape_name(inputs[0]), shape_name(i + 1));
    let (name, kind) = (layer.name.to_string(), layer.kind_name.to_string());
    let span = layer.name.span();
    let window = |Window { kernel: [kh, kw], strides: [sh, sw], padding }: &Window, channels: TokenStream| {
        quote_spanned! { span=>
            ::thumbnet::network::define::window(
                #name, #kind, Self::#input, #channels, [#kh, #kw], [#sh, #sw], ::thumbnet::geometry::Padding::#padding,
            )
        }
    };
    let activated = |activation: &Ident, shape: TokenStream| {
        quote_spanned! { span=>
            ::thumbnet::network::define::activation(
                #name, #kind,
                <::thumbnet::layer::#activation as ::thumbnet::layer::ActivationKind>::ACTIVATION, #shape,
            )
        }
    };
    let value = match &layer.kind {
        Kind::Conv2D { filters, window: sizes, activation, .. } => {
            activated(activation, window(sizes, quote_spanned!(span=> #filters)))
        }
        Kind::DepthwiseConv2D { multiplier, window: sizes, activation, .. } => activated(
            activation,
            window(sizes, quote_spanned!(span=> Self::#input.channels.saturating_mul(#multiplier))),
        ),
        Kind::MaxPooling2D { window: sizes } | Kind::AveragePooling2D { window: sizes } => {
            window(sizes, quote_spanned!(span=> Self::#input.channels))
        }
        Kind::GlobalAveragePooling2D | Kind::GlobalMaxPooling2D => {
            quote_spanned!(span=> ::thumbnet::geometry::Shape::vector(Self::#input.channels))
        }
        Kind::ZeroPadding2D { padding: [above, below, left, right] } => quote_spanned! { span=>
            ::thumbnet::network::define::zero_padding(
                #name, Self::#input, [[#above, #below], [#left, #right]],
            )
        },
        Kind::Reshape { shape: [height, width, channels] } => quote_spanned! { span=>
            ::thumbnet::network::define::reshape(
                #name, Self::#input, ::thumbnet::geometry::Shape::new(#height, #width, #channels),
            )
        },
        Kind::BatchNormalization { momentum, epsilon } => {
            let (momentum, epsilon) = (momentum_or_default(momentum), epsilon_or_default(epsilon));
            quote_spanned! { span=>
                ::thumbnet::network::define::batch_normalization(#name, Self::#input, #momentum, #epsilon)
            }
        }
        Kind::Activation { activation } => activated(activation, quote_spanned!(span=> Self::#input)),
        Kind::LeakyReLU { negative_slope } => {
            quote_spanned!(span=> ::thumbnet::network::define::leaky_relu(#name, Self::#input, #negative_slope))
        }
        Kind::Flatten => quote_spanned!(span=> ::thumbnet::geometry::Shape::vector(Self::#input.len())),
        Kind::Dense { units, activation, .. } => activated(
            activation,
            quote_spanned!(span=> ::thumbnet::network::define::dense(#name, Self::#input, #units)),
        ),
        Kind::Dropout { rate } => {
            quote_spanned!(span=> ::thumbnet::network::define::dropout(#name, Self::#input, #rate))
        }
        Kind::Add { .. } | Kind::Multiply { .. } | Kind::Concatenate => {
            let other = shape_name(inputs[1]);
            let define = match &layer.kind {
                Kind::Multiply { .. } => "multiply",
                Kind::Concatenate => "concatenate",
                _ => "add",
            };
            let define = Ident::new(define, span);
            let names = inputs.iter().map(|&node| match node.checked_sub(1) {
                Some(layer) => network.layers[layer].name.to_string(),
                None => "input".to_owned(),
            });
            quote_spanned! { span=>
                ::thumbnet::network::define::#define(#name, [#(#names),*], [Self::#input, Self::#other])
            }
        }
    };
    quote_spanned!(span=> const #output: ::thumbnet::geometry::Shape = #value;)
}

/// Layer `i` as data.
fn node(i: usize, layer: &Layer, inputs: &[usize]) -> TokenStream {
    let (name, text, output) = (&layer.name, layer.name.to_string(), shape_name(i + 1));
    let number = |input: usize| inputs.get(input).map_or(0, |&node| node as u16);
    let (a, b) = (number(0), number(1));
    quote! {
        ::thumbnet::graph::Node {
            name: #text, op: Self::__NEW.#name.op(), inputs: [#a, #b], output: Self::#output, weights: 0,
        }
    }
}

/// The field of a layer.
fn field(network: &Ident, layer: &Layer, inputs: &[usize]) -> TokenStream {
    let name = &layer.name;
    let ty = layer_type(network, layer, inputs);
    let text = format!("Layer `{name}`.");
    quote!(#[doc = #text] pub #name: #ty)
}

/// The concrete type of a layer.
fn layer_type(network: &Ident, layer: &Layer, inputs: &[usize]) -> TokenStream {
    let input = shape_name(inputs[0]);
    let dimensions = quote!({ #network::#input.height }, { #network::#input.width }, { #network::#input.channels });
    let kind = Ident::new(layer.kind.type_name(), layer.kind_name.span());
    match &layer.kind {
        Kind::Conv2D {
            filters,
            window: Window { kernel: [kh, kw], strides: [sh, sw], padding },
            activation,
            use_bias,
        }
        | Kind::DepthwiseConv2D {
            multiplier: filters,
            window: Window { kernel: [kh, kw], strides: [sh, sw], padding },
            activation,
            use_bias,
        } => quote! {
            ::thumbnet::layer::#kind<
                #dimensions, { #filters }, { #kh }, { #kw }, { #sh }, { #sw },
                ::thumbnet::layer::#padding, ::thumbnet::layer::#activation, #use_bias,
            >
        },
        Kind::MaxPooling2D { window: Window { kernel: [kh, kw], strides: [sh, sw], padding } }
        | Kind::AveragePooling2D { window: Window { kernel: [kh, kw], strides: [sh, sw], padding } } => quote! {
            ::thumbnet::layer::#kind<#dimensions, { #kh }, { #kw }, { #sh }, { #sw }, ::thumbnet::layer::#padding>
        },
        Kind::Flatten
        | Kind::Dropout { .. }
        | Kind::GlobalAveragePooling2D
        | Kind::GlobalMaxPooling2D
        | Kind::BatchNormalization { .. }
        | Kind::LeakyReLU { .. } => {
            quote!(::thumbnet::layer::#kind<#dimensions>)
        }
        Kind::ZeroPadding2D { padding: [above, below, left, right] } => {
            quote!(::thumbnet::layer::#kind<#dimensions, { #above }, { #below }, { #left }, { #right }>)
        }
        Kind::Reshape { shape: [height, width, channels] } => {
            quote!(::thumbnet::layer::#kind<#dimensions, { #height }, { #width }, { #channels }>)
        }
        Kind::Concatenate => {
            let other = shape_name(inputs[1]);
            quote!(::thumbnet::layer::#kind<#dimensions, { #network::#other.channels }>)
        }
        Kind::Add { activation } | Kind::Multiply { activation } | Kind::Activation { activation } => {
            quote!(::thumbnet::layer::#kind<#dimensions, ::thumbnet::layer::#activation>)
        }
        Kind::Dense { units, activation, use_bias } => quote! {
            ::thumbnet::layer::#kind<
                { #network::#input.channels }, { #units }, ::thumbnet::layer::#activation, #use_bias,
            >
        },
    }
}

/// The value of a layer's field.
fn value(network: &Ident, layer: &Layer, inputs: &[usize]) -> TokenStream {
    let (name, ty) = (&layer.name, layer_type(network, layer, inputs));
    let arguments = match &layer.kind {
        Kind::Dropout { rate } => quote!(#rate),
        Kind::BatchNormalization { momentum, epsilon } => {
            let (momentum, epsilon) = (momentum_or_default(momentum), epsilon_or_default(epsilon));
            quote!(#momentum, #epsilon)
        }
        Kind::LeakyReLU { negative_slope } => quote!(#negative_slope),
        Kind::Conv2D { .. }
        | Kind::DepthwiseConv2D { .. }
        | Kind::MaxPooling2D { .. }
        | Kind::AveragePooling2D { .. }
        | Kind::GlobalAveragePooling2D
        | Kind::GlobalMaxPooling2D
        | Kind::Flatten
        | Kind::Reshape { .. }
        | Kind::Dense { .. }
        | Kind::Activation { .. }
        | Kind::ZeroPadding2D { .. }
        | Kind::Concatenate
        | Kind::Add { .. }
        | Kind::Multiply { .. } => quote!(),
    };
    quote!(#name: <#ty>::new(#arguments))
}

fn momentum_or_default(momentum: &Option<Expr>) -> TokenStream {
    momentum.as_ref().map_or_else(
        || quote!(::thumbnet::layer::BatchNormalization::<1, 1, 1>::MOMENTUM),
        |momentum| quote!(#momentum),
    )
}

fn epsilon_or_default(epsilon: &Option<Expr>) -> TokenStream {
    epsilon
        .as_ref()
        .map_or_else(|| quote!(::thumbnet::layer::BatchNormalization::<1, 1, 1>::EPSILON), |epsilon| quote!(#epsilon))
}
