//! `quantize`.

use anyhow::{Context, bail};
use serde_json::json;
use thousands::Separable;
use thumbnet::{
    blob::Family,
    plan::{Fusion, PlanBuf},
    quantize::Range,
};

use super::{
    args::{CalibrationName, FamilyName, QuantizeArgs},
    file,
    output::{Output, shown},
};
use crate::quantized::{QuantizeOptions, quantize};

pub(super) fn run(arguments: &QuantizeArgs, output: Output) -> anyhow::Result<()> {
    let path = file::resolve(&arguments.file);
    file::open(&path, |content| {
        let model = content.into_model(&path)?;
        let graph = model.graph();
        let out = arguments.out.clone().unwrap_or_else(|| path.with_file_name("model.blob"));
        file::refuse_same(&out, &[&path])?;
        file::refuse_data(&out, &arguments.data)?;
        file::refuse_run(&out)?;
        let range = match (arguments.calibration, arguments.percentile) {
            (CalibrationName::Percentile, percentile) => Range::Percentile(percentile.unwrap_or(99.99)),
            (CalibrationName::MinMax, None) => Range::MinMax,
            (CalibrationName::MinMax, Some(percentile)) => {
                bail!("percentile is {percentile}, but calibration is min-max: ask for --calibration percentile")
            }
        };
        let family = match arguments.family {
            FamilyName::Plain => Family::Plain,
            FamilyName::Dsp => Family::Dsp,
        };
        file::check(&out, graph.parameters())?;
        let data = file::load(&graph, &arguments.data, model.about())?.train;
        let images = arguments.images.unwrap_or(QuantizeOptions::default().images.min(data.len()));
        let options = QuantizeOptions { range, images, family };
        let blob = quantize(&model, &data, options).with_context(|| path.display().to_string())?;
        file::write(&out, &blob)?;

        let activations = PlanBuf::new(&graph, Fusion::Int8).plan().values;
        let object = json!({
            "command": "quantize", "network": graph.name, "file": shown(&path), "blob": shown(&out),
            "blob_bytes": blob.len(), "activation_bytes": activations, "images": images,
        });
        let (bytes, activations) = (blob.len().separate_with_commas(), activations.separate_with_commas());
        let (out, network) = (out.display(), graph.name);
        output.result(&object, &format!("{out}: {network} int8, {bytes} bytes, activations {activations} bytes"))
    })
}
