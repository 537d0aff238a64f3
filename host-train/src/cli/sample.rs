//! `sample`.

use anyhow::{bail, ensure};
use serde_json::json;

use super::{
    args::SampleArgs,
    file::{self, Content},
    output::{Output, shown},
};
use crate::data::Split;

pub(super) fn run(arguments: &SampleArgs, output: Output) -> anyhow::Result<()> {
    let path = file::resolve(&arguments.file);
    file::open(&path, |content| {
        let Content::Blob(model) = content else {
            bail!("{}: f32 weights, but a blob is needed, as `quantize` makes it", path.display());
        };
        let graph = model.graph();
        let (input, outputs) = (graph.input().len(), graph.output().len());
        file::refuse_same(&arguments.out, &[&path])?;
        file::refuse_same(&arguments.scores, &[&path, &arguments.out])?;
        file::check(&arguments.out, 1 + input)?;
        file::check(&arguments.scores, outputs)?;
        let data = file::load(&graph, &arguments.data, Split::Test)?;
        let count = arguments.images;
        ensure!((1..=data.len()).contains(&count), "images is {count}, but must be in 1..={}", data.len());

        let mut records = Vec::with_capacity(count * (1 + input));
        let mut scores = Vec::with_capacity(count * outputs);
        for i in 0..count {
            records.push(data.label(i));
            records.extend_from_slice(data.image(i));
            scores.extend(model.predict(data.image(i))?.iter().map(|score| score.cast_unsigned()));
        }
        file::write(&arguments.out, &records)?;
        file::write(&arguments.scores, &scores)?;
        let object = json!({
            "command": "sample", "file": shown(&path), "network": graph.name, "images": count,
            "out": shown(&arguments.out), "scores": shown(&arguments.scores),
        });
        let text = format!("{count} images in {}, scores in {}", arguments.out.display(), arguments.scores.display());
        output.result(&object, &text)
    })
}
