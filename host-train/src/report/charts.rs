//! Pictures as SVG, in the page's own colours, light or dark.

use std::ops::Range;

use plotters::{coord::Shift, prelude::*};

/// Stand for the page's colours, which a style sheet gives.
const INK: RGBColor = RGBColor(1, 1, 1);
const FAINT: RGBColor = RGBColor(2, 2, 2);
const SERIES: [RGBColor; 4] = [RGBColor(1, 0, 0), RGBColor(2, 0, 0), RGBColor(3, 0, 0), RGBColor(4, 0, 0)];
/// The same as plotters writes them, and the page's.
const COLOURS: [(&str, &str); 6] = [
    ("#010101", "currentColor"),
    ("#020202", "var(--faint)"),
    ("#010000", "var(--first)"),
    ("#020000", "var(--second)"),
    ("#030000", "var(--third)"),
    ("#040000", "var(--fourth)"),
];
/// What can be drawn in memory.
const FITS: &str = "a picture in memory has room for all that is drawn";

/// A line of a chart: its name, and its points.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// Lines over a common horizontal axis.
pub(super) fn lines(about: &str, lines: &[Line]) -> String {
    let points = || lines.iter().flat_map(|line| line.points.iter());
    let [x, y] = [around(points().map(|point| point.0)), around(points().map(|point| point.1))];
    draw(about, (640, 300), |area| {
        let mut chart = axes(area, x, y)?;
        for (line, colour) in lines.iter().zip(SERIES.iter().cycle()) {
            let series = chart.draw_series(LineSeries::new(line.points.iter().copied(), colour.stroke_width(2)))?;
            let colour = *colour;
            series
                .label(&line.name)
                .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], colour.stroke_width(2)));
        }
        if lines.len() > 1 {
            chart.configure_series_labels().label_font(font()).draw()?;
        }
        Ok(())
    })
}

/// Pairs of numbers as points, and the line where both are equal.
pub(super) fn pairs(about: &str, sets: &[Line]) -> String {
    let all = || sets.iter().flat_map(|set| set.points.iter());
    let range = around(all().flat_map(|&(x, y)| [x, y]));
    draw(about, (640, 400), |area| {
        let mut chart = axes(area, range.clone(), range.clone())?;
        chart.draw_series(LineSeries::new([(range.start, range.start), (range.end, range.end)], &FAINT))?;
        for (set, colour) in sets.iter().zip(SERIES) {
            let series = chart.draw_series(set.points.iter().map(|&point| Circle::new(point, 2, colour.filled())))?;
            series.label(&set.name).legend(move |(x, y)| Circle::new((x + 8, y), 3, colour.filled()));
        }
        chart.configure_series_labels().label_font(font()).draw()?;
        Ok(())
    })
}

/// A bar for each name.
pub(super) fn bars(about: &str, bars: &[(String, f64)]) -> String {
    let most = bars.iter().map(|bar| bar.1).fold(0.0, f64::max).max(1e-9);
    let height = 24 * bars.len() as u32 + 8;
    draw(about, (640, height), |area| {
        for (row, (name, value)) in bars.iter().enumerate() {
            let y = 24 * row as i32 + 4;
            let width = (360.0 * (value / most).clamp(0.0, 1.0)) as i32;
            area.draw(&Rectangle::new([(180, y + 3), (180 + width, y + 19)], SERIES[0].filled()))?;
            area.draw(&Text::new(name.clone(), (2, y + 4), font()))?;
            area.draw(&Text::new(format!("{value:.1} dB"), (188 + width, y + 4), font()))?;
        }
        Ok(())
    })
}

/// A tensor in a memory: its name, the steps over which it lives, and its place.
pub(super) struct Tensor {
    pub(super) name: String,
    pub(super) steps: Range<usize>,
    pub(super) bytes: Range<usize>,
}

/// Tensors over steps, each where it lies, beside the least memory that any plan takes.
pub(super) fn memory(about: &str, steps: usize, tensors: &[Tensor], bound: usize, values: usize) -> String {
    let (count, most) = (steps.max(1) as f64, values.max(bound).max(1) as f64);
    draw(about, (640, 320), |area| {
        let mut chart = axes(area, 0.0..count, 0.0..1.05 * most)?;
        for (tensor, colour) in tensors.iter().zip(SERIES.iter().cycle()) {
            let corner = (tensor.steps.start as f64, tensor.bytes.start as f64);
            let opposite = (tensor.steps.end as f64, tensor.bytes.end as f64);
            chart.draw_series([Rectangle::new([corner, opposite], colour.mix(0.6).filled())])?;
            chart.draw_series([Rectangle::new([corner, opposite], INK)])?;
            // A name that is higher than its tensor would hide what is around.
            if opposite.1 - corner.1 > 0.06 * most {
                let middle = (corner.0 + 0.08, (corner.1 + opposite.1) / 2.0);
                chart.draw_series([Text::new(tensor.name.clone(), middle, font())])?;
            }
        }
        let line = [(0.0, bound as f64), (count, bound as f64)];
        chart.draw_series(LineSeries::new(line, SERIES[1].stroke_width(2)))?;
        Ok(())
    })
}

/// The page's, in the colour of its text.
fn font() -> TextStyle<'static> {
    ("sans-serif", 13).into_font().color(&INK)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;
type Chart<'a, 'b> = ChartContext<
    'b,
    SVGBackend<'a>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

/// A chart's axes.
fn axes<'a, 'b>(
    area: &'b Area<'a>,
    x: Range<f64>,
    y: Range<f64>,
) -> Result<Chart<'a, 'b>, DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>> {
    // In f64 a sum of tenths has many digits.
    let label = |value: &f64| (*value as f32).to_string();
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .set_label_area_size(LabelAreaPosition::Left, 56)
        .set_label_area_size(LabelAreaPosition::Bottom, 28)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(FAINT)
        .axis_style(INK)
        .label_style(font())
        .x_label_formatter(&label)
        .y_label_formatter(&label)
        .draw()?;
    Ok(chart)
}

/// From the least to the most of some numbers, and something where they are all the same.
fn around(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    match high - low {
        width if width > 0.0 => low - 0.03 * width..high + 0.03 * width,
        _ if low.is_finite() => low - 0.5..low + 0.5,
        _ => 0.0..1.0,
    }
}

/// An SVG that is as wide as its place in the page.
fn draw(about: &str, size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Drawn<'static>) -> String {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        draw(&area).expect(FITS);
        area.present().expect(FITS);
    }
    let (width, height) = size;
    let size = format!("<svg width=\"{width}\" height=\"{height}\"");
    let svg = svg.replacen(&size, &format!("<svg role=\"img\" aria-label=\"{}\"", super::page::escape(about)), 1);
    COLOURS.iter().fold(svg, |svg, (from, to)| svg.replace(from, to))
}
