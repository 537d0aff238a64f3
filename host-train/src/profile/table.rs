//! The profile as text.

use std::fmt;

use super::{Phase, Profile, Row};

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Forward => "forward",
            Self::InputGradient => "input gradient",
            Self::Update => "gradient + update",
        })
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { network, backend, threads, batch, machine, rows, step_seconds } = self;
        let (flops, bytes) = (machine.flops / 1e9, machine.bytes / 1e9);
        writeln!(
            f,
            "{network}, batch {batch}, {backend}, {threads} threads; peak {flops:.1} GFLOP/s, triad {bytes:.1} GB/s"
        )?;
        writeln!(f)?;
        writeln!(
            f,
            "{:<10} {:<18} {:>9} {:>7} {:>9} {:>8} {:>8} {:>7} {:>7} {:>9}",
            "layer", "phase", "ms", "% step", "MFLOP", "MB", "GFLOP/s", "% peak", "GB/s", "bound ms"
        )?;
        for row in rows {
            let Row { layer, phase, .. } = row;
            line(f, layer, &phase.to_string(), row, self)?;
        }
        let sum = |value: fn(&Row) -> f64| rows.iter().map(value).sum::<f64>();
        let sums = Row {
            layer: String::new(),
            phase: Phase::Forward,
            seconds: sum(|row| row.seconds),
            flops: sum(|row| row.flops),
            bytes: sum(|row| row.bytes),
            bound_seconds: sum(|row| row.bound_seconds),
            memory_bound: false,
        };
        line(f, "all", "", &sums, self)?;
        line(f, "step", "measured whole", &Row { seconds: *step_seconds, ..sums }, self)?;
        write!(
            f,
            "\n{:.0} images/s. Bound: what the peak, or the triad (marked m), allows; operations are the textbook's, \
             and the triad runs \
             from memory: what a cache holds can be faster. The input gradient's time is the whole backward pass's \
             less that of gradient and update.",
            *batch as f64 / step_seconds
        )
    }
}

fn line(f: &mut fmt::Formatter<'_>, layer: &str, phase: &str, row: &Row, profile: &Profile) -> fmt::Result {
    // A difference of two times may be nothing.
    let rate = |amount: f64| if row.seconds > 0.0 { format!("{:.1}", amount / row.seconds) } else { "-".into() };
    writeln!(
        f,
        "{layer:<10} {phase:<18} {:>9.3} {:>7.1} {:>9.1} {:>8.2} {:>8} {:>7} {:>7} {:>8.3}{}",
        1e3 * row.seconds,
        100.0 * row.seconds / profile.step_seconds,
        row.flops / 1e6,
        row.bytes / 1e6,
        rate(row.flops / 1e9),
        rate(100.0 * row.flops / profile.machine.flops),
        rate(row.bytes / 1e9),
        1e3 * row.bound_seconds,
        if row.memory_bound { 'm' } else { ' ' },
    )
}
