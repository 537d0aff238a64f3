//! Tables: `.csv` and `.tsv`, whose rows are samples or time steps.
//!
//! `columns.rs` tells which column means what, `read.rs` reads the rows, and this file makes samples of them.

mod columns;
mod read;
#[cfg(test)]
mod tests;

use std::path::Path;

use super::{
    DataError, Dataset, Targets, Values,
    dataset::Source,
    error::{Place, Problem, Wanted},
    load::{Expected, Found, Options, TEST_NAMES},
    naming::Naming,
};
use columns::Columns;
use read::Rows;

const ENDINGS: [&str; 2] = ["csv", "tsv"];

/// Whether a file is a table by its name.
pub(super) fn is_table(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// Whether there is a table of a training half.
pub(super) fn is_there(folder: &Path) -> bool {
    half(folder, &["train"]).is_some()
}

/// Loads `train.csv` and, if it is there, `test.csv`, `val.csv` or `validation.csv`; `.tsv` as well.
pub(super) fn load_folder(folder: &Path, expected: Expected, options: &Options) -> Result<Found, DataError> {
    let train = half(folder, &["train"]).expect("it was there");
    load(&train, half(folder, &TEST_NAMES).as_deref(), expected, options)
}

fn half(folder: &Path, names: &[&str]) -> Option<std::path::PathBuf> {
    let paths = names.iter().flat_map(|name| ENDINGS.map(|ending| folder.join(name).with_extension(ending)));
    paths.into_iter().find(|path| path.is_file())
}

/// Loads a table, and perhaps one of the test half, whose classes are the first's.
///
/// As many columns of values as the network's input has: a row is a sample, in the order of NHWC. As many as its
/// channels: a row is a time step, and consecutive rows of one class and group are cut into windows.
pub(super) fn load(
    train: &Path,
    test: Option<&Path>,
    expected: Expected,
    options: &Options,
) -> Result<Found, DataError> {
    let mut notes = Vec::new();
    let rows = Rows::read(train, expected, options)?;
    let naming = match rows.labels {
        Some(_) => Naming::of(&rows.names, expected.outputs, &options.labels)
            .map_err(|problem| match problem {
                Problem::Names { names, classes, .. } => {
                    Problem::Names { names, column: rows.columns.shown().targets.into_iter().next(), classes }
                }
                problem => problem,
            })
            .map_err(DataError::of(train))?,
        None => Naming::None,
    };
    let (data, units) = samples(train, &rows, &naming, expected, options, &mut notes)?;
    notes.extend(rows.broken.map(|line| {
        format!("{}: line {line} goes on in the next one: if it should not, a quote is not closed", train.display())
    }));
    notes.extend(rows.columns.guess().map(|guess| format!("{}: {guess}", train.display())));
    let test = match test {
        Some(path) => {
            // By the names of the training half's columns, if it has some.
            let known = Some(&options.columns).filter(|known| !known.values.is_empty()).cloned();
            let is_known = known.is_some();
            let options = &Options { columns: known.unwrap_or_else(|| rows.columns.by_name()), ..options.clone() };
            let rows = Rows::read(path, expected, options).map_err(|mut error| {
                if let DataError::File { problem: Problem::Column { option: option @ Wanted::Trained, .. }, .. } =
                    &mut error
                    && !is_known
                {
                    *option = Wanted::Half(train.into());
                }
                error
            })?;
            Some(samples(path, &rows, &naming, expected, options, &mut notes)?.0)
        }
        None => None,
    };
    Ok(Found { units, notes, ..Found::of(data, test) })
}

/// The samples in the rows of a table, and which of them belong together.
fn samples(
    path: &Path,
    rows: &Rows,
    naming: &Naming,
    Expected { input, .. }: Expected,
    options: &Options,
    notes: &mut Vec<String>,
) -> Result<(Dataset, Vec<usize>), DataError> {
    let of = DataError::of(path);
    let classes: Vec<usize> =
        rows.names.iter().map(|name| naming.class(name)).collect::<Result<_, _>>().map_err(&of)?;
    let Rows { columns: Columns { values: columns, .. }, values, .. } = rows;
    let width = columns.len();
    // How many rows a sample has.
    let len = input.len() / width;
    if len == 1 && options.window_step.is_some() {
        let (option, of_what) = ("--window-step", "tables whose rows are time steps");
        return Err(of(Problem::Option { option, of: of_what }));
    }
    let cut = cut(rows, len, options.window_step.unwrap_or(len)).map_err(&of)?;
    let unused = rows.len() - cut.used;
    if unused * 10 > rows.len() {
        notes.push(format!(
            "{}: {unused} of {} rows are in no window of {len} rows of one {}",
            path.display(),
            rows.len(),
            rows.columns.stretch()
        ));
    }
    let of_sample = |first: usize| &values[first * width..][..len * width];
    let values: Vec<f32> = cut.first.iter().flat_map(|&first| of_sample(first)).copied().collect();
    // Of several rows, the last says what is wanted: it is known when the window ends.
    let last = cut.first.iter().map(|&first| first + len - 1);
    let outputs = rows.columns.targets.len();
    let targets = match &rows.labels {
        _ if matches!(naming, Naming::None) && rows.targets.is_empty() => Targets::Classes(vec![0; cut.first.len()]),
        Some(labels) => Targets::Classes(last.map(|row| classes[labels[row]]).collect()),
        None => {
            let values = last.flat_map(|row| &rows.targets[row * outputs..][..outputs]).copied().collect();
            Targets::Values { outputs, values }
        }
    };
    let problem = DataError::of(path);
    let data = Dataset::of(input, Values::Floats(values), targets).map_err(&problem)?;
    let data = data.named(naming).map_err(&problem)?;
    let places =
        cut.first.iter().flat_map(|&first| &rows.lines[first..][..len]).map(|&line| Place::Line(line)).collect();
    let source = Source { path: path.into(), places, columns: rows.columns.shown() };
    Ok((data.with_columns(rows.columns.by_name()).from(source), cut.units))
}

/// Where samples begin.
struct Cut {
    /// The first row of each.
    first: Vec<usize>,
    /// Which of them belong together; empty where each is by itself.
    units: Vec<usize>,
    /// Rows that are in a sample.
    used: usize,
}

/// Cuts rows into samples of `len`, `step` apart: each of rows that follow one another and have one class and group.
fn cut(rows: &Rows, len: usize, step: usize) -> Result<Cut, Problem> {
    if step == 0 {
        return Err(Problem::WindowStep);
    }
    let key = |row: usize| {
        // In a row that is a sample by itself, nothing has to be the same.
        let label = rows.labels.as_ref().filter(|_| len > 1).map(|labels| labels[row]);
        (label, rows.groups.as_ref().map(|groups| groups[row]))
    };
    let mut cut = Cut { first: Vec::new(), units: Vec::new(), used: 0 };
    let (mut longest, mut start, mut stretch) = (0, 0, 0);
    while start < rows.len() {
        let end = (start..rows.len()).find(|&row| key(row) != key(start)).unwrap_or(rows.len());
        longest = longest.max(end - start);
        let mut covered = start;
        for first in (start..end).step_by(step).take_while(|first| first + len <= end) {
            cut.first.push(first);
            match &rows.groups {
                Some(groups) => cut.units.push(groups[first]),
                None if step < len => cut.units.push(stretch),
                None => {}
            }
            cut.used += first + len - covered.max(first);
            covered = first + len;
        }
        (start, stretch) = (end, stretch + 1);
    }
    if cut.first.is_empty() {
        return Err(Problem::NoWindow { rows: len, longest, of: rows.columns.stretch() });
    }
    Ok(cut)
}
