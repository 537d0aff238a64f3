//! Draws pages with one digit and with what pictures of pages have: frames, lines, specks, uneven light.

use image::{ExtendedColorType, GrayImage, ImageEncoder, Rgb, RgbImage, codecs, imageops};
use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_pcg::Pcg32;

/// What is on a page beside the digit, or wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    /// A rectangle at or near the picture's edge.
    Frame,
    /// Lines across the page, level or upright, some of them through the digit.
    RuledLines,
    /// A form's box around the digit.
    FormBox,
    Specks,
    /// A straight shadow, of which the edge is hard or soft.
    Shadow,
    /// The hard edge of a shadow, across the digit or beside it.
    Edge,
    Vignette,
    /// Light that falls off from one side to the other.
    Slope,
    /// A dark stripe along one edge.
    DarkEdge,
    /// The pixels are turned, and a tag says so.
    Turned,
    /// The page is a sheet around the digit, which lies askew on a darker table.
    Table,
}

impl Defect {
    pub(super) const ALL: [Self; 9] = [
        Self::Frame,
        Self::RuledLines,
        Self::FormBox,
        Self::Specks,
        Self::Shadow,
        Self::Vignette,
        Self::Slope,
        Self::DarkEdge,
        Self::Turned,
    ];
}

/// An encoded picture.
pub(super) struct Page {
    pub(super) file: Vec<u8>,
    pub(super) extension: &'static str,
    /// For messages.
    pub(super) description: String,
}

