//! Families of Cortex-M cores, and the scratch that the int8 kernels of each work in: known on every target, so that a
//! PC can say what a network takes on a device.
pub(super) mod helium;
pub(super) mod pairs;
mod thumb1;

use super::int8::check_pool;
use crate::geometry::Geometry;
use crate::int8::Packing;
pub(super) use thumb1::Thumb1;

/// Cores that run the same int8 kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cores {
    /// Armv6-M, and Armv8-M's baseline: Cortex-M0, M0+, M23.
    Thumb1,
    /// Thumb-2 without the DSP extension: Cortex-M3.
    Thumb,
    /// With the DSP extension: Cortex-M4, M7, M33.
    Dsp,
    /// With Helium: Cortex-M52, M55, M85.
    Helium,
}

impl Cores {
    /// Every family.
    pub const ALL: [Self; 4] = [Self::Thumb1, Self::Thumb, Self::Dsp, Self::Helium];

    /// The cores' names.
    pub const fn names(self) -> &'static str {
        match self {
            Self::Thumb1 => "Cortex-M0, M0+",
            Self::Thumb => "Cortex-M3",
            Self::Dsp => "Cortex-M4, M7, M33",
            Self::Helium => "Cortex-M55, M85",
        }
    }

    /// What [`Backend::conv_s8_scratch_len`](super::Backend::conv_s8_scratch_len) is on these cores.
    ///
    /// # Panics
    ///
    /// If `pool` is no pooling of the convolution's output.
    pub const fn conv_s8_scratch_len(self, geometry: &Geometry, pool: Option<&Geometry>) -> usize {
        check_pool(geometry, pool);
        match self {
            Self::Thumb1 => Thumb1::new(geometry, pool).words(),
            Self::Thumb => pairs::conv_s8_scratch_len::<Thumb>(geometry, pool),
            Self::Dsp => pairs::conv_s8_scratch_len::<Dsp>(geometry, pool),
            Self::Helium => helium::Plan::new(geometry, pool).scratch_len(),
        }
    }

    /// What [`Backend::depthwise_conv_s8_scratch_len`](super::Backend::depthwise_conv_s8_scratch_len) is on these
    /// cores.
    pub const fn depthwise_conv_s8_scratch_len(self, geometry: &Geometry) -> usize {
        match self {
            Self::Thumb1 => {
                let [tiles, padding] = Thumb1::depthwise(geometry);
                tiles + padding
            }
            Self::Helium => helium::depthwise_words(geometry),
            Self::Thumb => depthwise_conv_s8_scratch_len::<Thumb>(geometry),
            Self::Dsp => depthwise_conv_s8_scratch_len::<Dsp>(geometry),
        }
    }

    /// What [`Backend::dense_s8_scratch_len`](super::Backend::dense_s8_scratch_len) is on these cores.
    pub const fn dense_s8_scratch_len(self, inputs: usize, units: usize) -> usize {
        match self {
            Self::Thumb1 | Self::Helium => 0,
            Self::Thumb => dense_s8_scratch_len::<Thumb>(inputs, units),
            Self::Dsp => dense_s8_scratch_len::<Dsp>(inputs, units),
        }
    }
}

/// How a core's dense layer cuts its work.
pub(super) trait DenseCut {
    /// Inputs of a stretch. Even, and at most [`Packing::SUM_LIMIT`].
    const INPUTS: usize;

    /// The words that two inputs take.
    const WORDS_FOR_TWO: usize;
}

/// How a core's depthwise convolution cuts its work.
pub(super) trait DepthwiseCut {
    /// The most columns of a strip.
    const COLUMNS: usize;

    /// The words that a column of four channels takes in a strip.
    const COLUMN_WORDS: usize;

    /// The words of what is known of a channel.
    const CHANNEL_WORDS: usize;
}

/// [`Cores::Thumb`].
pub(super) struct Thumb;
/// [`Cores::Dsp`].
pub(super) struct Dsp;

impl DenseCut for Thumb {
    const INPUTS: usize = 256;
    const WORDS_FOR_TWO: usize = 2;
}

