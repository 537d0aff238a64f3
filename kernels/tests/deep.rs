//! A network of many layers compiles and runs: what is computed at compile time over its layers loops over them.

use thumbnet::arch::Backend;
use thumbnet::network::forward;
use thumbnet::{Network, sequential};

/// Dense layers of these names, one after the other.
macro_rules! deep {
    ($($name:ident)*) => {
        sequential! {
            /// Two hundred layers.
            pub struct Deep: [1, 1, 2] {
                $($name: Dense { units: 2 },)*
            }
        }
    };
}

deep! {
    d0 d1 d2 d3 d4 d5 d6 d7 d8 d9 d10 d11 d12 d13 d14 d15 d16 d17 d18 d19 d20 d21 d22 d23 d24 d25 d26 d27 d28 d29 d30
    d31 d32 d33 d34 d35 d36 d37 d38 d39 d40 d41 d42 d43 d44 d45 d46 d47 d48 d49 d50 d51 d52 d53 d54 d55 d56 d57 d58
    d59 d60 d61 d62 d63 d64 d65 d66 d67 d68 d69 d70 d71 d72 d73 d74 d75 d76 d77 d78 d79 d80 d81 d82 d83 d84 d85 d86
    d87 d88 d89 d90 d91 d92 d93 d94 d95 d96 d97 d98 d99 d100 d101 d102 d103 d104 d105 d106 d107 d108 d109 d110 d111
    d112 d113 d114 d115 d116 d117 d118 d119 d120 d121 d122 d123 d124 d125 d126 d127 d128 d129 d130 d131 d132 d133
    d134 d135 d136 d137 d138 d139 d140 d141 d142 d143 d144 d145 d146 d147 d148 d149 d150 d151 d152 d153 d154 d155
    d156 d157 d158 d159 d160 d161 d162 d163 d164 d165 d166 d167 d168 d169 d170 d171 d172 d173 d174 d175 d176 d177
    d178 d179 d180 d181 d182 d183 d184 d185 d186 d187 d188 d189 d190 d191 d192 d193 d194 d195 d196 d197 d198 d199
}

#[test]
fn two_hundred_layers() {
    assert_eq!(Deep::PARAMETERS, 200 * 6);
    // Each layer adds its bias (1, 2) to what it swaps.
    let weights = [0.0, 1.0, 1.0, 0.0, 1.0, 2.0].repeat(200);
    let mut memory = vec![0.0; Deep::inference_len(1)];
    let outputs = forward::<Deep>(Backend::detect(), &weights, &[0.5, 0.25], &mut memory).unwrap();
    // Two layers add 1 + 2 to both values and swap them back.
    assert_eq!(outputs, [0.5 + 300.0, 0.25 + 300.0]);
}
