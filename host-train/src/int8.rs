//! Quantised networks on the host: a blob in memory, and what it makes of a data set.

use std::io;
use std::path::Path;

use rayon::prelude::*;
use thumbnet::blob::BlobError;
use thumbnet::train::argmax;
use thumbnet::{Int8, Network};

use crate::data::Dataset;

/// A blob at an address where it can be read in place.
#[derive(Clone, Debug)]
pub struct BlobFile {
    /// `u128` is aligned to 16 bytes, as blobs must be.
    blocks: Vec<u128>,
    len: usize,
}

impl BlobFile {
    /// A copy of `bytes`.
    pub fn new(bytes: &[u8]) -> Self {
        let mut blocks = vec![0; bytes.len().div_ceil(16)];
        bytemuck::cast_slice_mut(&mut blocks)[..bytes.len()].copy_from_slice(bytes);
        Self { blocks, len: bytes.len() }
    }

    /// The bytes of a file.
    ///
    /// # Errors
    ///
    /// Those of reading it.
    pub fn read(path: &Path) -> io::Result<Self> {
        Ok(Self::new(&std::fs::read(path)?))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.blocks)[..self.len]
    }

    /// The network in it.
    ///
    /// # Errors
    ///
    /// [`BlobError`], when it is not a blob of this network.
    pub fn network<N: Network>(&self) -> Result<Int8<'_, N>, BlobError> {
        N::from_blob(self.bytes())
    }
}

/// The int8 outputs for every image of a data set, computed on all threads.
pub fn scores<N: Network>(network: &Int8<'_, N>, data: &Dataset) -> Vec<N::Scores> {
    let input = network.input();
    // One entry for each pixel value: the same rounding as the device's, without a division a pixel.
    let table: Vec<i8> = (0..=255u8).map(|pixel| input.quantize(f32::from(pixel) / 255.0)).collect();
    let indices = (0..data.len()).into_par_iter();
    let work = || Box::new((N::ZERO_IMAGE, N::ZERO_MEMORY));
    let predict = |work: &mut Box<(N::Image, N::Memory)>, index| {
        let (image, memory) = &mut **work;
        for (value, pixel) in image.as_mut().iter_mut().zip(data.image(index)) {
            *value = table[usize::from(*pixel)];
        }
        network.predict(image, memory)
    };
    indices.map_init(work, predict).collect()
}

/// How many images of a data set a quantised network classifies right.
pub fn count_correct(scores: &[impl AsRef<[i8]>], data: &Dataset) -> usize {
    scores.iter().enumerate().filter(|(i, scores)| argmax(scores.as_ref()) == usize::from(data.label(*i))).count()
}
