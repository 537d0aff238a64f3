//! `inspect`.

use std::fs;

use anyhow::Context;
use thousands::Separable;

use super::{
    args::InspectArgs,
    file::{self, Content},
    output::{Output, shown},
};
use crate::summary::Summary;

pub(super) fn run(arguments: &InspectArgs, output: Output) -> anyhow::Result<()> {
    let path = file::resolve(&arguments.file);
    file::open(&path, |content| {
        let (kind, what, summary) = match &content {
            Content::Weights(model) => ("f32", "f32 weights", Summary::new(&model.graph())),
            Content::Blob(model) => ("int8", "int8 blob", Summary::of_quantized(model.network())),
        };
        let len = fs::metadata(&path).with_context(|| path.display().to_string())?.len();
        let mut object = serde_json::to_value(&summary)?;
        object["command"] = "inspect".into();
        object["file"] = shown(&path).into();
        object["type"] = kind.into();
        object["file_bytes"] = len.into();
        let text =
            format!("{summary}\nFile: {}, {what}, {} bytes", path.display(), (len as usize).separate_with_commas());
        output.result(&object, &text)
    })
}
