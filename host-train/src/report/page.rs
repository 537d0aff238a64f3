//! The page: what the numbers are put into.

use std::fmt::Write as _;

use thousands::Separable;
use thumbnet::{graph::Graph, input::Shows, plan};

use super::{
    Judged, LayerError, Mistake, Report,
    charts::{self, Line, Tensor},
    confusion, mistakes,
};
use crate::{
    chips::code,
    data::{Samples, Target},
    model::{About, Epoch, Evaluation},
    summary::Summary,
};

const STYLE: &str = include_str!("style.css");
/// Points of a picture that shows what was estimated: more hide each other.
const MOST_POINTS: usize = 500;

/// The whole page.
pub(super) fn page(report: &Report<'_>, f32: &Judged, int8: &Judged, layers: &[LayerError]) -> String {
    let (graph, about) = (report.model.graph(), report.quantized.about());
    let name = escape(graph.name);
    let mut body = format!("<h1>{name}</h1>\n");
    body += &judged(&graph, &f32.evaluation, &int8.evaluation);
    if report.is_unfinished {
        let epochs = report.history.len();
        body += &format!(
            "<p><strong>The training is not done: these are its weights after {epochs} epochs.</strong></p>\n"
        );
    }
    if report.history.len() > 1 {
        body += &history(&report.history);
    }
    body += &answers(&graph, about, report.data, f32, int8);
    body += &quantization(layers);
    body += &memory(report);
    body += &devices(&Summary::of_quantized(report.quantized.network()));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{name}</title>\n<style>\n{STYLE}</style>\n\
         </head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// A text as HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn section(title: &str, text: &str, content: &str) -> String {
    let text = if text.is_empty() { String::new() } else { format!("<p>{text}</p>\n") };
    format!("<section>\n<h2>{title}</h2>\n{text}{content}\n</section>\n")
}

/// A table, which scrolls where it is wider than the page.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let cells =
        |tag: &str, cells: &[String]| -> String { cells.iter().map(|cell| format!("<{tag}>{cell}</{tag}>")).collect() };
    let head: Vec<String> = head.iter().map(|cell| (*cell).into()).collect();
    let rows: String = rows.map(|row| format!("<tr>{}</tr>\n", cells("td", &row))).collect();
    format!("<div class=\"wide\"><table>\n<tr>{}</tr>\n{rows}</table></div>", cells("th", &head))
}

fn judged(graph: &Graph<'_>, f32: &Evaluation, int8: &Evaluation) -> String {
    let rows = [("f32", f32), ("int8", int8)].map(|(name, judged)| {
        let share = |correct: usize| {
            format!("{:.2} % ({correct} of {})", 100.0 * judged.accuracy.unwrap_or(0.0), judged.samples)
        };
        let right = match (judged.correct, judged.mean_absolute_error) {
            (Some(correct), _) => share(correct),
            (None, Some(error)) => format!("{error:.4}"),
            (None, None) => String::new(),
        };
        vec![name.into(), right, format!("{:.4}", judged.loss)]
    });
    let metric = if f32.correct.is_some() { "accuracy" } else { "mean absolute error" };
    let text = format!(
        "{} parameters, {} multiply-accumulates, judged by {} samples.",
        graph.parameters().separate_with_commas(),
        graph.macs().separate_with_commas(),
        f32.samples.separate_with_commas()
    );
    section("Result", &text, &table(&["weights", metric, "loss"], rows.into_iter()))
}

fn history(history: &[Epoch]) -> String {
    let line = |name: &str, value: &dyn Fn(&Epoch) -> Option<f64>| {
        let points: Vec<_> = history.iter().filter_map(|epoch| Some((epoch.epoch as f64, value(epoch)?))).collect();
        (!points.is_empty()).then(|| Line { name: name.into(), points })
    };
    let of = |title: &str, lines: [Option<Line>; 2]| {
        let lines: Vec<Line> = lines.into_iter().flatten().collect();
        if lines.is_empty() {
            return String::new();
        }
        format!("<figure><figcaption>{title}</figcaption>{}</figure>", charts::lines(title, &lines))
    };
    let loss = of(
        "Loss over epochs",
        [line("training", &|epoch| Some(epoch.loss)), line("validation", &|epoch| epoch.val_loss)],
    );
    let accuracy = of(
        "Accuracy over epochs",
        [line("training", &|epoch| epoch.accuracy), line("validation", &|epoch| epoch.val_accuracy)],
    );
    section("Training", "", &format!("<div class=\"side\">{loss}{accuracy}</div>"))
}

