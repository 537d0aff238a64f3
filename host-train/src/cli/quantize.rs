//! `quantize`.

use std::path::PathBuf;

use anyhow::{Context, bail};
use serde_json::json;
use thumbnet::{Network, blob::Family, quantize::Range};

use super::{
    args::{CalibrationName, FamilyName, QuantizeArgs},
    file::{self, Content, FileVisitor},
    output::{Output, shown},
};
use crate::{
    data::Split,
    quantized::{QuantizeOptions, quantize},
    summary::grouped,
};

pub(super) fn run(arguments: &QuantizeArgs, output: Output) -> anyhow::Result<()> {
    let path = file::resolve(&arguments.file);
    file::open(&path, Quantize { path: path.clone(), arguments, output })
}

struct Quantize<'a> {
    path: PathBuf,
    arguments: &'a QuantizeArgs,
    output: Output,
}

impl FileVisitor for Quantize<'_> {
    type Output = ();

    fn visit<N: Network>(self, content: Content<N>) -> anyhow::Result<()> {
        let Self { path, arguments, output } = self;
        let model = content.into_model(&path)?;
        let out = arguments.out.clone().unwrap_or_else(|| path.with_file_name("model.blob"));
        file::refuse_same(&out, &[&path])?;
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
        let options = QuantizeOptions { range, images: arguments.images, family };
        options.check()?;
        file::check(&out, N::PARAMETERS)?;
        let data = file::load::<N>(&arguments.data, Split::Train)?;
        let blob = quantize(&model, &data, options).with_context(|| path.display().to_string())?;
        file::write(&out, &blob)?;

        let object = json!({
            "command": "quantize", "network": N::NAME, "file": shown(&path), "blob": shown(&out),
            "blob_bytes": blob.len(), "activation_bytes": N::ACTIVATION_BYTES, "images": arguments.images,
        });
        let (bytes, activations) = (grouped(blob.len()), grouped(N::ACTIVATION_BYTES));
        output.result(
            &object,
            &format!("{}: {} int8, {bytes} bytes, activations {activations} bytes", out.display(), N::NAME),
        )?;
        Ok(())
    }
}
