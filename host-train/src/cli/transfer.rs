//! `import` and `export`.

use std::path::Path;

use anyhow::Context;
use serde_json::json;
use thousands::Separable;

use super::{
    Networks,
    args::{ExportArgs, ImportArgs, NamesName},
    file,
    output::{Output, shown},
};
use crate::{
    checkpoint,
    safetensors::{self, Names},
};

pub(super) fn import(arguments: &ImportArgs, networks: Networks, output: Output) -> anyhow::Result<()> {
    file::with_network(arguments.network.as_deref(), networks, |graph| {
        let path = &arguments.file;
        let out = arguments.out.clone().unwrap_or_else(|| path.with_extension("postcard"));
        let network = file::of_network(arguments.network.as_deref());
        let inputs: Vec<&Path> = [Some(path.as_path()), network.as_deref()].into_iter().flatten().collect();
        file::refuse_same(&out, &inputs)?;
        file::refuse_run(&out)?;
        file::check(&out, 4 * graph.parameters())?;
        let bytes = file::read(path)?;
        let weights = safetensors::import(graph, &bytes).with_context(|| path.display().to_string())?;
        let about = arguments.about(graph, safetensors::about(&bytes));
        file::write(&out, &checkpoint::write(graph, &about, &weights))?;
        let object = json!({
            "command": "import", "network": graph.name, "file": shown(path), "weights": shown(&out),
            "parameters": weights.len(),
        });
        let text = format!("{}: {}, {} parameters", out.display(), graph.name, weights.len().separate_with_commas());
        output.result(&object, &text)
    })
}

pub(super) fn export(arguments: &ExportArgs, output: Output) -> anyhow::Result<()> {
    let path = file::resolve(&arguments.file);
    file::open(&path, |content| {
        let model = content.into_model(&path)?;
        let graph = model.graph();
        let out = arguments.out.clone().unwrap_or_else(|| path.with_extension("safetensors"));
        file::refuse_same(&out, &[&path])?;
        file::refuse_run(&out)?;
        file::check(&out, 4 * graph.parameters())?;
        let names = match arguments.names {
            NamesName::Own => Names::Own,
            NamesName::Keras => Names::Keras,
        };
        let bytes = safetensors::export(&graph, &model.about().cloned().unwrap_or_default(), model.weights(), names)?;
        file::write(&out, &bytes)?;
        let object = json!({
            "command": "export", "network": graph.name, "file": shown(&path), "safetensors": shown(&out),
            "bytes": bytes.len(),
        });
        let text = format!("{}: {}, {} bytes", out.display(), graph.name, bytes.len().separate_with_commas());
        output.result(&object, &text)
    })
}
