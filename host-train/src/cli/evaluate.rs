//! `evaluate`.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use serde_json::json;
use thumbnet::{Network, train::Loss};

use super::{
    args::EvaluateArgs,
    file::{self, Content, FileVisitor},
    output::{Output, shown},
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
        let EvaluateArgs { data, backend: kernels, scores, .. } = self.arguments;
        let backend = kernels.get()?;
        let path: &Path = &self.path;
        if let Some(scores) = scores {
            file::refuse_same(scores, &[path])?;
            file::check(scores, N::OUTPUT.len())?;
        }
        let data = file::load::<N>(data, Split::Test)?;
        match content {
            Content::Weights(model) => {
                ensure!(scores.is_none(), "{}: f32 weights, but int8 scores are of a blob", path.display());
                let model = model.with_backend(backend);
                let result = model.evaluate(&data, Loss::CategoricalCrossentropy)?;
                let object = json!({
                    "command": "evaluate", "file": shown(path), "network": N::NAME, "type": "f32", "loss": result.loss,
                    "accuracy": result.accuracy, "correct": result.correct, "images": result.samples,
                    "backend": model.backend().name(),
                });
                let right =
                    result.correct.map_or(String::new(), |correct| format!(" ({correct} of {})", result.samples));
                let text = format!("{} (f32): {result}{right}", N::NAME);
                self.output.result(&object, &text)?;
            }
            Content::Blob(model) => {
                kernels.refuse_precision(&format!("{}: a blob", path.display()))?;
                let model = model.with_backend(backend);
                let outputs = model.outputs(&data)?;
                if let Some(scores) = scores {
                    file::write(scores, bytemuck::cast_slice(&outputs))?;
                }
                let result = model.accuracy(&outputs, &data)?;
                let object = json!({
                    "command": "evaluate", "file": shown(path), "network": N::NAME, "type": "int8",
                    "accuracy": result.share(), "correct": result.correct, "images": result.samples,
                    "backend": model.network().backend().name(),
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
