//! Of all colours that which tells ink from paper best becomes one plane.
//!
//! Red ink on blue paper may be as bright as the paper, and a camera's 12 bits in 16 are black if one looks at the
//! upper 8. Contrast is therefore looked for in colours of full depth: each pixel differs from the paper around it by a
//! vector, and the axis along which these vectors spread most is that of ink against paper.

use image::{DynamicImage, Rgb32FImage, RgbImage, imageops, imageops::FilterType};
use imageproc::{definitions::Image, filter, map::map_subpixels};

use super::{Plane, quantile};

/// The longer side of the picture in which the rough ground is looked for.
const ROUGH: u32 = 40;
/// How far a median reaches, of that picture's longer side.
const AROUND: f32 = 0.4;
/// Noise is smoothed over this share of the longer side, but never over more than a pixel.
const SMOOTHED: f32 = 1.0 / 400.0;

/// A picture's shades along the axis of most contrast, on which paper is at one end and ink at the other.
pub(super) struct Contrast {
    colours: Rgb32FImage,
    axis: [f32; 3],
}

/// Finds the axis, and on which side of the paper ink is.
pub(super) fn find(picture: &DynamicImage) -> Contrast {
    let mut colours = flatten(picture);
    let depth = picture.color().bytes_per_pixel() / picture.color().channel_count();
    let white = white(&colours, depth);
    colours.iter_mut().for_each(|value| *value = (*value / white).min(1.0));
    let longer = picture.width().max(picture.height()) as f32;
    let sigma = f32::min(longer * SMOOTHED, 1.0);
    if sigma > 0.3 {
        colours = filter::gaussian_blur_f32(&colours, sigma);
    }
    let ground = rough_ground(&colours, longer * AROUND);
    let differences = || {
        colours.pixels().zip(ground.pixels()).map(|(colour, ground)| {
            let [red, green, blue] = colour.0;
            [red - ground[0], green - ground[1], blue - ground[2]]
        })
    };
    let axis = principal_axis(differences());
    // Cubes, so that a few strong differences outweigh many weak ones: light falls unevenly, but ink is much darker.
    let skew: f32 = differences().map(|difference| dot(axis, difference).powi(3)).sum();
    // A difference of grey by 1 is one of length sqrt(3).
    let towards_ink = if skew <= 0.0 { 1.0 } else { -1.0 } / 3f32.sqrt();
    Contrast { colours, axis: axis.map(|value| towards_ink * value) }
}

impl Contrast {
    /// Each pixel's shade: that of ink is lower than that of paper.
    pub(super) fn shades(&self) -> Plane {
        self.along(&self.colours)
    }

    /// The rough ground: each pixel's median over the picture around it, up to `radius` pixels away.
    pub(super) fn ground(&self, radius: f32) -> Plane {
        let (width, height) = self.colours.dimensions();
        self.along(&rough_ground(&self.colours, radius.min(width.max(height) as f32 * AROUND)))
    }

    fn along(&self, picture: &Rgb32FImage) -> Plane {
        Plane::from_fn(picture.width(), picture.height(), |x, y| {
            image::Luma([dot(self.axis, picture.get_pixel(x, y).0)])
        })
    }
}

/// The colours of a picture as seen on paper. What is transparent shows the paper: white, or black if what is visible
/// is bright; if most is visible, the paper is of the visible colours' mean.
fn flatten(picture: &DynamicImage) -> Rgb32FImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb32f();
    }
    let pixels = picture.to_rgba32f();
    let (mut weight, mut sums) = (0.0, [0.0; 3]);
    for pixel in pixels.pixels() {
        let [colour @ .., alpha] = pixel.0.map(f64::from);
        weight += alpha;
        sums.iter_mut().zip(colour).for_each(|(sum, value)| *sum += value * alpha);
    }
    let mean = sums.map(|sum| (sum / f64::max(weight, 1e-6)) as f32);
    let is_opaque = weight > 0.5 * f64::from(pixels.width()) * f64::from(pixels.height());
    let is_bright = mean.iter().sum::<f32>() >= 1.5;
    let paper = match (is_opaque, is_bright) {
        (true, _) => mean,
        (false, true) => [0.0; 3],
        (false, false) => [1.0; 3],
    };
    Rgb32FImage::from_fn(pixels.width(), pixels.height(), |x, y| {
        let [colour @ .., alpha] = pixels.get_pixel(x, y).0;
        image::Rgb([0, 1, 2].map(|channel| colour[channel] * alpha + paper[channel] * (1.0 - alpha)))
    })
}

