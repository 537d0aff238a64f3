//! The rows of a table.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use csv::{ReaderBuilder, StringRecord, Terminator, Trim};

use super::{
    super::{
        DataError,
        error::{Place, Problem},
        load::{Expected, Options},
        naming::{Name, Numbers},
    },
    columns::Columns,
};

/// A table, read.
pub(super) struct Rows {
    pub(super) columns: Columns,
    /// Of each row, the columns of values.
    pub(super) values: Vec<f32>,
    /// Of each row, the columns of targets, if these are numbers.
    pub(super) targets: Vec<f32>,
    /// Of each row its line.
    pub(super) lines: Vec<u64>,
    /// Of each row the place of its label among the names, if it has one.
    pub(super) labels: Option<Vec<usize>>,
    /// The labels that there are, in the order in which they came.
    pub(super) names: Vec<Name>,
    /// Of each row the number of its group, if it has one.
    pub(super) groups: Option<Vec<usize>>,
    /// The line of the first row that goes on in the next one.
    pub(super) broken: Option<u64>,
}

impl Rows {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.values.len() / self.columns.values.len()
    }

    /// Reads a table. Whether it has a header, and what separates its columns, it tells by itself.
    pub(super) fn read(path: &Path, expected: Expected, options: &Options) -> Result<Self, DataError> {
        Self::try_read(path, expected, options).map_err(DataError::of(path))
    }

    fn try_read(path: &Path, expected: Expected, options: &Options) -> Result<Self, Problem> {
        let mut table = Table::open(path)?;
        let first = table.next()?.ok_or(Problem::NoRows)?;
        let second = table.next()?;
        let has_header = is_header(&first.fields, second.as_ref().map(|row| &row.fields));
        let names = match has_header {
            true => first.fields.iter().map(str::to_owned).collect(),
            false => (1..=first.fields.len()).map(|number| number.to_string()).collect(),
        };
        let columns = Columns::find(names, has_header, expected, options)?;
        let mut rows = Unfinished {
            columns: &columns,
            values: vec![],
            targets: vec![],
            lines: vec![],
            labels: vec![],
            groups: vec![],
        };
        let (mut labels, mut groups) = (Numbers::default(), Numbers::default());
        for row in [Some(first).filter(|_| !has_header), second].into_iter().flatten() {
            rows.push(&row, &mut labels, &mut groups)?;
        }
        while let Some(row) = table.next()? {
            rows.push(&row, &mut labels, &mut groups)?;
        }
        let Unfinished { values, targets, lines, labels: of_rows, groups, .. } = rows;
        if values.is_empty() {
            return Err(Problem::NoRows);
        }
        let labels_of_rows = columns.is_class.then_some(of_rows);
        let groups = columns.group.is_some().then_some(groups);
        let broken = table.broken;
        Ok(Self { columns, values, targets, lines, labels: labels_of_rows, names: labels.names, groups, broken })
    }
}

/// The rows of a file, one after the other.
struct Table {
    reader: csv::Reader<Box<dyn Read>>,
    /// How many columns the first has.
    width: Option<usize>,
    /// The line of the first row that goes on in the next one.
    broken: Option<u64>,
}

/// A row that is not blank.
struct Row {
    fields: StringRecord,
    line: u64,
}

impl Table {
    fn open(path: &Path) -> Result<Self, Problem> {
        let mut file = BufReader::with_capacity(START, File::open(path)?);
        let Start { delimiter, skipped, lines, is_returns } = Start::of(file.fill_buf()?);
        file.consume(skipped);
        let file: Box<dyn Read> = if is_returns { Box::new(Returns(file)) } else { Box::new(file) };
        // Lines that are passed over become blank ones, so that the others keep their numbers. Every row ends with a
        // line feed, so that lines can be counted; what stands before it is trimmed.
        let rows: Box<dyn Read> = Box::new(io::repeat(b'\n').take(lines).chain(file).chain(&b"\n"[..]));
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).delimiter(delimiter).trim(Trim::All);
        Ok(Self { reader: builder.terminator(Terminator::Any(b'\n')).from_reader(rows), width: None, broken: None })
    }

    fn next(&mut self) -> Result<Option<Row>, Problem> {
        let mut fields = StringRecord::new();
        while self.reader.read_record(&mut fields).map_err(unreadable)? {
            let breaks = fields.as_slice().matches('\n').count() as u64;
            // The reader is behind the row's end; before its beginning there may have been blank lines. A quote that is
            // not closed takes the row's own end, too.
            let line = match fields.position() {
                Some(position) if breaks > 0 => position.line(),
                _ => self.reader.position().line() - 1 - breaks,
            };
            // Blank, but for what is trimmed.
            if fields.len() == 1 && fields[0].is_empty() {
                continue;
            }
            let (found, expected) = (fields.len(), *self.width.get_or_insert(fields.len()));
            if found != expected {
                let is_comment = fields.get(0).is_some_and(|field| field.starts_with('#'));
                return Err(Problem::Ragged { line, found, expected, is_broken: breaks > 0, is_comment });
            }
            if breaks > 0 {
                self.broken.get_or_insert(line);
            }
            return Ok(Some(Row { fields, line }));
        }
        Ok(None)
    }
}

/// Rows that are being read.
struct Unfinished<'a> {
    columns: &'a Columns,
    values: Vec<f32>,
    targets: Vec<f32>,
    lines: Vec<u64>,
    labels: Vec<usize>,
    groups: Vec<usize>,
}

