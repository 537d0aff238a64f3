//! Every command of `host-train` for this project's network.

host_train::main_with!(slices_network::Fruits);
