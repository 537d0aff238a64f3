//! The command line.

mod args;
mod evaluate;
mod file;
mod inspect;
mod output;
mod predict;
mod profile;
mod quantize;
mod sample;
mod train;
mod transfer;

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Context;
use clap::Parser;

use args::{Arguments, Command};
use output::Output;

/// Runs the command that the program was called with. The status is 0, or 1 after an error that was printed as one line, or
/// 2 where the arguments make no command.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // Who closed the pipe has read enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let text = format!("{error:#}");
            let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            // There is nobody to tell where this fails.
            let _ = writeln!(io::stderr(), "error: {line}");
            ExitCode::FAILURE
        }
    }
}

/// More threads than this are surely a slip, and so many would bring a machine to a halt.
const MOST_THREADS: usize = 1024;

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(threads) = arguments.threads {
        anyhow::ensure!(
            (1..=MOST_THREADS).contains(&threads),
            "threads is {threads}, but must be from 1 to {MOST_THREADS}"
        );
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().context("threads")?;
    }
    let output = Output::new(arguments.json);
    // On one of the threads that share the work, so that none has to be woken for each piece of it.
    rayon::scope(|_| match &arguments.command {
        Command::Train(arguments) => train::run(arguments, output),
        Command::Evaluate(arguments) => evaluate::run(arguments, output),
        Command::Quantize(arguments) => quantize::run(arguments, output),
        Command::Predict(arguments) => predict::run(arguments, output),
        Command::Inspect(arguments) => inspect::run(arguments, output),
        Command::Sample(arguments) => sample::run(arguments, output),
        Command::Profile(arguments) => profile::run(arguments, output),
        Command::Import(arguments) => transfer::import(arguments, output),
        Command::Export(arguments) => transfer::export(arguments, output),
    })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let is_pipe = |cause: &(dyn Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    // A callback's error is shown in place of its wrapper, and is no cause of it.
    let in_callback = match error.downcast_ref::<crate::model::FitError>() {
        Some(crate::model::FitError::Callback(error)) => is_pipe(error.as_ref()),
        _ => false,
    };
    in_callback || error.chain().any(is_pipe)
}
