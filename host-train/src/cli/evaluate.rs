//! `evaluate`.

use anyhow::ensure;
use serde_json::json;

use super::{
    args::EvaluateArgs,
    file::{self, Content},
    output::{Output, shown},
};
use crate::{data::Split, model::usual_loss};

pub(super) fn run(arguments: &EvaluateArgs, output: Output) -> anyhow::Result<()> {
    let path = file::resolve(&arguments.file);
    file::open(&path, |content| {
        let EvaluateArgs { data, backend: kernels, scores, .. } = arguments;
        let backend = kernels.get()?;
        if let Some(scores) = scores {
            file::refuse_same(scores, &[&path])?;
            file::check(scores, content.graph().output().len())?;
        }
        let data = file::load(&content.graph(), data, Split::Test)?;
        match content {
            Content::Weights(model) => {
                ensure!(scores.is_none(), "{}: f32 weights, but int8 scores are of a blob", path.display());
                let model = model.with_backend(backend);
                let network = model.graph().name;
                let result = model.evaluate(&data, usual_loss(&model.graph()))?;
                let object = json!({
                    "command": "evaluate", "file": shown(&path), "network": network, "type": "f32", "loss": result.loss,
                    "accuracy": result.accuracy, "correct": result.correct, "images": result.samples,
                    "backend": model.backend().name(),
                });
                let right =
                    result.correct.map_or(String::new(), |correct| format!(" ({correct} of {})", result.samples));
                output.result(&object, &format!("{network} (f32): {result}{right}"))
            }
            Content::Blob(model) => {
                kernels.refuse_precision(&format!("{}: a blob", path.display()))?;
                let model = model.with_backend(backend);
                let outputs = model.outputs(&data)?;
                if let Some(scores) = scores {
                    file::write(scores, bytemuck::cast_slice(&outputs))?;
                }
                let result = model.accuracy(&outputs, &data)?;
                let (network, share) = (model.graph().name, result.share());
                let object = json!({
                    "command": "evaluate", "file": shown(&path), "network": network, "type": "int8",
                    "accuracy": share, "correct": result.correct, "images": result.samples,
                    "backend": model.backend().name(),
                });
                let (correct, samples) = (result.correct, result.samples);
                output.result(&object, &format!("{network} (int8): accuracy: {share:.4} ({correct} of {samples})"))
            }
        }
    })
}