/// Draws the digit on a page of random size, paper, ink and light.
pub(super) fn draw(digit: &GrayImage, defects: &[Defect], seed: u64) -> Page {
    let mut random = Pcg32::seed_from_u64(seed);
    let sizes = [(40, 40), (64, 48), (100, 100), (150, 200), (400, 300), (480, 640), (1000, 800), (1500, 1000)];
    let (width, height) = *sizes.choose(&mut random).unwrap();
    let shorter = width.min(height) as f32;
    let mut sheet = Sheet::new(width, height, &mut random);
    let spot = sheet.write(digit, &mut random);
    let thickness = (shorter * random.random_range(0.005..0.02)).max(1.0);
    for defect in defects {
        match defect {
            Defect::Frame => {
                let margin = [0.0, random.random_range(0.0..0.04) * shorter].choose(&mut random).copied().unwrap();
                let half = (shorter * random.random_range(0.01..0.04)).max(1.0) / 2.0;
                let near = margin + half;
                sheet.rectangle([near, near, width as f32 - near, height as f32 - near], 0.0, 2.0 * half);
            }
            Defect::DarkEdge => {
                let half = (shorter * random.random_range(0.02..0.06)).max(1.0) / 2.0;
                let side = random.random_range(0..4);
                let (x, y) = [(half, 0.0), (width as f32 - half, 0.0), (0.0, half), (0.0, height as f32 - half)][side];
                sheet.line((x, y), if side < 2 { (0.0, 1.0) } else { (1.0, 0.0) }, f32::MAX, 2.0 * half);
            }
            Defect::RuledLines => {
                let apart = shorter * random.random_range(0.2..0.5);
                let (slant, first): (f32, f32) = (random.random_range(-0.02..0.02), random.random_range(0.0..apart));
                let is_upright = random.random_bool(0.3);
                let length = if is_upright { width } else { height } as f32;
                for number in 0..(length / apart) as u32 + 1 {
                    let at = first + number as f32 * apart;
                    let (from, towards) =
                        if is_upright { ((at, 0.0), (slant, 1.0)) } else { ((0.0, at), (1.0, slant)) };
                    sheet.line(from, towards, f32::MAX, thickness);
                }
            }
            Defect::FormBox => {
                let gap = shorter * random.random_range(0.04..0.1);
                let [left, top, right, bottom] = spot;
                let slant = random.random_range(-0.02..0.02);
                sheet.rectangle([left - gap, top - gap, right + gap, bottom + gap], slant, thickness);
            }
            Defect::Specks => {
                for _ in 0..random.random_range(1..6) {
                    let (x, y) = (random.random_range(0..width), random.random_range(0..height));
                    let size = (shorter * random.random_range(0.0..0.02)).max(1.0) as u32;
                    sheet.speck(x, y, size);
                }
            }
            Defect::Shadow => {
                let (angle, offset) = (random.random_range(0.0..std::f32::consts::TAU), random.random_range(0.0..0.4));
                let (softness, depth) =
                    (*[0.002, 0.02, 0.1].choose(&mut random).unwrap(), random.random_range(0.25..0.5));
                sheet.light(|x, y| {
                    let distance = x * angle.cos() + y * angle.sin() - offset;
                    1.0 - depth / (1.0 + (-distance / softness).exp())
                });
            }
            Defect::Edge => {
                let (depth, softness) = (random.random_range(0.2..0.65), random.random_range(0.0005..0.004));
                let angle: f32 = random.random_range(0.0..std::f32::consts::TAU);
                let at = |share: f32, low: f32, high: f32| low + (high - low) * share;
                let (x, y) = (random.random_range(-0.2..1.2), random.random_range(-0.2..1.2));
                let x = at(x, spot[0], spot[2]) / width as f32 - 0.5;
                let y = at(y, spot[1], spot[3]) / height as f32 - 0.5;
                let offset = x * angle.cos() + y * angle.sin();
                sheet.light(|x, y| {
                    let distance = x * angle.cos() + y * angle.sin() - offset;
                    1.0 - depth / (1.0 + (-distance / softness).exp())
                });
            }
            Defect::Vignette => {
                let (depth, power) = (random.random_range(0.3..0.6), random.random_range(2..5));
                sheet.light(|x, y| 1.0 - depth * (2.0 * (x * x + y * y)).sqrt().powi(power));
            }
            Defect::Slope => {
                let (angle, depth) =
                    (random.random_range(0.0..std::f32::consts::TAU), random.random_range(60.0..110.0));
                sheet.light(|x, y| 1.0 - depth / 255.0 * ((x * angle.cos() + y * angle.sin()) / 1.42 + 0.5));
            }
            Defect::Table => {
                let (shade, angle) = (random.random_range(0.15..0.65), random.random_range(-0.3f32..0.3));
                let [left, top, right, bottom] = spot;
                let gap = shorter * random.random_range(0.06..0.2);
                let (across, down) = ((right - left) / 2.0 + gap, (bottom - top) / 2.0 + gap);
                let (centre_x, centre_y) = ((left + right) / 2.0, (top + bottom) / 2.0);
                sheet.light(|x, y| {
                    let (x, y) = ((x + 0.5) * width as f32 - centre_x, (y + 0.5) * height as f32 - centre_y);
                    let (along, away) = (x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin());
                    let inside = (across - along.abs()).min(down - away.abs());
                    shade + (1.0 - shade) * (inside + 0.5).clamp(0.0, 1.0)
                });
            }
            Defect::Turned => {}
        }
    }
    let noise = if random.random_bool(0.5) { random.random_range(1.0..8.0) } else { 0.0 };
    let picture = sheet.picture(noise, &mut random);
    let orientation = if defects.contains(&Defect::Turned) { random.random_range(2..=8) } else { 1 };
    let is_jpeg = width >= 64 && random.random_bool(0.4);
    Page {
        file: encode(&turned(&picture, orientation), orientation, is_jpeg),
        extension: if is_jpeg { "jpg" } else { "png" },
        description: format!("{width} x {height} {defects:?}"),
    }
}

/// A page while it is drawn on, in colours from 0 to 1.
struct Sheet {
    width: u32,
    height: u32,
    pixels: Vec<[f32; 3]>,
    ink: [f32; 3],
}

