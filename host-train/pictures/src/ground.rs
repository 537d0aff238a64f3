//! Ink is what is darker than the paper on both sides of it.
//!
//! A slope of light is brighter on one side alone, and so is the edge of a shadow. A stroke has paper on both sides,
//! along some line through it. The ground at a pixel is therefore, along a line, the darker of the brightest shades on
//! either side, and of four lines (across, down and both diagonals) the brightest. Beyond its edge the picture goes on
//! as its rough ground, so that a stroke at the edge is ink and a dark table there is not.
//!
//! Paper is looked for as far as thick strokes may be, and then, once their thickness is known, no further than they
//! are: else a corner between a shadow's edge and the picture's, or a stroke, would have paper on both sides.

use image::Luma;
use imageproc::region_labelling::{Connectivity, connected_components};

use super::{
    Plane,
    contrast::Contrast,
    lines,
    parts::{self, Part},
    quantile,
};

/// How far paper is looked for, of the picture's shorter side: further than a stroke is thick.
const REACH: f32 = 0.35;
/// How many times as far as strokes are thick, where that is less: a shadow is broader than that.
const STROKES: f32 = 2.0;
/// How much further than where its ink is strong a stroke's rim goes, in pixels.
const BLUR: f32 = 2.0;
/// Ink of strokes is above this share of the strongest.
const STRONG: f32 = 0.5;
/// A part with this share of the largest part's ink may be the digit.
const LARGE: f32 = 0.5;
/// How many times as far as the reach the rough ground beyond the picture's edge is a median of.
const AROUND: f32 = 1.25;
/// The least reach in pixels: a picture of a few pixels may have one stroke right across.
const LEAST_REACH: f32 = 4.0;
/// What is as dark as this, of 1, is hardly told from what is darker: its noise would be enlarged with it.
const DARK: f32 = 0.2;
/// How many deviations above the mean are the paper's grain.
const GRAIN: f32 = 4.0;

/// How much darker than its ground each pixel is, beyond the grain of the paper; at least 0.
pub(super) fn ink(contrast: &Contrast) -> Plane {
    let shades = contrast.shades();
    let most = (shades.width().min(shades.height()) as f32 * REACH).max(LEAST_REACH);
    let ink = ink_within(contrast, &shades, most);
    let reach = STROKES * (thickness(&ink) + BLUR);
    if reach < most { ink_within(contrast, &shades, reach) } else { ink }
}

/// The ink where paper is looked for no further than `reach` pixels away.
fn ink_within(contrast: &Contrast, shades: &Plane, reach: f32) -> Plane {
    let ground = ground(shades, &contrast.ground(AROUND * reach), reach.ceil() as u32);
    // Light dims ink and paper by one factor, which is that of the ground here to that of the best-lit paper.
    let lit = quantile(&mut ground.iter().map(|value| value.abs()).collect::<Vec<_>>(), 0.95) + DARK;
    let mut ink = Plane::from_fn(shades.width(), shades.height(), |x, y| {
        let ground = ground.get_pixel(x, y)[0];
        Luma([(ground - shades.get_pixel(x, y)[0]).max(0.0) * lit / (ground.abs() + DARK)])
    });
    // The lower third of all pixels is paper, even where a digit fills the picture. Of a normal distribution 5 % are
    // below -1.645 deviations, and 30 % below -0.524.
    let mut values = ink.as_raw().clone();
    let (least, low) = (quantile(&mut values, 0.05), quantile(&mut values, 0.3));
    let deviation = (low - least) / (1.645 - 0.524);
    let grain = low + (0.524 + GRAIN) * deviation;
    ink.iter_mut().for_each(|value| *value = (*value - grain).max(0.0));
    ink
}

/// How thick strokes are: of the parts of strong ink that are in no line the largest median. Small parts do not count,
/// since a page's dots and letters are thinner than its digit. Each pixel is as thick as the shortest run of ink across
/// it, and counts the less, the thicker it is, so that lengths of strokes count and not areas of shadows.
fn thickness(ink: &Plane) -> f32 {
    let size = ink.dimensions();
    let strong = parts::above(ink, STRONG * parts::strength(ink, |_, _| true));
    let strong = lines::erase(&strong).mask;
    let mut thickness = Plane::from_pixel(size.0, size.1, Luma([f32::MAX]));
    let is_ink = |&(x, y): &(u32, u32)| strong.get_pixel(x, y)[0] > 0;
    for (step, length) in DIRECTIONS {
        for_each_line(size, step, |line| {
            for run in line.chunk_by(|a, b| is_ink(a) == is_ink(b)) {
                for &(x, y) in run {
                    let value = &mut thickness.get_pixel_mut(x, y)[0];
                    *value = value.min(run.len() as f32 * length);
                }
            }
        });
    }
    let labels = connected_components(&strong, Connectivity::Eight, Luma([0]));
    let parts = parts::measure(&labels, |x, y| ink.get_pixel(x, y)[0]);
    let Ok(main) = parts::main_part(&parts, size) else { return f32::MAX };
    let is_large = |part: &&Part| part.mass >= LARGE * main.mass && (main.is_at_edge(size) || !part.is_at_edge(size));
    let of_part = |part: &Part| {
        let pixels = (part.top..=part.bottom).flat_map(|y| (part.left..=part.right).map(move |x| (x, y)));
        let inked = pixels.filter(|(x, y)| labels.get_pixel(*x, *y)[0] == part.label);
        let mut inked: Vec<f32> = inked.map(|(x, y)| thickness.get_pixel(x, y)[0]).collect();
        inked.sort_unstable_by(f32::total_cmp);
        let mut rest = inked.iter().map(|thickness| 1.0 / thickness).sum::<f32>() / 2.0;
        let median = inked.into_iter().find(|thickness| {
            rest -= 1.0 / thickness;
            rest <= 0.0
        });
        median.unwrap_or(f32::MAX)
    };
    parts.iter().filter(is_large).map(of_part).fold(0.0, f32::max)
}

