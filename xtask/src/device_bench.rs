//! `cargo xtask device-bench`: instructions, RAM, stack and code of inference on every core, compared with those that
//! are committed.
//!
//! QEMU counts instructions, not cycles: what takes several cycles on a core (loads of several registers, divisions,
//! taken branches, waits for flash) counts as one. The counts are equal on every machine to a tick of the board's
//! counter, which is 40 or 50 instructions (125 on the microbit), and not to the digit: so they may be asserted, and a
//! tick more is no growth. Layers share their kernels, so code is measured for whole networks only.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::{Value, json};

use crate::board::Board;
use crate::build::{self, Contents};
use crate::network::{self, Kind, Network, Selection};
use crate::shell::{root, run_lines};
use crate::{image, operators, panics, setup, size};

const LIMIT: Duration = Duration::from_secs(300);

/// How much a number may grow before the check fails; instructions by a tick besides.
const TOLERANCE: f64 = 1.01;

/// What instructions may never grow beyond, whatever is committed, on the cores of each list: two thirds of CMSIS-NN's
/// or less, half of those of TensorFlow Lite Micro with CMSIS-NN.
const LIMITS: [(&[&str], &str, u64); 21] = [
    (&["m4", "m7", "m33"], "small", 450_000),
    (&["m4", "m7", "m33"], "convnet", 12_900_000),
    (&["m4", "m7", "m33"], "kws", 3_700_000),
    (&["m4", "m7", "m33"], "ic", 13_000_000),
    (&["m4", "m7", "m33"], "vww", 11_000_000),
    (&["m4", "m7", "m33"], "ad", 290_000),
    (&["m3"], "small", 700_000),
    (&["m3"], "convnet", 26_000_000),
    (&["m3"], "kws", 6_000_000),
    (&["m3"], "ic", 24_000_000),
    (&["m3"], "vww", 18_000_000),
    (&["m3"], "ad", 620_000),
    (&["m55"], "small", 130_000),
    (&["m55"], "convnet", 2_100_000),
    (&["m55"], "kws", 1_000_000),
    (&["m55"], "ic", 2_600_000),
    (&["m55"], "vww", 2_900_000),
    (&["m55"], "ad", 80_000),
    (&["m0"], "small", 1_900_000),
    (&["m0"], "kws", 12_000_000),
    (&["m0"], "ad", 1_600_000),
];

/// The same for bytes of stack of `predict`.
pub(crate) const STACK_LIMIT: u64 = 1024;

/// The same for bytes of RAM, beside the stack.
const RAM_LIMITS: [(&str, u64); 6] =
    [("small", 4096), ("convnet", 12_288), ("kws", 17_408), ("ic", 52_224), ("vww", 59_392), ("ad", 2355)];

/// The same for bytes of code on the M4.
const CODE_LIMITS: [(&str, u64); 5] =
    [("small", 12_288), ("kws", 20_480), ("ic", 20_480), ("vww", 20_480), ("ad", 20_480)];

/// What to measure.
#[derive(Args)]
pub(crate) struct DeviceBench {
    /// The core: m0, m3, m4, m7, m33 or m55; every one by default.
    #[arg(long)]
    core: Option<String>,
    /// The network: small or convnet (MNIST's), kws, ic, vww or ad (MLPerf Tiny's), a set of layers, or all.
    #[arg(long, default_value = "all")]
    network: Selection,
    /// Print one line of JSON for each core and network, and nothing else.
    #[arg(long)]
    json: bool,
    /// Fail if a number is over 1 % above that in benches/device.json, instructions by a tick of the counter more.
    #[arg(long, conflicts_with = "update")]
    check: bool,
    /// Write the numbers to benches/device.json, and the table of layers to docs/operators.md.
    #[arg(long)]
    update: bool,
}