/// What counts as white: the brightest shade but for a few hot pixels. A picture may be dark, of 8 bits by a factor of
/// 4 and of 16 by one of 64; more would make writing of its noise.
fn white(colours: &Rgb32FImage, bytes: u8) -> f32 {
    let mut brightest: Vec<f32> = colours.pixels().map(|colour| colour.0.into_iter().fold(0.0, f32::max)).collect();
    let least = if bytes > 1 { 1.0 / 64.0 } else { 1.0 / 4.0 };
    quantile(&mut brightest, 0.999).max(least)
}

/// Each pixel's median over a large part of the picture around it: paper, unless most of that part is ink. A median
/// keeps the edges of shadows.
fn rough_ground(colours: &Rgb32FImage, radius: f32) -> Rgb32FImage {
    let (width, height) = colours.dimensions();
    let reduction = f64::max(f64::from(width.max(height)) / f64::from(ROUGH), 1.0);
    let small = |len: u32| ((f64::from(len) / reduction) as u32).max(1);
    let shades: RgbImage = map_subpixels(colours, |value: f32| (value * 255.0).round() as u8);
    let rough = imageops::thumbnail(&shades, small(width), small(height));
    let radius = (f64::from(radius) / reduction).ceil() as u32;
    // The filter repeats the edge's pixels, and a frame would be most of what it sees there.
    let mirrored = |at: u32, len: u32| {
        let at = (i64::from(at) - i64::from(radius)).rem_euclid(2 * i64::from(len)) as u32;
        at.min(2 * len - 1 - at)
    };
    let wider = RgbImage::from_fn(rough.width() + 2 * radius, rough.height() + 2 * radius, |x, y| {
        *rough.get_pixel(mirrored(x, rough.width()), mirrored(y, rough.height()))
    });
    let median: RgbImage = filter::median_filter(&wider, radius, radius);
    let median = imageops::crop_imm(&median, radius, radius, rough.width(), rough.height()).to_image();
    let median: Image<image::Rgb<f32>> = map_subpixels(&median, |value: u8| f32::from(value) / 255.0);
    imageops::resize(&median, width, height, FilterType::Triangle)
}

/// The direction of length 1 along which `differences` spread most. Large ones count more than their squares, so that a
/// stroke outweighs the noise of a whole page.
fn principal_axis(differences: impl Iterator<Item = [f32; 3]>) -> [f32; 3] {
    let mut spread = [[0f32; 3]; 3];
    for difference in differences {
        let square = dot(difference, difference);
        for (row, a) in spread.iter_mut().zip(difference) {
            row.iter_mut().zip(difference).for_each(|(sum, b)| *sum += square * a * b);
        }
    }
    // Power iteration, begun at the column that is longest and so has a part along the axis.
    let mut axis = spread.into_iter().max_by(|a, b| dot(*a, *a).total_cmp(&dot(*b, *b))).unwrap_or([1.0; 3]);
    for _ in 0..32 {
        let length = dot(axis, axis).sqrt();
        if length <= f32::MIN_POSITIVE {
            axis = [1.0; 3];
        }
        let length = dot(axis, axis).sqrt();
        axis = axis.map(|value| value / length);
        axis = spread.map(|row| dot(row, axis));
    }
    let length = dot(axis, axis).sqrt();
    let axis = if length > f32::MIN_POSITIVE { axis.map(|value| value / length) } else { [1.0 / 3f32.sqrt(); 3] };
    // Brighter is the positive direction.
    if axis.iter().sum::<f32>() < 0.0 { axis.map(|value| -value) } else { axis }
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a.into_iter().zip(b).map(|(a, b)| a * b).sum()
}