impl DenseCut for Dsp {
    const INPUTS: usize = 512;
    const WORDS_FOR_TWO: usize = 1;
}

impl DepthwiseCut for Thumb {
    const COLUMNS: usize = 17;
    const COLUMN_WORDS: usize = 16;
    const CHANNEL_WORDS: usize = 12;
}

impl DepthwiseCut for Dsp {
    const COLUMNS: usize = 34;
    const COLUMN_WORDS: usize = 8;
    const CHANNEL_WORDS: usize = 9;
}

// Sums of pairs of weights overflow after more.
const _: () = {
    let longest = [Thumb::INPUTS, Dsp::INPUTS];
    let mut i = 0;
    while i < longest.len() {
        assert!(longest[i] <= Packing::SUM_LIMIT && longest[i] % 2 == 0);
        i += 1;
    }
};

/// Pairs of filters whose sums wait in scratch at a time, and fours of units.
pub(super) const BLOCK: usize = 32;

/// The words of a tile: two filters over four pixels.
pub(super) const TILE: usize = 8;

/// The words of a dense layer's stretch.
pub(super) const fn expanded_words<C: DenseCut>(inputs: usize) -> usize {
    let inputs = if inputs < C::INPUTS { inputs } else { C::INPUTS };
    inputs.div_ceil(2) * C::WORDS_FOR_TWO
}

/// The words of scratch that a dense layer needs.
pub(super) const fn dense_s8_scratch_len<C: DenseCut>(inputs: usize, units: usize) -> usize {
    let fours = units / 4;
    expanded_words::<C>(inputs) + (if fours < BLOCK { fours } else { BLOCK }) * 4 + units % 4
}

/// How a depthwise convolution is cut.
#[derive(Clone, Copy)]
#[cfg_attr(
    not(any(thumbnet_dsp, thumbnet_thumb2)),
    expect(dead_code, reason = "only the kernels need more than the size")
)]
pub(super) struct DepthwisePlan {
    /// The step of the window, down and right: 1 or 2.
    pub(super) stride: usize,
    /// Columns of outputs that are made from a strip.
    pub(super) outputs: usize,
    /// Columns of the strip.
    pub(super) columns: usize,
}

impl DepthwisePlan {
    /// `None` of windows larger than 3 x 3, of other strides, of channels that become several, and of less than four.
    pub(super) const fn new<C: DepthwiseCut>(geometry: &Geometry) -> Option<Self> {
        let ([height, width], [down, stride]) = (geometry.kernel(), geometry.strides());
        let channels = geometry.input().channels;
        if height > 3 || width > 3 || down != stride || !matches!(stride, 1 | 2) || channels < 4 {
            return None;
        }
        if geometry.output().channels != channels {
            return None;
        }
        let (most, all) = ((C::COLUMNS - 3) / stride + 1, geometry.output().width);
        let outputs = if all < most { all } else { most };
        Some(Self { stride, outputs, columns: (outputs - 1) * stride + 3 })
    }
}

/// The words of scratch that a depthwise convolution needs.
pub(super) const fn depthwise_conv_s8_scratch_len<C: DepthwiseCut>(geometry: &Geometry) -> usize {
    match (DepthwisePlan::new::<C>(geometry), depthwise_taps_words(geometry)) {
        (Some(plan), _) => 4 * C::CHANNEL_WORDS + plan.columns * C::COLUMN_WORDS,
        (None, Some(words)) => words,
        (None, None) => 0,
    }
}

/// The words for a list of taps, two each, and for the inputs of all where channels become several. `None` where the
/// scalar kernel computes it: of less than four channels, and where these are too many.
pub(super) const fn depthwise_taps_words(geometry: &Geometry) -> Option<usize> {
    const MOST: usize = 512;
    let ([height, width], channels) = (geometry.kernel(), geometry.output().channels);
    let spread = if geometry.input().channels == channels || geometry.input().channels == 1 { 0 } else { channels };
    if channels < 4 || height > MOST || width > MOST || spread > 4 * MOST {
        return None;
    }
    let words = height * width * 2 + (height * width * spread).div_ceil(4);
    if words <= MOST { Some(words) } else { None }
}