fn ground(shades: &Plane, outside: &Plane, reach: u32) -> Plane {
    let (width, height) = shades.dimensions();
    let around = continued(shades, outside, reach);
    let mut ground = Plane::from_pixel(around.width(), around.height(), Luma([f32::MIN]));
    for (step, length) in DIRECTIONS {
        raise_along(&around, &mut ground, step, (reach as f32 / length).ceil() as usize);
    }
    image::imageops::crop_imm(&ground, reach, reach, width, height).to_image()
}

/// The shades, surrounded by `margin` pixels of what is `outside` at the nearest edge.
fn continued(shades: &Plane, outside: &Plane, margin: u32) -> Plane {
    let (width, height) = shades.dimensions();
    Plane::from_fn(width + 2 * margin, height + 2 * margin, |x, y| {
        let inside = |at: u32, len: u32| at.saturating_sub(margin).min(len - 1);
        let (nearest_x, nearest_y) = (inside(x, width), inside(y, height));
        let is_inside = nearest_x + margin == x && nearest_y + margin == y;
        *if is_inside { shades } else { outside }.get_pixel(nearest_x, nearest_y)
    })
}

/// Across, down, and both diagonals; and how far a step goes.
const DIRECTIONS: [((i32, i32), f32); 4] =
    [((1, 0), 1.0), ((0, 1), 1.0), ((1, 1), std::f32::consts::SQRT_2), ((1, -1), std::f32::consts::SQRT_2)];

/// Does `work` with every line of pixels in the direction of `step`.
fn for_each_line((width, height): (u32, u32), step: (i32, i32), mut work: impl FnMut(&[(u32, u32)])) {
    let (width, height) = (width as i32, height as i32);
    let is_inside = |(x, y): (i32, i32)| (0..width).contains(&x) && (0..height).contains(&y);
    // A line begins where there is nothing before it: in the first column or in the row where the step enters.
    let entered = if step.1 < 0 { height - 1 } else { 0 };
    let starts = (0..height).map(|y| (0, y)).chain((0..width).map(|x| (x, entered)));
    let mut line = Vec::new();
    for start in starts.filter(|start| !is_inside((start.0 - step.0, start.1 - step.1))) {
        let next = |at: &(i32, i32)| Some((at.0 + step.0, at.1 + step.1));
        let along = std::iter::successors(Some(start), next).take_while(|at| is_inside(*at));
        line.clear();
        line.extend(along.map(|(x, y)| (x as u32, y as u32)));
        work(&line);
    }
}

/// Raises `ground` to the darker of the brightest shades on both sides, along every line in the direction of `step`.
fn raise_along(shades: &Plane, ground: &mut Plane, step: (i32, i32), reach: usize) {
    let (mut line_shades, mut before, mut behind) = (Vec::new(), Vec::new(), Vec::new());
    for_each_line(shades.dimensions(), step, |line| {
        line_shades.clear();
        line_shades.extend(line.iter().map(|&(x, y)| shades.get_pixel(x, y)[0]));
        brightest_before(&line_shades, reach, &mut before);
        line_shades.reverse();
        brightest_before(&line_shades, reach, &mut behind);
        for ((&(x, y), before), behind) in line.iter().zip(&before).zip(behind.iter().rev()) {
            let value = &mut ground.get_pixel_mut(x, y)[0];
            *value = value.max(before.min(*behind));
        }
    });
}

/// For each of `values` the largest of it and the `reach` before it.
///
/// Such a window ends in one block of its length and begins in the one before, or is one: its largest value is that of
/// the one block's first values or of the other's last ones (van Herk, Gil and Werman).
fn brightest_before(values: &[f32], reach: usize, brightest: &mut Vec<f32>) {
    let window = reach + 1;
    let mut last = values.to_vec();
    for block in last.chunks_mut(window) {
        (1..block.len()).rev().for_each(|i| block[i - 1] = block[i - 1].max(block[i]));
    }
    brightest.clear();
    for block in values.chunks(window) {
        let mut first = f32::MIN;
        for &value in block {
            first = first.max(value);
            let begin = brightest.len().checked_sub(reach);
            brightest.push(begin.map_or(first, |begin| first.max(last[begin])));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_of_a_window_is_found() {
        let values: Vec<f32> = (0..40u32).map(|i| (i * i * 31 % 17) as f32 - 8.0).collect();
        let mut brightest = Vec::new();
        for len in 0..values.len() {
            for reach in 0..=len + 1 {
                brightest_before(&values[..len], reach, &mut brightest);
                let largest =
                    |end: usize| values[end.saturating_sub(reach)..=end].iter().copied().fold(f32::MIN, f32::max);
                assert_eq!(brightest, (0..len).map(largest).collect::<Vec<_>>(), "{reach} of {len}");
            }
        }
    }
}
