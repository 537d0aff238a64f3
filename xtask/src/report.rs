//! A list of steps that all run, whatever becomes of the others, with a summary at the end.

use std::fmt::Write;
use std::io::{self, BufRead, BufReader, PipeReader};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle, ScopedJoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::shell;

/// The steps so far.
pub(crate) struct Report {
    start: Instant,
    steps: Vec<Step>,
    /// Where it is not empty: texts of which a step's name must hold one, or it is passed over.
    only: Vec<String>,
    /// Lines for the summary about what was skipped.
    notes: Vec<String>,
    /// Steps that another process runs.
    beside: Option<Beside>,
}

/// Steps that another process of this program runs at the same time.
struct Beside {
    process: Child,
    /// What it shows, a step or a part of one at a time.
    shown: Receiver<String>,
    /// Passes that on, and ends with the process: with the last it shows, which are its steps.
    steps: JoinHandle<String>,
}

/// What the last line of that process begins with. Its steps follow.
const HANDED_OVER: &str = "==> handed over: ";

struct Step {
    name: String,
    /// By the clock.
    time: Duration,
    /// Of all processors, by the programs that the step started.
    cpu: Duration,
    counts: Counts,
    error: Option<String>,
}

impl Step {
    /// Runs what has been built in some time, and prints what it has to say.
    fn run<T>(
        name: String,
        time: Duration,
        cpu: Duration,
        built: Result<T>,
        run: impl FnOnce(T, &mut Vec<u8>) -> Result<usize>,
    ) -> Self {
        let start = Instant::now();
        let mut log = Vec::new();
        let result = built.and_then(|built| run(built, &mut log));
        let mut text = format!("\n==> {name}: run\n{}", String::from_utf8_lossy(&log));
        let (counts, error) = match result {
            Ok(passed) => (Counts { passed, ..Counts::default() }, None),
            Err(error) => (Counts { failed: 1, ..Counts::default() }, Some(format!("{error:#}"))),
        };
        text.extend(error.iter().map(|error| format!("FAILED: {error}\n")));
        print!("{text}");
        Self { name, time: time + start.elapsed(), cpu: cpu + shell::cpu_time(), counts, error }
    }

    fn to_json(&self) -> Value {
        let Self { name, time, cpu, counts, error } = self;
        let [time, cpu] = [time, cpu].map(Duration::as_secs_f64);
        json!([name, time, cpu, counts.passed, counts.failed, counts.skipped, error])
    }

    /// What [`Self::to_json`] wrote.
    fn from_json(step: &Value) -> Self {
        let seconds = |at: usize| Duration::from_secs_f64(step[at].as_f64().unwrap_or_default());
        let count = |at: usize| step[at].as_u64().unwrap_or_default() as usize;
        let text = |at: usize| step[at].as_str().map(str::to_owned);
        Self {
            name: text(0).unwrap_or_default(),
            time: seconds(1),
            cpu: seconds(2),
            counts: Counts { passed: count(3), failed: count(4), skipped: count(5) },
            error: text(6),
        }
    }
}

/// Sends what a process shows, cut where a step begins, and returns what it shows last.
fn pass_on(shown: PipeReader, sender: &Sender<String>) -> String {
    let mut text = String::new();
    for line in BufReader::new(shown).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        if line.starts_with("==> ") {
            // The report waits for all, or has ended.
            let _ = sender.send(std::mem::take(&mut text));
        }
        text.extend([&*line, "\n"]);
    }
    text
}

/// Tests that a step ran, or did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl Counts {
    /// Adds the numbers of libtest's line `test result: ok. 12 passed; 0 failed; 0 ignored; ...`; other lines are
    /// passed over.
    pub(crate) fn add_line(&mut self, line: &str) {
        let Some((_, result)) = line.split_once("test result: ") else { return };
        let words: Vec<_> = result.split([' ', ';']).collect();
        let before = |word| {
            let at = words.iter().position(|&other| other == word)?;
            words[at.checked_sub(1)?].parse::<usize>().ok()
        };
        self.passed += before("passed").unwrap_or(0);
        self.failed += before("failed").unwrap_or(0);
        self.skipped += before("ignored").unwrap_or(0);
    }
}

