//! Runs as Markdown tables, thumbnet first.

use serde_json::Value;

use super::Run;

/// Where a run's f32 inference stands, by batch size.
const INFERENCE: &str = "inference_images_per_second";
/// Where the speed of a run's fastest steps stands.
const STEPS: [&str; 1] = ["fastest_block_images_per_second"];

fn number(run: &Run, path: &[&str]) -> Option<f64> {
    path.iter().try_fold(run, |value: &Value, name| value.get(name))?.as_f64()
}

fn text<'a>(run: &'a Run, name: &str) -> &'a str {
    run[name].as_str().unwrap_or("?")
}

/// What a run is judged by: images a second, trained on or, in int8, recognised.
pub(super) fn speed(run: &Run) -> f64 {
    let int8 = number(run, &["int8_images_per_second"]);
    int8.or_else(|| number(run, &["images_per_second"])).unwrap_or(0.0)
}

/// The faster of two runs of one program, with the fastest steps and the faster inference of both.
pub(super) fn better(a: Run, b: Run) -> Run {
    let (mut faster, slower) = if speed(&a) < speed(&b) { (b, a) } else { (a, b) };
    if number(&slower, &STEPS) > number(&faster, &STEPS) {
        faster[STEPS[0]] = slower[STEPS[0]].clone();
    }
    let Some(rates) = faster.get_mut(INFERENCE).and_then(Value::as_object_mut) else { return faster };
    for (batch, rate) in rates {
        if number(&slower, &[INFERENCE, batch]) > rate.as_f64() {
            *rate = slower[INFERENCE][batch].clone();
        }
    }
    faster
}

/// `value` with so many decimals, or a dash.
fn cell(value: Option<f64>, decimals: usize) -> String {
    value.map_or("-".into(), |value| format!("{value:.decimals$}"))
}

/// How many times this run's figure the first run's is.
fn ratio(runs: &[Run], run: &Run, path: &[&str]) -> Option<f64> {
    Some(number(runs.first()?, path)? / number(run, path)?)
}

fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule: Vec<String> = (0..head.len()).map(|i| if i == 0 { "---".into() } else { "---:".into() }).collect();
    let head: Vec<String> = head.iter().map(|&name| name.to_owned()).collect();
    rows.fold(line(&head) + &line(&rule), |text, row| text + &line(&row))
}

/// Training and f32 inference of each program.
pub(super) fn training(runs: &[Run]) -> String {
    const TRAINING: [&str; 1] = ["images_per_second"];
    const BATCH: [&str; 2] = [INFERENCE, "50"];
    const SINGLE: [&str; 2] = [INFERENCE, "1"];
    let head = [
        "",
        "images/s",
        "ratio",
        "fastest 50 steps",
        "ratio",
        "s/epoch",
        "peak MiB",
        "accuracy",
        "inference, batch 50",
        "ratio",
        "batch 1",
        "ratio",
    ];
    table(
        &head,
        runs.iter().map(|run| {
            vec![
                format!("{} {}", text(run, "peer"), text(run, "version")),
                cell(number(run, &TRAINING), 0),
                cell(ratio(runs, run, &TRAINING), 2),
                cell(number(run, &STEPS), 0),
                cell(ratio(runs, run, &STEPS), 2),
                cell(number(run, &["seconds_per_epoch"]), 1),
                cell(number(run, &["peak_rss_mib"]), 0),
                cell(number(run, &["test_accuracy"]), 4),
                cell(number(run, &BATCH), 0),
                cell(ratio(runs, run, &BATCH), 2),
                cell(number(run, &SINGLE), 0),
                cell(ratio(runs, run, &SINGLE), 2),
            ]
        }),
    )
}

/// thumbnet's own runs: over epochs, over images, then over threads.
pub(super) fn scaling(runs: &[Run]) -> String {
    let labels =
        ["1 epoch", "2 epochs", "4 epochs", "1 epoch, half the images", "1 epoch, 1 thread", "1 epoch, 2 threads"];
    table(
        &["", "seconds", "images/s", "fastest 50 steps", "peak MiB", "accuracy"],
        labels.iter().zip(runs).map(|(label, run)| {
            let (seconds, epochs) = (number(run, &["seconds_per_epoch"]), number(run, &["epochs"]));
            vec![
                (*label).to_owned(),
                cell(seconds.zip(epochs).map(|(seconds, epochs)| seconds * epochs), 2),
                cell(number(run, &["images_per_second"]), 0),
                cell(number(run, &STEPS), 0),
                cell(number(run, &["peak_rss_mib"]), 0),
                cell(number(run, &["test_accuracy"]), 4),
            ]
        }),
    )
}

/// int8 inference.
pub(super) fn int8(runs: &[Run]) -> String {
    const RATE: [&str; 1] = ["int8_images_per_second"];
    table(
        &["", "images/s", "ratio", "with copies in and out", "accuracy"],
        runs.iter().map(|run| {
            vec![
                format!("{} {}", text(run, "peer"), text(run, "version")),
                cell(number(run, &RATE), 0),
                cell(ratio(runs, run, &RATE), 2),
                cell(number(run, &["int8_images_per_second_with_copies"]), 0),
                cell(number(run, &["test_accuracy"]), 4),
            ]
        }),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ratios_are_the_first_runs_speed_over_each_ones() {
        let run = |peer: &str, rate: f64| {
            json!({ "peer": peer, "version": "1", "images_per_second": rate, "seconds_per_epoch": 2.0,
                    "fastest_block_images_per_second": 1.5 * rate,
                    "inference_images_per_second": { "50": 4.0 * rate, "1": rate } })
        };
        let text = training(&[run("thumbnet", 3000.0), run("other", 1200.0)]);
        let rows: Vec<_> = text.lines().collect();
        assert_eq!(rows.len(), 4, "{text}");
        assert_eq!(rows[3], "| other 1 | 1200 | 2.50 | 1800 | 2.50 | 2.0 | - | - | 4800 | 2.50 | 1200 | 2.50 |");
    }

    #[test]
    fn the_faster_run_keeps_the_fastest_steps_and_inference() {
        let run = |rate: f64, batch: f64| {
            let inference = json!({ "50": batch, "1": 1.0 });
            json!({ "images_per_second": rate, STEPS[0]: 10.0 - rate, INFERENCE: inference })
        };
        for run in [better(run(3.0, 7.0), run(2.0, 9.0)), better(run(2.0, 9.0), run(3.0, 7.0))] {
            let best = (speed(&run), number(&run, &STEPS), number(&run, &[INFERENCE, "50"]));
            assert_eq!(best, (3.0, Some(8.0), Some(9.0)));
        }
    }

    #[test]
    fn int8_runs_are_judged_by_inference() {
        assert_eq!(speed(&json!({ "images_per_second": 5.0, "int8_images_per_second": 9.0 })), 9.0);
        assert_eq!(speed(&json!({ "images_per_second": 5.0 })), 5.0);
        assert!(int8(&[json!({ "peer": "a", "int8_images_per_second": 8.0 })]).contains("| 8 | 1.00 | - | - |"));
    }

    #[test]
    fn time_over_epochs_is_their_sum() {
        let runs = [1, 2].map(|epochs| json!({ "epochs": epochs, "seconds_per_epoch": 1.5, "images_per_second": 7.0 }));
        assert!(scaling(&runs).contains("| 2 epochs | 3.00 | 7 | - |"));
    }
}
