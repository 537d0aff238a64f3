//! The `sequential!` macro of thumbnet. Documented where it is re-exported: `thumbnet::sequential!`.

mod expand;
mod layer;
mod network;

use proc_macro::TokenStream;

/// Defines a network. See `thumbnet::sequential!`.
#[proc_macro]
pub fn sequential(input: TokenStream) -> TokenStream {
    let network = syn::parse_macro_input!(input as network::Network);
    expand::expand(&network).into()
}
