//! Every command of `host-train` for this project's network.

host_train::main_with!(shapes_network::Shapes);
