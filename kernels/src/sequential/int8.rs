//! The quantised network.

use super::{Network, StageVisitor, WorkingMemory};
use crate::arch::{Backend, Detected};
use crate::geometry::Geometry;
use crate::layer::Layer;
use crate::quant::{Affine, LayerS8};

/// A network quantised to int8, its weights borrowed from the blob that was read.
///
/// All that could go wrong was checked when the blob was read: [`predict`](Self::predict) neither fails nor panics.
///
/// `B` is the back end: [`Detected`], or one that [`with_backend`](Self::with_backend) chose.
#[derive(Clone, Copy, Debug)]
pub struct Int8<'a, N: Network, B = Detected> {
    backend: B,
    tensors: N::Tensors<'a>,
    input: Affine,
    output: Affine,
}

impl<'a, N: Network> Int8<'a, N> {
    /// A network from its checked tensors, one for each stage.
    pub(crate) fn new(tensors: N::Tensors<'a>, input: Affine, output: Affine) -> Self {
        Self { backend: Detected::new(), tensors, input, output }
    }
}

impl<'a, N: Network, B: Into<Backend> + Copy> Int8<'a, N, B> {
    /// The same network on another back end; the results are the same.
    pub fn with_backend(self, backend: Backend) -> Int8<'a, N, Backend> {
        let Self { tensors, input, output, .. } = self;
        Int8 { backend, tensors, input, output }
    }

    /// The kernels that run.
    pub fn backend(&self) -> Backend {
        self.backend.into()
    }

    /// Scale and zero point of the input.
    pub fn input(&self) -> Affine {
        self.input
    }

    /// Scale and zero point of the scores.
    pub fn output(&self) -> Affine {
        self.output
    }

    /// The tensors of every stage, in the order of `N::STAGES`.
    pub fn tensors(&self) -> &[LayerS8<'a>] {
        self.tensors.as_ref()
    }

    /// The outputs for one image. `memory` is working memory; its contents before do not matter.
    pub fn predict(&self, image: &N::Image, memory: &mut N::Memory) -> N::Scores {
        let (activations, scratch) = memory.parts();
        let mut pass = Pass {
            backend: self.backend.into(),
            tensors: self.tensors.as_ref(),
            input: Some(image.as_ref()),
            activations,
            at_front: false,
            len: 0,
            scratch,
        };
        N::visit_stages(&mut pass);
        let Pass { activations, at_front, len, .. } = pass;
        let start = if at_front { 0 } else { activations.len() - len };
        let mut scores = N::ZERO_SCORES;
        for (score, value) in scores.as_mut().iter_mut().zip(&activations[start..]) {
            *score = *value;
        }
        scores
    }
}

/// The state between two stages.
struct Pass<'a, 'm> {
    backend: Backend,
    /// Those of the stages not yet visited.
    tensors: &'a [LayerS8<'a>],
    /// The image until a stage has read it.
    input: Option<&'a [i8]>,
    activations: &'m mut [i8],
    /// Where in `activations` the last stage's output lies.
    at_front: bool,
    len: usize,
    scratch: &'m mut [i32],
}

impl StageVisitor for Pass<'_, '_> {
    #[inline(always)]
    fn stage<L: Layer>(&mut self, pool: Option<&'static Geometry>) {
        let Some((tensors, after)) = self.tensors.split_first() else { return };
        self.tensors = after;
        let len = pool.map_or(L::OUTPUT.len(), |pool| pool.output().len());
        let total = self.activations.len();
        let at_front = !self.at_front;
        // The last output lies at one end; this one goes to the other.
        let (front, back) = self.activations.split_at_mut(if at_front { len } else { total - len });
        let (x, y) = if at_front { (&back[back.len() - self.len..], front) } else { (&front[..self.len], back) };
        let x = self.input.take().unwrap_or(x);
        L::forward_s8(self.backend, tensors, pool, x, y, self.scratch);
        self.at_front = at_front;
        self.len = len;
    }
}