/// What the network answered: classes, or numbers.
fn answers(graph: &Graph<'_>, about: &About, data: &dyn Samples, f32: &Judged, int8: &Judged) -> String {
    let Some(matrices) = confusion(graph, &f32.outputs, data).zip(confusion(graph, &int8.outputs, data)) else {
        return estimates(graph, data, f32, int8);
    };
    let (f32_matrix, int8_matrix) = matrices;
    let matrices = format!(
        "<div class=\"side\">{}{}</div>",
        matrix("f32", &f32_matrix, about),
        matrix("int8", &int8_matrix, about)
    );
    let text = "Each row holds the samples of a class, by the class that they were taken for.";
    let mut page = section("Confusion", text, &matrices);
    let worst = mistakes(graph, &int8.outputs, data);
    if !worst.is_empty() {
        let figures: String = worst.iter().map(|mistake| figure(mistake, about, data)).collect();
        let text = "What the int8 network took for another class with the highest scores.";
        page += &section("Worst mistakes", text, &format!("<div class=\"tiles\">{figures}</div>"));
    }
    page
}

fn matrix(name: &str, counts: &[Vec<usize>], about: &About) -> String {
    let mut rows = String::from("<tr><th></th>");
    for class in 0..counts.len() {
        let _ = write!(rows, "<th>{}</th>", escape(&about.label(class)));
    }
    rows += "</tr>\n";
    for (right, row) in counts.iter().enumerate() {
        let _ = write!(rows, "<tr><th>{}</th>", escape(&about.label(right)));
        let all = row.iter().sum::<usize>().max(1);
        for (class, &count) in row.iter().enumerate() {
            let kind = if class == right { "right" } else { "wrong" };
            // The square root shows a single mistake among a thousand.
            let shade = (count as f64 / all as f64).sqrt();
            let text = if count == 0 { String::new() } else { count.to_string() };
            let _ = write!(rows, "<td class=\"{kind}\" style=\"--shade:{:.0}%\">{text}</td>", 80.0 * shade);
        }
        rows += "</tr>\n";
    }
    format!(
        "<figure><figcaption>{name}</figcaption><div class=\"wide\"><table class=\"matrix\">\n{rows}</table></div>\n\
         </figure>\n"
    )
}

/// A sample and what was made of it.
fn figure(mistake: &Mistake, about: &About, data: &dyn Samples) -> String {
    let Mistake { sample, right, taken_for, score } = *mistake;
    let [right, taken_for] = [right, taken_for].map(|class| escape(&about.label(class)));
    let caption = format!("sample {sample}: {right}, taken for {taken_for} ({:.1} %)", 100.0 * score);
    let mut values = vec![0.0; data.shape().len()];
    data.read(sample, &mut values);
    let shown = match about.shows {
        Shows::Pictures | Shows::Digits => picture(data, &values, &caption),
        Shows::Values => {
            let channels = data.shape().channels;
            let lines: Vec<Line> = match values.len() / channels {
                // Columns of a table.
                1 => vec![(String::new(), values.iter().enumerate().map(|(i, &v)| (i as f64, v.into())).collect())],
                _ => (0..channels)
                    .map(|channel| {
                        let line = values.iter().skip(channel).step_by(channels).enumerate();
                        (format!("channel {channel}"), line.map(|(i, &v)| (i as f64, v.into())).collect())
                    })
                    .collect(),
            }
            .into_iter()
            .map(|(name, points)| Line { name, points })
            .collect();
            charts::lines(&caption, &lines)
        }
    };
    format!("<figure>{shown}<figcaption>{caption}</figcaption></figure>\n")
}

/// A picture of bytes, a rectangle for each run of equal pixels in a row.
fn picture(data: &dyn Samples, values: &[f32], caption: &str) -> String {
    let shape = data.shape();
    let colour = |pixel: &[f32]| match *pixel {
        [r, g, b] => format!("rgb({r:.0} {g:.0} {b:.0})"),
        _ => format!("rgb({0:.0} {0:.0} {0:.0})", pixel.first().copied().unwrap_or(0.0)),
    };
    let mut svg = format!(
        "<svg class=\"pixels\" role=\"img\" aria-label=\"{caption}\" viewBox=\"0 0 {} {}\">",
        shape.width, shape.height
    );
    for (y, row) in values.chunks_exact(shape.width * shape.channels).enumerate() {
        let pixels: Vec<String> = row.chunks_exact(shape.channels).map(colour).collect();
        let mut x = 0;
        for run in pixels.chunk_by(|a, b| a == b) {
            let _ = write!(svg, "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"1\" fill=\"{}\"/>", run.len(), run[0]);
            x += run.len();
        }
    }
    svg + "</svg>"
}

