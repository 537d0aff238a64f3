//! Which class a label that is a text means.

use std::collections::HashMap;

use super::{
    Dataset, DatasetError, Outputs,
    array::class,
    error::{Place, Problem},
};

/// A label, and where it is met first.
pub(super) struct Name {
    pub(super) text: String,
    pub(super) place: Place,
}

/// Gives numbers to names, in the order in which they come.
#[derive(Default)]
pub(super) struct Numbers {
    known: HashMap<String, usize>,
    pub(super) names: Vec<Name>,
}

impl Numbers {
    pub(super) fn of(&mut self, text: &str, place: Place) -> usize {
        let key = key(text);
        if let Some(&number) = self.known.get(key) {
            // Of a number that is written in both ways, the shorter one is the name.
            if text == key {
                self.names[number].text = text.into();
            }
            return number;
        }
        self.known.insert(key.into(), self.names.len());
        self.names.push(Name { text: text.into(), place });
        self.names.len() - 1
    }
}

/// What is the same for two texts that mean one label: `1.0` is `1`, as programs write whole numbers that stand beside
/// what is missing. All else is itself: `01` may be a code, `1.10` a version.
fn key(text: &str) -> &str {
    let Some((whole, zeros)) = text.split_once('.') else { return text };
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = is_number && (digits == "0" || !digits.starts_with('0'));
    if is_plain && zeros.bytes().all(|byte| byte == b'0') { whole } else { text }
}

/// Which class a label means.
#[derive(Clone)]
pub(super) enum Naming {
    /// There are no classes, or their labels are no texts.
    None,
    /// That of its number.
    Numbers(usize),
    /// That of its place among these.
    Names(Vec<String>),
}

impl Naming {
    /// The names that are known; else numbers where all labels are whole and below the number of classes, else names,
    /// in the order of their alphabet or of their value.
    pub(super) fn of(labels: &[Name], outputs: Outputs, known: &[String]) -> Result<Self, Problem> {
        let classes = match outputs {
            Outputs::Input => return Ok(Self::None),
            Outputs::Classes(_) | Outputs::Values(_) if !known.is_empty() => return Ok(Self::Names(known.to_vec())),
            Outputs::Classes(classes) | Outputs::Values(classes) => classes,
        };
        let number = |name: &Name| name.text.parse().ok().and_then(|label| class(label, classes));
        if labels.iter().all(|name| number(name).is_some()) {
            return Ok(Self::Numbers(classes));
        }
        let mut names: Vec<String> = labels.iter().map(|name| name.text.clone()).collect();
        let values: Result<Vec<f64>, _> = names.iter().map(|name| name.parse()).collect();
        match values {
            Ok(values) => {
                let mut order: Vec<usize> = (0..names.len()).collect();
                order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
                names = order.into_iter().map(|name| names[name].clone()).collect();
            }
            Err(_) => names.sort(),
        }
        if names.len() == classes {
            return Ok(Self::Names(names));
        }
        let is_whole = |name: &Name| name.text.parse().ok().and_then(|label| class(label, usize::MAX)).is_some();
        match labels.iter().find(|name| number(name).is_none()) {
            Some(Name { text, place }) if labels.iter().all(is_whole) => {
                Err(Problem::Label { label: text.clone(), place: *place, classes })
            }
            _ => Err(Problem::Names { names, column: None, classes }),
        }
    }

    /// The class of a label.
    pub(super) fn class(&self, Name { text, place }: &Name) -> Result<usize, Problem> {
        let (label, place) = (text.clone(), *place);
        match self {
            Self::None => Ok(0),
            Self::Numbers(classes) => {
                let number = text.parse().ok().and_then(|label| class(label, *classes));
                number.ok_or(Problem::Label { label, place, classes: *classes })
            }
            Self::Names(names) => {
                let same = || names.iter().position(|name| key(name) == key(text));
                let position = names.iter().position(|name| name == text).or_else(same);
                position.ok_or_else(|| Problem::Unknown { name: label, place: Some(place), names: names.clone() })
            }
        }
    }
}

impl Dataset {
    /// The same, whose classes have these names, if they are names.
    pub(super) fn named(self, naming: &Naming) -> Result<Self, DatasetError> {
        match naming {
            Naming::Names(names) => self.with_labels(names),
            Naming::None | Naming::Numbers(_) => Ok(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_one_label_however_it_is_written() {
        for (text, expected) in [
            ("1.0", "1"),
            ("10.", "10"),
            ("-3.00", "-3"),
            ("0.0", "0"),
            ("1", "1"),
            ("01", "01"),
            ("01.0", "01.0"),
            ("1.10", "1.10"),
            ("v1.0", "v1.0"),
            (".0", ".0"),
            ("1.0.0", "1.0.0"),
            ("1e3", "1e3"),
            ("", ""),
        ] {
            assert_eq!(key(text), expected, "{text}");
        }
    }
}
