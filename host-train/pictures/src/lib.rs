//! A picture of a digit, made into what a network trained on MNIST expects.
//!
//! One step a file, in this order:
//!
//! 1. `decode`: the file becomes an upright picture of colours, small enough to work on.
//! 2. `contrast`: of all colours that which tells ink from paper best becomes one plane, in which ink is dark.
//! 3. `ground`: ink is what is darker than the paper on both sides of it.
//! 4. `lines`: frames, boxes of forms and ruled lines are no ink of the digit.
//! 5. `parts`: of the connected parts that are left, those that make the digit are kept, and specks are not.
//! 6. `place`: the digit is scaled and placed as MNIST's are.
//!
//! What cannot be told for certain is either an error or a [`Digit::doubt`].

mod contrast;
mod decode;
mod ground;
mod lines;
mod parts;
mod place;
mod sheet;

use std::path::{Path, PathBuf};

use image::{DynamicImage, GrayImage, ImageError, ImageFormat, Luma, imageops::FilterType};
use imageproc::definitions::Image;
use thumbnet::geometry::Shape;

/// One value a pixel. Paper that is as bright as the picture's brightest is 1.
type Plane = Image<Luma<f32>>;

/// The least difference between ink and ground, of 1: less is not writing.
const LEAST_CONTRAST: f32 = 20.0 / 255.0;

/// Why a picture cannot be classified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The file cannot be read.
    #[error("{}: {}", path.display(), decode::reason(error))]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: ImageError,
    },
    /// The file is no picture, or one of another format.
    #[error("{}: {}, but PNG and JPEG are read", path.display(), decode::kind(*format))]
    Format {
        /// The file.
        path: PathBuf,
        /// The format of what is in it, if it is a known one.
        format: Option<ImageFormat>,
    },
    /// There are more pixels than anybody needs for a digit.
    #[error("{}: the picture has {width} x {height} pixels; at most {} are read", path.display(), decode::MOST_PIXELS)]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The picture's width.
        width: u32,
        /// The picture's height.
        height: u32,
    },
    /// The pixels do not fit into memory.
    #[error("{}: there is no memory for {bytes} bytes", path.display())]
    Memory {
        /// The file.
        path: PathBuf,
        /// What was wanted.
        bytes: usize,
    },
    /// Nothing in the picture can be a digit.
    #[error("{}: no digit found: {reason}", path.display())]
    NoDigit {
        /// The file.
        path: PathBuf,
        /// What was found in place of a digit.
        reason: NoDigit,
    },
    /// The network takes no pictures.
    #[error("a picture has 1 channel or 3, grey or RGB; the network takes {input}")]
    Channels {
        /// The network's input.
        input: Shape,
    },
    /// The network takes no pictures like these.
    #[error("a digit is one channel of at least 4 x 4 pixels; the network takes {input}")]
    Input {
        /// The network's input.
        input: Shape,
    },
}

/// What a picture without a digit shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoDigit {
    /// Everything has one shade.
    #[error(
        "shades differ from the ground around them, beyond the grain, by {contrast} of 255; ink must by {}",
        (LEAST_CONTRAST * 255.0).round()
    )]
    Blank {
        /// The largest difference from the ground, less the grain. The picture's brightest shade is 255.
        contrast: u8,
    },
    /// There are lines across the picture or a frame, and no more.
    #[error("all the ink is in lines that cross the picture or frame it")]
    OnlyLines,
    /// The largest part of the ink lies along the whole of an edge: a shadow, a table, a slope of light.
    #[error("the largest part of the ink is a band along an edge of the picture")]
    Edge,
    /// There are specks and no more.
    #[error("the largest spot of ink is {longest} pixels long, in a picture of {width} x {height}")]
    Specks {
        /// The longer side of the largest spot, in the picture's pixels.
        longest: u32,
        /// The picture's width.
        width: u32,
        /// The picture's height.
        height: u32,
    },
}

