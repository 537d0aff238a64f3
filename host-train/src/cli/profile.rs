//! `profile`.

use anyhow::{Context, ensure};

use super::{Networks, args::ProfileArgs, file, output::Output};
use crate::profile;

/// Images in a step; the memory of more is seldom there.
const MOST: usize = 4096;
/// Measurements of a phase; more take days.
const MOST_REPEATS: usize = 100_000;

pub(super) fn run(arguments: &ProfileArgs, networks: Networks, output: Output) -> anyhow::Result<()> {
    let ProfileArgs { network, batch_size, repeats, backend } = arguments;
    ensure!((1..=MOST).contains(batch_size), "batch size is {batch_size}, but must be from 1 to {MOST}");
    ensure!((1..=MOST_REPEATS).contains(repeats), "repeats is {repeats}, but must be from 1 to {MOST_REPEATS}");
    let backend = backend.get()?;
    file::with_network(network.as_deref(), networks, |graph| {
        let profile = profile::profile(graph, backend, *batch_size, *repeats)
            .with_context(|| format!("profiling with batch size {batch_size}"))?;
        output.result(&profile, &profile.to_string())
    })
}
