//! The command line.

mod args;
mod evaluate;
mod file;
mod inspect;
mod new;
mod output;
mod predict;
mod profile;
mod quantize;
#[cfg(feature = "report")]
mod report;
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

use anyhow::Context;
#[cfg(not(all(feature = "report", feature = "safetensors")))]
use anyhow::bail;
use rayon::ThreadPoolBuilder;
use thumbnet::graph::Graph;

use args::{Arguments, Command};
use output::Output;

pub use crate::main_with;
use crate::network::{NETWORKS, Named, short_name};

/// The networks that a program knows by name.
type Networks = &'static [Named];

/// The command line for networks of your own: writes a `main` that has all commands for these types, the first of which
/// is the one that `train` takes where none is named.
///
/// ```
/// thumbnet::sequential! {
///     pub struct Gestures: [128, 3] {
///         conv: Conv1D { filters: 8, kernel_size: 5, strides: 2, activation: Relu },
///         pool: GlobalAveragePooling1D,
///         scores: Dense { units: 4, activation: Softmax },
///     }
/// }
///
/// host_train::main_with!(Gestures);
/// ```
#[macro_export]
macro_rules! main_with {
    ($($network:ty),+ $(,)?) => {
        fn main() -> ::std::process::ExitCode {
            let networks = [$(<$network as $crate::thumbnet::Network>::GRAPH),+];
            $crate::cli::main_of(::std::env!("CARGO_PKG_NAME"), &networks)
        }
    };
}

/// Runs the command that the program was called with, for the networks of this library.
pub fn main() -> ExitCode {
    run_program("host-train", NETWORKS)
}

/// The same for other networks, and under the name of another program: what [`main_with!`] writes.
pub fn main_of(program: &'static str, networks: &[Graph<'static>]) -> ExitCode {
    let named = networks.iter().map(|graph| (&*short_name(graph.name).leak(), *graph));
    run_program(program, named.collect::<Vec<_>>().leak())
}

/// The status is 0, or 1 after an error that was printed as one line, or 2 where the arguments make no command.
fn run_program(program: &'static str, networks: Networks) -> ExitCode {
    let arguments = args::parse(program, networks);
    #[cfg(unix)]
    signals::handle();
    match run(&arguments, networks) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// More threads than this are surely a slip, and so many would bring a machine to a halt.
const MOST_THREADS: usize = 1024;

fn run(arguments: &Arguments, networks: Networks) -> anyhow::Result<()> {
    let output = Output::new(arguments.json);
    on_threads(arguments.threads, || match &arguments.command {
        Command::New(arguments) => new::run(arguments, output),
        Command::Train(arguments) => train::run(arguments, networks, output),
        Command::Evaluate(arguments) => evaluate::run(arguments, output),
        Command::Quantize(arguments) => quantize::run(arguments, output),
        Command::Predict(arguments) => predict::run(arguments, output),
        Command::Inspect(arguments) => inspect::run(arguments, output),
        #[cfg(feature = "report")]
        Command::Report(arguments) => report::run(arguments, output),
        #[cfg(not(feature = "report"))]
        Command::Report(_) => bail!("this program was built without the feature `report`, which draws"),
        Command::Sample(arguments) => sample::run(arguments, output),
        Command::Profile(arguments) => profile::run(arguments, networks, output),
        #[cfg(feature = "safetensors")]
        Command::Import(arguments) => transfer::import(arguments, networks, output),
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
