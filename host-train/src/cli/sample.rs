//! `sample`.

use anyhow::{Context, bail, ensure};
use serde_json::json;

use super::{
    args::SampleArgs,
    file::{self, Content},
    output::{Output, shown},
};
use crate::data::{Samples, Target};

/// Samples where nobody says how many.
const USUAL: usize = 100;

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
        file::refuse_data(&arguments.out, &arguments.data)?;
        file::refuse_data(&arguments.scores, &arguments.data)?;
        file::refuse_run(&arguments.out)?;
        file::refuse_run(&arguments.scores)?;
        file::check(&arguments.out, 1 + input)?;
        file::check(&arguments.scores, outputs)?;
        let data = file::load(&graph, &arguments.data, Some(model.about()))?.test;
        let count = arguments.images.unwrap_or(data.len().min(USUAL));
        ensure!((1..=data.len()).contains(&count), "images is {count}, but must be in 1..={}", data.len());

        let mut records = Vec::with_capacity(count * (1 + input));
        let mut scores = Vec::with_capacity(count * outputs);
        let mut values = vec![0.0; input];
        for sample in 0..count {
            data.read(sample, &mut values);
            if arguments.int8 {
                records.extend(model.input(&values).iter().map(|value| value.cast_unsigned()));
            } else {
                records.push(label(&data, sample)?);
                records.extend_from_slice(data.bytes(sample).context("raw values are no bytes: ask for --int8")?);
            }
            scores.extend(model.predict(&values)?.iter().map(|score| score.cast_unsigned()));
        }
        file::write(&arguments.out, &records)?;
        file::write(&arguments.scores, &scores)?;
        let object = json!({
            "command": "sample", "file": shown(&path), "network": graph.name, "images": count,
            "out": shown(&arguments.out), "scores": shown(&arguments.scores),
        });
        let text = format!("{count} samples in {}, scores in {}", arguments.out.display(), arguments.scores.display());
        output.result(&object, &text)
    })
}

/// A sample's class, as a byte.
fn label(data: &dyn Samples, sample: usize) -> anyhow::Result<u8> {
    match data.target(sample) {
        Target::Class(class) => class.try_into().with_context(|| format!("class {class} is no byte: ask for --int8")),
        Target::Values(_) => bail!("the samples have no classes: ask for --int8"),
    }
}
