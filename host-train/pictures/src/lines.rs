//! Frames, boxes of forms and ruled lines are no ink of the digit.
//!
//! A line is thin, straight, nearly level or upright, and as long as the picture, or as the box of which it is a side.
//! Lines are erased, and strokes that cross them are kept: where a stroke crosses, the ink is higher than the line is
//! thick.

use image::{Luma, imageops};
use imageproc::region_labelling::{Connectivity, connected_components};

use super::{
    Mask,
    parts::{Part, measure},
};

/// How much of the picture a line spans at least.
const SPAN: f32 = 0.85;
/// How much of a box its sides span at least: a digit that crosses the box makes it appear larger.
const SIDE_SPAN: f32 = 0.7;
/// How far a line may rise or fall over the width, as a share of it: a scan is seldom level to the pixel.
const SLANT: f32 = 0.06;
/// A line is at least this many times as long as it is thick.
const LEAST_ASPECT: u32 = 8;
/// The sides of a box are at least this share of the picture's.
const LEAST_BOX: f32 = 0.15;
/// What is inside a box is at least this share of the box's height or width: less is a piece of a drawn figure or a
/// speck.
const LEAST_CONTENT: f32 = 0.25;
/// How many boxes may lie in one another.
const DEPTH: usize = 3;

/// What is left of a picture's ink without its lines.
pub(super) struct Unruled {
    /// The ink that is part of no line.
    pub(super) mask: Mask,
    /// How many lines go across the picture.
    pub(super) lines: usize,
}

/// Erases lines across the picture, and boxes around something.
pub(super) fn erase(ink: &Mask) -> Unruled {
    let mut mask = ink.clone();
    let mut lines = erase_across(&mut mask, SPAN, true);
    // A digit that fills its picture may have strokes along the edge. A frame, which it may touch, has all four sides.
    if is_one_figure(ink) && !lines.are_of_a_box() {
        mask.clone_from(ink);
        lines = erase_across(&mut mask, SPAN, false);
    }
    for _ in 0..DEPTH {
        if !erase_boxes(&mut mask) {
            break;
        }
    }
    Unruled { mask, lines: lines.level + lines.upright }
}

/// Whether nearly all of the ink is one part.
fn is_one_figure(mask: &Mask) -> bool {
    let areas: Vec<f32> = parts(mask).iter().map(|part| part.mass).collect();
    areas.iter().copied().fold(0.0, f32::max) >= 0.9 * areas.iter().sum::<f32>()
}

/// The connected parts, with their areas.
fn parts(mask: &Mask) -> Vec<Part> {
    measure(&connected_components(mask, Connectivity::Eight, Luma([0])), |_, _| 1.0)
}

/// Erases boxes that have prominent ink inside, and returns whether there were any.
fn erase_boxes(mask: &mut Mask) -> bool {
    let labels = connected_components(mask, Connectivity::Eight, Luma([0]));
    let is_large = |part: &Part| {
        part.width() as f32 >= LEAST_BOX * mask.width() as f32
            && part.height() as f32 >= LEAST_BOX * mask.height() as f32
    };
    let large: Vec<Part> = measure(&labels, |_, _| 1.0).into_iter().filter(is_large).collect();
    let mut has_any = false;
    for part in large {
        let is_own = |x: u32, y: u32| labels.get_pixel(part.left + x, part.top + y)[0] == part.label;
        let (width, height) = (part.width(), part.height());
        let mut own = Mask::from_fn(width, height, |x, y| Luma([if is_own(x, y) { 255 } else { 0 }]));
        let mut sides = erase_across(&mut own, SIDE_SPAN, true);
        // A side may be beyond the picture's edge.
        sides.upright += usize::from(part.left == 0 || part.right + 1 == mask.width());
        sides.level += usize::from(part.top == 0 || part.bottom + 1 == mask.height());
        if !sides.are_of_a_box() {
            continue;
        }
        let mut inside = imageops::crop_imm(mask, part.left, part.top, width, height).to_image();
        for (x, y, ink) in inside.enumerate_pixels_mut().filter(|(x, y, _)| is_own(*x, *y)) {
            *ink = *own.get_pixel(x, y);
        }
        let is_prominent = |content: &Part| {
            content.width() as f32 >= LEAST_CONTENT * width as f32
                || content.height() as f32 >= LEAST_CONTENT * height as f32
        };
        if parts(&inside).iter().any(is_prominent) {
            imageops::replace(mask, &inside, i64::from(part.left), i64::from(part.top));
            has_any = true;
        }
    }
    has_any
}

/// How many lines there are.
#[derive(Clone, Copy)]
struct Lines {
    level: usize,
    upright: usize,
}

impl Lines {
    fn are_of_a_box(self) -> bool {
        self.level >= 2 && self.upright >= 2
    }
}

