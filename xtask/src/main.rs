//! `cargo xtask <job>`: one command for everything that is more than one cargo command.
//!
//! Each job does its own set-up, says what it runs, and can be run again.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;

use crate::board::Board;

mod backends;
mod board;
mod build;
mod cycles;
mod demo;
mod deny;
mod device_bench;
mod device_test;
mod examples;
mod executed;
mod firmware_test;
mod host_train;
mod identity;
mod image;
mod network;
mod operators;
mod outputs;
mod packages;
mod panics;
mod peers;
mod report;
mod setup;
mod shell;
mod size;
mod test;
mod training_test;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Set-up, demo, tests and measurements, one command each.")]
enum Job {
    /// Install what is missing: the toolchain's parts and targets, and QEMU.
    Setup,
    /// Train on MNIST, quantise, build firmware, boot it in QEMU, and compare its outputs with the PC's.
    Demo(demo::Demo),
    /// Run every test there is.
    Test {
        /// Only the steps with one of these texts in their names.
        #[arg(long, value_name = "TEXT")]
        only: Vec<String>,
        /// Only the steps for everyday work: what is wrong most often, and soon known.
        #[arg(long, conflicts_with = "only")]
        quick: bool,
        /// Only the steps that run beside the others.
        #[arg(long, hide = true, conflicts_with = "quick")]
        devices: bool,
    },
    /// Run the device tests on the cores that QEMU plays.
    DeviceTest {
        /// The boards; every emulated one by default.
        boards: Vec<Board>,
    },
    /// Count instructions, RAM, stack and code of inference on every core.
    DeviceBench(device_bench::DeviceBench),
    /// Print what one round of each inner loop costs on Cortex-M4, M7 and M55, by llvm-mca.
    Cycles(cycles::Cycles),
    /// Print how much flash inference takes on a board.
    Size {
        /// The boards; every one by default.
        boards: Vec<Board>,
    },
    /// Compare thumbnet with other libraries on this machine, training and inference, side by side.
    Peers(peers::Peers),
    /// Start a built image on its board: QEMU's, or the real one by probe-rs. Cargo's runner for the thumb targets.
    Boot {
        /// The ELF file.
        image: PathBuf,
        /// Seconds after which QEMU is stopped, and the run has failed.
        #[arg(long, env = "THUMBNET_TIME_LIMIT", default_value_t = 300)]
        time_limit: u64,
    },
}

fn main() -> ExitCode {
    match Job::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Job {
    fn run(self) -> Result<ExitCode> {
        match self {
            Self::Setup => setup::all()?,
            Self::Demo(demo) => demo.run()?,
            Self::Test { quick: true, .. } => return test::run_all(test::QUICK.map(Into::into).into()),
            Self::Test { devices: true, only, .. } => return Ok(test::run_devices(only)),
            Self::Test { only, .. } => return test::run_all(only),
            Self::DeviceTest { boards } => {
                setup::targets()?;
                setup::qemu()?;
                return device_test::run(&if boards.is_empty() { Board::emulated().collect() } else { boards });
            }
            Self::DeviceBench(bench) => bench.run()?,
            Self::Cycles(cycles) => cycles.run()?,
            Self::Size { boards } => {
                setup::targets()?;
                size::run(if boards.is_empty() { Board::all() } else { &boards })?;
            }
            Self::Peers(peers) => peers.run()?,
            Self::Boot { image, time_limit } => {
                let run = image::boot_to(&image, Duration::from_secs(time_limit), &mut io::stdout())?;
                // The status of the program on the board becomes this one's.
                return Ok(run
                    .status
                    .and_then(|status| u8::try_from(status).ok())
                    .map_or(ExitCode::FAILURE, ExitCode::from));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
