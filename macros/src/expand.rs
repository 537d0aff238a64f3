//! What a network becomes: a struct with one field a layer, each of a concrete type, and its `Network` implementation.
//!
//! The shapes are associated constants, each computed from the one before, so every size may be any constant expression. A shape that does
//! not work out is a panic in one of these constants: an error of `cargo check` at the layer's name.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;

use crate::layer::{Kind, Layer, Window};
use crate::network::Network;

/// The tokens of a whole network.
pub(crate) fn expand(network: &Network) -> TokenStream {
    let Network { attributes, visibility, name, input, layers } = network;
    let [height, width, channels] = input;
    let title = name.to_string();
    let shapes = layers.iter().enumerate().map(|(i, layer)| shape(i, layer));
    let fields = layers.iter().enumerate().map(|(i, layer)| field(name, i, layer));
    let values = layers.iter().map(value);
    let infos = layers.iter().map(|Layer { name, .. }| {
        let text = name.to_string();
        quote!(Self::NEW.#name.info(#text))
    });
    let encoded = layers.iter().enumerate().map(|(i, layer)| {
        let text = layer.name.to_string();
        quote!(::thumbnet::blob::EncodedLayer {
            name: #text,
            bytes: &::thumbnet::blob::encode::<{
                ::thumbnet::blob::encoded_len(&<#name as ::thumbnet::Network>::LAYERS[#i])
            }>(&Self::LAYERS[#i]),
        })
    });
    let names: Vec<&Ident> = layers.iter().map(|layer| &layer.name).collect();
    let backwards = names.iter().rev();
    let stages = stages(layers);
    let stage_count = stages.len();
    let stage_values = stages.iter().map(|(layer, pool)| {
        let pool = pool.map_or_else(|| quote!(None), |pool| quote!(Self::LAYERS[#pool].window()));
        quote!(::thumbnet::sequential::Stage { index: #layer, layer: Self::LAYERS[#layer], pool: #pool })
    });
    let stage_visits = stages.iter().map(|&(layer, pool)| {
        let ty = layer_type(name, layer, &layers[layer]);
        let pool = pool.map_or_else(
            || quote!(None),
            |pool| {
                let pool = layer_type(name, pool, &layers[pool]);
                quote!(Some(const { &<#pool>::GEOMETRY }))
            },
        );
        quote!(visitor.stage::<#ty>(#pool);)
    });
    let first = shape_name(0);
    let last = shape_name(layers.len());

    quote! {
        #(#attributes)*
        #[derive(Clone, Copy, Debug)]
        #visibility struct #name {
            #(#fields,)*
        }

        #[doc(hidden)]
        impl #name {
            const #first: ::thumbnet::geometry::Shape =
                ::thumbnet::sequential::define::input(#title, #height, #width, #channels);
            #(#shapes)*
        }

        impl ::thumbnet::Network for #name {
            const NEW: Self = Self { #(#values,)* };
            const NAME: &'static str = #title;
            const INPUT: ::thumbnet::geometry::Shape = Self::#first;
            const OUTPUT: ::thumbnet::geometry::Shape = Self::#last;
            const LAYERS: &'static [::thumbnet::layer::LayerInfo<'static>] = &[#(#infos,)*];
            const ENCODED_LAYERS: &'static [::thumbnet::blob::EncodedLayer] = &[#(#encoded,)*];
            const STAGES: &'static [::thumbnet::sequential::Stage] = &[#(#stage_values,)*];

            type Image = [i8; Self::#first.len()];
            type Scores = [i8; Self::#last.len()];
            type Memory = ::thumbnet::sequential::Memory<
                { <#name as ::thumbnet::Network>::ACTIVATION_BYTES },
                { <#name as ::thumbnet::Network>::SCRATCH_BYTES / 4 },
            >;
            type Tensors<'a> = [::thumbnet::quant::LayerS8<'a>; #stage_count];

            const ZERO_IMAGE: Self::Image = [0; Self::#first.len()];
            const ZERO_SCORES: Self::Scores = [0; Self::#last.len()];
            const ZERO_MEMORY: Self::Memory = ::thumbnet::sequential::Memory::ZERO;

            fn no_tensors<'a>() -> Self::Tensors<'a> {
                [::thumbnet::quant::LayerS8::EMPTY; #stage_count]
            }

            fn visit(&self, visitor: &mut impl ::thumbnet::sequential::Visitor) {
                #(visitor.layer(&self.#names);)*
            }

            fn visit_back(&self, visitor: &mut impl ::thumbnet::sequential::Visitor) {
                #(visitor.layer(&self.#backwards);)*
            }

            #[inline(always)]
            fn visit_stages(visitor: &mut impl ::thumbnet::sequential::StageVisitor) {
                #(#stage_visits)*
            }
        }
    }
}

/// The constant that holds the input shape of layer `i`, which is the output shape of the layer before.
fn shape_name(i: usize) -> Ident {
    format_ident!("__SHAPE_{i}")
}

/// The constant that holds the output shape of layer `i`. Its span is the layer's name, where errors point.
fn shape(i: usize, layer: &Layer) -> TokenStream {
    let (input, output) = (shape_name(i), shape_name(i + 1));
    let (name, kind) = (layer.name.to_string(), layer.kind_name.to_string());
    let span = layer.name.span();
    let value = match &layer.kind {
        Kind::Conv2D {
            filters, window: Window { kernel: [kh, kw], strides: [sh, sw], padding }, activation, ..
        } => {
            quote_spanned! { span=>
                ::thumbnet::sequential::define::activation(
                    #name, #kind, ::thumbnet::layer::Activation::#activation,
                    ::thumbnet::sequential::define::window(
                        #name, #kind, Self::#input, #filters, [#kh, #kw], [#sh, #sw],
                        ::thumbnet::geometry::Padding::#padding,
                    ),
                )
            }
        }
        Kind::MaxPooling2D { window: Window { kernel: [kh, kw], strides: [sh, sw], padding } } => {
            quote_spanned! { span=>
                ::thumbnet::sequential::define::window(
                    #name, #kind, Self::#input, Self::#input.channels, [#kh, #kw], [#sh, #sw],
                    ::thumbnet::geometry::Padding::#padding,
                )
            }
        }
        Kind::Flatten => quote_spanned!(span=> ::thumbnet::geometry::Shape::vector(Self::#input.len())),
        Kind::Dense { units, activation, .. } => {
            quote_spanned! { span=>
                ::thumbnet::sequential::define::activation(
                    #name, #kind, ::thumbnet::layer::Activation::#activation,
                    ::thumbnet::sequential::define::dense(#name, Self::#input, #units),
                )
            }
        }
        Kind::Dropout { rate } => {
            quote_spanned!(span=> ::thumbnet::sequential::define::dropout(#name, Self::#input, #rate))
        }
    };
    quote_spanned!(span=> const #output: ::thumbnet::geometry::Shape = #value;)
}

/// The field of layer `i`.
fn field(network: &Ident, i: usize, layer: &Layer) -> TokenStream {
    let name = &layer.name;
    let ty = layer_type(network, i, layer);
    let text = format!("Layer `{name}`.");
    quote!(#[doc = #text] pub #name: #ty)
}

/// The concrete type of layer `i`.
fn layer_type(network: &Ident, i: usize, layer: &Layer) -> TokenStream {
    let input = shape_name(i);
    let dimensions = quote!({ #network::#input.height }, { #network::#input.width }, { #network::#input.channels });
    let kind = &layer.kind_name;
    match &layer.kind {
        Kind::Conv2D {
            filters,
            window: Window { kernel: [kh, kw], strides: [sh, sw], padding },
            activation,
            use_bias,
        } => quote! {
            ::thumbnet::layer::#kind<
                #dimensions, { #filters }, { #kh }, { #kw }, { #sh }, { #sw },
                ::thumbnet::layer::#padding, ::thumbnet::layer::#activation, #use_bias,
            >
        },
        Kind::MaxPooling2D { window: Window { kernel: [kh, kw], strides: [sh, sw], padding } } => quote! {
            ::thumbnet::layer::#kind<#dimensions, { #kh }, { #kw }, { #sh }, { #sw }, ::thumbnet::layer::#padding>
        },
        Kind::Flatten | Kind::Dropout { .. } => quote!(::thumbnet::layer::#kind<#dimensions>),
        Kind::Dense { units, activation, use_bias } => quote! {
            ::thumbnet::layer::#kind<
                { #network::#input.channels }, { #units }, ::thumbnet::layer::#activation, #use_bias,
            >
        },
    }
}

/// The value of a layer's field.
fn value(layer: &Layer) -> TokenStream {
    let (name, kind) = (&layer.name, &layer.kind_name);
    match &layer.kind {
        Kind::Dropout { rate } => quote!(#name: ::thumbnet::layer::#kind::new(#rate)),
        _ => quote!(#name: ::thumbnet::layer::#kind::new()),
    }
}

/// The stages of the quantised network: the number of a layer, and of the max pooling that is fused into it. A pooling after a
/// convolution whose activation is monotonic and clamps can be taken before requantising.
fn stages(layers: &[Layer]) -> Vec<(usize, Option<usize>)> {
    let mut stages = Vec::new();
    let mut i = 0;
    while let Some(layer) = layers.get(i) {
        let pooled = matches!(layers.get(i + 1), Some(Layer { kind: Kind::MaxPooling2D { .. }, .. }));
        match &layer.kind {
            Kind::Flatten | Kind::Dropout { .. } => {}
            Kind::Conv2D { activation, .. } if pooled && activation != "Softmax" => {
                stages.push((i, Some(i + 1)));
                i += 1;
            }
            _ => stages.push((i, None)),
        }
        i += 1;
    }
    stages
}
