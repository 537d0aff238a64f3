//! Copies that rearrange the right operand of a dense layer's products.

crate::arch::x86_64::pack_f32::define_pack_f32!("avx512f");
