//! The networks known by name: here alone those of this program are listed. Files of weights and blobs hold their own.

use thumbnet::{Network, graph::Graph};
use thumbnet_models::{AutoEncoder, DsCnn, MnistConvNet, MnistResNet, MnistSmall, MnistTiny, MobileNetV1, ResNet8};

/// A network and its name for the command line and for folders.
pub type Named = (&'static str, Graph<'static>);

/// Every network, by the name that the command line has for it.
pub const NETWORKS: &[Named] = &[
    ("mnist-convnet", MnistConvNet::GRAPH),
    ("mnist-small", MnistSmall::GRAPH),
    ("mnist-tiny", MnistTiny::GRAPH),
    ("mnist-resnet", MnistResNet::GRAPH),
    ("resnet8", ResNet8::GRAPH),
    ("ds-cnn", DsCnn::GRAPH),
    ("mobilenet-v1", MobileNetV1::GRAPH),
    ("auto-encoder", AutoEncoder::GRAPH),
];

/// No network has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown network `{name}`; known are {known}, and those of files")]
pub struct UnknownNetwork {
    /// The name.
    pub name: String,
    /// The names that there are.
    pub known: String,
}

/// The networks' names, for texts.
pub fn names(networks: &[Named]) -> String {
    networks.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// The network of that name: a command-line name or the type's.
///
/// # Errors
///
/// [`UnknownNetwork`], where there is none.
pub fn find(networks: &[Named], name: &str) -> Result<Graph<'static>, UnknownNetwork> {
    let found = networks.iter().find(|(short, graph)| name == *short || name == graph.name);
    found.map(|(_, graph)| *graph).ok_or_else(|| UnknownNetwork { name: name.into(), known: names(networks) })
}

/// A network's name for the command line and for folders: that of the list, or its own in small letters, digits and
/// `-`.
pub fn short_name(network: &str) -> String {
    match NETWORKS.iter().find(|(_, graph)| graph.name == network) {
        Some((name, _)) => (*name).into(),
        None => snake_case(network).chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect(),
    }
}

/// Keras's `to_snake_case`: a word begins at a capital that follows a small letter or stands before one.
pub(crate) fn snake_case(class: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_networks_by_both_names() {
        assert_eq!(find(NETWORKS, "mnist-convnet").unwrap().parameters(), 3_529_354);
        assert_eq!(find(NETWORKS, "MnistConvNet").unwrap().parameters(), 3_529_354);
        assert_eq!(find(NETWORKS, "mnist-small").unwrap().parameters(), 26_698);
    }

    #[test]
    fn folders_are_named_after_any_network() {
        assert_eq!(short_name("ResNet8"), "resnet8");
        assert_eq!(short_name("DsCnn"), "ds-cnn");
        assert_eq!(short_name("../My Net"), "----my--net");
    }

    #[test]
    fn lists_what_is_known() {
        let error = find(NETWORKS, "resnet").unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown network `resnet`; known are mnist-convnet, mnist-small, mnist-tiny, mnist-resnet, resnet8, \
             ds-cnn, mobilenet-v1, auto-encoder, and those of files"
        );
    }
}