impl DeviceBench {
    /// Measures, prints, and compares or writes.
    ///
    /// # Errors
    /// A build or a run failed, or with `--check` a number has grown.
    pub(crate) fn run(&self) -> Result<()> {
        setup::targets()?;
        setup::qemu()?;
        let mut results = Vec::new();
        for board in Board::emulated().filter(|board| self.core.as_deref().is_none_or(|core| core == board.core())) {
            let mut networks = Network::on(board);
            networks.retain(|network| self.network.0.contains(network));
            for group in networks.chunk_by(|a, b| a.kind == b.kind && a.kind != Kind::Mnist) {
                results.extend(measure(board, group)?);
            }
        }
        if results.is_empty() {
            bail!("there is no such core, or the network does not fit on its board");
        }
        for result in &results {
            if self.json { println!("{result}") } else { print_result(result) }
        }
        if self.update {
            update(&results)?;
        }
        if self.check {
            check(&results)?;
        }
        Ok(())
    }
}

/// The fields of a line of JSON; where code is measured, `code_bytes` too.
const FIELDS: [&str; 12] = [
    "core",
    "network",
    "backend",
    "instructions",
    "macs",
    "ram_bytes",
    "stack_bytes",
    "handle_bytes",
    "read_stack_bytes",
    "blob_bytes",
    "read_instructions",
    "layers",
];

/// Measures everything as a program that reads `--json` would, and fails if a number has grown: a step of the tests.
pub(crate) fn check_all() -> Result<()> {
    let mut results = 0;
    let mut command = Command::new(env::current_exe()?);
    run_lines(command.args(["device-bench", "--json", "--check"]).current_dir(root()), |line| {
        println!("{line}");
        let result: Value = serde_json::from_str(line).context("standard output has a line that is not JSON")?;
        for field in FIELDS {
            ensure!(!result[field].is_null(), "a line of JSON has no field {field}");
        }
        results += 1;
        Ok(())
    })?;
    let expected = Board::emulated().flat_map(Network::on).count();
    ensure!(results == expected, "{results} lines of JSON, not {expected}");
    Ok(())
}

/// Whether the code of a network is measured on a board: on the M4, and MNIST's everywhere.
fn has_code(board: Board, network: Network) -> bool {
    network.kind == Kind::Mnist || (network.kind == Kind::MlperfTiny && board.core() == "m4")
}

/// Measures networks, which one image holds.
fn measure(board: Board, networks: &[Network]) -> Result<Vec<Value>> {
    let (names, blobs) = network::together(board, networks)?;
    let contents = Contents { network: Some(&names), blob: Some(&blobs), images: None };
    let [bench, inference] = build::images("firmware", ["bench", "inference"], board, contents)?;
    let panic = panics::way_to_a_panic(&inference)?;
    let mut results: Vec<Value> = Vec::new();
    for line in image::boot(&bench, LIMIT)?.success()? {
        let (kind, name, fields) = read_line(&line).with_context(|| format!("unexpected line {line:?}"))?;
        let fields = fields.into_iter().map(|(field, value)| (field, value.into()));
        match (kind, name.split_once(' '), results.last_mut()) {
            ("network", Some((name, backend)), _) => {
                let network = Network::of_type(name).with_context(|| format!("unknown network {name}"))?;
                let mut result = json!({
                    "core": board.core(), "network": network.short, "backend": backend, "layers": []
                });
                fields.for_each(|(field, value): (_, Value)| result[field] = value);
                if let Some(way) = &panic {
                    result["panic"] = way.join(" > ").into();
                }
                results.push(result);
            }
            ("layer", _, Some(result)) => {
                let mut layer = json!({ "name": name });
                fields.for_each(|(field, value)| layer[field] = value);
                result["layers"].as_array_mut().context("a network has layers")?.push(layer);
            }
            _ => bail!("unexpected line {line:?}"),
        }
    }
    ensure!(results.len() == networks.len(), "{} networks in the log, not {}", results.len(), networks.len());
    for (result, &network) in results.iter_mut().zip(networks) {
        if has_code(board, network) {
            result["code_bytes"] = size::code(board, network, &network.blob(board)?)?.into();
        }
    }
    Ok(results)
}