impl Sheet {
    fn new(width: u32, height: u32, random: &mut Pcg32) -> Self {
        let grey = |shade: f32| [shade; 3];
        let is_dark = random.random_bool(0.2);
        let (paper, ink) = if is_dark {
            (grey(random.random_range(0.1..0.25)), grey(random.random_range(0.75..1.0)))
        } else {
            let [red, green, blue] = grey(random.random_range(0.8..1.0));
            let ink = [0; 3].map(|_| random.random_range(0.0..0.3));
            ([red, green, blue - random.random_range(0.0..0.12)], ink)
        };
        Self { width, height, pixels: vec![paper; (width * height) as usize], ink }
    }

    /// Mixes ink into every pixel by what `amount` says of its centre.
    fn cover(&mut self, amount: impl Fn(f32, f32) -> f32) {
        let width = self.width;
        for (index, pixel) in (0..).zip(&mut self.pixels) {
            let share = amount((index % width) as f32 + 0.5, (index / width) as f32 + 0.5).clamp(0.0, 1.0);
            pixel.iter_mut().zip(self.ink).for_each(|(value, ink)| *value += (ink - *value) * share);
        }
    }

    /// Writes the digit somewhere, and returns the box that it fills: left, top, right, bottom.
    fn write(&mut self, digit: &GrayImage, random: &mut Pcg32) -> [f32; 4] {
        let inked = |range: &mut dyn Iterator<Item = u32>| {
            let (low, high) = range.fold((u32::MAX, 0), |(low, high), at| (low.min(at), high.max(at)));
            (low, high + 1 - low)
        };
        let pixels = || digit.enumerate_pixels().filter(|(.., ink)| ink[0] > 0);
        let (left, wide) = inked(&mut pixels().map(|(x, ..)| x));
        let (top, high) = inked(&mut pixels().map(|(_, y, _)| y));
        let digit = imageops::crop_imm(digit, left, top, wide, high).to_image();
        let shorter = self.width.min(self.height) as f32;
        let scale = shorter * random.random_range(0.4..0.65) / wide.max(high) as f32;
        let scaled = |len: u32| ((len as f32 * scale) as u32).max(1);
        let digit = imageops::resize(&digit, scaled(wide), scaled(high), imageops::FilterType::CatmullRom);
        let margin = 0.14 * shorter;
        let place = |len: u32, digit: u32, random: &mut Pcg32| {
            random.random_range(margin..=(len as f32 - digit as f32 - margin).max(margin)) as u32
        };
        let (left, top) = (place(self.width, digit.width(), random), place(self.height, digit.height(), random));
        self.cover(|x, y| {
            let at = (x as u32).checked_sub(left).zip((y as u32).checked_sub(top));
            at.and_then(|(x, y)| digit.get_pixel_checked(x, y)).map_or(0.0, |ink| f32::from(ink[0]) / 255.0)
        });
        [left, top, left + digit.width(), top + digit.height()].map(|at| at as f32)
    }

    /// Draws a line from a point on, or on both sides of it where the length is infinite.
    fn line(&mut self, from: (f32, f32), towards: (f32, f32), length: f32, thickness: f32) {
        let norm = towards.0.hypot(towards.1);
        let (along_x, along_y) = (towards.0 / norm, towards.1 / norm);
        self.cover(|x, y| {
            let (x, y) = (x - from.0, y - from.1);
            let along = x * along_x + y * along_y;
            let is_beside = length < f32::MAX && (along < -thickness / 2.0 || along > length + thickness / 2.0);
            if is_beside { 0.0 } else { thickness / 2.0 + 0.5 - (x * along_y - y * along_x).abs() }
        });
    }

    /// Draws the four sides of a rectangle (left, top, right, bottom), turned a little.
    fn rectangle(&mut self, [left, top, right, bottom]: [f32; 4], slant: f32, thickness: f32) {
        let (across, down) = ((1.0, slant), (-slant, 1.0));
        self.line((left, top), across, right - left, thickness);
        self.line((left, top), down, bottom - top, thickness);
        let corner = |x: f32, y: f32| (left + x - slant * y, top + y + slant * x);
        self.line(corner(right - left, 0.0), down, bottom - top, thickness);
        self.line(corner(0.0, bottom - top), across, right - left, thickness);
    }