impl Unfinished<'_> {
    fn push(&mut self, Row { fields, line }: &Row, labels: &mut Numbers, groups: &mut Numbers) -> Result<(), Problem> {
        let Columns { names, values, targets, is_class, group, .. } = self.columns;
        let line = *line;
        let text = |column: usize| fields.get(column).unwrap_or_default();
        let number = |&column: &usize| {
            let text = text(column);
            let number = text.parse().ok().filter(|number: &f32| number.is_finite());
            number.ok_or_else(|| Problem::Number { line, column: names[column].clone(), text: text.into() })
        };
        let name = |column: usize| match text(column) {
            text if text.is_empty() || text.eq_ignore_ascii_case("nan") => {
                Err(Problem::NoName { line, column: names[column].clone(), text: text.into() })
            }
            text if text.contains('\n') => Err(Problem::Broken { line, column: names[column].clone() }),
            text => Ok(text),
        };
        self.lines.push(line);
        for column in values {
            self.values.push(number(column)?);
        }
        match targets.as_slice() {
            [target] if *is_class => self.labels.push(labels.of(name(*target)?, Place::Line(line))),
            targets => {
                for column in targets {
                    self.targets.push(number(column)?);
                }
            }
        }
        if let Some(group) = group {
            self.groups.push(groups.of(name(*group)?, Place::Line(line)));
        }
        Ok(())
    }
}

/// What is wrong with a record.
fn unreadable(error: csv::Error) -> Problem {
    match error.kind() {
        csv::ErrorKind::Utf8 { pos: Some(position), err } => {
            Problem::Encoding { line: position.line(), column: err.field() + 1 }
        }
        _ => Problem::Table(error),
    }
}

/// Bytes from which is told how a table is written.
const START: usize = 1 << 16;

/// How a table begins.
struct Start {
    /// What separates columns.
    delimiter: u8,
    /// Bytes at the beginning that are passed over: a line that names the delimiter, and comments.
    skipped: usize,
    /// Lines that these are.
    lines: u64,
    /// Whether lines end with carriage returns alone.
    is_returns: bool,
}

impl Start {
    fn of(start: &[u8]) -> Self {
        // The last byte may be half of an end of Windows's.
        let is_returns = !start.contains(&b'\n') && start.split_last().is_some_and(|(_, start)| start.contains(&b'\r'));
        let end = if is_returns { b'\r' } else { b'\n' };
        let lines: Vec<&[u8]> = start.split_inclusive(|&byte| byte == end).collect();
        let told = lines.first().and_then(|line| told_delimiter(line));
        let from = usize::from(told.is_some());
        // Comments at the beginning, the last of which may be a line of names.
        let is_comment = |line: &&&[u8]| without_mark(line).trim_ascii_start().starts_with(b"#");
        let first = lines[from..].iter().find(|line| !is_comment(line) && !without_mark(line).trim_ascii().is_empty());
        let first = *first.or(lines.get(from)).unwrap_or(&&start[..0]);
        let delimiter = told.unwrap_or_else(|| delimiter(first));
        let width = |line: &[u8]| bare(line).filter(|byte| **byte == delimiter).count();
        let is_names = |line: &&&[u8]| is_comment(line) && width(line) == width(first);
        let is_skipped = |line: &&&[u8]| !std::ptr::eq(**line, first) && !is_names(line);
        let comments = lines[from..].iter().take_while(is_skipped).count();
        let skipped = &lines[..from + comments];
        Self { delimiter, skipped: skipped.concat().len(), lines: skipped.len() as u64, is_returns }
    }
}

/// Without the mark of UTF-8 at the beginning.
fn without_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line)
}

/// What is not between quotes, where nothing is separated.
fn bare(line: &[u8]) -> impl Iterator<Item = &u8> {
    line.split(|&byte| byte == b'"').step_by(2).flatten()
}

/// The delimiter that a first line of Excel's names: `sep=;`.
fn told_delimiter(line: &[u8]) -> Option<u8> {
    let ends: &[u8] = b"\r\n\"";
    let line: Vec<u8> = without_mark(line).iter().copied().filter(|byte| !ends.contains(byte)).collect();
    match line[..] {
        [s, e, p, b'=', delimiter] if [s, e, p].eq_ignore_ascii_case(b"sep") => {
            Some(delimiter).filter(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric())
        }
        _ => None,
    }
}

/// Of comma, semicolon and tab the one that a line has most of.
fn delimiter(line: &[u8]) -> u8 {
    let count = |delimiter: &u8| bare(line).filter(|byte| *byte == delimiter).count();
    // Of equals the last is the greatest: as many commas as semicolons are those of decimals.
    *[b',', b'\t', b';'].iter().max_by_key(|delimiter| count(delimiter)).expect("there are three")
}

/// A file whose lines end with carriage returns alone, as old spreadsheets write them, with line feeds in their place.
struct Returns<R>(R);

impl<R: Read> Read for Returns<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.0.read(buffer)?;
        buffer[..len].iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        Ok(len)
    }
}

/// Whether the first row has names: it has no number where the second has some, or a column is called as those of
/// targets are. Where it has a number in one such column and not in another, it is data that is wrong.
fn is_header(first: &StringRecord, second: Option<&StringRecord>) -> bool {
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    let is_title = |text: &str| ["label", "class", "target"].iter().any(|title| text.eq_ignore_ascii_case(title));
    if first.iter().any(is_title) {
        return true;
    }
    match second {
        Some(second) => {
            let numbers: Vec<&str> =
                first.iter().zip(second).filter(|(_, second)| is_number(second)).map(|(first, _)| first).collect();
            let is_y = |text: &&str| text.eq_ignore_ascii_case("y");
            numbers.iter().any(is_y) || (!numbers.is_empty() && !numbers.iter().any(|text| is_number(text)))
        }
        None => !first.iter().any(is_number),
    }
}
