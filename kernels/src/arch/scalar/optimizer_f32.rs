//! Optimizer steps, element by element. Every back end compiles these lines: only `+ - * / sqrt`, each rounded once, so
//! the results are the same bits everywhere (Rust never contracts a product and a sum into one rounding).

/// The correctly rounded square root.
#[inline(always)]
fn sqrt(x: f32) -> f32 {
    #[cfg(feature = "std")]
    return x.sqrt();
    #[cfg(not(feature = "std"))]
    libm::sqrtf(x)
}

/// Keras's Adadelta (`keras/src/optimizers/adadelta.py`; M. Zeiler, "ADADELTA: an adaptive learning rate method",
/// 2012). Keras divides one root by another; the root of the quotient is the same number, with one rounding and one
/// slow instruction less.
#[inline(always)]
pub(in crate::arch) fn adadelta(
    [learning_rate, rho, epsilon]: [f32; 3],
    weights: &mut [f32],
    [mean_gradient, mean_delta]: [&mut [f32]; 2],
    gradient: &[f32],
) {
    let rest = 1.0 - rho;
    for (((w, mean_gradient), mean_delta), g) in weights.iter_mut().zip(mean_gradient).zip(mean_delta).zip(gradient) {
        *mean_gradient = rho * *mean_gradient + rest * (g * g);
        let delta = -(sqrt((*mean_delta + epsilon) / (*mean_gradient + epsilon)) * g);
        *mean_delta = rho * *mean_delta + rest * (delta * delta);
        *w += learning_rate * delta;
    }
}

/// Keras's SGD without momentum: `w -= learning_rate * g`.
#[inline(always)]
pub(in crate::arch) fn sgd(learning_rate: f32, weights: &mut [f32], gradient: &[f32]) {
    weights.iter_mut().zip(gradient).for_each(|(w, g)| *w -= learning_rate * g);
}

/// Keras's SGD with momentum (`keras/src/optimizers/sgd.py`): `v = momentum * v - learning_rate * g`, then `w += v`, or
/// with Nesterov's look ahead `w += momentum * v - learning_rate * g`.
#[inline(always)]
pub(in crate::arch) fn sgd_momentum(
    [learning_rate, momentum]: [f32; 2],
    nesterov: bool,
    weights: &mut [f32],
    velocity: &mut [f32],
    gradient: &[f32],
) {
    for ((w, v), g) in weights.iter_mut().zip(velocity).zip(gradient) {
        let step = learning_rate * g;
        *v = momentum * *v - step;
        *w += if nesterov { momentum * *v - step } else { *v };
    }
}

/// Keras's Adam (`keras/src/optimizers/adam.py`; D. Kingma, J. Ba, "Adam: a method for stochastic optimization", 2015):
/// `alpha` already holds the bias corrections, and `epsilon` stands outside the root.
#[inline(always)]
pub(in crate::arch) fn adam(
    [alpha, beta_1, beta_2, epsilon]: [f32; 4],
    weights: &mut [f32],
    [momentum, velocity]: [&mut [f32]; 2],
    gradient: &[f32],
) {
    let (rest_1, rest_2) = (1.0 - beta_1, 1.0 - beta_2);
    for (((w, m), v), g) in weights.iter_mut().zip(momentum).zip(velocity).zip(gradient) {
        *m += (g - *m) * rest_1;
        *v += (g * g - *v) * rest_2;
        *w -= *m * alpha / (sqrt(*v) + epsilon);
    }
}
