//! Pictures: damaged files, and whole ones of any content.
#![no_main]

use std::io::Cursor;

use host_train::pictures::read_digit;
use image::{DynamicImage, GrayAlphaImage, GrayImage, ImageBuffer, ImageFormat, Luma, RgbImage, RgbaImage};
use libfuzzer_sys::fuzz_target;
use thumbnet::geometry::Shape;
use thumbnet_fuzz::{Source, edited, file};

/// A picture of any size and kind, of some strokes.
fn picture(source: &mut Source<'_>) -> DynamicImage {
    let side = if source.one_in(4) { 300 } else { 40 };
    let (width, height) = (source.between(1, side) as u32, source.between(1, side) as u32);
    let kind = source.between(0, 4);
    let (ground, ink, every) = (source.number(), source.number(), source.between(1, 9) as u32);
    let box_of = [source.between(0, 40), source.between(0, 40), source.between(0, 40), source.between(0, 40)];
    let [left, top, right, bottom] = box_of.map(|at| at as u32 * side as u32 / 40);
    let value = |x: u32, y: u32, channel: u32| {
        let inside = (left..right).contains(&x) && (top..bottom).contains(&y) && (x + 2 * y).is_multiple_of(every);
        (if inside { ink } else { ground } >> (8 * channel)) as u8
    };
    let rgba = |x, y| [0, 1, 2, 3].map(|channel| value(x, y, channel));
    match kind {
        0 => GrayImage::from_fn(width, height, |x, y| Luma([value(x, y, 0)])).into(),
        1 => RgbImage::from_fn(width, height, |x, y| image::Rgb([0, 1, 2].map(|channel| value(x, y, channel)))).into(),
        2 => RgbaImage::from_fn(width, height, |x, y| image::Rgba(rgba(x, y))).into(),
        3 => GrayAlphaImage::from_fn(width, height, |x, y| image::LumaA([value(x, y, 0), value(x, y, 1)])).into(),
        _ => DynamicImage::ImageLuma16(ImageBuffer::from_fn(width, height, |x, y| {
            Luma([u16::from_le_bytes([value(x, y, 0), value(x, y, 1)])])
        })),
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((how, data)) = data.split_first() else { return };
    let (head, tail) = data.split_at(data.len().min(64));
    let mut bytes = Vec::new();
    let picture = picture(&mut Source::new(head));
    let written = match how % 2 {
        0 => picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png),
        _ => picture.to_rgb8().write_to(&mut Cursor::new(&mut bytes), ImageFormat::Jpeg),
    };
    written.expect("a picture of these sizes can be written");
    if how & 2 != 0 {
        bytes = edited(&bytes, tail);
    }
    let input = [Shape::new(28, 28, 1), Shape::new(4, 50, 1)][usize::from(how / 4 % 2)];
    if let Ok(digit) = read_digit(file(&bytes, "").path(), input) {
        assert_eq!(digit.pixels.len(), input.len());
    }
});
