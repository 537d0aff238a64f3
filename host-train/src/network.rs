//! The networks known by name. What is generic over the network becomes a [`NetworkVisitor`]; here alone the types are listed.

use thumbnet::Network;
use thumbnet_models::{MnistConvNet, MnistSmall};

/// Something done with a network whose type is known only at run time.
pub trait NetworkVisitor {
    /// What it gives.
    type Output;

    /// Does it with the network `N`.
    fn visit<N: Network>(self) -> Self::Output;
}

/// No network has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown network `{name}`; known are {}", NAMES.join(", "))]
pub struct UnknownNetwork {
    /// The name.
    pub name: String,
}

/// Declares every network once, under the name for the command line.
macro_rules! networks {
    ($($name:literal => $network:ty,)+) => {
        /// The names of all networks, as the command line has them.
        pub const NAMES: &[&str] = &[$($name),+];

        /// Does `visitor` with the network of that name: a command-line name or the type's.
        ///
        /// # Errors
        ///
        /// [`UnknownNetwork`], where there is none.
        pub fn with_network<V: NetworkVisitor>(name: &str, visitor: V) -> Result<V::Output, UnknownNetwork> {
            $(
                if name == $name || name == <$network>::NAME {
                    return Ok(visitor.visit::<$network>());
                }
            )+
            Err(UnknownNetwork { name: name.into() })
        }
    };
}

networks! {
    "mnist-convnet" => MnistConvNet,
    "mnist-small" => MnistSmall,
}

/// The name of network `N` for the command line and for folders.
pub fn short_name<N: Network>() -> &'static str {
    struct Name;
    impl NetworkVisitor for Name {
        type Output = &'static str;
        fn visit<N: Network>(self) -> &'static str {
            N::NAME
        }
    }
    NAMES.iter().copied().find(|name| with_network(name, Name).is_ok_and(|found| found == N::NAME)).unwrap_or(N::NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Parameters;
    impl NetworkVisitor for Parameters {
        type Output = usize;
        fn visit<N: Network>(self) -> usize {
            N::PARAMETERS
        }
    }

    #[test]
    fn finds_networks_by_both_names() {
        assert_eq!(with_network("mnist-convnet", Parameters), Ok(3_529_354));
        assert_eq!(with_network("MnistConvNet", Parameters), Ok(3_529_354));
        assert_eq!(with_network("mnist-small", Parameters), Ok(26_698));
        assert_eq!(short_name::<MnistSmall>(), "mnist-small");
    }

    #[test]
    fn lists_what_is_known() {
        let error = with_network("resnet", Parameters).unwrap_err();
        assert_eq!(error.to_string(), "unknown network `resnet`; known are mnist-convnet, mnist-small");
    }
}
