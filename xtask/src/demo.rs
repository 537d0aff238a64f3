//! `cargo xtask demo`: from the training images to digits recognised by a Cortex-M4.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::board::Board;
use crate::build::{self, Contents};
use crate::host_train::{HostTrain, text};
use crate::network::Network;
use crate::outputs::Outputs;
use crate::shell::root;
use crate::{image, setup};

/// Ten minutes of QEMU on a busy machine: far more than a hundred images take.
const LIMIT: Duration = Duration::from_secs(600);

/// Points of accuracy that int8 may lose.
const INT8_LOSS: f64 = 0.10;

/// What to show.
#[derive(Args)]
pub(crate) struct Demo {
    /// The network: mnist-convnet (the Keras tutorial's) or mnist-small.
    #[arg(long, default_value = "mnist-convnet")]
    network: String,
    /// Passes over the training images.
    #[arg(long, default_value_t = 10)]
    epochs: usize,
    /// Draws initial weights, order of images and dropout.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Test images to classify on the device.
    #[arg(long, default_value_t = 100)]
    images: usize,
    /// The board, one that QEMU plays.
    #[arg(long, default_value = "mps2-an386")]
    board: Board,
}

/// One row of the closing table.
struct Row {
    what: &'static str,
    value: String,
    /// What was wanted, and whether it holds.
    wanted: Option<(String, bool)>,
}

impl Demo {
    /// Trains, quantises, builds, boots, compares.
    ///
    /// # Errors
    /// A step failed, or a row of the table does not hold.
    pub(crate) fn run(&self) -> Result<()> {
        let start = Instant::now();
        setup::targets()?;
        setup::qemu()?;
        let folder = root().join("target").join("demo").join(&self.network);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let [blob, images, scores] = ["model.blob", "images.bin", "scores.bin"].map(|name| folder.join(name));

        let (host, epochs, seed) = (HostTrain::Released, self.epochs.to_string(), self.seed.to_string());
        let out = text(&folder);
        host.watch(&["train", "--network", &self.network, "--epochs", &epochs, "--seed", &seed, "--out", out])?;
        let f32 = host.ask(&["evaluate", text(&folder)])?.number("accuracy")? * 100.0;
        let quantized =
            host.ask(&["quantize", text(&folder), "--family", Network::family(self.board), "--out", text(&blob)])?;
        let int8 = host.ask(&["evaluate", text(&blob)])?.number("accuracy")? * 100.0;
        let count = self.images.to_string();
        host.ask(&["sample", text(&blob), "--images", &count, "--out", text(&images), "--scores", text(&scores)])?;

        let contents = Contents { network: Some(&self.network), blob: Some(&blob), images: Some(&images) };
        let elf = build::image("firmware", "firmware", self.board, contents)?;
        let device = Outputs::from_log(&image::boot(&elf, LIMIT)?.success()?)?;
        let differing = device.differing(&scores)?;
        let identical = differing.count == 0;

        let plain = |what, value| Row { what, value, wanted: None };
        let rows = [
            plain("network", format!("{}, {} epochs, seed {}", self.network, self.epochs, self.seed)),
            Row {
                what: "f32 accuracy",
                value: format!("{f32:.2} %"),
                wanted: Some((format!("at least {:.1} %", self.wanted_accuracy()), f32 >= self.wanted_accuracy())),
            },
            Row {
                what: "int8 accuracy",
                value: format!("{int8:.2} %"),
                // A hair more than the limit, for differences of percentages that are not exact in binary.
                wanted: Some((format!("within {INT8_LOSS:.2} points"), f32 - int8 <= INT8_LOSS + 1e-6)),
            },
            plain("blob", format!("{} bytes", quantized.number("blob_bytes")?)),
            plain("device RAM", format!("{} bytes, and {} of stack", device.ram, device.stack)),
            plain("device", format!("{} (Cortex-{})", self.board.name(), self.board.core().to_uppercase())),
            plain("instructions an image", device.instructions.to_string()),
            plain("device accuracy", format!("{} of {} images", device.right, self.images)),
            Row {
                what: "bytes as on the host",
                value: format!("{} of {} differ", differing.count, differing.of),
                wanted: Some(("none differs".into(), identical)),
            },
            plain("time", format!("{:.1} minutes", start.elapsed().as_secs_f64() / 60.0)),
        ];
        print_table(&rows)
    }

    /// Percent on the test images that the network must reach in so many epochs.
    fn wanted_accuracy(&self) -> f64 {
        match (self.network.as_str(), self.epochs) {
            ("mnist-convnet", 10..) => 99.1,
            (_, 2..) => 98.0,
            _ => 95.0,
        }
    }
}

fn print_table(rows: &[Row]) -> Result<()> {
    println!();
    for Row { what, value, wanted } in rows {
        let wanted = match wanted {
            Some((text, true)) => format!("ok: {text}"),
            Some((text, false)) => format!("NOT {text}"),
            None => String::new(),
        };
        println!("{}", format!("{what:22}  {value:38}  {wanted}").trim_end());
    }
    let failed = rows.iter().filter(|row| row.wanted.as_ref().is_some_and(|(_, holds)| !holds));
    let failed: Vec<_> = failed.map(|row| row.what).collect();
    if !failed.is_empty() {
        bail!("not reached: {}", failed.join(", "));
    }
    Ok(())
}
