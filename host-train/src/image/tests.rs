use image::{Rgb, Rgba, RgbaImage};

use super::*;
use crate::data::Idx;

const INPUT: Shape = Shape::new(28, 28, 1);

/// The first test images of MNIST.
fn mnist() -> Vec<GrayImage> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/digits/t10k-images-idx3-ubyte");
    let images = Idx::read(&path, 3).unwrap();
    images.data.chunks(28 * 28).map(|pixels| GrayImage::from_raw(28, 28, pixels.to_vec()).unwrap()).collect()
}

/// A drawn 7 as ink, 0 to 255: a horizontal and a slanted stroke, `size` pixels high.
fn seven(width: u32, height: u32, [left, top]: [u32; 2], size: u32) -> GrayImage {
    let thickness = size / 8;
    GrayImage::from_fn(width, height, |x, y| {
        let (x, y) = (i64::from(x) - i64::from(left), i64::from(y) - i64::from(top));
        let (size, thickness) = (i64::from(size), i64::from(thickness));
        let wide = size * 2 / 3;
        let in_bar = (0..thickness).contains(&y) && (0..wide).contains(&x);
        let in_stroke = (0..size).contains(&y) && (x - (wide - thickness - y / 2)).abs() < thickness;
        Luma([if in_bar || in_stroke { 255 } else { 0 }])
    })
}

/// Writes `picture` in the format of `extension` and prepares it.
fn prepare(picture: impl Into<DynamicImage>, extension: &str) -> Result<Vec<u8>, PictureError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("digit.{extension}"));
    picture.into().save(&path).unwrap();
    read_digit(&path, INPUT)
}

/// Mean difference of two images, of 255.
fn difference(a: &[u8], b: &[u8]) -> f64 {
    let sum: u32 = a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
    f64::from(sum) / a.len() as f64
}

#[test]
fn mnist_images_stay_as_they_are() {
    for (number, image) in mnist().iter().enumerate() {
        let prepared = prepare(image.clone(), "png").unwrap();
        assert!(difference(&prepared, image) < 0.5, "image {number}: {}", difference(&prepared, image));
    }
}

/// Eight times as large, as dark ink somewhere on a page: nearly what MNIST has. A whole pixel's shift, which a rounding can
/// cause, makes a difference of about 20.
#[test]
fn mnist_images_survive_a_page() {
    let differences: Vec<f64> = mnist()
        .iter()
        .map(|image| {
            let large = imageops::resize(image, 224, 224, FilterType::CatmullRom);
            let mut page = GrayImage::new(500, 400);
            imageops::replace(&mut page, &large, 230, 11);
            imageops::invert(&mut page);
            difference(&prepare(page, "png").unwrap(), image)
        })
        .collect();
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    assert!(mean < 9.0 && differences.iter().all(|d| *d < 25.0), "{differences:.1?}");
}

#[test]
fn is_placed_as_mnist_places() {
    let prepared = GrayImage::from_raw(28, 28, prepare(seven(300, 200, [20, 30], 120), "png").unwrap()).unwrap();
    let rows: Vec<u32> = prepared.enumerate_pixels().filter(|(_, _, p)| p[0] > 0).map(|(_, y, _)| y).collect();
    assert_eq!(rows.iter().max().unwrap() - rows.iter().min().unwrap() + 1, 20, "the longer side has 20 pixels");
    let (mut weight, mut x_sum, mut y_sum) = (0.0, 0.0, 0.0);
    for (x, y, amount) in prepared.enumerate_pixels() {
        let amount = f64::from(amount[0]);
        weight += amount;
        x_sum += amount * f64::from(x);
        y_sum += amount * f64::from(y);
    }
    assert!((x_sum / weight - 14.0).abs() <= 0.5 && (y_sum / weight - 14.0).abs() <= 0.5);
}

#[test]
fn paper_colour_and_size_do_not_matter() {
    let ink = seven(300, 200, [20, 30], 120);
    let expected = prepare(ink.clone(), "png").unwrap();
    let map = |pixel: &dyn Fn(f32) -> [u8; 4]| {
        RgbaImage::from_fn(300, 200, |x, y| Rgba(pixel(f32::from(ink.get_pixel(x, y)[0]) / 255.0)))
    };
    let mix = |from: u8, to: u8, share: f32| (f32::from(from) + (f32::from(to) - f32::from(from)) * share) as u8;
    let opaque = |from: [u8; 3], to: [u8; 3]| {
        map(&move |share| [mix(from[0], to[0], share), mix(from[1], to[1], share), mix(from[2], to[2], share), 255])
    };
    for (what, picture) in [
        ("blue on cream", opaque([250, 245, 220], [20, 40, 160])),
        ("yellow on green", opaque([10, 60, 30], [250, 240, 60])),
        ("grey on grey", opaque([120, 120, 120], [80, 80, 80])),
        ("black on nothing", map(&|share| [0, 0, 0, (255.0 * share) as u8])),
        ("white on nothing", map(&|share| [255, 255, 255, (255.0 * share) as u8])),
    ] {
        let prepared = prepare(picture, "png").unwrap();
        assert!(difference(&prepared, &expected) < 0.5, "{what}: {}", difference(&prepared, &expected));
    }
    let larger = prepare(seven(1500, 1000, [100, 150], 600), "png").unwrap();
    assert!(difference(&larger, &expected) < 2.0, "larger: {}", difference(&larger, &expected));
    let cropped = prepare(imageops::crop_imm(&ink, 5, 25, 105, 130).to_image(), "png").unwrap();
    assert!(difference(&cropped, &expected) < 0.5, "cropped");
}

#[test]
fn grain_and_jpeg_are_no_ink() {
    let ink = seven(300, 200, [20, 30], 120);
    let expected = prepare(ink.clone(), "png").unwrap();
    let page = image::RgbImage::from_fn(300, 200, |x, y| {
        let grain = (x.wrapping_mul(2_654_435_761).wrapping_add(y.wrapping_mul(40_503)) >> 7) % 9;
        Rgb([235 - grain as u8 - ink.get_pixel(x, y)[0] / 255 * 190; 3])
    });
    for (what, prepared) in [("grain", prepare(page.clone(), "png")), ("jpeg", prepare(page, "jpg"))] {
        let prepared = prepared.unwrap();
        assert!(difference(&prepared, &expected) < 6.0, "{what}: {}", difference(&prepared, &expected));
    }
}

#[test]
fn says_what_is_wrong() {
    let text = prepare(GrayImage::from_pixel(40, 30, Luma([200])), "png").unwrap_err().to_string();
    assert!(text.contains("no digit found"), "{text}");
    let text = read_digit(Path::new("no-such.png"), INPUT).unwrap_err().to_string();
    assert!(text.starts_with("no-such.png: "), "{text}");
    let file = tempfile::NamedTempFile::with_suffix(".png").unwrap();
    std::fs::write(file.path(), "no picture").unwrap();
    read_digit(file.path(), INPUT).unwrap_err();
    let text = prepare_for(Shape::new(8, 8, 3)).to_string();
    assert!(text.contains("(8, 8, 3)"), "{text}");
}

fn prepare_for(input: Shape) -> PictureError {
    read_digit(Path::new("not-read.png"), input).unwrap_err()
}

#[test]
fn one_pixel_is_a_picture() {
    prepare(GrayImage::from_pixel(1, 1, Luma([0])), "png").unwrap_err();
    let mut dot = GrayImage::new(3, 3);
    dot.put_pixel(1, 1, Luma([255]));
    assert_eq!(prepare(dot, "png").unwrap().len(), 28 * 28);
}
