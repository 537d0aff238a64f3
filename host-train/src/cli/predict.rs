//! `predict`.

use serde_json::json;
use thumbnet::{Network, train::argmax};

use super::{
    args::PredictArgs,
    file::{self, Content, FileVisitor},
    output::{Output, shown},
};
use crate::image::read_digit;

pub(super) fn run(arguments: &PredictArgs, output: Output) -> anyhow::Result<()> {
    file::open(&file::resolve(&arguments.model), Predict { arguments, output })
}

struct Predict<'a> {
    arguments: &'a PredictArgs,
    output: Output,
}

impl FileVisitor for Predict<'_> {
    type Output = ();

    fn visit<N: Network>(self, content: Content<N>) -> anyhow::Result<()> {
        for path in &self.arguments.images {
            let pixels = read_digit(path, N::INPUT)?;
            let scores: Vec<f32> = match &content {
                Content::Weights(model) => model.predict(&pixels)?,
                Content::Blob(model) => {
                    let output = model.network().output();
                    model.predict(&pixels)?.as_ref().iter().map(|&score| output.dequantize(score)).collect()
                }
            };
            if self.arguments.show {
                self.output.note(&drawing(&pixels, N::INPUT.width))?;
            }
            let class = argmax(&scores);
            let object = json!({
                "command": "predict", "image": shown(path), "network": N::NAME, "class": class, "score": scores[class],
                "scores": scores,
            });
            self.output.result(&object, &format!("{}: {}", path.display(), ranking(&scores)))?;
        }
        Ok(())
    }
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
    fn draws_rows() {
        assert_eq!(drawing(&[0, 255, 130, 0], 2), "  ██\n▒▒");
    }
}
