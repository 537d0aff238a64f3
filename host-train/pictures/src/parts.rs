//! Of the connected parts of ink those that make the digit are kept.
//!
//! The digit is the part with most ink and what is near it: the bar of a 5, the pieces of a broken stroke. Specks have
//! too little ink to be pieces. A second part that is as large as a digit makes the answer doubtful.

use image::Luma;
use imageproc::{
    definitions::Image,
    region_labelling::{Connectivity, connected_components},
};

use super::{Doubt, LEAST_CONTRAST, Mask, NoDigit, Plane, lines, quantile};

/// Ink below this, of 1, is none: the traces that JPEG and scanners leave around writing.
const FAINT: f32 = 10.0 / 255.0;
/// Ink below this share of the strongest is none either, before lines are erased.
const FAINT_SHARE: f32 = 0.15;
/// Ink below this share of the digit's does not extend it. In pictures smaller than the field, where the faint rim of a
/// stroke is a good part of a pixel of the result, all ink does.
const RIM_SHARE: f32 = 0.25;
/// A shadow is fainter than this share of the digit's ink.
const SHADE_SHARE: f32 = 0.6;
/// More faint ink than this, for each pixel of strong ink, is a shadow's.
const SHADED: f32 = 1.5;
/// All ink of a picture smaller than the field is above this.
const FAINT_IN_SMALL: f32 = 1.5 / 255.0;
/// The digit's longer side is at least this share of the picture's.
const LEAST_LENGTH: f32 = 0.015;
/// A piece is at most this far from the digit, of the digit's longer side.
const GAP: f32 = 0.25;
/// A piece has at least this share of the ink of the digit's largest part.
const LEAST_PIECE: f32 = 0.02;
/// A part that has this share of the digit's ink and of its length may as well be the digit.
const RIVAL: f32 = 0.35;
/// Ink at the picture's edge, such as a shadow's corner, counts less.
const AT_EDGE: f32 = 0.3;

/// The digit.
pub(super) struct Parts {
    /// Its ink, 0 to 1, and nothing around it.
    pub(super) ink: Plane,
    /// Why this may be no digit.
    pub(super) doubt: Option<Doubt>,
}

/// A connected part of ink.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) label: u32,
    pub(super) left: u32,
    pub(super) right: u32,
    pub(super) top: u32,
    pub(super) bottom: u32,
    /// The sum of its ink.
    pub(super) mass: f32,
}

impl Part {
    pub(super) fn width(&self) -> u32 {
        self.right + 1 - self.left
    }

    pub(super) fn height(&self) -> u32 {
        self.bottom + 1 - self.top
    }

    /// Whether it touches the edge of a picture of this width and height.
    pub(super) fn is_at_edge(&self, (width, height): (u32, u32)) -> bool {
        self.left == 0 || self.top == 0 || self.right + 1 == width || self.bottom + 1 == height
    }

    /// Whether it lies along the whole of one edge of such a picture, and not at the edge across from it: a digit that
    /// a picture was cut to lies at all four.
    fn is_band_at_edge(&self, (width, height): (u32, u32)) -> bool {
        let across = [self.left == 0, self.right + 1 == width];
        let down = [self.top == 0, self.bottom + 1 == height];
        across == [true; 2] && down[0] != down[1] || down == [true; 2] && across[0] != across[1]
    }

    fn longest(&self) -> u32 {
        self.width().max(self.height())
    }

    /// How far the bounding boxes are apart.
    fn gap(&self, other: &Self) -> u32 {
        let apart = |low: u32, high: u32, other_low: u32, other_high: u32| {
            low.saturating_sub(other_high).max(other_low.saturating_sub(high))
        };
        let across = apart(self.left, self.right, other.left, other.right);
        let down = apart(self.top, self.bottom, other.top, other.bottom);
        across.max(down)
    }

    fn join(&mut self, other: &Self) {
        self.left = self.left.min(other.left);
        self.right = self.right.max(other.right);
        self.top = self.top.min(other.top);
        self.bottom = self.bottom.max(other.bottom);
        self.mass += other.mass;
    }
}

