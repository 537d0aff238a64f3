//! Dense layers in bf16: the formula in f64 of operands rounded to bf16, within the bound of f32; and, to the bit, the
//! order of sums that the documentation states.

use crate::support::{Exact, Random, add, assert_close, backends, bits, poison};
use thumbnet::arch::{Backend, Precision, Trainable};

/// The nearest bf16, ties to even; below 2^-126, zero.
fn round(x: f32) -> f32 {
    if x.is_nan() {
        return x;
    }
    if x.is_subnormal() {
        return 0.0f32.copysign(x);
    }
    let bits = x.to_bits();
    f32::from_bits((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
}

/// The sum over `k` of the products, from `start`, in `VDPBF16PS`'s order.
fn ordered(start: f32, depth: usize, factors: impl Fn(usize) -> [f32; 2]) -> f32 {
    let product = |sum: f32, k: usize| {
        let [a, b] = if k < depth { factors(k).map(round) } else { [0.0; 2] };
        a.mul_add(b, sum)
    };
    (0..depth).step_by(2).fold(start, |sum, k| product(product(sum, k + 1), k))
}

/// What a layer computes.
struct Results {
    y: Vec<f32>,
    dx: Vec<f32>,
    dkernel: Vec<f32>,
}

struct Layer {
    sizes: [usize; 3],
    x: Vec<f32>,
    kernel: Vec<f32>,
    bias: Vec<f32>,
    dy: Vec<f32>,
}

impl Layer {
    fn new([inputs, units, batch]: [usize; 3], random: &mut Random) -> Self {
        let [x, kernel, bias, dy] =
            [batch * inputs, inputs * units, units, batch * units].map(|len| random.values(len));
        Self { sizes: [inputs, units, batch], x, kernel, bias, dy }
    }

    fn run(&self, backend: Backend) -> Results {
        let [inputs, units, batch] = self.sizes;
        let mut scratch = poison(Backend::dense_scratch_len(inputs, units, batch));
        let [mut y, mut dx, mut dkernel] = [self.dy.len(), self.x.len(), self.kernel.len()].map(poison);
        backend.dense(inputs, units, batch, &self.x, &self.kernel, Some(&self.bias), false, &mut y, &mut scratch);
        backend.dense_input_gradient(inputs, units, batch, &self.dy, &self.kernel, &mut dx, &mut scratch);
        let mut weights = self.kernel.clone();
        let parameters = Trainable { weights: &mut weights, state: [&mut dkernel, &mut []] };
        let update = |_: usize, block: Trainable<'_>, gradient: &[f32]| {
            let [state, _] = block.state;
            state.copy_from_slice(gradient);
        };
        backend.dense_kernel_gradient(inputs, units, batch, &self.x, &self.dy, parameters, &update, &mut scratch);
        Results { y, dx, dkernel }
    }

    /// The layer in f64, of rounded operands.
    fn exact(&self) -> [Vec<Exact>; 3] {
        let [inputs, units, batch] = self.sizes;
        let [x, kernel, dy] =
            [&self.x, &self.kernel, &self.dy].map(|values| values.iter().map(|&x| round(x)).collect::<Vec<_>>());
        let mut y: Vec<Exact> =
            self.bias.iter().map(|&b| (b.into(), b.abs().into())).cycle().take(batch * units).collect();
        let (mut dx, mut dkernel) = (vec![(0.0, 0.0); x.len()], vec![(0.0, 0.0); kernel.len()]);
        for b in 0..batch {
            for i in 0..inputs {
                for u in 0..units {
                    add(&mut y[b * units + u], x[b * inputs + i], kernel[i * units + u]);
                    add(&mut dx[b * inputs + i], dy[b * units + u], kernel[i * units + u]);
                    add(&mut dkernel[i * units + u], x[b * inputs + i], dy[b * units + u]);
                }
            }
        }
        [y, dx, dkernel]
    }

    /// The same to the bit.
    fn ordered(&self) -> Results {
        let [inputs, units, batch] = self.sizes;
        let Self { x, kernel, bias, dy, .. } = self;
        let y = |at: usize| {
            let (b, u) = (at / units, at % units);
            ordered(bias[u], inputs, |i| [x[b * inputs + i], kernel[i * units + u]])
        };
        let dx = |at: usize| {
            let (b, i) = (at / inputs, at % inputs);
            ordered(0.0, units, |u| [dy[b * units + u], kernel[i * units + u]])
        };
        let dkernel = |at: usize| {
            let (i, u) = (at / units, at % units);
            ordered(0.0, batch, |b| [x[b * inputs + i], dy[b * units + u]])
        };
        Results {
            y: (0..dy.len()).map(y).collect(),
            dx: (0..x.len()).map(dx).collect(),
            dkernel: (0..kernel.len()).map(dkernel).collect(),
        }
    }
}

fn check(sizes: [usize; 3], random: &mut Random) {
    let [inputs, units, batch] = sizes;
    let layer = Layer::new(sizes, random);
    for backend in backends() {
        let Some(backend) = backend.with_precision(Precision::Bf16) else { continue };
        let what = |part| format!("{} {part}, {inputs} inputs, {units} units, batch {batch}", backend.name());
        let (got, exact, ordered) = (layer.run(backend), layer.exact(), layer.ordered());
        // A single sample's outputs are made in f32.
        if batch > 1 {
            assert_close(&what("dense"), &got.y, &exact[0], inputs + 1);
            assert!(bits(&got.y) == bits(&ordered.y), "{}", what("order of dense"));
        }
        assert_close(&what("input gradient"), &got.dx, &exact[1], units);
        assert!(bits(&got.dx) == bits(&ordered.dx), "{}", what("order of the input gradient"));
        assert_close(&what("kernel gradient"), &got.dkernel, &exact[2], batch);
        assert!(bits(&got.dkernel) == bits(&ordered.dkernel), "{}", what("order of the kernel gradient"));
    }
}

#[test]
fn equals_the_formula_of_rounded_operands_for_any_size() {
    let mut random = Random(31);
    for case in 0..100 {
        let most = if case % 4 == 0 { 300 } else { 70 };
        check([random.between(1, most), random.between(1, most), random.between(1, 33)], &mut random);
    }
}

/// Sizes at which blocks, panels, words and copies begin and end.
#[test]
pub(crate) fn equals_the_formula_of_rounded_operands_at_the_edges_of_blocks() {
    for sizes in [
        [512, 128, 14],
        [513, 129, 15],
        [1030, 256, 50],
        [511, 255, 2],
        [33, 2048, 3],
        [287, 33, 15],
        [320, 64, 14],
        [30, 2049, 29],
        [784, 10, 1],
        [2, 1, 2],
        [1, 2, 1],
        [1, 1, 1],
    ] {
        check(sizes, &mut Random(32));
    }
}

/// The documentation's rules, a number each, times one or times a small factor.
#[test]
pub(crate) fn rounds_as_is_said() {
    let (ulp, tiny) = (1.0 / 128.0, 2.0f32.powi(-100));
    for (x, weight, want) in [
        (1.0 + ulp / 2.0, 1.0, 1.0),
        (1.0 + 1.5 * ulp, 1.0, 1.0 + 2.0 * ulp),
        (-1.0 - 0.51 * ulp, 1.0, -1.0 - ulp),
        (1.0, 1.0 + 1.5 * ulp, 1.0 + 2.0 * ulp),
        (f32::MAX, 1.0, f32::INFINITY),
        (f32::MIN_POSITIVE, 1.0, f32::MIN_POSITIVE),
        // An operand below 2^-126, and a sum.
        (f32::MIN_POSITIVE / 2.0, 1e9, 0.0),
        (tiny, tiny, 0.0),
        (tiny, 2.0f32.powi(-27), 0.0),
        (f32::NAN, 1.0, f32::NAN),
        (f32::INFINITY, -1.0, f32::NEG_INFINITY),
    ] {
        for backend in backends() {
            let Some(backend) = backend.with_precision(Precision::Bf16) else { continue };
            let (mut y, mut scratch) = (poison(2), poison(Backend::dense_scratch_len(1, 1, 2)));
            backend.dense(1, 1, 2, &[x; 2], &[weight], None, false, &mut y, &mut scratch);
            assert!(y.iter().all(|y| *y == want || (y.is_nan() && want.is_nan())), "{x} times {weight} is {y:?}");
        }
    }
}

#[test]
fn a_single_sample_is_computed_in_f32() {
    let layer = Layer::new([259, 77, 1], &mut Random(33));
    for backend in backends() {
        let Some(reduced) = backend.with_precision(Precision::Bf16) else { continue };
        assert_eq!(bits(&layer.run(reduced).y), bits(&layer.run(backend).y));
    }
}

#[test]
fn a_back_end_has_bf16_or_says_that_it_has_not() {
    for backend in backends() {
        assert_eq!(backend.with_precision(Precision::F32), Some(backend));
        let Some(reduced) = backend.with_precision(Precision::Bf16) else {
            println!("{} has no bf16 here", backend.name());
            continue;
        };
        assert_eq!((backend.name(), reduced.name()), ("avx512", "avx512-bf16"));
        assert_eq!(reduced.with_precision(Precision::Bf16), Some(reduced));
        assert_eq!(reduced.with_precision(Precision::F32), Some(backend));
        assert_eq!(Backend::with_name("avx512-bf16"), Some(reduced));
        assert!(!backends().contains(&reduced), "members of `available` agree within the error of f32");
    }
    assert_eq!(Backend::SCALAR.with_precision(Precision::Bf16), None);
}
