//! The digit is scaled and placed as MNIST's are.
//!
//! MNIST's procedure (LeCun, Cortes, Burges; "The MNIST database"): the digit's bounding box is scaled, keeping its
//! aspect ratio, to fit 20 x 20 pixels with antialiasing, and placed in a field of 28 x 28 so that the centre of mass
//! is at the field's centre. Ink is bright on a dark ground.

use image::{GrayImage, Luma, imageops, imageops::FilterType};
use imageproc::{distance_transform::Norm, morphology};
use thumbnet::geometry::Shape;

use super::{Mask, Plane};

/// The side of the digit's box, of 28.
const BOX: u32 = 20;
/// The side of the field that [`BOX`] is meant for.
const FIELD: u32 = 28;
/// Strokes thinner than this, in pixels of the result, would be lost or faint: MNIST's are two to four pixels thick.
const THIN: f32 = 1.4;
/// How thick thin strokes are made.
const THICKENED: f32 = 2.2;

/// Scales the ink, 0 to 1, which has nothing around it, and places it by its centre of mass.
pub(super) fn place(ink: &Plane, input: Shape) -> GrayImage {
    let (field_width, field_height) = (input.width as u32, input.height as u32);
    let side = (field_width.min(field_height) * BOX / FIELD).max(1);
    let ink = thickened(ink, side);

    let (width, height) = ink.dimensions();
    let longer = u64::from(width.max(height));
    let scaled = |len: u32| ((u64::from(len) * u64::from(side) + longer / 2) / longer).max(1) as u32;
    // The filter's reach grows with the reduction, so that every pixel of the picture counts.
    let digit = imageops::resize(&ink, scaled(width), scaled(height), FilterType::Triangle);

    let (mut weight, mut sums) = (0.0, [0.0; 2]);
    for (x, y, amount) in digit.enumerate_pixels() {
        let amount = f64::from(amount[0]);
        weight += amount;
        sums[0] += amount * f64::from(x);
        sums[1] += amount * f64::from(y);
    }
    // The centre of 28 pixels is taken at index 14, where MNIST has it (its images' mean centre is at 14.0, 14.0).
    let offset = |field: u32, len: u32, sum: f64| {
        let offset = f64::from(field) / 2.0 - sum / f64::max(weight, f64::MIN_POSITIVE);
        (offset.round() as i64).clamp(0, i64::from(field - len))
    };
    let x = offset(field_width, digit.width(), sums[0]);
    let y = offset(field_height, digit.height(), sums[1]);
    let digit: GrayImage = imageproc::map::map_subpixels(&digit, |amount: f32| (amount * 255.0).round() as u8);
    let mut field = GrayImage::new(field_width, field_height);
    imageops::replace(&mut field, &digit, x, y);
    field
}

/// The ink with strokes thick enough to survive its reduction to `side` pixels.
fn thickened(ink: &Plane, side: u32) -> Plane {
    let scale = ink.width().max(ink.height()) as f32 / side as f32;
    let mask: Mask = imageproc::map::map_subpixels(ink, |amount: f32| if amount > 0.25 { 255u8 } else { 0 });
    let thickness = thickness(&mask);
    if thickness >= THIN * scale {
        return ink.clone();
    }
    let radius = ((THICKENED * scale - thickness) / 2.0).round().clamp(0.0, 254.0) as u8;
    let margin = u32::from(radius);
    let mut wider = Mask::new(ink.width() + 2 * margin, ink.height() + 2 * margin);
    imageops::replace(&mut wider, &mask, i64::from(margin), i64::from(margin));
    morphology::dilate_mut(&mut wider, Norm::L2, radius);
    Plane::from_fn(wider.width(), wider.height(), |x, y| Luma([f32::from(wider.get_pixel(x, y)[0]) / 255.0]))
}

/// How thick the strokes are on average: a stroke's area is its length times its thickness, and its outline is twice as
/// long.
fn thickness(mask: &Mask) -> f32 {
    let has = |x: u32, y: u32| mask.get_pixel_checked(x, y).is_some_and(|ink| ink[0] > 0);
    let (mut area, mut outline) = (0u32, 0u32);
    for (x, y, _) in mask.enumerate_pixels().filter(|(.., ink)| ink[0] > 0) {
        area += 1;
        let around = [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)];
        outline += around.into_iter().filter(|(x, y)| !has(*x, *y)).count() as u32;
    }
    // An outline counted in sides of pixels is 4 / pi times as long as it is, over all directions.
    let outline = outline as f32 * std::f32::consts::FRAC_PI_4;
    2.0 * area as f32 / outline.max(1.0)
}
