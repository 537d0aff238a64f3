mod pages;
mod reading;

use std::{fs, io::Write};

use image::{ImageBuffer, Rgb, RgbImage, Rgba, RgbaImage, imageops};

use super::*;

const INPUT: Shape = Shape::new(28, 28, 1);

/// The first test images of MNIST.
fn mnist() -> Vec<GrayImage> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/digits/t10k-images-idx3-ubyte");
    // Pixels follow 16 bytes of header.
    fs::read(path).unwrap()[16..]
        .chunks(28 * 28)
        .map(|pixels| GrayImage::from_raw(28, 28, pixels.to_vec()).unwrap())
        .collect()
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
    read_digit(&path, INPUT).map(|digit| digit.pixels)
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

/// Eight times as large, as dark ink somewhere on a page: nearly what MNIST has. A whole pixel's shift, which a
/// rounding can cause, makes a difference of about 20.
#[test]
fn mnist_images_survive_a_page() {
    let differences: Vec<f64> = mnist()
        .iter()
        .map(|image| {
            let large = imageops::resize(image, 224, 224, imageops::FilterType::CatmullRom);
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
    let page = RgbImage::from_fn(300, 200, |x, y| {
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

/// The drawn 7 as dark ink, 0 to 1, on a light page, as `shade` makes a page's shade at a place out of ink.
fn page(shade: impl Fn(u32, u32, f32) -> f32) -> GrayImage {
    let ink = seven(300, 200, [100, 40], 120);
    GrayImage::from_fn(300, 200, |x, y| {
        Luma([(shade(x, y, f32::from(ink.get_pixel(x, y)[0]) / 255.0) * 255.0).round() as u8])
    })
}

#[test]
fn what_is_around_a_digit_is_no_ink() {
    let dark = |ink: f32| 0.9 - 0.75 * ink;
    let expected = prepare(page(|_, _, ink| dark(ink)), "png").unwrap();
    let within = |at: u32, from: u32, len: u32| (from..from + len).contains(&at);
    type Shade<'a> = &'a dyn Fn(u32, u32, f32) -> f32;
    // A shadow of which the edge goes over the digit's corner, or across all of it.
    let shadow = |x: u32, y: u32, ink: f32, edge: u32| dark(ink) * if x + 2 * y < edge { 0.6 } else { 1.0 };
    let cases: [(&str, Shade); 14] = [
        ("frame", &|x, y, ink| if x < 4 || y < 4 || x >= 296 || y >= 196 { 0.0 } else { dark(ink) }),
        ("dark edge", &|_, y, ink| if y < 12 { 0.0 } else { dark(ink) }),
        ("line at the foot", &|_, y, ink| if within(y, 190, 2) { 0.1 } else { dark(ink) }),
        ("ruled lines", &|_, y, ink| dark(if within(y % 50, 20, 2) { 1.0 } else { ink })),
        ("slanted lines", &|x, y, ink| dark(if within((y + x / 40) % 50, 20, 2) { 1.0 } else { ink })),
        ("upright lines", &|x, _, ink| dark(if within(x % 70, 20, 2) { 1.0 } else { ink })),
        ("box", &|x, y, ink| {
            let is_outside = !within(x, 80, 130) || !within(y, 25, 150);
            let is_inside = within(x, 83, 124) && within(y, 28, 144);
            dark(if is_outside || is_inside { ink } else { 1.0 })
        }),
        ("one pixel", &|x, y, ink| if (x, y) == (290, 5) { 0.0 } else { dark(ink) }),
        ("specks", &|x, y, ink| dark(if x % 97 < 2 && y % 61 < 2 && ink == 0.0 { 1.0 } else { ink })),
        ("shadow over a corner", &|x, y, ink| shadow(x, y, ink, 200)),
        ("shadow over a half", &|x, y, ink| shadow(x, y, ink, 320)),
        ("light in a corner", &|x, y, ink| shadow(x, y, ink, 400)),
        ("slope", &|x, _, ink| dark(ink).min(0.9 - 0.4 * x as f32 / 300.0)),
        ("vignette", &|x, y, ink| {
            dark(ink) - 0.4 * ((x as f32 - 150.0) / 180.0).hypot((y as f32 - 100.0) / 180.0).powi(2)
        }),
    ];
    for (what, shade) in cases {
        let prepared = prepare(page(shade), "png").unwrap();
        assert!(difference(&prepared, &expected) < 9.0, "{what}: {}", difference(&prepared, &expected));
    }
}

/// Luma would show nothing: red and blue are equally bright, and 12 bits are the lower quarter of 16.
#[test]
fn contrast_is_looked_for_in_full_depth_and_colour() {
    let ink = seven(300, 200, [20, 30], 120);
    let expected = prepare(ink.clone(), "png").unwrap();
    let is_ink = |x: u32, y: u32| ink.get_pixel(x, y)[0] > 0;
    let colour = RgbImage::from_fn(300, 200, |x, y| Rgb(if is_ink(x, y) { [200, 20, 0] } else { [0, 76, 32] }));
    let twelve_bits: ImageBuffer<Luma<u16>, Vec<u16>> =
        ImageBuffer::from_fn(300, 200, |x, y| Luma([if is_ink(x, y) { 700 } else { 4095 }]));
    let ten_bits: ImageBuffer<Rgb<u16>, Vec<u16>> =
        ImageBuffer::from_fn(300, 200, |x, y| Rgb(if is_ink(x, y) { [900, 1000, 950] } else { [60, 60, 80] }));
    let (colour, twelve_bits, ten_bits) =
        (DynamicImage::from(colour), DynamicImage::from(twelve_bits), DynamicImage::from(ten_bits));
    for (what, picture) in [("colour", colour), ("12 bits", twelve_bits), ("10 bits", ten_bits)] {
        let prepared = prepare(picture, "png").unwrap();
        assert!(difference(&prepared, &expected) < 3.0, "{what}: {}", difference(&prepared, &expected));
    }
}

#[test]
fn pictures_are_turned_as_their_tag_says() {
    let folder = tempfile::tempdir().unwrap();
    let upright = DynamicImage::from(page(|_, _, ink| 0.9 - 0.75 * ink)).to_rgb8();
    let expected = prepare(upright.clone(), "png").unwrap();
    let path = folder.path().join("turned");
    for orientation in 1..=8 {
        let stored = pages::turned(&upright, orientation);
        let mut files = vec![pages::encode(&stored, orientation, true), pages::encode(&stored, orientation, false)];
        let plain = pages::encode(&stored, 1, false);
        // Some programs write the chunk behind the pixels, or begin it as in a JPEG.
        files.push(with_chunk_at_end(&plain, &pages::exif(orientation)));
        files.push(with_chunk_at_end(&plain, &[b"Exif\0\0".as_slice(), &pages::exif(orientation)].concat()));
        for (number, file) in files.iter().enumerate() {
            fs::write(&path, file).unwrap();
            let digit = read_digit(&path, INPUT).unwrap();
            let difference = difference(&digit.pixels, &expected);
            assert!(difference < 3.0, "orientation {orientation}, file {number}: {difference}");
        }
    }
}

/// A PNG, of which the eXIf chunk is taken away, with one before its end.
fn with_chunk_at_end(png: &[u8], exif: &[u8]) -> Vec<u8> {
    let mut rest = &png[8..];
    let mut file = png[..8].to_vec();
    while let Some(len) = rest.first_chunk().map(|len| u32::from_be_bytes(*len) as usize) {
        let (chunk, others) = rest.split_at(len + 12);
        match &chunk[4..8] {
            b"eXIf" => {}
            b"IEND" => {
                let tagged = [b"eXIf", exif].concat();
                file.extend((exif.len() as u32).to_be_bytes());
                file.extend(&tagged);
                file.extend(crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&tagged).to_be_bytes());
                file.extend(chunk);
            }
            _ => file.extend(chunk),
        }
        rest = others;
    }
    file
}

/// A stroke of one pixel in 2,000 would vanish when it is scaled to 20.
#[test]
fn thin_strokes_are_thickened() {
    let side = 2000;
    let ring = GrayImage::from_fn(side, side, |x, y| {
        let radius = (x as f32 - 1000.0).hypot(y as f32 - 1000.0);
        Luma([if (radius - 700.0).abs() < 0.5 { 255 } else { 0 }])
    });
    let prepared = prepare(ring, "png").unwrap();
    assert!(prepared.iter().copied().max().unwrap() > 200, "{prepared:?}");
    assert_eq!(reading::read(&prepared).class, 0);
}

fn reason(picture: impl Into<DynamicImage>) -> NoDigit {
    match prepare(picture, "png") {
        Err(PictureError::NoDigit { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_picture_without_a_digit_is_an_error() {
    let grain = |x: u32, y: u32| (x.wrapping_mul(2_654_435_761).wrapping_add(y.wrapping_mul(40_503)) >> 7) % 9;
    let blank = GrayImage::from_fn(300, 200, |x, y| Luma([(200 + grain(x, y)) as u8]));
    assert!(matches!(reason(blank), NoDigit::Blank { contrast: 0..20 }));
    let dark = GrayImage::from_fn(300, 200, |x, y| Luma([grain(x, y) as u8]));
    assert!(matches!(reason(dark), NoDigit::Blank { contrast: 0..20 }));
    let speck = GrayImage::from_fn(1600, 1200, |x, y| Luma([if x / 6 == 100 && y / 6 == 90 { 0 } else { 255 }]));
    let NoDigit::Specks { longest, width: 1600, height: 1200 } = reason(speck) else { panic!("no speck") };
    assert!((5..=12).contains(&longest), "{longest}");
    let frame = page(|x, y, _| if x < 4 || y < 4 || x >= 296 || y >= 196 { 0.0 } else { 1.0 });
    assert_eq!(reason(frame), NoDigit::OnlyLines);
}

/// Light that falls off across a page without a digit, from any side.
#[test]
fn a_slope_of_light_is_no_digit() {
    for (low, high) in [(0, 255), (40, 240), (100, 255)] {
        let level = GrayImage::from_fn(300, 300, |x, _| Luma([(low + (high - low) * x / 299) as u8]));
        let turned = [image::imageops::rotate90(&level), image::imageops::rotate180(&level), level];
        for page in turned {
            match find_digit(&page.into(), INPUT) {
                Err(NoDigit::Edge | NoDigit::Blank { .. } | NoDigit::OnlyLines) => {}
                other => panic!("{low} to {high}: {other:?}"),
            }
        }
    }
}

/// A decoder of JPEG makes up what is missing; that it is missing is told by the end that does not come.
#[test]
fn a_picture_that_is_cut_off_is_an_error() {
    let picture = image::DynamicImage::from(seven(300, 200, [90, 40], 120));
    for format in [image::ImageFormat::Jpeg, image::ImageFormat::Png] {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        let bytes = bytes.into_inner();
        let file = |bytes: &[u8]| {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), bytes).unwrap();
            read_digit(file.path(), INPUT).map_err(|error| error.to_string())
        };
        assert!(file(&bytes).is_ok(), "{format:?}");
        // What some cameras write behind the end does no harm.
        assert!(file(&[&bytes[..], &[0; 100]].concat()).is_ok(), "{format:?}");
        for share in [30, 60, 90, 99] {
            let text = file(&bytes[..bytes.len() * share / 100]).unwrap_err();
            assert!(
                text.ends_with("the picture is cut off: the file ends before it does"),
                "{format:?} {share}: {text}"
            );
        }
    }
}

#[test]
fn what_may_be_no_digit_is_said() {
    let doubt = |picture: GrayImage| find_digit(&picture.into(), INPUT).unwrap().doubt;
    let [one, other] = [[30, 40], [180, 40]].map(|at| seven(300, 200, at, 120));
    let two = GrayImage::from_fn(300, 200, |x, y| Luma([one.get_pixel(x, y)[0] | other.get_pixel(x, y)[0]]));
    assert_eq!((doubt(one), doubt(two)), (None, Some(Doubt::SeveralParts)));
    let line = GrayImage::from_fn(300, 200, |x, _| Luma([if x / 5 == 30 { 0 } else { 255 }]));
    assert_eq!(doubt(line), Some(Doubt::OnlyLines));
}

/// The header alone says how large a picture is.
#[test]
fn too_large_pictures_are_refused_before_they_are_decoded() {
    let mut file = tempfile::NamedTempFile::with_suffix(".png").unwrap();
    let mut writer = png::Encoder::new(&mut file, 20_000, 20_000).write_header().unwrap();
    writer.write_chunk(png::chunk::IDAT, &[0x78, 0x9c]).unwrap();
    drop(writer);
    file.flush().unwrap();
    let text = read_digit(file.path(), INPUT).unwrap_err().to_string();
    assert!(text.ends_with("the picture has 20000 x 20000 pixels; at most 250000000 are read"), "{text}");

    // The decoder refuses the most that a header can say.
    let mut bytes = std::fs::read(file.path()).unwrap();
    bytes[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    std::fs::write(file.path(), bytes).unwrap();
    let text = read_digit(file.path(), INPUT).unwrap_err().to_string();
    assert!(text.ends_with("the picture claims more pixels than are read, at most 250000000"), "{text}");
}
