//! A list of steps that all run, whatever becomes of the others, with a summary at the end.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// The steps so far.
#[derive(Default)]
pub(crate) struct Report {
    steps: Vec<Step>,
    /// Where it is not empty: texts of which a step's name must hold one, or it is passed over.
    only: Vec<String>,
}

struct Step {
    name: String,
    time: Duration,
    counts: Counts,
    error: Option<String>,
}

/// Tests that a step ran.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

impl Counts {
    /// Adds the numbers of libtest's line `test result: ok. 12 passed; 0 failed; ...`; other lines are ignored.
    pub(crate) fn add_line(&mut self, line: &str) {
        let Some((_, result)) = line.split_once("test result: ") else { return };
        let words: Vec<_> = result.split([' ', ';']).collect();
        let before = |word| {
            let at = words.iter().position(|&other| other == word)?;
            words[at.checked_sub(1)?].parse::<usize>().ok()
        };
        self.passed += before("passed").unwrap_or(0);
        self.failed += before("failed").unwrap_or(0);
    }
}

impl Report {
    /// A report of the steps with one of the texts in their names, or of all if there is no text.
    pub(crate) fn only(only: Vec<String>) -> Self {
        Self { only, ..Self::default() }
    }

    /// Runs a step that is one test in itself.
    pub(crate) fn step(&mut self, name: impl Into<String>, step: impl FnOnce() -> Result<()>) {
        self.counted(name, |counts| {
            let result = step();
            *counts = Counts { passed: result.is_ok().into(), failed: result.is_err().into() };
            result
        });
    }

    /// Runs a step that counts its tests.
    pub(crate) fn counted(&mut self, name: impl Into<String>, step: impl FnOnce(&mut Counts) -> Result<()>) {
        let name = name.into();
        if !self.only.is_empty() && !self.only.iter().any(|text| name.contains(text.as_str())) {
            return;
        }
        println!("\n==> {name}");
        let start = Instant::now();
        let mut counts = Counts::default();
        let error = step(&mut counts).err().map(|error| format!("{error:#}"));
        if let Some(error) = &error {
            println!("FAILED: {error}");
            // A step that failed before its tests ran is a failure too.
            counts.failed = counts.failed.max(1);
        }
        self.steps.push(Step { name, time: start.elapsed(), counts, error });
    }

    /// Prints the summary.
    ///
    /// # Errors
    /// A step failed, or there was none.
    pub(crate) fn finish(self) -> Result<()> {
        if self.steps.is_empty() {
            bail!("no step has {} in its name", self.only.join(" or "));
        }
        println!("\nSummary");
        let mut total = Counts::default();
        for Step { name, time, counts, error } in &self.steps {
            let state = if error.is_some() { "FAILED" } else { "ok" };
            println!("  {state:6}  {:6.1} s  {:5} passed  {name}", time.as_secs_f64(), counts.passed);
            total.passed += counts.passed;
            total.failed += counts.failed;
        }
        for Step { name, error, .. } in &self.steps {
            if let Some(error) = error {
                println!("\n{name}:\n  {error}");
            }
        }
        let time: Duration = self.steps.iter().map(|step| step.time).sum();
        println!("\nall in all {:.1} minutes", time.as_secs_f64() / 60.0);
        println!("{} passed, {} failed", total.passed, total.failed);
        if self.steps.iter().any(|step| step.error.is_some()) {
            bail!("not all steps passed");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtests_result_lines_are_counted() {
        let mut counts = Counts::default();
        counts.add_line("running 3 tests");
        counts
            .add_line("test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s");
        counts.add_line("test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out");
        assert_eq!((counts.passed, counts.failed), (13, 2));
    }

    #[test]
    fn steps_are_chosen_by_their_names() {
        let mut report = Report::only(vec!["clippy".into(), "int8".into()]);
        let mut ran = Vec::new();
        for name in ["formatting", "clippy on the host", "int8 outputs"] {
            report.step(name, || {
                ran.push(name);
                Ok(())
            });
        }
        assert_eq!(ran, ["clippy on the host", "int8 outputs"]);
        report.finish().unwrap();
        assert!(Report::only(vec!["nothing".into()]).finish().is_err());
    }

    #[test]
    fn a_failed_step_does_not_stop_the_others_and_fails_the_report() {
        let mut report = Report::default();
        report.step("first", || bail!("as meant"));
        let mut ran = false;
        report.step("second", || {
            ran = true;
            Ok(())
        });
        assert!(ran);
        assert!(report.finish().is_err());
    }
}
