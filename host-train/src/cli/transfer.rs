//! `import` and `export`.

use std::path::PathBuf;

use anyhow::Context;
use serde_json::json;
use thumbnet::Network;

use super::{
    args::{ExportArgs, ImportArgs, NamesName},
    file::{self, Content, FileVisitor},
    output::{Output, shown},
};
use crate::{
    checkpoint,
    network::{NetworkVisitor, with_network},
    safetensors::{self, Names},
    summary::grouped,
};

pub(super) fn import(arguments: &ImportArgs, output: Output) -> anyhow::Result<()> {
    with_network(&arguments.network, Import { arguments, output })?
}

struct Import<'a> {
    arguments: &'a ImportArgs,
    output: Output,
}

impl NetworkVisitor for Import<'_> {
    type Output = anyhow::Result<()>;

    fn visit<N: Network>(self) -> Self::Output {
        let path = &self.arguments.file;
        let out = self.arguments.out.clone().unwrap_or_else(|| path.with_extension("postcard"));
        file::refuse_same(&out, &[path])?;
        file::check(&out, 4 * N::PARAMETERS)?;
        let weights = safetensors::import::<N>(&file::read(path)?).with_context(|| path.display().to_string())?;
        file::write(&out, &checkpoint::write::<N>(&weights))?;
        let object = json!({
            "command": "import", "network": N::NAME, "file": shown(path), "weights": shown(&out),
            "parameters": weights.len(),
        });
        let text = format!("{}: {}, {} parameters", out.display(), N::NAME, grouped(weights.len()));
        self.output.result(&object, &text)?;
        Ok(())
    }
}

pub(super) fn export(arguments: &ExportArgs, output: Output) -> anyhow::Result<()> {
    let path = file::resolve(&arguments.file);
    file::open(&path, Export { path: path.clone(), arguments, output })
}

struct Export<'a> {
    path: PathBuf,
    arguments: &'a ExportArgs,
    output: Output,
}

impl FileVisitor for Export<'_> {
    type Output = ();

    fn visit<N: Network>(self, content: Content<N>) -> anyhow::Result<()> {
        let Self { path, arguments, output } = self;
        let model = content.into_model(&path)?;
        let out = arguments.out.clone().unwrap_or_else(|| path.with_extension("safetensors"));
        file::refuse_same(&out, &[&path])?;
        file::check(&out, 4 * N::PARAMETERS)?;
        let names = match arguments.names {
            NamesName::Own => Names::Own,
            NamesName::Keras => Names::Keras,
        };
        let bytes = safetensors::export::<N>(model.weights(), names)?;
        file::write(&out, &bytes)?;
        let object = json!({
            "command": "export", "network": N::NAME, "file": shown(&path), "safetensors": shown(&out),
            "bytes": bytes.len(),
        });
        let text = format!("{}: {}, {} bytes", out.display(), N::NAME, grouped(bytes.len()));
        output.result(&object, &text)?;
        Ok(())
    }
}
