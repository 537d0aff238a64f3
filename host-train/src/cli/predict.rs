//! `predict`.

use std::path::Path;

use anyhow::ensure;
use serde_json::json;
use thumbnet::train::argmax;

use super::{
    args::PredictArgs,
    file::{self, Content},
    output::{self, Output, shown},
};
use crate::{
    image::{Digit, read_digit},
    model::class_of,
};

pub(super) fn run(arguments: &PredictArgs, output: Output) -> anyhow::Result<()> {
    file::open(&file::resolve(&arguments.model), |content| {
        let images = &arguments.images;
        let mut unread = 0;
        for path in images {
            match read_digit(path, content.graph().input()) {
                Ok(digit) => tell(path, &digit, &content, arguments.show, output)?,
                Err(error) if images.len() == 1 => return Err(error.into()),
                Err(error) => {
                    output::error(&error.to_string());
                    unread += 1;
                }
            }
        }
        ensure!(unread == 0, "{unread} of {} pictures have no digit that could be read", images.len());
        Ok(())
    })
}

/// Prints what the network says of a digit.
fn tell(path: &Path, digit: &Digit, content: &Content<'_>, show: bool, output: Output) -> anyhow::Result<()> {
    let (Digit { pixels, doubt, .. }, graph) = (digit, content.graph());
    let scores = |pixels: &[u8]| -> anyhow::Result<Vec<f32>> {
        Ok(match content {
            Content::Weights(model) => model.predict(pixels)?,
            Content::Blob(model) => {
                let output = model.output();
                model.predict(pixels)?.iter().map(|&score| output.dequantize(score)).collect()
            }
        })
    };
    let class = |scores: &[f32]| class_of(&graph, scores);
    // MNIST's pictures are placed to the pixel, and of a photo one pixel more or less is chance.
    let moved: Vec<Option<usize>> = moved(pixels, graph.input().width)
        .into_iter()
        .map(|pixels| Ok(class(&scores(&pixels)?)))
        .collect::<anyhow::Result<_>>()?;
    let scores = scores(pixels)?;
    if show {
        output.note(&drawing(pixels, graph.input().width))?;
    }
    let class = class(&scores);
    // One probability is that of class 1; other numbers than probabilities say nothing of how sure the network is.
    let probabilities = match *scores {
        _ if !graph.output_activation().is_probability() => None,
        [score] => Some(vec![1.0 - score, score]),
        _ => Some(scores.clone()),
    };
    let close = || probabilities.as_ref().and_then(|scores| close_call(scores));
    let unsteady = || moved.iter().find(|other| **other != class).copied().flatten();
    let unsteady = || unsteady().map(|other| format!("moved by one pixel it is {other}"));
    let uncertain = doubt.map(|doubt| doubt.to_string()).or_else(close).or_else(unsteady);
    let score = class.and_then(|class| probabilities.as_ref().unwrap_or(&scores).get(class)).or(scores.first());
    let object = json!({
        "command": "predict", "image": shown(path), "network": graph.name, "class": class, "score": score,
        "scores": scores, "uncertain": uncertain,
    });
    let answer = match (&probabilities, class) {
        (Some(scores), _) => ranking(scores),
        (None, Some(class)) => format!("{class} (output {})", scores[class]),
        (None, None) => scores.iter().map(f32::to_string).collect(),
    };
    let remark = uncertain.map(|reason| format!(" (uncertain: {reason})")).unwrap_or_default();
    output.result(&object, &format!("{}: {answer}{remark}", path.display()))
}

/// The best score leads the next by this much at least, or the network does not know.
const LEAST_LEAD: f32 = 0.5;

/// What to say where the two best scores are close.
fn close_call(scores: &[f32]) -> Option<String> {
    let best = argmax(scores);
    let others = (0..scores.len()).filter(|&class| class != best);
    let next = others.max_by(|&a, &b| scores[a].total_cmp(&scores[b]))?;
    (scores[best] - scores[next] < LEAST_LEAD).then(|| format!("{best} and {next} have close scores"))
}

/// The pixels moved by one to each of the four sides. The rim is empty, so that nothing is seen of what enters there.
fn moved(pixels: &[u8], width: usize) -> [Vec<u8>; 4] {
    // As far as the pixels are rotated to the left: by one, or by a row.
    [1, width, pixels.len() - width, pixels.len() - 1].map(|places| {
        let mut pixels = pixels.to_vec();
        pixels.rotate_left(places);
        pixels
    })
}

/// The best class and the two next.
fn ranking(scores: &[f32]) -> String {
    let mut classes: Vec<usize> = (0..scores.len()).collect();
    // The sort is stable: of equals the first leads, as in the accuracy.
    classes.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let parts: Vec<String> =
        classes.iter().take(3).map(|&class| format!("{class} ({:.2} %)", 100.0 * scores[class])).collect();
    match parts.split_first() {
        Some((best, [])) => best.clone(),
        Some((best, others)) => format!("{best}, then {}", others.join(", ")),
        None => String::new(),
    }
}

/// The pixels as characters, two for each, so that they are nearly square.
fn drawing(pixels: &[u8], width: usize) -> String {
    let shades = [' ', '░', '▒', '▓', '█'];
    let row = |row: &[u8]| -> String {
        row.iter().flat_map(|&pixel| [shades[(usize::from(pixel) * shades.len()) >> 8]; 2]).collect::<String>()
    };
    pixels.chunks(width).map(|pixels| row(pixels).trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_by_score() {
        assert_eq!(ranking(&[0.25, 0.5, 0.25]), "1 (50.00 %), then 0 (25.00 %), 2 (25.00 %)");
        assert_eq!(ranking(&[1.0]), "0 (100.00 %)");
    }

    #[test]
    fn tells_close_calls() {
        assert_eq!(close_call(&[0.0, 0.7, 0.3]), Some("1 and 2 have close scores".into()));
        assert_eq!(close_call(&[0.1, 0.8, 0.1]), None);
        assert_eq!(close_call(&[0.5, 0.5]), Some("0 and 1 have close scores".into()));
        assert_eq!(close_call(&[0.3]), None);
    }

    #[test]
    fn moves_by_one_pixel() {
        #[rustfmt::skip]
        let pixels = [
            0, 0, 0,
            0, 9, 0,
            0, 0, 0,
        ];
        let places = moved(&pixels, 3).map(|pixels| pixels.iter().position(|pixel| *pixel == 9).unwrap());
        assert_eq!(places, [3, 1, 7, 5]);
    }

    #[test]
    fn draws_rows() {
        assert_eq!(drawing(&[0, 255, 130, 0], 2), "  ██\n▒▒");
    }
}
