//! Other programs: announced, started, read, stopped in time. What is announced goes to standard error: standard output
//! is for results.

use std::cell::Cell;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use wait4::Wait4;

thread_local! {
    static CPU_TIME: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// What the programs that this thread has started and seen end took of all processors.
pub(crate) fn cpu_time() -> Duration {
    CPU_TIME.get()
}

/// Waits for a program's end, and adds to [`cpu_time`] what it and the programs that it started took.
fn wait(child: Child) -> Result<ExitStatus> {
    let ended = child.wait4()?;
    CPU_TIME.set(CPU_TIME.get() + ended.rusage.utime + ended.rusage.stime);
    Ok(ended.status)
}

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is a folder of the workspace")
}

/// A cargo command at the root of the workspace.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    // What cargo says of xtask to xtask: build scripts that look at it would run again when a person calls cargo.
    let own = |name: &str| ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|start| name.starts_with(start));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(own)) {
        cargo.env_remove(name);
    }
    cargo
}

/// The command as a person would type it.
pub(crate) fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let variables = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={}", name.to_string_lossy(), quote(&value?.to_string_lossy()))));
    let arguments = command.get_args().map(|argument| quote(&argument.to_string_lossy()));
    let words: Vec<_> = variables.chain([program.to_string_lossy().into_owned()]).chain(arguments).collect();
    words.join(" ")
}

fn quote(word: &str) -> String {
    let plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_=./:,+@".contains(c));
    if plain { word.to_owned() } else { format!("'{word}'") }
}

/// Says what is run, runs it, and fails if it fails.
///
/// # Errors
/// The program cannot be started, or its exit status is not 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    eprintln!("$ {}", line(command));
    let status = wait(command.spawn().with_context(|| format!("cannot start {}", line(command)))?)?;
    if !status.success() {
        bail!("{status}: {}", line(command));
    }
    Ok(())
}

/// Says what is run, runs it and hands each line of its standard output to `each`.
///
/// # Errors
/// As [`run`], or what `each` returns.
pub(crate) fn run_lines(command: &mut Command, mut each: impl FnMut(&str) -> Result<()>) -> Result<()> {
    eprintln!("$ {}", line(command));
    let mut rest = Vec::new();
    let status = stream(command, Duration::MAX, |bytes| {
        rest.extend_from_slice(bytes);
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            each(String::from_utf8_lossy(&line).trim_end())?;
        }
        Ok(())
    })?;
    if !rest.is_empty() {
        each(&String::from_utf8_lossy(&rest))?;
    }
    if status != Some(0) {
        bail!("{}: {}", status.map_or("killed".into(), |code| format!("exit status {code}")), line(command));
    }
    Ok(())
}

/// Runs a program quietly and returns its standard output, or `None` if it cannot be started or fails.
pub(crate) fn ask(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).current_dir(root()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a program, hands its standard output to `each` as it comes, and returns its exit status, or `None` if a signal
/// ended it. The program never outlives the call. Its standard error may be piped too, then it is passed on.
///
/// # Errors
/// The program cannot be started, `limit` has passed, or what `each` returns.
pub(crate) fn stream(
    command: &mut Command,
    limit: Duration,
    mut each: impl FnMut(&[u8]) -> Result<()>,
) -> Result<Option<i32>> {
    let start = Instant::now();
    let name = PathBuf::from(command.get_program());
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", name.display()))?;
    let mut output = child.stdout.take().expect("standard output is piped");
    let (sender, receiver) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = output.read(&mut buffer) {
            if sender.send(buffer[..length].to_vec()).is_err() {
                break;
            }
        }
    });
    let errors = child.stderr.take().map(|errors| thread::spawn(move || relay(errors)));
    let outcome = loop {
        match receiver.recv_timeout(limit.saturating_sub(start.elapsed())) {
            Ok(bytes) => {
                if let Err(error) = each(&bytes) {
                    break Err(error);
                }
            }
            Err(RecvTimeoutError::Disconnected) => break Ok(()),
            Err(RecvTimeoutError::Timeout) => {
                break Err(anyhow::anyhow!("{} was stopped: it ran for over {limit:?}", name.display()));
            }
        }
    };
    if outcome.is_err() {
        // It may have ended meanwhile; then there is nothing to stop.
        let _ = child.kill();
    }
    let status = wait(child)?;
    drop(receiver);
    reader.join().expect("the reader does not panic");
    if let Some(errors) = errors {
        errors.join().expect("the reader does not panic");
    }
    outcome.map(|()| status.code())
}

/// Passes the lines of a program's standard error on, but for QEMU's remark that a board's network is not connected.
fn relay(errors: impl Read) {
    for line in BufReader::new(errors).lines().map_while(Result::ok) {
        if !line.ends_with("has no peer") {
            eprintln!("{line}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_hangs_is_stopped() {
        let start = Instant::now();
        let error = stream(Command::new("sleep").arg("60"), Duration::from_millis(100), |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("was stopped"), "{error}");
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn output_and_status_are_passed_on() {
        let mut output = Vec::new();
        let status = stream(Command::new("sh").args(["-c", "echo out; exit 3"]), Duration::MAX, |bytes| {
            output.extend_from_slice(bytes);
            Ok(())
        });
        assert_eq!((status.unwrap(), output.as_slice()), (Some(3), b"out\n".as_slice()));
    }

    #[test]
    fn a_command_is_shown_as_typed() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["build", "two words"]).env("NAME", "a");
        assert_eq!(line(&command), "NAME=a cargo build 'two words'");
    }
}