    fn speck(&mut self, left: u32, top: u32, size: u32) {
        let within = |at: f32, first: u32| (first as f32..(first + size) as f32).contains(&at);
        self.cover(|x, y| if within(x, left) && within(y, top) { 1.0 } else { 0.0 });
    }

    /// Dims the page by the light at a place, from -1/2 to 1/2 both ways.
    fn light(&mut self, light: impl Fn(f32, f32) -> f32) {
        let (width, height) = (self.width, self.height);
        for (index, pixel) in (0..).zip(&mut self.pixels) {
            let x = ((index % width) as f32 + 0.5) / width as f32 - 0.5;
            let y = ((index / width) as f32 + 0.5) / height as f32 - 0.5;
            let light = light(x, y);
            *pixel = pixel.map(|value| value * light);
        }
    }

    /// The page as a camera sees it, with noise of a deviation in steps of 255.
    fn picture(&self, noise: f32, random: &mut Pcg32) -> RgbImage {
        // Four equal distributions between -1 and 1 have a sum of deviation sqrt(4/3).
        let mut grain = || (0..4).map(|_| random.random_range(-1.0..1.0)).sum::<f32>() * 0.866 * noise;
        let width = self.width;
        RgbImage::from_fn(width, self.height, |x, y| {
            let grain = if noise > 0.0 { grain() } else { 0.0 };
            Rgb(self.pixels[(y * width + x) as usize].map(|value| (value * 255.0 + grain).round() as u8))
        })
    }
}

/// The pixels that, with a tag of this orientation, are the upright picture: EXIF 2.3, table 6.
pub(super) fn turned(upright: &RgbImage, orientation: u8) -> RgbImage {
    let (width, height) = upright.dimensions();
    let (right, bottom) = (width - 1, height - 1);
    let stored = |width: u32, height: u32, from: &dyn Fn(u32, u32) -> (u32, u32)| {
        RgbImage::from_fn(width, height, |column, row| {
            let (x, y) = from(column, row);
            *upright.get_pixel(x, y)
        })
    };
    // Where the stored row 0 and column 0 are in the upright picture: "top, right" is 2.
    match orientation {
        2 => stored(width, height, &|column, row| (right - column, row)),
        3 => stored(width, height, &|column, row| (right - column, bottom - row)),
        4 => stored(width, height, &|column, row| (column, bottom - row)),
        5 => stored(height, width, &|column, row| (row, column)),
        6 => stored(height, width, &|column, row| (right - row, column)),
        7 => stored(height, width, &|column, row| (right - row, bottom - column)),
        8 => stored(height, width, &|column, row| (row, bottom - column)),
        _ => upright.clone(),
    }
}

/// A file with an EXIF tag.
pub(super) fn encode(picture: &RgbImage, orientation: u8, is_jpeg: bool) -> Vec<u8> {
    fn write(mut encoder: impl ImageEncoder, picture: &RgbImage, orientation: u8) {
        encoder.set_exif_metadata(exif(orientation)).unwrap();
        encoder.write_image(picture, picture.width(), picture.height(), ExtendedColorType::Rgb8).unwrap();
    }
    let mut file = Vec::new();
    if is_jpeg {
        write(codecs::jpeg::JpegEncoder::new_with_quality(&mut file, 75), picture, orientation);
    } else {
        write(codecs::png::PngEncoder::new(&mut file), picture, orientation);
    }
    file
}

/// EXIF of one entry: tag 0x112, one SHORT.
pub(super) fn exif(orientation: u8) -> Vec<u8> {
    let header = [b'M', b'M', 0, 42, 0, 0, 0, 8];
    let entry = [1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0];
    [header.as_slice(), &[0, 1], &entry, &[0; 4]].concat()
}
