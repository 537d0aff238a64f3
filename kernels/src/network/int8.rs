//! The quantised network as a type.

use core::marker::PhantomData;

use super::{Network, Run, SharedMemory, WorkingMemory};
use crate::arch::{Backend, Detected};
use crate::infer::{self, LayerS8, Parts};
use crate::int8::Affine;

/// A network quantised to int8, its weights borrowed from the blob that was read.
///
/// All that could go wrong was checked when the blob was read: [`predict`](Self::predict) neither fails nor panics.
///
/// `B` is the back end: [`Detected`], or one that [`with_backend`](Self::with_backend) chose.
#[derive(Clone, Copy, Debug)]
pub struct Int8<'a, N: Network, B = Detected> {
    backend: B,
    parts: Parts<'a>,
    network: PhantomData<N>,
}

impl<'a, N: Network> Int8<'a, N> {
    /// A network of a blob that was checked against it.
    pub(crate) fn new(parts: Parts<'a>) -> Self {
        Self { backend: Detected::new(), parts, network: PhantomData }
    }
}

impl<'a, N: Network, B: Into<Backend> + Copy> Int8<'a, N, B> {
    /// The same network on another back end; the results are the same.
    pub fn with_backend(self, backend: Backend) -> Int8<'a, N, Backend> {
        Int8 { backend, parts: self.parts, network: PhantomData }
    }

    /// The kernels that run.
    pub fn backend(&self) -> Backend {
        self.backend.into()
    }

    /// Scale and zero point of the input.
    pub fn input(&self) -> Affine {
        self.parts.input()
    }

    /// Scale and zero point of the scores.
    pub fn output(&self) -> Affine {
        self.parts.output()
    }

    /// The parts of the blob.
    pub fn parts(&self) -> Parts<'a> {
        self.parts
    }

    /// The tensors and parameters of a step of `N::STEPS_S8`; `None` if there are not so many.
    pub fn layer(&self, step: usize) -> Option<LayerS8<'a>> {
        self.parts.layer(step, &N::STEPS_S8.get(step)?.op)
    }

    /// The outputs for one image. `memory` is working memory; its contents before do not matter.
    ///
    /// Many outputs are better written where they are wanted, by [`predict_into`](Self::predict_into).
    ///
    /// ```
    /// use thumbnet::{Network, include_blob};
    /// # thumbnet::sequential! {
    /// #     pub struct MnistSmall: [28, 28, 1] {
    /// #         conv1: Conv2D { filters: 8, kernel_size: 3, padding: Same, activation: Relu },
    /// #         pool1: MaxPooling2D { pool_size: 2 },
    /// #         conv2: Conv2D { filters: 16, kernel_size: 3, padding: Same, activation: Relu },
    /// #         pool2: MaxPooling2D { pool_size: 2 },
    /// #         flatten: Flatten,
    /// #         dense1: Dense { units: 32, activation: Relu },
    /// #         dense2: Dense { units: 10, activation: Softmax },
    /// #     }
    /// # }
    ///
    /// let blob = include_blob!(concat!(env!("CARGO_MANIFEST_DIR"), "/../models/blobs/mnist_small.plain.tnb"));
    /// let network = MnistSmall::from_blob(blob)?;
    /// // What the image's real values are on the network's scale: here a black one.
    /// let image = [network.input().quantize(0.0); 28 * 28];
    /// // On a device rather a static, or an array on the stack.
    /// let mut memory = Box::new(MnistSmall::ZERO_MEMORY);
    /// let scores = network.predict(&image, &mut memory);
    /// let probability = network.output().dequantize(scores[7]);
    /// assert!((0.0..=1.0).contains(&probability));
    /// # Ok::<(), thumbnet::blob::BlobError>(())
    /// ```
    pub fn predict(&self, image: &N::Image, memory: &mut N::Memory) -> N::Scores {
        let mut scores = N::ZERO_SCORES;
        self.predict_into(image, memory, &mut scores);
        scores
    }

    /// As [`predict`](Self::predict), with the outputs written to `scores`, whose contents before do not matter.
    #[inline(always)] // A frame less on a device's stack.
    pub fn predict_into(&self, image: &N::Image, memory: &mut N::Memory, scores: &mut N::Scores) {
        self.run(image, memory.parts(), scores);
    }

    /// As [`predict`](Self::predict), in memory that several networks use in turn. One that is too small for this
    /// network does not compile.
    pub fn predict_in<const BYTES: usize>(&self, image: &N::Image, memory: &mut SharedMemory<BYTES>) -> N::Scores {
        let mut scores = N::ZERO_SCORES;
        self.run(image, memory.parts::<N>(), &mut scores);
        scores
    }

    /// Begins what [`predict`](Self::predict) does, to be done step by step.
    pub fn start<'r>(&self, image: &'r N::Image, memory: &'r mut N::Memory) -> Run<'r, N, B>
    where
        'a: 'r,
    {
        Run::new(*self, image, memory.parts())
    }

    /// As [`start`](Self::start), in memory that several networks use in turn, one after the other.
    pub fn start_in<'r, const BYTES: usize>(
        &self,
        image: &'r N::Image,
        memory: &'r mut SharedMemory<BYTES>,
    ) -> Run<'r, N, B>
    where
        'a: 'r,
    {
        Run::new(*self, image, memory.parts::<N>())
    }

    #[inline(always)] // As above.
    fn run(&self, image: &N::Image, (activations, scratch): (&mut [i8], &mut [i32]), scores: &mut N::Scores) {
        let output = infer::run::<N::UsesS8>(
            self.backend.into(),
            &self.parts,
            N::STEPS_S8,
            image.as_ref(),
            activations,
            scratch,
        );
        for (score, value) in scores.as_mut().iter_mut().zip(output) {
            *score = *value;
        }
    }
}
