//! A picture of a digit, made into what a network trained on MNIST expects.
//!
//! MNIST's procedure (LeCun, Cortes, Burges; "The MNIST database"): the digit's bounding box is scaled, keeping its aspect
//! ratio, to fit 20 x 20 pixels with antialiasing, and placed in a field of 28 x 28 so that the centre of mass is at the
//! field's centre. Ink is bright on a dark ground. Before that the ink has to be found: people write dark on white, in
//! colour, on a transparent ground.

use std::path::{Path, PathBuf};

use image::{
    DynamicImage, GrayImage, ImageError, ImageReader, Luma,
    imageops::{self, FilterType},
};
use thumbnet::geometry::Shape;

/// The side of the digit's box, of 28.
const BOX: u32 = 20;
/// The side of the field that [`BOX`] is meant for.
const FIELD: u32 = 28;
/// The least difference between ink and ground, of 255: less is not writing.
const LEAST_CONTRAST: u8 = 20;
/// Ink fainter than this, of 255, does not extend the box: the traces that JPEG and scanners leave around writing. Only in
/// pictures larger than the field; in smaller ones the faint rim of a stroke is a good part of a pixel of the result.
const FAINT: u8 = 64;

/// Why a picture cannot be classified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The file cannot be read or is no picture of a known format.
    #[error("{}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: ImageError,
    },
    /// Everything has one shade.
    #[error("{}: no digit found: shades differ from the ground, beyond the border's grain, by {contrast} of 255; ink must by {LEAST_CONTRAST}", path.display())]
    Blank {
        /// The file.
        path: PathBuf,
        /// The largest difference from the ground, less the grain.
        contrast: u8,
    },
    /// The network takes no pictures like these.
    #[error("a digit is one channel of at least 4 x 4 pixels; the network takes {input}")]
    Input {
        /// The network's input.
        input: Shape,
    },
}

/// Reads a picture (PNG or JPEG, any size, grey or colour, with or without transparency) and returns the pixels of a
/// network's `input`, prepared as MNIST's are.
///
/// # Errors
///
/// [`PictureError`].
pub fn read_digit(path: &Path, input: Shape) -> Result<Vec<u8>, PictureError> {
    if input.channels != 1 || input.height.min(input.width) < 4 {
        return Err(PictureError::Input { input });
    }
    let read = |error| PictureError::Read { path: path.into(), error };
    let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format);
    let picture = reader.map_err(ImageError::IoError).and_then(ImageReader::decode).map_err(read)?;
    let ink = ink(&picture).map_err(|contrast| PictureError::Blank { path: path.into(), contrast })?;
    Ok(place(&ink, input).into_raw())
}

/// How much ink is at each pixel, 0 to 255; the strongest ink is 255.
///
/// The ground is the border's median shade, and ink is what differs from it towards the side, darker or brighter, on
/// which the picture differs more. The error is the largest difference, where that is too small.
fn ink(picture: &DynamicImage) -> Result<GrayImage, u8> {
    let shades = flatten(picture);
    let mut border: Vec<u8> = shades
        .enumerate_pixels()
        .filter(|(x, y, _)| *x == 0 || *y == 0 || *x + 1 == shades.width() || *y + 1 == shades.height())
        .map(|(_, _, shade)| shade[0])
        .collect();
    let ground = median(&mut border);
    // Paper has a grain; three times the median deviation of the border counts as ground. Medians, since a stroke may
    // cross the border.
    let mut deviations: Vec<u8> = border.iter().map(|shade| shade.abs_diff(ground)).collect();
    let grain = median(&mut deviations).saturating_mul(3);

    let total = |differ: fn(u8, u8) -> u8| -> u64 {
        shades.pixels().map(|shade| u64::from(differ(shade[0], ground).saturating_sub(grain))).sum()
    };
    let darker = |shade: u8, ground: u8| ground.saturating_sub(shade);
    let is_dark = total(darker) > total(u8::saturating_sub);
    let amount = |shade: u8| {
        let difference = if is_dark { darker(shade, ground) } else { shade.saturating_sub(ground) };
        difference.saturating_sub(grain)
    };
    let most = shades.pixels().map(|shade| amount(shade[0])).max().unwrap_or(0);
    if most < LEAST_CONTRAST {
        return Err(most);
    }
    let scale = |shade: u8| ((u32::from(amount(shade)) * 255 + u32::from(most) / 2) / u32::from(most)) as u8;
    Ok(GrayImage::from_fn(shades.width(), shades.height(), |x, y| Luma([scale(shades.get_pixel(x, y)[0])])))
}

