//! `sample`.

use std::path::PathBuf;

use anyhow::{bail, ensure};
use serde_json::json;
use thumbnet::Network;

use super::{
    args::SampleArgs,
    file::{self, Content, FileVisitor},
    output::{Output, shown},
};
use crate::data::Split;

pub(super) fn run(arguments: &SampleArgs, output: Output) -> anyhow::Result<()> {
    let path = file::resolve(&arguments.file);
    file::open(&path, Sample { path: path.clone(), arguments, output })
}

struct Sample<'a> {
    path: PathBuf,
    arguments: &'a SampleArgs,
    output: Output,
}

impl FileVisitor for Sample<'_> {
    type Output = ();

    fn visit<N: Network>(self, content: Content<N>) -> anyhow::Result<()> {
        let Self { path, arguments, output } = self;
        let Content::Blob(model) = content else {
            bail!("{}: f32 weights, but a blob is needed, as `quantize` makes it", path.display());
        };
        file::refuse_same(&arguments.out, &[&path])?;
        file::refuse_same(&arguments.scores, &[&path, &arguments.out])?;
        file::check(&arguments.out, 1 + N::INPUT.len())?;
        file::check(&arguments.scores, N::OUTPUT.len())?;
        let data = file::load::<N>(&arguments.data, Split::Test)?;
        let count = arguments.images;
        ensure!((1..=data.len()).contains(&count), "images is {count}, but must be in 1..={}", data.len());

        let mut records = Vec::with_capacity(count * (1 + N::INPUT.len()));
        let mut scores = Vec::with_capacity(count * N::OUTPUT.len());
        for i in 0..count {
            records.push(data.label(i));
            records.extend_from_slice(data.image(i));
            scores.extend(model.predict(data.image(i))?.as_ref().iter().map(|score| score.cast_unsigned()));
        }
        file::write(&arguments.out, &records)?;
        file::write(&arguments.scores, &scores)?;
        let object = json!({
            "command": "sample", "file": shown(&path), "network": N::NAME, "images": count,
            "out": shown(&arguments.out), "scores": shown(&arguments.scores),
        });
        let text = format!("{count} images in {}, scores in {}", arguments.out.display(), arguments.scores.display());
        output.result(&object, &text)?;
        Ok(())
    }
}