/// Erases the level and upright lines that span a share of the mask; those along its edge only if told.
fn erase_across(mask: &mut Mask, span: f32, at_edge: bool) -> Lines {
    let level = erase_level(mask, span, at_edge);
    let mut turned = imageops::rotate90(mask);
    let upright = erase_level(&mut turned, span, at_edge);
    *mask = imageops::rotate270(&turned);
    Lines { level, upright }
}

/// A straight line: in the column `x` it is at `row` + `slant` (x / width - 1/2).
#[derive(Clone, Copy)]
struct Line {
    row: i32,
    slant: i32,
}

impl Line {
    fn at(self, x: u32, width: u32) -> i32 {
        self.row + (self.slant * (2 * x as i32 - width as i32)).div_euclid(2 * width as i32)
    }
}

/// Erases nearly level lines and returns how many there were.
fn erase_level(mask: &mut Mask, span: f32, at_edge: bool) -> usize {
    let least = ((span * mask.width() as f32) as usize).max(1);
    let candidates = level_lines(mask, least);
    let mut runs = Runs::of(mask);
    candidates.into_iter().filter(|line| erase_line(mask, &mut runs, *line, least, at_edge)).count()
}

/// The runs of ink in a mask's columns: of each pixel of ink the first and the last row of its run.
struct Runs {
    width: u32,
    rows: Vec<(u32, u32)>,
}

impl Runs {
    fn of(mask: &Mask) -> Self {
        let mut runs = Self { width: mask.width(), rows: vec![(0, 0); mask.len()] };
        (0..mask.width()).for_each(|x| runs.measure(mask, x));
        runs
    }

    /// Finds those of column `x` anew.
    fn measure(&mut self, mask: &Mask, x: u32) {
        let rows: Vec<u32> = (0..mask.height()).collect();
        let is_ink = |y: &u32| mask.get_pixel(x, *y)[0] > 0;
        for run in rows.chunk_by(|a, b| is_ink(a) == is_ink(b)) {
            for y in run {
                self.rows[(y * self.width + x) as usize] = (run[0], run[run.len() - 1]);
            }
        }
    }

    fn at(&self, x: u32, y: u32) -> (u32, u32) {
        self.rows[(y * self.width + x) as usize]
    }
}

/// The lines along which there is ink in at least so many columns, those with most ink first.
fn level_lines(mask: &Mask, least: usize) -> Vec<Line> {
    let (width, height) = mask.dimensions();
    let most = (width as f32 * SLANT) as i32;
    let inked: Vec<(u32, u32)> =
        mask.enumerate_pixels().filter(|(.., ink)| ink[0] > 0).map(|(x, y, _)| (x, y)).collect();
    let mut found = Vec::new();
    for slant in -most..=most {
        // A line may begin or end above or below the picture.
        let mut counts = vec![0usize; height as usize + 2 * most as usize];
        for &(x, y) in &inked {
            let row = y as i32 - Line { row: 0, slant }.at(x, width);
            counts[(row + most) as usize] += 1;
        }
        let lines =
            counts.into_iter().enumerate().map(|(index, count)| (count, Line { row: index as i32 - most, slant }));
        found.extend(lines.filter(|(count, _)| *count >= least));
    }
    found.sort_by_key(|(count, line)| (std::cmp::Reverse(*count), line.slant.abs()));
    found.into_iter().map(|(_, line)| line).collect()
}

/// Erases a line, where it is one and still there.
fn erase_line(mask: &mut Mask, all: &mut Runs, line: Line, least: usize, may_be_at_edge: bool) -> bool {
    let (width, height) = mask.dimensions();
    let runs: Vec<(u32, u32, u32)> = (0..width)
        .filter_map(|x| {
            let y = u32::try_from(line.at(x, width)).ok().filter(|y| *y < height && mask.get_pixel(x, *y)[0] > 0)?;
            let (first, last) = all.at(x, y);
            Some((x, first, last))
        })
        .collect();
    if runs.len() < least {
        return false;
    }
    let mut lengths: Vec<u32> = runs.iter().map(|(_, first, last)| last + 1 - first).collect();
    // Where a stroke goes along the line, more than half of it is thick.
    let quarter = lengths.len() / 4;
    let thickness = *lengths.select_nth_unstable(quarter).1;
    let at_edge = runs.iter().filter(|(_, first, last)| *first == 0 || last + 1 == height).count();
    if thickness * LEAST_ASPECT > width || (!may_be_at_edge && 2 * at_edge > runs.len()) {
        return false;
    }
    let crossed = thickness + thickness / 2 + 1;
    for (x, first, last) in runs.into_iter().filter(|(_, first, last)| last + 1 - first <= crossed) {
        (first..=last).for_each(|y| mask.put_pixel(x, y, Luma([0])));
        all.measure(mask, x);
    }
    true
}
