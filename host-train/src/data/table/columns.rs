//! Which column of a table means what.

use thumbnet::geometry::Shape;

use super::super::{
    ColumnNames, Outputs,
    error::{Problem, Wanted},
    load::{Expected, Options},
};

/// Names of the column that is wanted of a network, the likeliest first.
const TARGETS: [&str; 4] = ["label", "class", "target", "y"];
/// Names of the column that says what belongs together.
const GROUPS: [&str; 4] = ["recording", "id", "series", "subject"];

/// Columns by their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    /// All names: those in the first row, or numbers from 1.
    pub(super) names: Vec<String>,
    /// What a sample consists of.
    pub(super) values: Vec<usize>,
    /// What is wanted.
    pub(super) targets: Vec<usize>,
    /// Whether what is wanted is the class in the one column of targets.
    pub(super) is_class: bool,
    /// What belongs together.
    pub(super) group: Option<usize>,
    /// Whether what is wanted was found by its place, or by a name that may mean something else.
    is_guessed: bool,
    /// Whether names are the table's.
    has_header: bool,
}

impl Columns {
    /// Finds them by what was asked for, by the names that the network was trained on, by usual names, and by what the
    /// network takes.
    pub(super) fn find(
        names: Vec<String>,
        has_header: bool,
        expected: Expected,
        options: &Options,
    ) -> Result<Self, Problem> {
        let Expected { input, outputs } = expected;
        // Tables without names have an order alone.
        let known = Some(&options.columns).filter(|known| has_header && !known.values.is_empty());
        let is_asked = !options.target.is_empty() || outputs == Outputs::Input;
        let known_targets = known.map(|known| &known.targets).filter(|targets| !is_asked && !targets.is_empty());
        let targets = match known_targets {
            Some(known) => known_columns(&names, known)?,
            None => targets(&names, outputs, &options.target)?,
        };
        let is_sure = |&column: &usize| TARGETS[..3].iter().any(|name| names[column].eq_ignore_ascii_case(name));
        let is_guessed = has_header && !is_asked && known_targets.is_none() && !targets.iter().all(is_sure);
        let is_class = match outputs {
            Outputs::Classes(_) => true,
            Outputs::Values(outputs) => outputs > 1 && targets.len() == 1,
            Outputs::Input => false,
        };
        let wanted = match outputs {
            Outputs::Values(outputs) if !is_class => outputs,
            Outputs::Classes(_) | Outputs::Values(_) => 1,
            Outputs::Input => targets.len(),
        };
        if targets.len() != wanted {
            let columns = targets.iter().map(|&column| names[column].clone()).collect();
            return Err(Problem::TargetColumns { columns, outputs });
        }
        let ignored: Vec<usize> =
            options.ignore.iter().map(|name| by_name(&names, name, "--ignore")).collect::<Result<_, _>>()?;
        let free = |column: &usize| !targets.contains(column) && !ignored.contains(column);
        let values = |group| -> Vec<usize> {
            (0..names.len()).filter(|column| free(column) && Some(*column) != group).collect()
        };
        let group = match &options.group {
            Some(name) => Some(by_name(&names, name, "--group")?),
            None => {
                let usual = GROUPS.iter().find_map(|name| by_usual_name(&names, name)).filter(|column| free(column));
                // A column of that name that is needed is one of values.
                usual.filter(|&group| !fits(values(None).len(), input) || fits(values(Some(group)).len(), input))
            }
        };
        let values = match known {
            Some(known) => known_columns(&names, &known.values)?,
            None => {
                // Programs write the number of a row into a column without a name.
                let all = values(group);
                let is_named = |&column: &usize| !has_header || !names[column].is_empty();
                let named: Vec<usize> = all.iter().copied().filter(is_named).collect();
                if !fits(all.len(), input) && fits(named.len(), input) { named } else { all }
            }
        };
        if !fits(values.len(), input) {
            let columns = values.into_iter().map(|column| names[column].clone()).collect();
            return Err(Problem::Columns { columns, input });
        }
        let is_twice =
            |&&column: &&usize| has_header && names.iter().filter(|name| **name == names[column]).count() > 1;
        if let Some(&column) = values.iter().chain(&targets).find(is_twice) {
            return Err(Problem::Twice { name: names[column].clone() });
        }
        let targets = if outputs == Outputs::Input { Vec::new() } else { targets };
        Ok(Self { names, values, targets, is_class, group, is_guessed, has_header })
    }

