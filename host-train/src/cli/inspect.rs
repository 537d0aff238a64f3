//! `inspect`.

use anyhow::{Context, bail};
use thousands::Separable;
use thumbnet::{
    blob::{self, Family, Loaded},
    infer::OpS8,
    int8::Packing,
};

use super::{
    args::InspectArgs,
    file,
    output::{Output, shown},
};
use crate::{
    chips::{Fit, Stored},
    memory::Values,
    summary::Summary,
};

pub(super) fn run(arguments: &InspectArgs, output: Output) -> anyhow::Result<()> {
    let target = arguments.target()?;
    let path = file::resolve(&arguments.file);
    let name = || path.display().to_string();
    let bytes = file::read(&path)?;
    let (kind, what, summary, stored) = if bytes.starts_with(&blob::MAGIC) {
        // As it is in the file: other commands put its weights into the order that a PC is fastest with.
        let blob = Values::from(&*bytes);
        let network = Loaded::read(&blob).with_context(name)?;
        let stored = Stored { bytes: bytes.len(), family: family(&network) };
        ("int8", "int8 blob", Summary::of_quantized(&network), stored)
    } else {
        let summary = file::parse(&path, &bytes, |content| Ok(Summary::new(&content.graph())))?;
        let stored = Stored { bytes: summary.flash_bytes, family: None };
        ("f32", "f32 weights", summary, stored)
    };
    let fit = target.map(|target| Fit::new(&summary, stored, &target));
    let mut object = serde_json::to_value(&summary)?;
    object["command"] = "inspect".into();
    object["file"] = shown(&path).into();
    object["type"] = kind.into();
    object["file_bytes"] = bytes.len().into();
    let mut text = format!("{summary}\nFile: {}, {what}, {} bytes", name(), bytes.len().separate_with_commas());
    if let Some(fit) = &fit {
        object["fit"] = serde_json::to_value(fit)?;
        text += &format!("\n{fit}");
    }
    output.result(&object, &text)?;
    match fit {
        Some(fit) if !fit.fits => bail!("{}: does not fit {}: {}", name(), fit.chip, fit.reason()),
        _ => Ok(()),
    }
}

/// The cores whose order the weights are in; `None` where no layer has one.
fn family(network: &Loaded<'_>) -> Option<Family> {
    let steps = network.steps();
    let has_order = |op| matches!(op, OpS8::Conv2D { .. } | OpS8::Dense { .. });
    let first = steps.iter().position(|step| has_order(step.op()))?;
    let packing = network.parts().layer(first, &steps[first].op())?.packing();
    Some(if packing == Packing::Plain { Family::Plain } else { Family::Dsp })
}