/// A line's kind, the name behind it, and its numbers by name.
type Line<'a> = (&'a str, &'a str, Vec<(&'a str, u64)>);

/// Reads `kind name: field 12, field 34`, as `firmware/src/stages.rs` logs it.
fn read_line(line: &str) -> Option<Line<'_>> {
    let (head, fields) = line.split_once(": ")?;
    let (kind, name) = head.split_once(' ')?;
    fn field(field: &str) -> Option<(&str, u64)> {
        let (name, value) = field.split_once(' ')?;
        Some((name, value.parse().ok()?))
    }
    Some((kind, name, fields.split(", ").map(field).collect::<Option<_>>()?))
}

/// A number of a result; 0 if it is missing, which no measurement is.
fn number(value: &Value, field: &str) -> u64 {
    value[field].as_u64().unwrap_or(0)
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn print_result(result: &Value) {
    let row = |name: &str, value: &Value| {
        let (macs, instructions) = (number(value, "macs"), number(value, "instructions"));
        let [ram, stack] = ["ram_bytes", "stack_bytes"].map(|field| number(value, field));
        let per = match (macs, number(value, "outputs")) {
            (0, 0) => String::new(),
            (0, outputs) => format!("{:7.2} an output", instructions as f64 / outputs as f64),
            (macs, _) => format!("{:7.2} a MAC", instructions as f64 / macs as f64),
        };
        println!(
            "  {name:11}  {macs:>10} MACs  {instructions:>11} instructions  {per:17}  {ram:>6} bytes of RAM  \
             {stack:>5} of stack"
        );
    };
    println!("{} {} ({})", text(result, "core"), text(result, "network"), text(result, "backend"));
    for layer in result["layers"].as_array().into_iter().flatten() {
        row(text(layer, "name"), layer);
    }
    row("total", result);
    let [code, handle, stack] = ["code_bytes", "handle_bytes", "read_stack_bytes"].map(|field| number(result, field));
    let [blob, read] = ["blob_bytes", "read_instructions"].map(|field| number(result, field));
    let code = if code > 0 { format!("code {code} bytes; ") } else { String::new() };
    println!(
        "  {code}the network as read from its blob {handle} bytes, by {stack} of stack; {read} instructions for {blob} \
         bytes of blob"
    );
    if let Some(way) = result["panic"].as_str() {
        println!("  it can panic: {way}");
    }
    println!();
}

fn committed_path() -> PathBuf {
    root().join("benches").join("device.json")
}

/// The committed results, one JSON object a line.
fn committed(path: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let parse = |line| serde_json::from_str(line).with_context(|| format!("{}: {line:?}", path.display()));
    text.lines().map(parse).collect()
}

fn same(a: &Value, b: &Value) -> bool {
    a["core"] == b["core"] && a["network"] == b["network"]
}

/// Puts results in the place of the committed ones for the same core and network.
fn update(results: &[Value]) -> Result<()> {
    let path = committed_path();
    let mut all = if path.exists() { committed(&path)? } else { Vec::new() };
    for result in results {
        match all.iter_mut().find(|old| same(old, result)) {
            Some(old) => *old = result.clone(),
            None => all.push(result.clone()),
        }
    }
    let lines: String = all.iter().map(|result| format!("{result}\n")).collect();
    fs::write(&path, lines).with_context(|| format!("cannot write {}", path.display()))?;
    operators::write(&all)
}

/// Compares with the committed results.
fn check(results: &[Value]) -> Result<()> {
    let committed = committed(&committed_path())?;
    let mut grown = Vec::new();
    for result in results {
        let (core, network) = (text(result, "core"), text(result, "network"));
        if let Some(way) = result["panic"].as_str() {
            bail!("inference on {core}, of {network} or a network in the same image, can panic: {way}");
        }
        grown.extend(beyond(result).into_iter().map(|field| format!("{core} {network} {field}")));
        let Some(old) = committed.iter().find(|old| same(old, result)) else {
            grown.push(format!("{core} {network} is missing"));
            continue;
        };
        grown.extend(growth(old, result).into_iter().map(|field| format!("{core} {network} {field}")));
    }
    if !grown.is_empty() {
        bail!(
            "benches/device.json: {}; if it is meant, run `cargo xtask device-bench --update` and commit the file",
            grown.join(", ")
        );
    }
    Ok(())
}

/// What a field of a result may differ by from one machine to another: a tick of the counter, where it is a count.
fn slack(result: &Value, field: &str) -> u64 {
    let board = Board::emulated().find(|board| board.core() == text(result, "core"));
    board.filter(|_| field.ends_with("instructions")).map_or(0, Board::tick)
}

/// The numbers that are beyond their limits.
fn beyond(result: &Value) -> Vec<String> {
    let (core, network) = (text(result, "core"), text(result, "network"));
    let instructions = LIMITS.iter().find(|limit| limit.0.contains(&core) && limit.1 == network).map(|limit| limit.2);
    let ram = RAM_LIMITS.iter().find(|limit| limit.0 == network).map(|limit| limit.1);
    let code = CODE_LIMITS.iter().find(|limit| core == "m4" && limit.0 == network).map(|limit| limit.1);
    let limits =
        [("instructions", instructions), ("ram_bytes", ram), ("stack_bytes", Some(STACK_LIMIT)), ("code_bytes", code)];
    let beyond = limits.into_iter().filter_map(|(field, limit)| {
        let (value, limit) = (number(result, field), limit?);
        (value > limit + slack(result, field)).then(|| format!("{field} is {value}, over the limit of {limit}"))
    });
    beyond.collect()
}

/// The numbers that have grown by more than the tolerance.
fn growth(old: &Value, new: &Value) -> Vec<String> {
    let fields = [
        "instructions",
        "read_instructions",
        "ram_bytes",
        "stack_bytes",
        "handle_bytes",
        "read_stack_bytes",
        "code_bytes",
    ];
    let grown = fields.iter().filter_map(|&field| {
        let slack = slack(new, field);
        let (old, new) = (number(old, field), number(new, field));
        (new as f64 > old as f64 * TOLERANCE + slack as f64).then(|| format!("{field} grew from {old} to {new}"))
    });
    grown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_is_read() {
        let read = read_line("layer conv1: macs 56448, instructions 158400");
        assert_eq!(read, Some(("layer", "conv1", vec![("macs", 56_448), ("instructions", 158_400)])));
        assert_eq!(read_line("hello"), None);
    }

    #[test]
    fn a_number_beyond_its_limit_is_found() {
        let mut result = json!({
            "core": "m55", "network": "convnet", "instructions": 2_100_000,
            "ram_bytes": 12_288, "stack_bytes": 1024, "code_bytes": 99_999
        });
        assert!(beyond(&result).is_empty());
        // A tick more is the same number.
        result["instructions"] = 2_100_050.into();
        assert!(beyond(&result).is_empty());
        result["instructions"] = 2_100_051.into();
        result["stack_bytes"] = 1028.into();
        let beyond = beyond(&result);
        assert_eq!(beyond[0], "instructions is 2100051, over the limit of 2100000");
        assert_eq!(beyond[1..], ["stack_bytes is 1028, over the limit of 1024"]);
    }

    #[test]
    fn growth_beyond_a_hundredth_and_a_tick_is_found() {
        let old = json!({ "core": "m4", "instructions": 1000, "ram_bytes": 1000, "stack_bytes": 10, "code_bytes": 10 });
        let mut new = old.clone();
        new["instructions"] = 1050.into();
        new["ram_bytes"] = 1010.into();
        assert!(growth(&old, &new).is_empty());
        new["instructions"] = 1051.into();
        new["ram_bytes"] = 1011.into();
        let grown = ["instructions grew from 1000 to 1051", "ram_bytes grew from 1000 to 1011"];
        assert_eq!(growth(&old, &new), grown);
    }
}
