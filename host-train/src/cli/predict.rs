//! `predict`.

use std::path::Path;

use anyhow::{Context, anyhow, ensure};
use serde_json::json;
use thumbnet::{input::Shows, train::argmax};

use super::{
    args::{PredictArgs, TableArgs},
    file::{self, Content},
    output::{self, Output, shown},
};
use crate::{
    data::{self, Samples},
    model::class_of,
};

pub(super) fn run(arguments: &PredictArgs, output: Output) -> anyhow::Result<()> {
    file::open(&file::resolve(&arguments.model), |content| {
        let predict = Predict { content: &content, show: arguments.show, table: &arguments.table, output };
        let files = &arguments.files;
        let mut unread = 0;
        for path in files {
            let told = match content.about().shows {
                shows if path.is_dir() => Err(folder(path, shows)),
                Shows::Digits => predict.digit(path),
                Shows::Pictures => predict.picture(path),
                Shows::Values => predict.table(path),
            };
            match told {
                Ok(()) => {}
                Err(error) if files.len() == 1 => return Err(error),
                Err(error) => {
                    output::error(&format!("{error:#}"));
                    unread += 1;
                }
            }
        }
        ensure!(unread == 0, "{unread} of {} files have nothing that could be read", files.len());
        Ok(())
    })
}

/// What to say of a folder.
fn folder(path: &Path, shows: Shows) -> anyhow::Error {
    let files = match shows {
        Shows::Digits => "PNG or JPEG files, of one digit each",
        Shows::Pictures => "PNG or JPEG files",
        Shows::Values => "files .csv, .tsv, .npy or .npz",
    };
    anyhow!("{}: a folder, but for this network `predict` takes {files}", path.display())
}

/// A network that says what it makes of samples.
#[derive(Clone, Copy)]
struct Predict<'a> {
    content: &'a Content<'a>,
    #[cfg_attr(not(feature = "pictures"), expect(dead_code, reason = "pictures alone are drawn"))]
    show: bool,
    table: &'a TableArgs,
    output: Output,
}

impl Predict<'_> {
    /// What it makes of a picture of a digit, which is prepared as MNIST's are.
    #[cfg(feature = "pictures")]
    fn digit(self, path: &Path) -> anyhow::Result<()> {
        let input = self.content.graph().input();
        let crate::pictures::Digit { pixels, doubt, .. } = crate::pictures::read_digit(path, input)?;
        if self.show {
            self.output.note(&drawing(&pixels, input.width))?;
        }
        // MNIST's pictures are placed to the pixel, and of a photo one pixel more or less is chance.
        let graph = self.content.graph();
        let class = |pixels: &[u8]| anyhow::Ok(class_of(&graph, &self.scores(&values(pixels))?));
        let this = class(&pixels)?;
        let moved: Vec<_> = moved(&pixels, input.width).iter().map(|pixels| class(pixels)).collect::<Result<_, _>>()?;
        let other = moved.into_iter().find(|other| *other != this).flatten();
        let unsteady = || other.map(|other| format!("moved by one pixel it is {other}"));
        self.tell(path, None, &values(&pixels), doubt.map(|doubt| doubt.to_string()), unsteady)
    }

    /// What it makes of a picture, resized to its input.
    #[cfg(feature = "pictures")]
    fn picture(self, path: &Path) -> anyhow::Result<()> {
        let pixels = crate::pictures::read_picture(path, self.content.graph().input())?;
        self.tell(path, None, &values(&pixels), None, || None)
    }

    #[cfg(not(feature = "pictures"))]
    fn digit(self, _: &Path) -> anyhow::Result<()> {
        anyhow::bail!("this program was built without the feature `pictures`, which reads PNG and JPEG")
    }

    #[cfg(not(feature = "pictures"))]
    fn picture(self, path: &Path) -> anyhow::Result<()> {
        self.digit(path)
    }

    /// What it makes of each sample of a table or an array.
    fn table(self, path: &Path) -> anyhow::Result<()> {
        let options = self.table.options(&self.content.about());
        let samples = data::read(path, self.content.graph().input(), &options)?;
        let mut values = vec![0.0; samples.shape().len()];
        (0..samples.len()).try_for_each(|sample| {
            samples.read(sample, &mut values);
            let told = self.tell(path, Some(sample), &values, None, || None);
            told.with_context(|| format!("{}, sample {}", path.display(), sample + 1))
        })
    }

    /// The outputs for raw values, as real numbers.
    fn scores(self, raw: &[f32]) -> anyhow::Result<Vec<f32>> {
        Ok(match self.content {
            Content::Weights(model) => model.predict(raw)?,
            Content::Blob(model) => {
                let output = model.output();
                model.predict(raw)?.iter().map(|&score| output.dequantize(score)).collect()
            }
        })
    }

    /// Prints what the network says of a sample, the `row`th of its file, and whether it is certain.
    fn tell(
        self,
        path: &Path,
        row: Option<usize>,
        raw: &[f32],
        doubt: Option<String>,
        unsteady: impl Fn() -> Option<String>,
    ) -> anyhow::Result<()> {
        let (graph, about) = (self.content.graph(), self.content.about());
        let scores = self.scores(raw)?;
        let class = class_of(&graph, &scores);
        // One probability is that of class 1; other numbers than probabilities say nothing of how sure the network is.
        let probabilities = match *scores {
            _ if !graph.output_activation().is_probability() => None,
            [score] => Some(vec![1.0 - score, score]),
            _ => Some(scores.clone()),
        };
        let label = |class| about.label(class);
        let close = || probabilities.as_ref().and_then(|scores| close_call(scores, label));
        let uncertain = doubt.or_else(close).or_else(unsteady);
        let score = class.and_then(|class| probabilities.as_ref().unwrap_or(&scores).get(class)).or(scores.first());
        let object = json!({
            "command": "predict", "image": shown(path), "row": row, "network": graph.name, "class": class,
            "label": class.map(label), "score": score, "scores": scores, "uncertain": uncertain,
        });
        let answer = match (&probabilities, class) {
            (Some(scores), _) => ranking(scores, label),
            (None, Some(class)) => format!("{} (output {})", label(class), scores[class]),
            (None, None) => scores.iter().map(f32::to_string).collect::<Vec<_>>().join(", "),
        };
        let remark = uncertain.map(|reason| format!(" (uncertain: {reason})")).unwrap_or_default();
        let place = row.map_or(String::new(), |row| format!(", sample {}", row + 1));
        self.output.result(&object, &format!("{}{place}: {answer}{remark}", path.display()))
    }
}

