//! A sheet of paper on a darker table, or in a broad dark frame, is cut out of the picture: its outline is no ink.
//!
//! The table is what is dark and lies along at least one whole edge of the picture. The sheet is the largest part of
//! the rest, if it is nearly a rectangle, however that is turned, and the shade changes at once at its outline: light
//! that falls off, or a shadow that a digit reaches into, is no table.

use image::{DynamicImage, GrayImage, Luma, Rgb, Rgb32FImage, imageops};
use imageproc::{
    contrast::otsu_level,
    distance_transform::Norm,
    drawing::draw_polygon,
    geometry::{contour_area, convex_hull, min_area_rect},
    morphology::{dilate, erode},
    point::Point,
    region_labelling::{Connectivity, connected_components},
};

use super::{
    Mask,
    parts::{Part, measure},
    quantile,
};

/// How much of an edge of the picture is dark where a table lies along it.
const SIDE: f32 = 0.95;
/// The sheet is at least this share of the picture.
const LEAST_AREA: f32 = 0.15;
/// It fills at least this share of the least rectangle around it: an ellipse fills 0.79, and a sheet seen aslant more
/// than this.
const RECTANGULAR: f32 = 0.86;
/// The blur of its outline goes as far, of the picture's longer side; at least 2 pixels.
const BLUR: f32 = 0.01;
/// Its outline bends inwards by no more than this, likewise, and at least 1 pixel: a digit in a shadow would notch it.
const NOTCH: f32 = 0.005;
/// Across the blur the shade changes by at least this share of what table and sheet differ by.
const SHARP: f32 = 0.6;

/// The sheet, surrounded by its own shade, if there is one on a darker table.
pub(super) fn cut(picture: &DynamicImage) -> Option<DynamicImage> {
    let grey = picture.to_luma8();
    let longer = grey.width().max(grey.height()) as f32;
    let pixels = |share: f32, least: f32| f32::max(longer * share, least).ceil() as u8;
    let (notch, blur) = (pixels(NOTCH, 1.0), pixels(BLUR, 2.0));
    let table = table(&grey)?;
    let sheet = sheet(&table, notch)?;
    if !is_sharp(&grey, &table, blur) {
        return None;
    }
    let outside = dilate(&table, Norm::LInf, blur);
    let mut colours = picture.to_rgb32f();
    let paper = paper(&colours, &outside, &grey);
    for (x, y, colour) in colours.enumerate_pixels_mut() {
        if outside.get_pixel(x, y)[0] > 0 {
            *colour = paper;
        }
    }
    let Part { left, top, .. } = sheet;
    Some(imageops::crop_imm(&colours, left, top, sheet.width(), sheet.height()).to_image().into())
}

/// The dark parts that lie along a whole edge of the picture, if there are any.
fn table(grey: &GrayImage) -> Option<Mask> {
    let (width, height) = grey.dimensions();
    let level = otsu_level(grey);
    let dark = Mask::from_fn(width, height, |x, y| Luma([if grey.get_pixel(x, y)[0] <= level { 255 } else { 0 }]));
    let labels = connected_components(&dark, Connectivity::Eight, Luma([0]));
    let edges: [Vec<(u32, u32)>; 4] = [
        (0..width).map(|x| (x, 0)).collect(),
        (0..width).map(|x| (x, height - 1)).collect(),
        (0..height).map(|y| (0, y)).collect(),
        (0..height).map(|y| (width - 1, y)).collect(),
    ];
    let mut of_table = Vec::new();
    for edge in edges {
        let mut found: Vec<u32> = edge.iter().map(|&(x, y)| labels.get_pixel(x, y)[0]).filter(|l| *l > 0).collect();
        if found.len() as f32 >= SIDE * edge.len() as f32 {
            of_table.append(&mut found);
        }
    }
    of_table.sort_unstable();
    of_table.dedup();
    let is_table = |x: u32, y: u32| of_table.binary_search(&labels.get_pixel(x, y)[0]).is_ok();
    let table = || Mask::from_fn(width, height, |x, y| Luma([if is_table(x, y) { 255 } else { 0 }]));
    (!of_table.is_empty()).then(table)
}

