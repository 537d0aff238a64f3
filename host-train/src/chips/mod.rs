//! Whether a network fits a microcontroller.

mod table;

use std::fmt;

use clap::ValueEnum;
use serde::Serialize;
use thousands::Separable;
use thumbnet::{arch::Cores, blob::Family};

use crate::summary::{DeviceRam, Summary};

pub use table::CHIPS;

/// A microcontroller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chip {
    /// The name of its line, in small letters.
    pub name: &'static str,
    /// The part whose sizes these are.
    pub part: &'static str,
    /// The core that programs run on.
    pub core: Core,
    /// Bytes of flash.
    pub flash: usize,
    /// Bytes of RAM in one piece.
    pub ram: usize,
}

/// No chip has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown chip `{name}`; known are {}, and any other by its flash, RAM and core", names())]
pub struct UnknownChip {
    /// The name.
    pub name: String,
}

/// The chips' names, for texts.
fn names() -> String {
    CHIPS.iter().map(|chip| chip.name).collect::<Vec<_>>().join(", ")
}

/// The chip of that name, in whichever letters.
///
/// # Errors
///
/// [`UnknownChip`], where there is none.
pub fn find(name: &str) -> Result<Chip, UnknownChip> {
    let chip = CHIPS.iter().find(|chip| chip.name.eq_ignore_ascii_case(name));
    chip.copied().ok_or_else(|| UnknownChip { name: name.into() })
}

/// ARM's cores that the library has kernels for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Core {
    M0,
    #[value(name = "m0+")]
    M0Plus,
    M3,
    M4,
    M7,
    M23,
    M33,
    M55,
    M85,
}

impl Core {
    /// The cores that run the same kernels.
    pub const fn cores(self) -> Cores {
        match self {
            Self::M0 | Self::M0Plus | Self::M23 => Cores::Thumb1,
            Self::M3 => Cores::Thumb,
            Self::M4 | Self::M7 | Self::M33 => Cores::Dsp,
            Self::M55 | Self::M85 => Cores::Helium,
        }
    }

    /// The order of weights that it reads.
    pub const fn family(self) -> Family {
        match self.cores() {
            Cores::Thumb1 | Cores::Helium => Family::Plain,
            Cores::Thumb | Cores::Dsp => Family::Dsp,
        }
    }
}

impl fmt::Display for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.to_possible_value().expect("no core is hidden");
        write!(f, "Cortex-{}", name.get_name().to_uppercase())
    }
}

/// What a network shall fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name, for texts.
    pub name: String,
    /// Its core; the most demanding one where none is named.
    pub core: Option<Core>,
    /// Bytes of flash.
    pub flash: usize,
    /// Bytes of RAM.
    pub ram: usize,
}

impl From<Chip> for Target {
    fn from(Chip { part, core, flash, ram, .. }: Chip) -> Self {
        Self { name: format!("{part} ({core})"), core: Some(core), flash, ram }
    }
}

/// What is stored on the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Bytes of the blob, or of the tensors that it will have.
    pub bytes: usize,
    /// The order of its weights; `None` of what is not quantised yet, and where no layer has an order.
    pub family: Option<Family>,
}

/// Bytes of stack that inference takes: the most that it took of any network on any core (`benches/device.json`).
pub const STACK: usize = 1024;

/// Bytes of code and constants that the inference of a network takes on each of [`Cores::ALL`], about: of dense layers
/// alone, of those with convolutions (and the max poolings behind them), and of any.
///
/// What `cargo xtask device-bench` measured, rounded up to KiB. It measures networks of the second kind on every core,
/// of the others on Cortex-M4 alone: there they take 0.55 and 1.7 times as much, and so they are taken to do on each.
const CODE: [[usize; 4]; 3] = [[6, 8, 7, 9], [10, 14, 12, 17], [17, 22, 20, 28]];

/// Bytes of code on the cores of that number in [`Cores::ALL`].
pub(crate) fn code(summary: &Summary, cores: usize) -> usize {
    // Others are computed with these, or not at all.
    let kinds = summary.layers.iter().filter(|layer| layer.ram_bytes > 0).map(|layer| layer.kind);
    let row = |kind| match kind {
        "Dense" => 0,
        "Conv2D" => 1,
        _ => 2,
    };
    1024 * CODE[kinds.map(row).max().unwrap_or(0)][cores]
}

/// What a network needs of a chip, and what that has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fit {
    /// The chip.
    pub chip: String,
    /// Whether all of it fits, and the core reads the weights.
    pub fits: bool,
    /// Flash.
    pub flash: Flash,
    /// RAM.
    pub ram: Ram,
    /// The order that the weights would need, where the core does not read theirs.
    pub needs_family: Option<&'static str>,
}

