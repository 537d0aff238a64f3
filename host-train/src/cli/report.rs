//! `report`.

use anyhow::Context;
use serde_json::json;

use super::{
    args::ReportArgs,
    file::{self, Content, HISTORY, TRAINING},
    output::{Output, shown},
};
use crate::{
    history,
    quantized::{QuantizeOptions, QuantizedModel, plain, quantize},
    report::Report,
};

pub(super) fn run(arguments: &ReportArgs, output: Output) -> anyhow::Result<()> {
    let path = file::resolve(&arguments.run);
    file::open(&path, |content| {
        let model = content.into_model(&path)?;
        let out = arguments.out.clone().unwrap_or_else(|| path.with_file_name("report.html"));
        let blob = arguments.blob.as_deref().unwrap_or(&path);
        file::refuse_same(&out, &[&path, blob])?;
        file::refuse_data(&out, &arguments.data)?;
        file::refuse_run(&out)?;
        file::check(&out, 1 << 16)?;
        let history = path.with_file_name(HISTORY);
        let history = match history.exists() {
            true => history::from_csv(&file::read(&history)?).with_context(|| shown(&history))?,
            // Weights that were imported, or lie by themselves, have none.
            false => Vec::new(),
        };
        let is_unfinished = path.with_file_name(TRAINING).exists();
        let data = file::load(&model.graph(), &arguments.data, model.about())?;
        let write = |quantized: &QuantizedModel<'_>| {
            let history = history.clone();
            let page = Report { model: &model, quantized, history, is_unfinished, data: &data.test }.to_html()?;
            file::write(&out, page.as_bytes())?;
            let object = json!({
                "command": "report", "network": model.graph().name, "file": shown(&path), "report": shown(&out),
                "bytes": page.len(),
            });
            output.result(&object, &format!("{}: open it in a browser", out.display()))
        };
        match &arguments.blob {
            Some(blob) => file::open(blob, |content| match content {
                Content::Blob(quantized) => write(&quantized),
                Content::Weights(_) => anyhow::bail!("{}: f32 weights, but a blob is needed", blob.display()),
            }),
            None => {
                // As `quantize` does where nothing else is said.
                let images = QuantizeOptions::default().images.min(data.train.len());
                let blob = quantize(&model, &data.train, QuantizeOptions { images, ..QuantizeOptions::default() })
                    .with_context(|| shown(&path))?;
                write(&QuantizedModel::read(&plain(&blob)?)?)
            }
        }
    })
}
