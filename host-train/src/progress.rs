//! How a training shows itself while it runs: as Keras does.

use std::{
    fmt::{self, Write as _},
    io::{self, IsTerminal, Write},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::model::{Callback, CallbackResult, Epoch, Running, Training};

/// Characters of the bar.
const WIDTH: usize = 16;

/// In which form progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A bar that moves, and a line for each epoch when it is done.
    Bar,
    /// A line for each epoch.
    Lines,
    /// A JSON object for each epoch.
    Json,
}

/// Shows a training on standard output.
#[derive(Debug)]
pub struct Progress {
    form: Form,
    epochs: usize,
    bar: ProgressBar,
}

impl Progress {
    /// For a training of `epochs`: one JSON object an epoch if `json`, a bar on a terminal, plain lines elsewhere.
    pub fn new(epochs: usize, json: bool) -> Self {
        let form = match (json, io::stdout().is_terminal()) {
            (true, _) => Form::Json,
            (false, true) => Form::Bar,
            (false, false) => Form::Lines,
        };
        Self { form, epochs, bar: ProgressBar::hidden() }
    }

    /// Prints a line of an epoch. Where nobody reads it any more, as behind `| head`, the training goes on without.
    fn say(&self, epoch: usize, line: &str) -> CallbackResult {
        let mut output = io::stdout().lock();
        match writeln!(output, "{line}").and_then(|()| output.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(format!("epoch {epoch} of {}: standard output: {error}", self.epochs).into())
            }
            _ => Ok(()),
        }
    }
}

impl Callback for Progress {
    fn epoch_begins(&mut self, epoch: usize, steps: usize) -> CallbackResult {
        if self.form != Form::Json {
            self.say(epoch, &format!("Epoch {epoch}/{}", self.epochs))?;
        }
        if self.form == Form::Bar {
            // The metrics come first: on a narrow terminal what does not fit is cut, not wrapped.
            let template =
                format!("{{pos:>{}}}/{{len}} {{bar:{WIDTH}.green}} ETA {{left}} - {{wide_msg}}", digits(steps));
            let style = ProgressStyle::with_template(&template)?.progress_chars("━╸─").with_key(
                "left",
                |state: &ProgressState, output: &mut dyn fmt::Write| {
                    // Writing to the bar's own string cannot fail.
                    let _ = output.write_str(&clock(state.eta().as_secs()));
                },
            );
            self.bar =
                ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::stdout()).with_style(style);
        }
        Ok(())
    }

    fn step_ends(&mut self, step: usize, running: &Running) -> CallbackResult {
        if self.form == Form::Bar {
            let evaluation = running.evaluation();
            let rate = evaluation.samples as f64 / self.bar.elapsed().as_secs_f64().max(1e-9);
            self.bar.set_position(step as u64);
            self.bar.set_message(format!("{evaluation} - {rate:.0} samples/s"));
        }
        Ok(())
    }

    fn validation_begins(&mut self) -> CallbackResult {
        if self.form == Form::Bar {
            self.bar.set_message(format!("{} - validating", self.bar.message()));
        }
        Ok(())
    }

    fn epoch_ends(&mut self, epoch: &Epoch, _: &mut Training<'_>) -> CallbackResult {
        self.bar.finish_and_clear();
        let line = match self.form {
            Form::Json => json(epoch)?,
            Form::Bar => format!("{0}/{0} {1} {2}", epoch.steps, "━".repeat(WIDTH), summary(epoch)),
            Form::Lines => format!("{0}/{0} - {1}", epoch.steps, summary(epoch)),
        };
        self.say(epoch.epoch, &line)
    }
}

fn json(epoch: &Epoch) -> serde_json::Result<String> {
    let mut object = serde_json::to_value(epoch)?;
    object["command"] = "train".into();
    object["event"] = "epoch".into();
    serde_json::to_string(&object)
}

/// Keras's line on an epoch.
fn summary(epoch: &Epoch) -> String {
    let step = epoch.seconds / epoch.steps.max(1) as f64;
    let mut line = format!(
        "{} {}/step - {:.0} samples/s - loss: {:.4}",
        duration(epoch.seconds),
        duration(step),
        epoch.images_per_second,
        epoch.loss,
    );
    let measured = [("accuracy", epoch.accuracy), ("val_loss", epoch.val_loss), ("val_accuracy", epoch.val_accuracy)];
    for (name, value) in measured.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        // Writing to a string cannot fail.
        let _ = write!(line, " - {name}: {value:.4}");
    }
    line
}

/// Seconds to three digits at most, in the unit that Keras would take.
fn duration(seconds: f64) -> String {
    if seconds >= 1.0 {
        format!("{seconds:.0}s")
    } else if seconds >= 1e-3 {
        format!("{:.0}ms", seconds * 1e3)
    } else {
        format!("{:.0}us", seconds * 1e6)
    }
}

/// The time left, as Keras's bar shows it.
fn clock(seconds: u64) -> String {
    if seconds < 60 { format!("{seconds}s") } else { format!("{}:{:02}", seconds / 60, seconds % 60) }
}

fn digits(number: usize) -> usize {
    number.to_string().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Evaluation;

    fn epoch() -> Epoch {
        let training = Evaluation {
            loss: 0.12345,
            correct: None,
            samples: 60_000,
            accuracy: Some(0.9612),
            mean_absolute_error: None,
        };
        let mut epoch = Epoch::new(1, 1200, 24.0, training);
        epoch.validate(Evaluation {
            loss: 0.05,
            correct: None,
            samples: 1,
            accuracy: Some(0.98765),
            mean_absolute_error: None,
        });
        epoch
    }

    #[test]
    fn reads_as_keras_writes() {
        assert_eq!(
            summary(&epoch()),
            "24s 20ms/step - 2500 samples/s - loss: 0.1235 - accuracy: 0.9612 - val_loss: 0.0500 - val_accuracy: 0.9877"
        );
        let unjudged = Epoch { val_loss: None, val_accuracy: None, ..epoch() };
        assert!(summary(&unjudged).ends_with("accuracy: 0.9612"));
        let of_numbers = Epoch { accuracy: None, val_accuracy: None, ..epoch() };
        assert!(summary(&of_numbers).ends_with("samples/s - loss: 0.1235 - val_loss: 0.0500"));
    }

    #[test]
    fn durations_have_fitting_units() {
        assert_eq!([0.0000123, 0.0123, 12.3].map(duration), ["12us", "12ms", "12s"]);
        assert_eq!([0, 59, 60, 131].map(clock), ["0s", "59s", "1:00", "2:11"]);
    }

    #[test]
    fn json_is_one_line() {
        let text = json(&epoch()).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&value["event"], &value["epoch"], &value["val_accuracy"]),
            (&"epoch".into(), &1.into(), &0.98765.into())
        );
        assert!(!text.contains('\n'));
    }
}