/// The parts of labelled ink, in the order of their labels.
pub(super) fn measure(labels: &Image<Luma<u32>>, ink: impl Fn(u32, u32) -> f32) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for (x, y, label) in labels.enumerate_pixels().filter(|(.., label)| label[0] > 0) {
        let pixel = Part { label: label[0], left: x, right: x, top: y, bottom: y, mass: ink(x, y) };
        // Labels are numbered from 1 in the order in which they are met.
        match parts.get_mut(label[0] as usize - 1) {
            Some(part) => part.join(&pixel),
            None => parts.push(pixel),
        }
    }
    parts
}

/// Finds the digit in a picture's ink.
pub(super) fn find(mut ink: Plane, is_small: bool) -> Result<Parts, NoDigit> {
    let most = ink.iter().copied().fold(0.0, f32::max);
    if most < LEAST_CONTRAST {
        return Err(NoDigit::Blank { contrast: (most * 255.0) as u8 });
    }
    let faint = if is_small { FAINT_IN_SMALL } else { f32::max(FAINT_SHARE * strength(&ink, |_, _| true), FAINT) };
    let (unruled, only_lines) = unrule(&ink, faint)?;
    for (value, is_left) in ink.iter_mut().zip(unruled.iter()) {
        *value = if *is_left == 0 && *value > faint { 0.0 } else { *value };
    }

    let (rim, shaded) = if is_small { (faint, None) } else { rim(&ink) };
    let rim = rim.max(faint);
    let labels = connected_components(&above(&ink, rim), Connectivity::Eight, Luma([0]));
    let parts = measure(&labels, |x, y| ink.get_pixel(x, y)[0]);
    let main = main_part(&parts, ink.dimensions())?;
    let digit = gather(main, &parts, ink.dimensions());
    if digit.whole.is_band_at_edge(ink.dimensions()) {
        return Err(NoDigit::Edge);
    }
    let rival = has_rival(&digit, &parts, ink.dimensions()).then_some(Doubt::SeveralParts);
    let doubt = rival.or(only_lines).or(shaded);

    let mut is_digit = vec![false; parts.len() + 1];
    digit.pieces.iter().for_each(|piece| is_digit[piece.label as usize] = true);
    let belongs = |x: u32, y: u32| is_digit[labels.get_pixel(x, y)[0] as usize];
    let strong = strength(&ink, belongs);
    let Part { left, top, .. } = digit.whole;
    let ink = Plane::from_fn(digit.whole.width(), digit.whole.height(), |x, y| {
        let (x, y) = (left + x, top + y);
        // The faint rim has no label, and stays.
        let stays = labels.get_pixel(x, y)[0] == 0 || belongs(x, y);
        Luma([if stays { (ink.get_pixel(x, y)[0] / strong).min(1.0) } else { 0.0 }])
    });
    Ok(Parts { ink, doubt })
}

/// Where ink begins that extends the digit. A broad shadow is fainter than ink and covers more of the picture than the
/// rim of strokes does: that is said, since it might be faint strokes.
fn rim(ink: &Plane) -> (f32, Option<Doubt>) {
    let strong = strength(ink, |_, _| true);
    let count = |share: f32| ink.iter().filter(|value| **value > share * strong).count();
    let inked = count(SHADE_SHARE);
    let shaded = count(RIM_SHARE) - inked;
    if shaded as f32 > SHADED * inked as f32 {
        (SHADE_SHARE * strong, Some(Doubt::Shaded))
    } else {
        (RIM_SHARE * strong, None)
    }
}