impl Report {
    /// A report of the steps with one of the texts in their names, or of all if there is no text.
    pub(crate) fn only(only: Vec<String>) -> Self {
        Self { start: Instant::now(), steps: Vec::new(), only, notes: Vec::new(), beside: None }
    }

    /// Whether a step of this name is to run.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|text| name.contains(text.as_str()))
    }

    /// Runs a step that is one test in itself.
    pub(crate) fn step(&mut self, name: impl Into<String>, step: impl FnOnce() -> Result<()>) {
        self.counted(name, |counts| {
            let result = step();
            *counts = Counts { passed: result.is_ok().into(), failed: result.is_err().into(), skipped: 0 };
            result
        });
    }

    /// Runs a step that counts its tests.
    pub(crate) fn counted(&mut self, name: impl Into<String>, step: impl FnOnce(&mut Counts) -> Result<()>) {
        let name = name.into();
        if !self.has(&name) {
            return;
        }
        println!("\n==> {name}");
        let (start, cpu) = (Instant::now(), shell::cpu_time());
        let mut counts = Counts::default();
        let error = step(&mut counts).err().map(|error| format!("{error:#}"));
        if let Some(error) = &error {
            println!("FAILED: {error}");
            // A step that failed before its tests ran is a failure too.
            counts.failed = counts.failed.max(1);
        }
        self.steps.push(Step { name, time: start.elapsed(), cpu: shell::cpu_time() - cpu, counts, error });
        // What steps beside this one have shown, in whole.
        self.beside.iter().flat_map(|beside| beside.shown.try_iter()).for_each(|text| print!("{text}"));
    }

    /// Starts a process of this program that runs other steps, those with the same texts in their names, and ends with
    /// [`Self::hand_over`]. They are listed behind those that follow here, and shown between them: each in whole.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) fn beside(&mut self, mut command: Command) -> Result<()> {
        command.args(self.only.iter().flat_map(|text| ["--only", text])).stdin(Stdio::null());
        eprintln!("$ {} &", shell::line(&command));
        let (reader, writer) = io::pipe()?;
        let process = command.stdout(writer.try_clone()?).stderr(writer).spawn()?;
        let (sender, shown) = mpsc::channel();
        let steps = thread::spawn(move || pass_on(reader, &sender));
        self.beside = Some(Beside { process, shown, steps });
        Ok(())
    }

    /// Prints the steps for the report that called for them by [`Self::beside`].
    pub(crate) fn hand_over(self) -> ExitCode {
        println!("{HANDED_OVER}{}", Value::from_iter(self.steps.iter().map(Step::to_json)));
        ExitCode::SUCCESS
    }

    /// Waits for the steps that ran beside these, and shows what they have to show.
    fn join(&mut self) {
        let Some(Beside { mut process, shown, steps }) = self.beside.take() else { return };
        shown.iter().for_each(|text| print!("{text}"));
        let last = steps.join().expect("it passes on and does nothing else");
        let steps = process.wait().context("it cannot be waited for").and_then(|status| {
            let steps = last.trim().strip_prefix(HANDED_OVER).with_context(|| format!("{status}: {last}"))?;
            let steps: Vec<Value> = serde_json::from_str(steps)?;
            Ok(steps.iter().map(Step::from_json).collect())
        });
        match steps {
            Ok::<Vec<_>, anyhow::Error>(steps) => self.steps.extend(steps),
            Err(error) => self.step("steps beside the others", || Err(error)),
        }
    }

    /// Runs steps that each build something and then run it. A build takes one processor most of the time, and so does
    /// an emulator: the run goes on beside the next step's build, and shows what it has to show when it has ended. It
    /// returns how many tests passed.
    pub(crate) fn in_pairs<T: Send, Build, Run>(&mut self, steps: impl Iterator<Item = (String, Build, Run)>)
    where
        Build: FnOnce() -> Result<T>,
        Run: FnOnce(T, &mut Vec<u8>) -> Result<usize> + Send,
    {
        let steps: Vec<_> = steps.filter(|(name, ..)| self.has(name)).collect();
        thread::scope(|scope| {
            let mut running: Option<ScopedJoinHandle<'_, Step>> = None;
            let mut end = |running: Option<ScopedJoinHandle<'_, Step>>| {
                self.steps.extend(running.map(|run| run.join().expect("a step's panic ends the program")));
            };
            for (name, build, run) in steps {
                println!("\n==> {name}: build");
                let (start, cpu) = (Instant::now(), shell::cpu_time());
                let built = build();
                let (time, cpu) = (start.elapsed(), shell::cpu_time() - cpu);
                end(running.take());
                running = Some(scope.spawn(move || Step::run(name, time, cpu, built, run)));
            }
            end(running);
        });
    }

    /// Lists a step that does not run on this machine, and returns whether it was asked for.
    pub(crate) fn skip(&mut self, name: impl Into<String>) -> bool {
        let name = name.into();
        let asked = self.has(&name);
        if asked {
            let (time, cpu) = (Duration::ZERO, Duration::ZERO);
            self.steps.push(Step { name, time, cpu, counts: Counts { skipped: 1, ..Counts::default() }, error: None });
        }
        asked
    }

    /// Adds a line to the summary.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Prints the summary, and returns what the program should end with: a failure if a step has failed.
    ///
    /// # Errors
    /// There was no step for one of the texts.
    pub(crate) fn finish(mut self) -> Result<ExitCode> {
        self.join();
        for text in &self.only {
            let found = self.steps.iter().any(|step| step.name.contains(text.as_str()));
            ensure!(found, "no step has {text:?} in its name");
        }
        print!("{}", self.summary());
        let failed = self.steps.iter().any(|step| step.error.is_some());
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    /// Every step with its times and counts, what failed and why, what was skipped, and as the last line the sums.
    fn summary(&self) -> String {
        let mut text = String::from("\nSummary: seconds by the clock, and of all processors\n");
        let mut add = |line: String| writeln!(text, "{line}").expect("a string takes any text");
        let mut total = Counts::default();
        for Step { name, time, cpu, counts, error } in &self.steps {
            let state = match (error, counts) {
                (Some(_), _) => "FAILED",
                (None, Counts { passed: 0, skipped: 1.., .. }) => "skipped",
                (None, _) => "ok",
            };
            let [time, cpu] = [time, cpu].map(Duration::as_secs_f64);
            add(format!("  {state:7}  {time:6.1} s  {cpu:6.1} s  {:4} passed  {name}", counts.passed));
            total.passed += counts.passed;
            total.failed += counts.failed;
            total.skipped += counts.skipped;
        }
        for Step { name, error, .. } in &self.steps {
            if let Some(error) = error {
                add(format!("\n{name}:\n  {error}"));
            }
        }
        let cpu: Duration = self.steps.iter().map(|step| step.cpu).sum();
        let [time, cpu] = [self.start.elapsed(), cpu].map(|time| time.as_secs_f64() / 60.0);
        add(format!("\nall in all {time:.1} minutes by the clock, {cpu:.1} of all processors"));
        self.notes.iter().cloned().for_each(&mut add);
        add(format!("{} passed, {} failed, {} skipped", total.passed, total.failed, total.skipped));
        text
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    fn all() -> Report {
        Report::only(Vec::new())
    }

    #[test]
    fn libtests_result_lines_are_counted() {
        let mut counts = Counts::default();
        counts.add_line("running 3 tests");
        counts
            .add_line("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s");
        counts.add_line("test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out");
        assert_eq!(counts, Counts { passed: 13, failed: 2, skipped: 1 });
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
        assert!(!report.skip("kernels with avx512"));
        assert_eq!(ran, ["clippy on the host", "int8 outputs"]);
        assert!(report.summary().ends_with("\n2 passed, 0 failed, 0 skipped\n"));
        assert!(report.finish().is_ok());
    }

    #[test]
    fn a_text_that_no_step_has_is_an_error() {
        let mut report = Report::only(vec!["clippy".into(), "nothing".into()]);
        report.step("clippy on the host", || Ok(()));
        assert_eq!(report.finish().unwrap_err().to_string(), "no step has \"nothing\" in its name");
    }

    #[test]
    fn what_is_skipped_is_listed_said_and_counted_and_no_failure() {
        let mut report = all();
        report.step("first", || Ok(()));
        assert!(report.skip("kernels with avx512"));
        report.note("not run on this CPU: kernels with avx512");
        let summary = report.summary();
        assert!(summary.lines().any(|line| line.starts_with("  skipped ") && line.ends_with("  kernels with avx512")));
        assert!(summary.ends_with("\nnot run on this CPU: kernels with avx512\n1 passed, 0 failed, 1 skipped\n"));
        assert_eq!(report.finish().unwrap(), ExitCode::SUCCESS);
    }

    #[test]
    fn steps_that_ran_beside_others_are_listed_behind_them() {
        let step = Step {
            name: "other".into(),
            time: Duration::from_secs(3),
            cpu: Duration::from_secs(2),
            counts: Counts { passed: 1, failed: 2, skipped: 3 },
            error: Some("as \"meant\"".into()),
        };
        let mut report = all();
        let script = format!("echo '\n==> other\nworks'; echo so >&2; echo '{HANDED_OVER}[{}]'", step.to_json());
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]);
        report.beside(shell).unwrap();
        report.step("first", || Ok(()));
        report.join();
        let summary = report.summary();
        let place = |text: &str| summary.find(text).unwrap_or_else(|| panic!("no {text:?} in {summary}"));
        assert!(place("first") < place("FAILED      3.0 s     2.0 s     1 passed  other"));
        assert!(summary.contains("\nother:\n  as \"meant\"\n"), "{summary}");
        assert!(summary.ends_with("\n2 passed, 2 failed, 3 skipped\n"), "{summary}");
    }

    #[test]
    fn steps_beside_the_others_may_end_first() {
        let mut report = all();
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("echo '==> other'; echo '{HANDED_OVER}[]'")]);
        report.beside(shell).unwrap();
        while !report.beside.as_ref().unwrap().steps.is_finished() {
            thread::yield_now();
        }
        report.step("first", || Ok(()));
        report.step("second", || Ok(()));
        report.join();
        assert!(report.summary().ends_with("\n2 passed, 0 failed, 0 skipped\n"));
    }

    #[test]
    fn a_process_that_ends_early_is_a_failure() {
        let mut report = all();
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo '==> other'; exit 3"]);
        report.beside(shell).unwrap();
        report.join();
        let summary = report.summary();
        assert!(summary.contains("exit status: 3: ==> other"), "{summary}");
        assert_eq!(report.finish().unwrap(), ExitCode::FAILURE);
    }

    #[test]
    fn what_is_shown_is_cut_where_a_step_begins() {
        let (reader, mut writer) = io::pipe().unwrap();
        io::Write::write_all(&mut writer, b"a\n\n==> b: build\n$ c\n==> b: run\nd").unwrap();
        drop(writer);
        let (sender, shown) = mpsc::channel();
        assert_eq!(pass_on(reader, &sender), "==> b: run\nd\n");
        drop(sender);
        assert_eq!(shown.iter().collect::<Vec<_>>(), ["a\n\n", "==> b: build\n$ c\n"]);
    }

    #[test]
    fn a_failed_step_does_not_stop_the_others_and_fails_the_report() {
        let mut report = all();
        report.step("first", || bail!("as meant"));
        let mut ran = false;
        report.step("second", || {
            ran = true;
            Ok(())
        });
        assert!(ran);
        let summary = report.summary();
        assert!(summary.contains("\nfirst:\n  as meant\n"), "{summary}");
        assert!(summary.ends_with("\n1 passed, 1 failed, 0 skipped\n"), "{summary}");
        assert_eq!(report.finish().unwrap(), ExitCode::FAILURE);
    }
}