/// The shades of a picture as seen on paper: on white, or on black if what is visible is bright.
fn flatten(picture: &DynamicImage) -> GrayImage {
    if !picture.color().has_alpha() {
        return picture.to_luma8();
    }
    let pixels = picture.to_luma_alpha8();
    let (mut weight, mut sum) = (0u64, 0u64);
    for pixel in pixels.pixels() {
        let [shade, alpha] = pixel.0.map(u64::from);
        weight += alpha;
        sum += shade * alpha;
    }
    let paper = if sum < 128 * weight { 255 } else { 0 };
    GrayImage::from_fn(pixels.width(), pixels.height(), |x, y| {
        let [shade, alpha] = pixels.get_pixel(x, y).0.map(u32::from);
        Luma([((shade * alpha + paper * (255 - alpha) + 127) / 255) as u8])
    })
}

fn median(shades: &mut [u8]) -> u8 {
    let middle = shades.len() / 2;
    *shades.select_nth_unstable(middle).1
}

/// Scales the ink's bounding box and places it by its centre of mass.
fn place(ink: &GrayImage, input: Shape) -> GrayImage {
    let (field_width, field_height) = (input.width as u32, input.height as u32);
    let side = (field_width.min(field_height) * BOX / FIELD).max(1);

    let is_small = ink.width() <= field_width && ink.height() <= field_height;
    let faint = if is_small { 0 } else { FAINT };
    let inked = || ink.enumerate_pixels().filter(|(_, _, amount)| amount[0] > faint);
    // There is ink of 255, so each range has an end.
    let range = |positions: &mut dyn Iterator<Item = u32>| {
        let (low, high) = positions.fold((u32::MAX, 0), |(low, high), at| (low.min(at), high.max(at)));
        (low, high + 1 - low)
    };
    let (left, width) = range(&mut inked().map(|(x, _, _)| x));
    let (top, height) = range(&mut inked().map(|(_, y, _)| y));

    let longer = u64::from(width.max(height));
    let scaled = |len: u32| ((u64::from(len) * u64::from(side) + longer / 2) / longer).max(1) as u32;
    let digit = imageops::crop_imm(ink, left, top, width, height).to_image();
    // The filter's reach grows with the reduction, so that every pixel of the picture counts.
    let digit = imageops::resize(&digit, scaled(width), scaled(height), FilterType::Triangle);

    let (mut weight, mut sums) = (0.0, [0.0; 2]);
    for (x, y, amount) in digit.enumerate_pixels() {
        let amount = f64::from(amount[0]);
        weight += amount;
        sums[0] += amount * f64::from(x);
        sums[1] += amount * f64::from(y);
    }
    // The centre of 28 pixels is taken at index 14, where MNIST has it (its images' mean centre is at 14.0, 14.0).
    let offset = |field: u32, len: u32, sum: f64| {
        let offset = f64::from(field) / 2.0 - sum / f64::max(weight, 1.0);
        (offset.round() as i64).clamp(0, i64::from(field - len))
    };
    let x = offset(field_width, digit.width(), sums[0]);
    let y = offset(field_height, digit.height(), sums[1]);
    let mut field = GrayImage::new(field_width, field_height);
    imageops::replace(&mut field, &digit, x, y);
    field
}

#[cfg(test)]
mod tests;