/// Bytes as raw values.
#[cfg(feature = "pictures")]
fn values(bytes: &[u8]) -> Vec<f32> {
    bytes.iter().map(|&byte| byte.into()).collect()
}

/// The best score leads the next by this much at least, or the network does not know.
const LEAST_LEAD: f32 = 0.5;

/// What to say where the two best scores are close.
fn close_call(scores: &[f32], label: impl Fn(usize) -> String) -> Option<String> {
    let best = argmax(scores);
    let others = (0..scores.len()).filter(|&class| class != best);
    let next = others.max_by(|&a, &b| scores[a].total_cmp(&scores[b]))?;
    let is_close = scores[best] - scores[next] < LEAST_LEAD;
    is_close.then(|| format!("{} and {} have close scores", label(best), label(next)))
}

#[cfg(feature = "pictures")]
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
fn ranking(scores: &[f32], label: impl Fn(usize) -> String) -> String {
    let mut classes: Vec<usize> = (0..scores.len()).collect();
    // The sort is stable: of equals the first leads, as in the accuracy.
    classes.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let part = |&class: &usize| format!("{} ({:.2} %)", label(class), 100.0 * scores[class]);
    let parts: Vec<String> = classes.iter().take(3).map(part).collect();
    match parts.split_first() {
        Some((best, [])) => best.clone(),
        Some((best, others)) => format!("{best}, then {}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(feature = "pictures")]
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

    fn number(class: usize) -> String {
        class.to_string()
    }

    #[test]
    fn ranks_by_score() {
        assert_eq!(ranking(&[0.25, 0.5, 0.25], number), "1 (50.00 %), then 0 (25.00 %), 2 (25.00 %)");
        assert_eq!(ranking(&[1.0], number), "0 (100.00 %)");
    }

    #[test]
    fn tells_close_calls() {
        assert_eq!(close_call(&[0.0, 0.7, 0.3], number), Some("1 and 2 have close scores".into()));
        assert_eq!(close_call(&[0.1, 0.8, 0.1], number), None);
        assert_eq!(close_call(&[0.5, 0.5], number), Some("0 and 1 have close scores".into()));
        assert_eq!(close_call(&[0.3], number), None);
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