/// Ink that is above `faint` and in no line, and the doubt that arises where all of it may be one.
fn unrule(ink: &Plane, faint: f32) -> Result<(Mask, Option<Doubt>), NoDigit> {
    let all = above(ink, faint);
    let unruled = lines::erase(&all);
    let least = ink.width().max(ink.height()) as f32 * LEAST_LENGTH;
    let labels = connected_components(&unruled.mask, Connectivity::Eight, Luma([0]));
    let is_left = measure(&labels, |_, _| 1.0).iter().any(|part| part.longest() as f32 >= least);
    match unruled.lines {
        _ if is_left => Ok((unruled.mask, None)),
        0 => Ok((all, None)),
        // A line from edge to edge may yet be a 1 that fills its picture; several lines are none.
        1 => Ok((all, Some(Doubt::OnlyLines))),
        _ => Err(NoDigit::OnlyLines),
    }
}

/// The part with most ink.
pub(super) fn main_part(parts: &[Part], (width, height): (u32, u32)) -> Result<Part, NoDigit> {
    let weight = |part: &Part| if part.is_at_edge((width, height)) { AT_EDGE * part.mass } else { part.mass };
    let least = width.max(height) as f32 * LEAST_LENGTH;
    let large = parts.iter().filter(|part| part.longest() as f32 >= least);
    let longest = parts.iter().map(Part::longest).max().unwrap_or(0);
    let main = large.max_by(|a, b| weight(a).total_cmp(&weight(b)));
    main.copied().ok_or(NoDigit::Specks { longest, width, height })
}

/// Parts that make a digit.
struct Gathered {
    pieces: Vec<Part>,
    /// All of them.
    whole: Part,
}

/// The main part and the pieces near it. Ink at the picture's edge is a piece only of a digit that is there too.
fn gather(main: Part, parts: &[Part], size: (u32, u32)) -> Gathered {
    let mut digit = Gathered { pieces: vec![main], whole: main };
    loop {
        let near = (digit.whole.longest() as f32 * GAP).ceil() as u32;
        let next = parts.iter().find(|part| {
            part.mass >= LEAST_PIECE * main.mass
                && (main.is_at_edge(size) || !part.is_at_edge(size))
                && part.gap(&digit.whole) <= near
                && digit.pieces.iter().all(|piece| piece.label != part.label)
        });
        let Some(next) = next else { return digit };
        digit.pieces.push(*next);
        digit.whole.join(next);
    }
}

/// Whether there are two parts of which each may be a digit: one beside the digit, or two side by side in it.
fn has_rival(digit: &Gathered, parts: &[Part], size: (u32, u32)) -> bool {
    let is_rival = |part: &Part| {
        part.mass >= RIVAL * digit.whole.mass && part.longest() as f32 >= RIVAL * digit.whole.longest() as f32
    };
    let is_piece = |part: &Part| digit.pieces.iter().any(|piece| piece.label == part.label);
    let as_high = |part: &Part| part.height() as f32 >= 0.7 * digit.whole.height() as f32;
    let high: Vec<&Part> = digit.pieces.iter().filter(|part| is_rival(part) && as_high(part)).collect();
    let is_beside = |a: &Part, b: &Part| a.right < b.left || b.right < a.left;
    // A stripe or a shadow at the edge is none, unless the digit is there too.
    let is_inside = |part: &Part| digit.whole.is_at_edge(size) || !part.is_at_edge(size);
    parts.iter().any(|part| !is_piece(part) && is_rival(part) && is_inside(part))
        || high.iter().any(|a| high.iter().any(|b| is_beside(a, b)))
}

pub(super) fn above(ink: &Plane, least: f32) -> Mask {
    Mask::from_fn(ink.width(), ink.height(), |x, y| Luma([if ink.get_pixel(x, y)[0] > least { 255 } else { 0 }]))
}

/// The strength of ink that is ink for certain: nearly the largest, but not that of a few pixels.
pub(super) fn strength(ink: &Plane, among: impl Fn(u32, u32) -> bool) -> f32 {
    let inked = ink.enumerate_pixels().filter(|(x, y, value)| value[0] > FAINT && among(*x, *y));
    quantile(&mut inked.map(|(.., value)| value[0]).collect::<Vec<_>>(), 0.95).max(FAINT)
}
