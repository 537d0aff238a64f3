//! The f32 forward pass.

use core::fmt;

use super::{Network, Visitor, plan};
use crate::arch::{Backend, parallel};
use crate::layer::{Context, Layer, LayerInfo};

/// Why a forward pass cannot run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ForwardError {
    /// Which buffer has the wrong length.
    pub what: &'static str,
    /// Its length.
    pub len: usize,
    /// The length that is needed.
    pub needed: usize,
}

impl fmt::Display for ForwardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has {} values, but {} are needed", self.what, self.len, self.needed)
    }
}

impl core::error::Error for ForwardError {}

/// Computes the outputs of a batch: `x.len() / INPUT.len()` samples, `OUTPUT.len()` values each.
///
/// `memory` has at least `N::inference_len(batch)` values.
///
/// # Errors
///
/// [`ForwardError`] names the buffer that has the wrong length.
pub fn forward<'m, N: Network>(
    backend: Backend,
    weights: &[f32],
    x: &[f32],
    memory: &'m mut [f32],
) -> Result<&'m [f32], ForwardError> {
    run::<N>(backend, weights, x, memory, None)
}

/// [`forward`] with at least `N::observed_len(batch)` values of memory, showing to `observe` the outputs of each layer as it is
/// computed, with the layer's number. The outputs are those before sigmoid, tanh and softmax, as calibration needs them.
///
/// # Errors
///
/// [`ForwardError`] names the buffer that has the wrong length.
pub fn forward_observed<'m, N: Network>(
    backend: Backend,
    weights: &[f32],
    x: &[f32],
    memory: &'m mut [f32],
    observe: &mut Observer<'_>,
) -> Result<&'m [f32], ForwardError> {
    run::<N>(backend, weights, x, memory, Some(&mut *observe))
}

/// What is shown the outputs of each layer.
type Observer<'a> = dyn FnMut(usize, &[f32]) + Send + 'a;

fn run<'a, 'm, N: Network>(
    backend: Backend,
    weights: &'a [f32],
    x: &'a [f32],
    memory: &'m mut [f32],
    observe: Option<&'a mut Observer<'a>>,
) -> Result<&'m [f32], ForwardError> {
    let batch = x.len() / N::INPUT.len();
    let check = |what, len, needed, fits| if fits { Ok(()) } else { Err(ForwardError { what, len, needed }) };
    check("weights", weights.len(), N::PARAMETERS, weights.len() == N::PARAMETERS)?;
    check("x", x.len(), batch.max(1) * N::INPUT.len(), batch > 0 && x.len() == batch * N::INPUT.len())?;
    let (needed, scratch) = match observe {
        None => (N::inference_len(batch), plan::inference_scratch(N::LAYERS, batch)),
        Some(_) => (N::observed_len(batch), plan::largest_scratch(N::LAYERS, batch)),
    };
    check("memory", memory.len(), needed, memory.len() >= needed)?;

    let values = needed - scratch;
    let (tensors, scratch) = memory.split_at_mut(values);
    let cx = Context { backend, batch, dropout_seed: None };
    let mut pass = Pass {
        cx,
        layers: N::LAYERS,
        weights,
        input: Some(x),
        tensors,
        at_front: false,
        len: x.len(),
        scratch,
        layer: 0,
        pooled: false,
        observe,
    };
    parallel::inside(batch * N::MACS, || N::NEW.visit(&mut pass));
    let Pass { tensors, at_front, len, .. } = pass;
    Ok(if at_front { &tensors[..len] } else { &tensors[values - len..] })
}

/// The state between two layers.
struct Pass<'a, 'm> {
    cx: Context,
    layers: &'static [LayerInfo<'static>],
    weights: &'a [f32],
    /// The network's input until a layer has read it.
    input: Option<&'a [f32]>,
    tensors: &'m mut [f32],
    /// Where in `tensors` the last layer's output lies.
    at_front: bool,
    len: usize,
    scratch: &'m mut [f32],
    layer: usize,
    /// Whether the next layer is a max pooling that is done already.
    pooled: bool,
    observe: Option<&'a mut Observer<'a>>,
}

impl Visitor for Pass<'_, '_> {
    fn layer<L: Layer>(&mut self, layer: &L) {
        let (weights, after) = self.weights.split_at(L::KERNEL_LEN + L::BIAS_LEN);
        self.weights = after;
        let number = self.layer;
        self.layer += 1;
        if core::mem::take(&mut self.pooled) || layer.is_identity(&self.cx) && self.input.is_none() {
            return;
        }
        let pool = match self.observe {
            None => plan::fused_pool(self.layers, number),
            Some(_) => None,
        };
        self.pooled = pool.is_some();
        let len = self.cx.batch * pool.map_or(L::OUTPUT.len(), |pool| pool.output().len());
        let at_front = !self.at_front;
        let (x, y) = match (self.input.take(), at_front) {
            (Some(input), true) => (input, &mut self.tensors[..len]),
            (Some(input), false) => {
                let start = self.tensors.len() - len;
                (input, &mut self.tensors[start..])
            }
            (None, true) => {
                let (front, back) = self.tensors.split_at_mut(self.tensors.len() - self.len);
                (&*back, &mut front[..len])
            }
            (None, false) => {
                let (front, back) = self.tensors.split_at_mut(self.len);
                let start = back.len() - len;
                (&*front, &mut back[start..])
            }
        };
        layer.forward_linear(&self.cx, weights, pool.as_ref(), x, y, self.scratch);
        if let Some(observe) = &mut self.observe {
            observe(number, y);
        }
        layer.activate(&self.cx, y);
        self.at_front = at_front;
        self.len = len;
    }
}
