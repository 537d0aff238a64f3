//! The command line.

mod args;
mod evaluate;
mod file;
mod inspect;
mod output;
#[cfg(feature = "pictures")]
mod predict;
mod profile;
mod quantize;
mod sample;
#[cfg(unix)]
mod signals;
mod train;
#[cfg(feature = "safetensors")]
mod transfer;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::{Context, bail};
use rayon::ThreadPoolBuilder;

use args::{Arguments, Command};
use output::Output;

/// Runs the command that the program was called with. The status is 0, or 1 after an error that was printed as one
/// line, or 2 where the arguments make no command.
pub fn main() -> ExitCode {
    let arguments = args::parse();
    #[cfg(unix)]
    signals::handle();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// More threads than this are surely a slip, and so many would bring a machine to a halt.
const MOST_THREADS: usize = 1024;

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let output = Output::new(arguments.json);
    on_threads(arguments.threads, || match &arguments.command {
        Command::Train(arguments) => train::run(arguments, output),
        Command::Evaluate(arguments) => evaluate::run(arguments, output),
        Command::Quantize(arguments) => quantize::run(arguments, output),
        #[cfg(feature = "pictures")]
        Command::Predict(arguments) => predict::run(arguments, output),
        #[cfg(not(feature = "pictures"))]
        Command::Predict(_) => bail!("this program was built without the feature `pictures`, which reads PNG and JPEG"),
        Command::Inspect(arguments) => inspect::run(arguments, output),
        Command::Sample(arguments) => sample::run(arguments, output),
        Command::Profile(arguments) => profile::run(arguments, output),
        #[cfg(feature = "safetensors")]
        Command::Import(arguments) => transfer::import(arguments, output),
        #[cfg(feature = "safetensors")]
        Command::Export(arguments) => transfer::export(arguments, output),
        #[cfg(not(feature = "safetensors"))]
        Command::Import(_) | Command::Export(_) => {
            bail!("this program was built without the feature `safetensors`, which reads and writes these files")
        }
    })
}

/// Does `work` with so many threads, or one for each core: on one of those that share it, so that none has to be woken
/// for each piece of it. Where the system gives no more threads, this one does it all.
fn on_threads(threads: Option<usize>, work: impl FnOnce() -> anyhow::Result<()> + Send) -> anyhow::Result<()> {
    match ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0)).build() {
        Ok(pool) => pool.install(work),
        Err(error) => {
            // A note: where nobody reads it, the work goes on.
            let _ = writeln!(io::stderr(), "note: one thread does all the work, for no other can be started: {error}");
            ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global().context("threads")?;
            work()
        }
    }
}
