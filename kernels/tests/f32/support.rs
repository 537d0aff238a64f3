//! Back ends to test, numbers to test with, and comparison.

use thumbnet::{
    arch::Backend,
    geometry::{Geometry, Padding, Shape},
};

/// Every back end of this machine. `THUMBNET_REQUIRE_BACKENDS=avx2,avx512` makes it a failure to lack one of these, so
/// that a machine for tests cannot pass by testing nothing.
pub(crate) fn backends() -> Vec<Backend> {
    let required = std::env::var("THUMBNET_REQUIRE_BACKENDS").unwrap_or_default();
    for name in required.split(',').filter(|name| !name.is_empty()) {
        assert!(Backend::with_name(name).is_some(), "THUMBNET_REQUIRE_BACKENDS asks for {name}, which this CPU lacks");
    }
    Backend::available().collect()
}

/// SplitMix64, for reproducible cases.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of `from..=to`.
    pub(crate) fn between(&mut self, from: usize, to: usize) -> usize {
        from + (self.next() % (to - from + 1) as u64) as usize
    }

    /// `len` values of -1..1.
    pub(crate) fn values(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0).collect()
    }

    /// A window of any kind over an input with these channels.
    pub(crate) fn geometry(&mut self, channels: usize, filters: usize) -> Geometry {
        let input = Shape::new(self.between(1, 13), self.between(1, 13), channels);
        self.geometry_over(input, filters)
    }

    /// A window of any kind over this input.
    pub(crate) fn geometry_over(&mut self, input: Shape, filters: usize) -> Geometry {
        loop {
            let kernel = [self.between(1, 5), self.between(1, 5)];
            let strides = [self.between(1, 3), self.between(1, 3)];
            let strides = if self.next().is_multiple_of(2) { [1, 1] } else { strides };
            let padding = if self.next().is_multiple_of(2) { Padding::Same } else { Padding::Valid };
            if let Ok(g) = Geometry::new(input, filters, kernel, strides, padding) {
                return g;
            }
        }
    }
}

/// What a call says when it panics, which it must.
pub(crate) fn refusal(call: impl FnOnce()) -> String {
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).expect_err("this must be refused");
    let literal = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    literal.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap()
}

/// The value in f64, and the sum of its terms' absolute values.
pub(crate) type Exact = (f64, f64);

/// Fails unless each value is as close to the exact one as a sum of `terms` products can be held to be.
pub(crate) fn assert_close(what: &str, got: &[f32], exact: &[Exact], terms: usize) {
    assert_eq!(got.len(), exact.len(), "{what}");
    for (i, (&got, &(want, magnitude))) in got.iter().zip(exact).enumerate() {
        let bound = 1.5 * (terms + 1) as f64 * f64::from(f32::EPSILON) / 2.0 * magnitude;
        let error = (f64::from(got) - want).abs();
        assert!(error <= bound, "{what}: value {i} is {got}, should be {want}: off by {error:e}, allowed {bound:e}");
    }
}

/// Adds the product to an exact sum.
pub(crate) fn add(sum: &mut Exact, a: f32, b: f32) {
    let product = f64::from(a) * f64::from(b);
    *sum = (sum.0 + product, sum.1 + product.abs());
}

/// As many values as nobody should read: what a kernel must overwrite.
pub(crate) fn poison(len: usize) -> Vec<f32> {
    vec![f32::NAN; len]
}

/// The bits, to compare exactly.
pub(crate) fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}
