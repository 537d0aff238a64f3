//! `evaluate`.

use std::path::Path;

use anyhow::ensure;
use serde_json::json;
use thumbnet::{arch::Backend, graph::Graph};

use super::{
    args::EvaluateArgs,
    file::{self, Content},
    output::{Output, shown},
};
use crate::model::{Evaluation, too_large, usual_loss};

pub(super) fn run(arguments: &EvaluateArgs, output: Output) -> anyhow::Result<()> {
    let path = file::resolve(&arguments.file);
    file::open(&path, |content| {
        let EvaluateArgs { data, backend: kernels, scores, .. } = arguments;
        let backend = kernels.get()?;
        if let Some(scores) = scores {
            file::refuse_same(scores, &[&path])?;
            file::refuse_data(scores, data)?;
            file::refuse_run(scores)?;
            file::check(scores, content.graph().output().len())?;
        }
        let about = content.about();
        let data = match arguments.all {
            true => file::load_all(&content.graph(), data, &about)?,
            false => file::load(&content.graph(), data, Some(&about))?.test,
        };
        match content {
            Content::Weights(model) => {
                ensure!(scores.is_none(), "{}: f32 weights, but int8 scores are of a blob", path.display());
                let model = model.with_backend(backend);
                let result = model.evaluate(&data, usual_loss(&model.graph()))?;
                tell(&path, &model.graph(), "f32", model.backend(), &result, output)
            }
            Content::Blob(model) => {
                kernels.refuse_precision(&format!("{}: a blob", path.display()))?;
                let model = model.with_backend(backend);
                let outputs = model.outputs(&data)?;
                if let Some(scores) = scores {
                    file::write(scores, bytemuck::cast_slice(&outputs))?;
                }
                let result = model.judge(&outputs, &data);
                let blamed = too_large(model.about(), &data).filter(|_| !result.loss.is_finite());
                blamed.map_or(Ok(()), Err)?;
                tell(&path, &model.graph(), "int8", model.backend(), &result, output)
            }
        }
    })
}

/// Prints how right a network is.
fn tell(
    path: &Path,
    graph: &Graph<'_>,
    kind: &str,
    backend: Backend,
    result: &Evaluation,
    output: Output,
) -> anyhow::Result<()> {
    let object = json!({
        "command": "evaluate", "file": shown(path), "network": graph.name, "type": kind, "loss": result.loss,
        "accuracy": result.accuracy, "correct": result.correct, "images": result.samples,
        "mean_absolute_error": result.mean_absolute_error, "backend": backend.name(),
    });
    let right = result.correct.map_or(String::new(), |correct| format!(" ({correct} of {})", result.samples));
    output.result(&object, &format!("{} ({kind}): {result}{right}", graph.name))
}
