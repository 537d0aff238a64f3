//! Ink is what is darker than the paper on both sides of it.
//!
//! A slope of light is brighter on one side alone, and so is the edge of a shadow. A stroke has paper on both sides,
//! along some line through it. The ground at a pixel is therefore, along a line, the darker of the brightest shades on
//! either side, and of four lines (across, down and both diagonals) the brightest. Beyond its edge the picture goes on
//! as its rough ground, so that a stroke at the edge is ink and a dark table there is not.

use std::collections::VecDeque;

use image::Luma;

use super::{Plane, contrast::Contrast, quantile};

/// How far paper is looked for, of the picture's shorter side: further than a stroke is thick.
const REACH: f32 = 0.35;
/// The least reach in pixels: a picture of a few pixels may have one stroke right across.
const LEAST_REACH: f32 = 4.0;
/// How many deviations above the mean are the paper's grain.
const GRAIN: f32 = 4.0;

/// How much darker than its ground each pixel is, beyond the grain of the paper; at least 0.
pub(super) fn ink(contrast: &Contrast) -> Plane {
    let shades = &contrast.shades;
    let ground = ground(contrast);
    let difference = |x, y| ground.get_pixel(x, y)[0] - shades.get_pixel(x, y)[0];
    let mut ink = Plane::from_fn(shades.width(), shades.height(), |x, y| Luma([difference(x, y).max(0.0)]));
    // The lower third of all pixels is paper, even where a digit fills the picture. Of a normal distribution 5 % are below
    // -1.645 deviations, and 30 % below -0.524.
    let mut values = ink.as_raw().clone();
    let (least, low) = (quantile(&mut values, 0.05), quantile(&mut values, 0.3));
    let deviation = (low - least) / (1.645 - 0.524);
    let grain = low + (0.524 + GRAIN) * deviation;
    ink.iter_mut().for_each(|value| *value = (*value - grain).max(0.0));
    ink
}

fn ground(contrast: &Contrast) -> Plane {
    let (width, height) = contrast.shades.dimensions();
    let reach = (width.min(height) as f32 * REACH).max(LEAST_REACH).ceil() as u32;
    let diagonal = (reach as f32 / 2f32.sqrt()).ceil() as usize;
    let around = continued(contrast, reach);
    let mut ground = Plane::from_pixel(around.width(), around.height(), Luma([f32::MIN]));
    for (step, reach) in [((1, 0), reach as usize), ((0, 1), reach as usize), ((1, 1), diagonal), ((1, -1), diagonal)] {
        raise_along(&around, &mut ground, step, reach);
    }
    image::imageops::crop_imm(&ground, reach, reach, width, height).to_image()
}

/// The shades, surrounded by `margin` pixels of the rough ground at the nearest edge.
fn continued(contrast: &Contrast, margin: u32) -> Plane {
    let (width, height) = contrast.shades.dimensions();
    Plane::from_fn(width + 2 * margin, height + 2 * margin, |x, y| {
        let inside = |at: u32, len: u32| at.saturating_sub(margin).min(len - 1);
        let (nearest_x, nearest_y) = (inside(x, width), inside(y, height));
        let is_inside = nearest_x + margin == x && nearest_y + margin == y;
        *if is_inside { &contrast.shades } else { &contrast.ground }.get_pixel(nearest_x, nearest_y)
    })
}

/// Raises `ground` to the darker of the brightest shades on both sides, along every line in the direction of `step`.
fn raise_along(shades: &Plane, ground: &mut Plane, step: (i32, i32), reach: usize) {
    let (width, height) = (shades.width() as i32, shades.height() as i32);
    let is_inside = |(x, y): (i32, i32)| (0..width).contains(&x) && (0..height).contains(&y);
    let (mut line, mut before, mut behind) = (Vec::new(), Vec::new(), Vec::new());
    // A line begins where there is nothing before it: in the first column or in the row where the step enters.
    let entered = if step.1 < 0 { height - 1 } else { 0 };
    let starts = (0..height).map(|y| (0, y)).chain((0..width).map(|x| (x, entered)));
    for start in starts.filter(|start| !is_inside((start.0 - step.0, start.1 - step.1))) {
        let along = || {
            std::iter::successors(Some(start), |at| Some((at.0 + step.0, at.1 + step.1)))
                .take_while(|at| is_inside(*at))
                .map(|(x, y)| (x as u32, y as u32))
        };
        line.clear();
        line.extend(along().map(|(x, y)| shades.get_pixel(x, y)[0]));
        brightest_before(line.iter().copied(), reach, &mut before);
        brightest_before(line.iter().rev().copied(), reach, &mut behind);
        for (((x, y), before), behind) in along().zip(&before).zip(behind.iter().rev()) {
            let value = &mut ground.get_pixel_mut(x, y)[0];
            *value = value.max(before.min(*behind));
        }
    }
}

/// For each of `values` the largest of it and the `reach` before it.
fn brightest_before(values: impl Iterator<Item = f32>, reach: usize, brightest: &mut Vec<f32>) {
    brightest.clear();
    // Values that may yet be the largest, in falling order: what is smaller than a later one never will be.
    let mut candidates: VecDeque<(usize, f32)> = VecDeque::new();
    for (index, value) in values.enumerate() {
        while candidates.back().is_some_and(|(_, last)| *last <= value) {
            candidates.pop_back();
        }
        candidates.push_back((index, value));
        while candidates.front().is_some_and(|(first, _)| first + reach < index) {
            candidates.pop_front();
        }
        brightest.extend(candidates.front().map(|(_, largest)| largest));
    }
}