/// What was found in a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Digit {
    /// The pixels of a network's input.
    pub pixels: Vec<u8>,
    /// Why this may not be the digit that a person sees.
    pub doubt: Option<Doubt>,
}

/// Why the ink that was taken may not be a digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Doubt {
    /// There is more ink than one digit's.
    #[error("the picture has several large parts of ink")]
    SeveralParts,
    /// Faint ink was taken for a shadow.
    #[error("more of the ink is faint than strong, and was taken for a shadow")]
    Shaded,
    /// The ink may as well be a frame or a ruled line.
    #[error("all the ink is in one line that crosses the picture")]
    OnlyLines,
}

/// Reads a picture (PNG or JPEG, any size, grey or colour, with or without transparency, turned as its EXIF tag says)
/// and returns the pixels of a network's `input`, prepared as MNIST's are.
///
/// # Errors
///
/// [`PictureError`].
pub fn read_digit(path: &Path, input: Shape) -> Result<Digit, PictureError> {
    if input.channels != 1 || input.height.min(input.width) < 4 {
        return Err(PictureError::Input { input });
    }
    let picture = decode::read(path)?;
    find_digit(&picture.small, input).map_err(|reason| {
        let reason = match reason {
            NoDigit::Specks { longest, .. } => {
                NoDigit::Specks { longest: longest * picture.reduction, width: picture.width, height: picture.height }
            }
            blank => blank,
        };
        PictureError::NoDigit { path: path.into(), reason }
    })
}

/// Reads a picture as [`read_digit`] does, and returns it as bytes of a network's `input`: grey (luminance, as
/// [`image`](mod@image) weighs colours) for one channel, RGB for three. It is resized to the input's height and width,
/// whatever the ratio of its sides, each pixel a mean of those around it; transparency is not looked at.
///
/// # Errors
///
/// [`PictureError`], and [`PictureError::Channels`] for another number of channels.
pub fn read_picture(path: &Path, input: Shape) -> Result<Vec<u8>, PictureError> {
    let [width, height] = [input.width, input.height].map(|side| u32::try_from(side).unwrap_or(u32::MAX));
    if !matches!(input.channels, 1 | 3) || width == 0 || height == 0 {
        return Err(PictureError::Channels { input });
    }
    let picture = decode::read(path)?.small;
    let resized = |picture: DynamicImage| picture.resize_exact(width, height, FilterType::Triangle).into_bytes();
    Ok(resized(if input.channels == 1 { picture.to_luma8().into() } else { picture.to_rgb8().into() }))
}

/// The digit of an upright picture that is small enough to work on.
fn find_digit(picture: &DynamicImage, input: Shape) -> Result<Digit, NoDigit> {
    let is_small = picture.width() <= input.width as u32 && picture.height() <= input.height as u32;
    // Where the sheet has nothing on it, the picture may be of something else.
    let on_sheet = if is_small { None } else { sheet::cut(picture) };
    on_sheet
        .and_then(|sheet| find_ink(&sheet, input, false).ok())
        .map_or_else(|| find_ink(picture, input, is_small), Ok)
}

/// The digit of the whole picture.
fn find_ink(picture: &DynamicImage, input: Shape, is_small: bool) -> Result<Digit, NoDigit> {
    let contrast = contrast::find(picture);
    let ink = ground::ink(&contrast);
    let parts = parts::find(ink, is_small)?;
    let pixels = place::place(&parts.ink, input);
    Ok(Digit { pixels: pixels.into_raw(), doubt: parts.doubt })
}

/// Pixels that belong to something are 255, others 0.
type Mask = GrayImage;

/// The value below which `share` of `values` lie; 0 for none.
fn quantile(values: &mut [f32], share: f64) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let index = ((values.len() - 1) as f64 * share).round() as usize;
    *values.select_nth_unstable_by(index, f32::total_cmp).1
}

#[cfg(test)]
mod tests;
