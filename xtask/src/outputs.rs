//! What the firmware logs, read back.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::device_bench::STACK_LIMIT;

/// The results of one run of the firmware.
#[derive(Debug, PartialEq)]
pub(crate) struct Outputs {
    /// The int8 outputs of each image.
    pub(crate) scores: Vec<Vec<i8>>,
    /// Images whose digit was recognised.
    pub(crate) right: usize,
    /// RAM for activations and scratch.
    pub(crate) ram: usize,
    /// Mean instructions of `predict`.
    pub(crate) instructions: u64,
    /// The most stack that `predict` used.
    pub(crate) stack: usize,
}

impl Outputs {
    /// Reads the lines that `firmware/src/app.rs` logs.
    ///
    /// # Errors
    /// A line is missing or malformed: firmware and this reader do not fit.
    pub(crate) fn from_log(log: &[String]) -> Result<Self> {
        let after = |prefix: &str| {
            let line = log.iter().find_map(|line| line.strip_prefix(prefix));
            line.with_context(|| format!("the firmware logged no line `{prefix}...`"))
        };
        let number = |text: &str| -> Result<u64> {
            let digits = text.split(' ').next().unwrap_or_default();
            digits.parse().with_context(|| format!("{text:?} does not begin with a number"))
        };
        let scores = log.iter().filter(|line| line.starts_with("image ")).map(|line| scores(line));
        let scores: Vec<_> = scores.collect::<Result<_>>()?;
        let mean = after("mean: ")?;
        let (_, stack) = mean.split_once("stack of predict: ").context("the firmware logged no stack")?;
        let right = after("right: ")?;
        let (_, images) = right.split_once(" of ").context("the firmware logged no number of images")?;
        ensure!(number(images)? == scores.len() as u64, "{images} images, but {} lines of outputs", scores.len());
        Ok(Self {
            right: number(right)?.try_into()?,
            ram: number(after("RAM: ")?)?.try_into()?,
            instructions: number(mean)?,
            stack: number(stack)?.try_into()?,
            scores,
        })
    }
}

impl Outputs {
    /// Fails where `predict` used more stack than it may on any core.
    ///
    /// # Errors
    /// It did.
    pub(crate) fn check_stack(&self) -> Result<()> {
        let stack = self.stack as u64;
        ensure!(stack <= STACK_LIMIT, "`predict` used {stack} bytes of stack, more than {STACK_LIMIT}");
        Ok(())
    }

    /// How many output bytes differ from the host's, which are in `file`, image after image.
    ///
    /// # Errors
    /// There are not as many.
    pub(crate) fn differing(&self, file: &Path) -> Result<Differing> {
        let host = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let device = self.scores.concat();
        ensure!(device.len() == host.len(), "{} output bytes, but {} on the host", device.len(), host.len());
        let count = device.iter().zip(&host).filter(|(device, host)| **device != host.cast_signed()).count();
        Ok(Differing { count, of: host.len() })
    }
}

/// A number of output bytes that differ from the host's.
pub(crate) struct Differing {
    pub(crate) count: usize,
    pub(crate) of: usize,
}

fn scores(line: &str) -> Result<Vec<i8>> {
    let list = line.split_once("outputs [").and_then(|(_, rest)| rest.strip_suffix(']'));
    let list = list.with_context(|| format!("no outputs in {line:?}"))?;
    list.split(", ").map(|value| value.parse().with_context(|| format!("{value:?} is not an int8"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn a_log_is_read() {
        let log = log(&[
            "RAM: 3952 bytes = 2352 for activations + 1600 for scratch; image 784",
            "image 0: digit 1, label 1, score 0.5, 7 instructions, outputs [-128, 127, 0]",
            "right: 1 of 1",
            "mean: 499124 instructions; stack of predict: 936 bytes",
        ]);
        let outputs = Outputs::from_log(&log).unwrap();
        let expected =
            Outputs { scores: vec![vec![-128, 127, 0]], right: 1, ram: 3952, instructions: 499_124, stack: 936 };
        assert_eq!(outputs, expected);
        outputs.check_stack().unwrap();
        assert!(Outputs { stack: 1025, ..outputs }.check_stack().unwrap_err().to_string().contains("1025 bytes"));
    }

    #[test]
    fn a_missing_image_is_noticed() {
        let log = log(&["RAM: 1 bytes", "right: 0 of 1", "mean: 1 instructions; stack of predict: 2 bytes"]);
        assert!(Outputs::from_log(&log).unwrap_err().to_string().contains("0 lines of outputs"));
    }
}
