//! `evaluate`.

use std::path::{Path, PathBuf};

use serde_json::json;
use thumbnet::{Network, train::Loss};

use super::{
    args::EvaluateArgs,
    file::{self, Content, FileVisitor},
    output::Output,
};
use crate::data::Split;

pub(super) fn run(arguments: &EvaluateArgs, output: Output) -> anyhow::Result<()> {
    let path = file::resolve(&arguments.file);
    file::open(&path, Evaluate { path: path.clone(), arguments, output })
}

struct Evaluate<'a> {
    path: PathBuf,
    arguments: &'a EvaluateArgs,
    output: Output,
}

impl FileVisitor for Evaluate<'_> {
    type Output = ();

    fn visit<N: Network>(self, content: Content<N>) -> anyhow::Result<()> {
        let data = file::load::<N>(&self.arguments.data, Split::Test)?;
        let path: &Path = &self.path;
        match content {
            Content::Weights(model) => {
                let result = model.evaluate(&data, Loss::CategoricalCrossentropy)?;
                let object = json!({
                    "command": "evaluate", "file": path, "network": N::NAME, "type": "f32", "loss": result.loss,
                    "accuracy": result.accuracy, "correct": result.correct, "images": result.samples,
                });
                let text = format!("{} (f32): {result} ({} of {})", N::NAME, result.correct, result.samples);
                self.output.result(&object, &text)?;
            }
            Content::Blob(model) => {
                let result = model.evaluate(&data)?;
                let object = json!({
                    "command": "evaluate", "file": path, "network": N::NAME, "type": "int8", "accuracy": result.share(),
                    "correct": result.correct, "images": result.samples,
                });
                let text = format!(
                    "{} (int8): accuracy: {:.4} ({} of {})",
                    N::NAME,
                    result.share(),
                    result.correct,
                    result.samples
                );
                self.output.result(&object, &text)?;
            }
        }
        Ok(())
    }
}
