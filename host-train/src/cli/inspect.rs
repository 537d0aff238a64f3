//! `inspect`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use thumbnet::Network;

use super::{
    args::InspectArgs,
    file::{self, Content, FileVisitor},
    output::{Output, shown},
};
use crate::summary::{Summary, grouped};

pub(super) fn run(arguments: &InspectArgs, output: Output) -> anyhow::Result<()> {
    let path = file::resolve(&arguments.file);
    file::open(&path, Inspect { path: path.clone(), output })
}

struct Inspect {
    path: PathBuf,
    output: Output,
}

impl FileVisitor for Inspect {
    type Output = ();

    fn visit<N: Network>(self, content: Content<N>) -> anyhow::Result<()> {
        let path: &Path = &self.path;
        let (kind, what, summary) = match &content {
            Content::Weights(_) => ("f32", "f32 weights", Summary::new::<N>(None)),
            Content::Blob(model) => ("int8", "int8 blob", Summary::new::<N>(Some(&model.network()))),
        };
        let len = fs::metadata(path).with_context(|| path.display().to_string())?.len();
        let mut object = serde_json::to_value(&summary)?;
        object["command"] = "inspect".into();
        object["file"] = shown(path).into();
        object["type"] = kind.into();
        object["file_bytes"] = len.into();
        let text = format!("{summary}\nFile: {}, {what}, {} bytes", path.display(), grouped(len as usize));
        self.output.result(&object, &text)?;
        Ok(())
    }
}
