use crate::support::{Random, backends, bits};
use thumbnet::arch::{Backend, Trainable};

const LEN: usize = 70_003;

/// Weights and states after three steps.
fn run(step: impl Fn(u32, Trainable<'_>, &[f32]), states: usize) -> [Vec<f32>; 3] {
    let mut random = Random(10);
    let mut weights = random.values(LEN);
    let mut state = [0, 1].map(|i| if i < states { vec![0.0; LEN] } else { Vec::new() });
    for t in 1..=3 {
        let gradient = random.values(LEN);
        let [first, second] = &mut state;
        step(t, Trainable { weights: &mut weights, state: [first, second] }, &gradient);
    }
    let [first, second] = state;
    [weights, first, second]
}

/// Fails unless every back end gives the scalar back end's bits; returns these.
fn same_bits(name: &str, states: usize, step: impl Fn(Backend, u32, Trainable<'_>, &[f32])) -> [Vec<f32>; 3] {
    let want = run(|t, parameters, g| step(Backend::SCALAR, t, parameters, g), states);
    for backend in backends() {
        let got = run(|t, parameters, g| step(backend, t, parameters, g), states);
        for (got, want) in got.iter().zip(&want) {
            assert_eq!(bits(got), bits(want), "{} {name}", backend.name());
        }
    }
    want
}

/// The same steps in f64 by the given rule `(t, w, state, g)`, for the first weights.
fn exact(rule: impl Fn(i32, &mut f64, &mut [f64; 2], f64)) -> Vec<f64> {
    let mut random = Random(10);
    let mut weights: Vec<f64> = random.values(LEN).into_iter().map(f64::from).collect();
    let mut state = vec![[0.0; 2]; LEN];
    for t in 1..=3 {
        let gradient = random.values(LEN);
        for ((w, state), g) in weights.iter_mut().zip(&mut state).zip(gradient) {
            rule(t, w, state, f64::from(g));
        }
    }
    weights
}

/// A step is a dozen roundings, of values of about the weight's size or less, except where a gradient is next to zero:
/// 1e-5 of the largest is far below what a wrong rule would give.
fn assert_near(name: &str, got: &[f32], want: &[f64]) {
    for (got, want) in got.iter().zip(want) {
        assert!((f64::from(*got) - want).abs() <= 1e-5, "{name}: {got}, should be {want}");
    }
}

#[test]
pub(crate) fn adadelta() {
    let got = same_bits("adadelta", 2, |backend, _, p, g| backend.adadelta(1.0, 0.95, 1e-7, p, g));
    let (rho, epsilon) = (f64::from(0.95f32), f64::from(1e-7f32));
    let want = exact(|_, w, [mean_gradient, mean_delta], g| {
        *mean_gradient = rho * *mean_gradient + (1.0 - rho) * g * g;
        let delta = -(*mean_delta + epsilon).sqrt() / (*mean_gradient + epsilon).sqrt() * g;
        *mean_delta = rho * *mean_delta + (1.0 - rho) * delta * delta;
        *w += delta;
    });
    assert_near("adadelta", &got[0], &want);
}

#[test]
pub(crate) fn sgd() {
    let got = same_bits("sgd", 0, |backend, _, p, g| backend.sgd(0.1, 0.0, false, p, g));
    assert_near("sgd", &got[0], &exact(|_, w, _, g| *w -= 0.1 * g));
    for nesterov in [false, true] {
        let got = same_bits("momentum", 1, |backend, _, p, g| backend.sgd(0.1, 0.9, nesterov, p, g));
        let want = exact(|_, w, [velocity, _], g| {
            *velocity = 0.9 * *velocity - 0.1 * g;
            *w += if nesterov { 0.9 * *velocity - 0.1 * g } else { *velocity };
        });
        assert_near("momentum", &got[0], &want);
    }
}

#[test]
pub(crate) fn adam() {
    let got = same_bits("adam", 2, |backend, t, p, g| backend.adam(0.001, 0.9, 0.999, 1e-7, t, p, g));
    let (beta_1, beta_2) = (f64::from(0.9f32), f64::from(0.999f32));
    let want = exact(|t, w, [m, v], g| {
        let alpha = 0.001 * (1.0 - beta_2.powi(t)).sqrt() / (1.0 - beta_1.powi(t));
        *m += (g - *m) * (1.0 - beta_1);
        *v += (g * g - *v) * (1.0 - beta_2);
        *w -= *m * alpha / (v.sqrt() + 1e-7);
    });
    assert_near("adam", &got[0], &want);
}
