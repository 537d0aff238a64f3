//! Every command of `host-train` for this project's networks.

host_train::main_with!(two_networks_network::Belt, two_networks_network::Fruits);