    /// What the columns of values and targets are called, if the table says it.
    pub(super) fn by_name(&self) -> ColumnNames {
        if self.has_header { self.shown() } else { ColumnNames::default() }
    }

    /// The same, or their numbers.
    pub(super) fn shown(&self) -> ColumnNames {
        let names = |columns: &[usize]| columns.iter().map(|&column| self.names[column].clone()).collect();
        ColumnNames { values: names(&self.values), targets: names(&self.targets) }
    }

    /// What was taken to be wanted where nobody said it; else nothing.
    pub(super) fn guess(&self) -> Option<String> {
        let targets: Vec<_> = self.targets.iter().map(|&column| format!("`{}`", self.names[column])).collect();
        let (columns, are) = if targets.len() == 1 { ("column", "is") } else { ("columns", "are") };
        let targets = targets.join(", ");
        self.is_guessed.then(|| format!("{columns} {targets} {are} taken as the target; --target names another"))
    }

    /// What rows have in common that follow one another in a window.
    pub(super) fn stretch(&self) -> String {
        let label = self.targets.iter().take(usize::from(self.is_class));
        let columns: Vec<_> = label.chain(&self.group).map(|&column| format!("`{}`", self.names[column])).collect();
        if columns.is_empty() { "table".into() } else { columns.join(" and ") }
    }
}

/// Whether so many columns are a sample, or a time step of one.
fn fits(columns: usize, input: Shape) -> bool {
    columns == input.len() || columns == input.channels
}

/// The columns of what is wanted.
fn targets(names: &[String], outputs: Outputs, asked: &[String]) -> Result<Vec<usize>, Problem> {
    if !asked.is_empty() {
        return asked.iter().map(|name| by_name(names, name, "--target")).collect();
    }
    let usual = TARGETS.iter().find_map(|name| by_usual_name(names, name)).map(|column| vec![column]);
    let last = |count: usize| (names.len().saturating_sub(count)..names.len()).collect();
    Ok(match outputs {
        Outputs::Input => usual.unwrap_or_default(),
        Outputs::Classes(_) => usual.unwrap_or_else(|| last(1)),
        Outputs::Values(outputs) => usual.unwrap_or_else(|| last(outputs)),
    })
}

/// The column of this name, or else the only one whose name differs in capitals alone.
fn find(names: &[String], name: &str) -> Option<usize> {
    names.iter().position(|column| column == name).or_else(|| {
        let mut like = (0..names.len()).filter(|&column| names[column].eq_ignore_ascii_case(name));
        like.next().filter(|_| like.next().is_none())
    })
}

fn by_usual_name(names: &[String], name: &str) -> Option<usize> {
    names.iter().position(|column| column.eq_ignore_ascii_case(name))
}

/// The columns of the names that a network was trained on. A name that is a number is no place.
fn known_columns(names: &[String], known: &[String]) -> Result<Vec<usize>, Problem> {
    let find = |name: &String| {
        let option = Wanted::Trained;
        let missing = || Problem::Column { name: name.clone(), option, columns: names.to_vec() };
        find(names, name).ok_or_else(missing)
    };
    known.iter().map(find).collect()
}

/// The column of a name, or of a number from 1.
fn by_name(names: &[String], name: &str, option: &'static str) -> Result<usize, Problem> {
    let by_number = || name.parse().ok().and_then(|number: usize| number.checked_sub(1)).filter(|&at| at < names.len());
    let column = find(names, name).or_else(by_number);
    let option = Wanted::Option(option);
    column.ok_or_else(|| Problem::Column { name: name.into(), option, columns: names.to_vec() })
}