/// What takes flash, in bytes. The application's own code, and its log, are not counted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Flash {
    /// All of it.
    pub needed: usize,
    /// What the chip has.
    pub available: usize,
    /// The blob.
    pub weights: usize,
    /// The layer with the most weights; none where no layer has any.
    pub weights_layer: Option<String>,
    /// Code, about.
    pub code: usize,
}

/// What takes RAM, in bytes. The application's own is not counted, nor the input.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ram {
    /// All of it.
    pub needed: usize,
    /// What the chip has.
    pub available: usize,
    /// Activations.
    pub activations: usize,
    /// The layer with the most of them, as input and output.
    pub activations_layer: Option<String>,
    /// What kernels work in.
    pub scratch: usize,
    /// The layer whose kernel takes that much.
    pub scratch_layer: Option<String>,
    /// Stack, at most.
    pub stack: usize,
}

impl Fit {
    /// Compares a network with a chip.
    pub fn new(summary: &Summary, stored: Stored, target: &Target) -> Self {
        let is_meant = |cores: Cores| target.core.is_none_or(|core| core.cores() == cores);
        let meant = || Cores::ALL.iter().enumerate().filter(|(_, cores)| is_meant(**cores)).map(|(i, _)| i);
        let code = meant().map(|i| code(summary, i)).max().unwrap_or(0);
        let device = meant().map(|i| &summary.devices[i]).max_by_key(|device| device.ram_bytes);
        let Some(DeviceRam { scratch_bytes, ram_bytes, scratch_layer, .. }) = device.cloned() else {
            unreachable!("every core is of a family");
        };
        let largest = |bytes: fn(&crate::summary::Row) -> usize| {
            let layer = summary.layers.iter().rev().max_by_key(|layer| bytes(layer));
            layer.filter(|layer| bytes(layer) > 0).map(|layer| layer.name.clone())
        };
        let flash = Flash {
            needed: stored.bytes + code,
            available: target.flash,
            weights: stored.bytes,
            weights_layer: largest(|layer| layer.flash_bytes),
            code,
        };
        let ram = Ram {
            needed: ram_bytes + STACK,
            available: target.ram,
            activations: summary.activation_bytes,
            activations_layer: largest(|layer| layer.ram_bytes),
            scratch: scratch_bytes,
            scratch_layer,
            stack: STACK,
        };
        let read = target.core.map(Core::family);
        let needs_family = read.filter(|read| stored.family.is_some_and(|family| family != *read)).map(name);
        let fits = flash.needed <= flash.available && ram.needed <= ram.available && needs_family.is_none();
        Self { chip: target.name.clone(), fits, flash, ram, needs_family }
    }

    /// Why it does not fit, in a line.
    pub fn reason(&self) -> String {
        let mut reasons = Vec::new();
        for (what, needed, available) in
            [("flash", self.flash.needed, self.flash.available), ("RAM", self.ram.needed, self.ram.available)]
        {
            if needed > available {
                let [needed, available] = [needed, available].map(|bytes| bytes.separate_with_commas());
                reasons.push(format!("{needed} bytes of {what} are needed, {available} are there"));
            }
        }
        if let Some(family) = self.needs_family {
            reasons.push(format!("its weights are in the order of other cores: write them for family `{family}`"));
        }
        reasons.join("; ")
    }
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chip, fits, flash, ram, .. } = self;
        let bytes = |bytes: usize| bytes.separate_with_commas();
        let most = |layer: &Option<String>| layer.as_ref().map_or(String::new(), |layer| format!(" (most: {layer})"));
        writeln!(f, "{} {chip}", if *fits { "Fits" } else { "Does not fit" })?;
        writeln!(
            f,
            "  flash: {} of {} bytes: {} of weights{}, about {} of code",
            bytes(flash.needed),
            bytes(flash.available),
            bytes(flash.weights),
            most(&flash.weights_layer),
            bytes(flash.code)
        )?;
        writeln!(
            f,
            "  RAM: {} of {} bytes: {} of activations{}, {} of scratch{}, {} of stack",
            bytes(ram.needed),
            bytes(ram.available),
            bytes(ram.activations),
            most(&ram.activations_layer),
            bytes(ram.scratch),
            most(&ram.scratch_layer),
            bytes(ram.stack)
        )?;
        write!(f, "  The application's own code, log and variables come on top, and the input.")
    }
}

/// A family's name on the command line.
fn name(family: Family) -> &'static str {
    match family {
        Family::Plain => "plain",
        Family::Dsp => "dsp",
    }
}

#[cfg(test)]
mod tests;