/// What was estimated beside what was wanted.
fn estimates(graph: &Graph<'_>, data: &dyn Samples, f32: &Judged, int8: &Judged) -> String {
    let width = graph.output().len();
    let step = (data.len() * width).div_ceil(MOST_POINTS).max(1);
    let wanted: Vec<f32> = (0..data.len())
        .flat_map(|sample| match data.target(sample) {
            Target::Values(values) => values.to_vec(),
            Target::Class(class) if width == 1 => vec![class as f32],
            Target::Class(label) => (0..width).map(|class| f32::from(u8::from(class == label))).collect(),
        })
        .collect();
    if wanted.len() != f32.outputs.len() {
        // Of an autoencoder nothing but its input is wanted.
        return String::new();
    }
    let line = |name: &str, outputs: &[f32]| Line {
        name: name.into(),
        points: wanted.iter().zip(outputs).step_by(step).map(|(&x, &y)| (x.into(), y.into())).collect(),
    };
    let title = "Estimated over wanted";
    let figure = charts::pairs(title, &[line("f32", &f32.outputs), line("int8", &int8.outputs)]);
    section(title, "On the line both are equal.", &format!("<figure>{figure}</figure>"))
}

fn quantization(layers: &[LayerError]) -> String {
    let bars: Vec<(String, f64)> = layers.iter().map(|layer| (layer.name.clone(), layer.decibels())).collect();
    let rows = layers.iter().map(|layer| {
        vec![
            escape(&layer.name),
            format!("{:.4}", layer.signal),
            format!("{:.4}", layer.error),
            format!("{:.3e}", layer.scale),
            format!("{:.1} dB", layer.decibels()),
        ]
    });
    let text = "How far the int8 outputs of each layer lie from the f32 ones: the ratio of signal and error, which has \
                what the layers before it lost. A short bar after a long one is where int8 loses.";
    let title = "Quantisation error by layer";
    let head = ["layer", "f32 output, RMS", "error, RMS", "scale", "ratio"];
    section(title, text, &format!("<figure>{}</figure>\n{}", charts::bars(title, &bars), table(&head, rows)))
}

fn memory(report: &Report<'_>) -> String {
    let (graph, plan) = (report.quantized.graph(), report.quantized.network().plan());
    let names: Vec<String> = plan.steps.iter().map(|step| escape(graph.nodes[step.makes()].name)).collect();
    let tensors: Vec<Tensor> = plan
        .steps
        .iter()
        .enumerate()
        .map(|(k, step)| {
            let node = step.makes();
            let reads = |other: &plan::Step| {
                (0..graph.nodes[usize::from(other.node)].op.arity())
                    .any(|read| other.inputs[read] == step.output && usize::from(other.sources[read]) == node)
            };
            let last = plan.steps.iter().rposition(reads).unwrap_or(plan.steps.len() - 1);
            let bytes = step.output..step.output + graph.nodes[node].output.len();
            Tensor { name: graph.nodes[node].name.into(), steps: k..last.max(k) + 1, bytes }
        })
        .collect();
    let title = "Memory plan";
    let text = format!(
        "Where each step's output lies in the {} bytes of activations, and how long it lives; the line is the least \
         that any plan takes, {} bytes. Steps: {}.",
        plan.values.separate_with_commas(),
        plan.bound.separate_with_commas(),
        names.iter().enumerate().map(|(k, name)| format!("{k} {name}")).collect::<Vec<_>>().join(", ")
    );
    let figure = charts::memory(title, names.len(), &tensors, plan.bound, plan.values);
    section(title, &text, &format!("<figure>{figure}</figure>"))
}

fn devices(summary: &Summary) -> String {
    let rows = summary.devices.iter().enumerate().map(|(cores, device)| {
        vec![
            device.cores.into(),
            summary.flash_bytes.separate_with_commas(),
            code(summary, cores).separate_with_commas(),
            summary.activation_bytes.separate_with_commas(),
            device.scratch_bytes.separate_with_commas(),
            device.ram_bytes.separate_with_commas(),
        ]
    });
    let head = ["cores", "flash of tensors", "of code, about", "activations", "scratch", "RAM in all"];
    let text = "Bytes on a device; <code>inspect --chip NAME</code> says whether a part holds it.";
    section("Flash and RAM", text, &table(&head, rows))
}