/// The largest part of what is no table, if it is a sheet, whose notches are at most as deep and wide.
fn sheet(table: &Mask, notch: u8) -> Option<Part> {
    let (width, height) = table.dimensions();
    let labels = connected_components(&inverted(table), Connectivity::Four, Luma([0]));
    let sheet = measure(&labels, |_, _| 1.0).into_iter().max_by(|a, b| a.mass.total_cmp(&b.mass))?;
    // The ends of its rows; and these as corners of pixels.
    let (mut ends, mut corners) = (Vec::new(), Vec::new());
    for y in sheet.top..=sheet.bottom {
        let mut row = (sheet.left..=sheet.right).filter(|x| labels.get_pixel(*x, y)[0] == sheet.label);
        let Some(first) = row.next() else { continue };
        let last = row.next_back().unwrap_or(first);
        ends.extend([first, last].map(|x| Point::new(x as i32, y as i32)));
        corners.extend([[first, y], [last + 1, y], [first, y + 1], [last + 1, y + 1]].map(|at| {
            let [x, y] = at.map(|value| value as i32);
            Point::new(x, y)
        }));
    }
    let around = contour_area(&min_area_rect(&corners)) as f32;
    if sheet.mass < LEAST_AREA * width as f32 * height as f32 || sheet.mass < RECTANGULAR * around {
        return None;
    }
    let mut hull = convex_hull(ends);
    // A polygon of three corners and more; a row alone is no sheet.
    hull.dedup();
    if hull.len() < 3 {
        return None;
    }
    let mut bent_in = draw_polygon(&Mask::new(width, height), &hull, Luma([255]));
    for (x, y, pixel) in bent_in.enumerate_pixels_mut() {
        pixel[0] = if table.get_pixel(x, y)[0] > 0 { pixel[0] } else { 0 };
    }
    let notches = erode(&bent_in, Norm::LInf, notch);
    notches.iter().all(|pixel| *pixel == 0).then_some(sheet)
}

/// Whether the shade changes at once from the table to what is beside it.
fn is_sharp(grey: &GrayImage, table: &Mask, blur: u8) -> bool {
    let rest = inverted(table);
    let median = |mask: &Mask| {
        let mut shades: Vec<f32> =
            grey.iter().zip(mask.iter()).filter(|(_, m)| **m > 0).map(|(l, _)| (*l).into()).collect();
        quantile(&mut shades, 0.5)
    };
    // What is in one part and, but for the blur, near the other.
    let beside = |part: &Mask, other: &Mask| {
        let far = dilate(other, Norm::LInf, blur.saturating_mul(3));
        let near = dilate(other, Norm::LInf, blur);
        let pixels = part.iter().zip(far.iter()).zip(near.iter());
        Mask::from_raw(grey.width(), grey.height(), pixels.map(|((part, far), near)| part & far & !near).collect())
    };
    let (Some(inner), Some(outer)) = (beside(&rest, table), beside(table, &rest)) else { return false };
    median(&inner) - median(&outer) >= SHARP * (median(&rest) - median(table))
}

fn inverted(mask: &Mask) -> Mask {
    Mask::from_fn(mask.width(), mask.height(), |x, y| Luma([255 - mask.get_pixel(x, y)[0]]))
}

/// The mean colour of the brighter half of what is inside.
fn paper(colours: &Rgb32FImage, outside: &Mask, grey: &GrayImage) -> Rgb<f32> {
    let inside = |x: u32, y: u32| outside.get_pixel(x, y)[0] == 0;
    let mut shades: Vec<u8> = grey.enumerate_pixels().filter(|(x, y, _)| inside(*x, *y)).map(|(.., l)| l[0]).collect();
    let half = shades.len() / 2;
    let median = if shades.is_empty() { 0 } else { *shades.select_nth_unstable(half).1 };
    let (mut sum, mut count) = ([0.0f64; 3], 0.0);
    for (x, y, colour) in colours.enumerate_pixels() {
        if inside(x, y) && grey.get_pixel(x, y)[0] >= median {
            sum.iter_mut().zip(colour.0).for_each(|(sum, value)| *sum += f64::from(value));
            count += 1.0;
        }
    }
    Rgb(sum.map(|sum| (sum / f64::max(count, 1.0)) as f32))
}
