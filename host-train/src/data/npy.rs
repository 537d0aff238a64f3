//! NumPy's arrays: `.npy`, one in a file, and `.npz`, several in a zip archive.
//!
//! Source: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>. The header is a Python literal of
//! three entries, which is all that is read of that language: the crates for these files bring a parser generator.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, FileReader, RECOMMENDED_BUFFER_SIZE, ZipArchive, ZipArchiveEntryWayfinder};
use thumbnet::input::Shows;

use super::{
    ColumnNames, DataError, Dataset, Outputs, Targets, Values,
    array::{self, Array, Kind, MOST},
    dataset::Source,
    error::{Place, Problem},
    load::{Expected, Found, Options, TEST_NAMES},
    mnist,
    naming::{Naming, Numbers},
};

/// Bytes of a header at most; NumPy's own have some hundred.
const MOST_HEADER: usize = 1 << 16;
/// Characters of a text at most; labels have some tens.
const MOST_TEXT: usize = 1 << 16;

/// The names that arrays of a training and a test half go by: x and y of the one, x and y of the other. Keras's, and
/// MedMNIST's.
const HALVES: [[&str; 4]; 2] =
    [["x_train", "y_train", "x_test", "y_test"], ["train_images", "train_labels", "test_images", "test_labels"]];
/// The names of one set of samples.
const ONE: [&str; 2] = ["x", "y"];

/// Whether there are files of such arrays.
pub(super) fn is_there(folder: &Path) -> bool {
    let names = HALVES.iter().map(|names| names[0]).chain([ONE[0]]);
    folder.join("train.npz").is_file()
        || names.into_iter().any(|name| folder.join(name).with_extension("npy").is_file())
}

/// Loads a folder of `.npy` files, or of `train.npz` and `test.npz`.
pub(super) fn load_folder(folder: &Path, expected: Expected, options: &Options) -> Result<Found, DataError> {
    let train = folder.join("train.npz");
    if !train.is_file() {
        return Arrays::Folder(folder.into()).load(expected, options);
    }
    let train = Arrays::archive(&train)?.half(ONE, expected, options, None)?;
    let test = TEST_NAMES.map(|name| folder.join(name).with_extension("npz"));
    let test = test.iter().find(|path| path.is_file());
    let test = test.map(|path| Arrays::archive(path)?.half(ONE, expected, options, Some(&train.naming))).transpose()?;
    Ok(Found::of(train.data, test.map(|test| test.data)))
}

/// Loads an `.npz` file.
pub(super) fn load_archive(path: &Path, expected: Expected, options: &Options) -> Result<Found, DataError> {
    Arrays::archive(path)?.load(expected, options)
}

/// Loads an `.npy` file of samples, beside which lies one of targets: `y.npy` beside `x.npy`, `y_all.npy` beside
/// `x_all.npy`.
pub(super) fn load_file(path: &Path, expected: Expected, options: &Options) -> Result<Found, DataError> {
    let x = path.file_stem().unwrap_or_default().to_string_lossy();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_path_buf();
    let half = Arrays::Folder(folder).half([&x, &targets_of(&x)], expected, options, None)?;
    Ok(Found::of(half.data, None))
}

/// The file of targets beside one of samples.
pub(super) fn targets_beside(path: &Path) -> PathBuf {
    path.with_file_name(format!("{}.npy", targets_of(&path.file_stem().unwrap_or_default().to_string_lossy())))
}

/// What the targets of samples are called.
fn targets_of(x: &str) -> String {
    x.strip_prefix(['x', 'X']).map_or("y".into(), |rest| format!("y{rest}"))
}

/// Arrays with names.
enum Arrays {
    /// Files in a folder.
    Folder(PathBuf),
    /// Entries of an archive.
    Archive { path: PathBuf, archive: ZipArchive<FileReader>, entries: Vec<Entry> },
}

/// An array in an archive.
struct Entry {
    name: String,
    method: CompressionMethod,
    place: ZipArchiveEntryWayfinder,
}

/// One half of a data set.
struct Half {
    data: Dataset,
    /// What its labels mean where they are texts.
    naming: Naming,
}

/// What a person should know of an archive that cannot be read: what the system says, or else that `what` is damaged.
fn damaged(what: String) -> impl Fn(io::Error) -> Problem {
    move |error| match error.raw_os_error() {
        Some(_) => Problem::Io(error),
        None => Problem::Archive(format!("{what} is damaged or cut off: copy or save the file anew")),
    }
}

impl Arrays {
    fn archive(path: &Path) -> Result<Self, DataError> {
        let open = || -> Result<Self, Problem> {
            let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
            let mut start = Vec::new();
            File::open(path)?.take(2).read_to_end(&mut start)?;
            if start != b"PK" {
                return Err(Problem::Archive("no archive, as `numpy.savez` writes it".into()));
            }
            let damaged = |error| damaged("the archive".into())(io_error(error));
            let archive = ZipArchive::from_file(File::open(path)?, &mut buffer).map_err(damaged)?;
            let mut entries = Vec::new();
            let mut listed = archive.entries(&mut buffer);
            while let Some(entry) = listed.next_entry().map_err(damaged)? {
                let name = String::from_utf8_lossy(entry.file_path().as_bytes()).into_owned();
                let name = name.strip_suffix(".npy").unwrap_or(&name).to_owned();
                entries.push(Entry { name, method: entry.compression_method(), place: entry.wayfinder() });
            }
            Ok(Self::Archive { path: path.into(), archive, entries })
        };
        open().map_err(DataError::of(path))
    }

    /// The file of an array.
    fn path(&self, name: &str) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.join(format!("{name}.npy")),
            Self::Archive { path, .. } => path.clone(),
        }
    }

    fn has(&self, name: &str) -> bool {
        match self {
            Self::Folder(_) => self.path(name).is_file(),
            Self::Archive { entries, .. } => find(entries, name).is_some(),
        }
    }

    /// Loads the data set that the names tell of.
    fn load(&self, expected: Expected, options: &Options) -> Result<Found, DataError> {
        let Some([x, y, test_x, test_y]) = HALVES.into_iter().find(|names| self.has(names[0])) else {
            return Ok(Found::of(self.half(ONE, expected, options, None)?.data, None));
        };
        let train = self.half([x, y], expected, options, None)?;
        let test = self.has(test_x).then(|| self.half([test_x, test_y], expected, options, Some(&train.naming)));
        Ok(Found::of(train.data, test.transpose()?.map(|test| test.data)))
    }

    /// The samples and targets in two arrays; of a test half, `train` is what the training half's labels mean.
    fn half(
        &self,
        [x, y]: [&str; 2],
        Expected { input, outputs }: Expected,
        options: &Options,
        train: Option<&Naming>,
    ) -> Result<Half, DataError> {
        let (x_path, y_path) = (self.path(x), self.path(y));
        let (of_x, of_y) = (DataError::of(&x_path), DataError::of(&y_path));
        let samples = self.read(x, |dimensions| array::check_shape(dimensions, input))?.numbers().map_err(of_x)?;
        let count = samples.dimensions[0];
        let places = (0..count).map(Place::Position).collect();
        let source = Source { path: x_path.clone(), places, columns: ColumnNames::default() };
        let data = |targets| {
            let data = Dataset::of(input, samples.values, targets).map_err(DataError::of(&x_path));
            data.map(|data| data.from(source))
        };
        if outputs == Outputs::Input {
            return Ok(Half { data: data(Targets::Classes(vec![0; count]))?, naming: Naming::None });
        }
        let labels = self.read(y, |dimensions| array::check_count(dimensions, count, &x_path))?;
        let are_texts = matches!(labels.element, Element::Text(_));
        // Of a network whose classes are called by numbers, a number is such a name, and no place.
        let are_numbers = !options.labels.is_empty() && options.labels.iter().all(|name| name.parse::<f64>().is_ok());
        let are_names = are_texts || (are_numbers && labels.is_one_each());
        if train.is_some_and(|train| matches!(train, Naming::None) == are_names) {
            return Err(of_y(Problem::Labels { are_texts }));
        }
        if are_names {
            let (classes, naming) = labels.classes(outputs, options, train).map_err(&of_y)?;
            let data = data(Targets::Classes(classes))?.named(&naming).map_err(DataError::of(&y_path))?;
            return Ok(Half { data, naming });
        }
        let array = labels.clone().numbers().map_err(&of_y)?;
        let is_mnist = matches!(&array.values, Values::Bytes(labels) if mnist::are_labels(labels));
        let data = data(array::targets(&array, outputs, |index| labels.text(index)).map_err(&of_y)?)?;
        Ok(Half { data: if is_mnist { data.showing(Shows::Digits) } else { data }, naming: Naming::None })
    }

    /// Reads an array whose dimensions are those that are wanted.
    fn read(&self, name: &str, check: impl FnOnce(&[usize]) -> Result<(), Problem>) -> Result<Raw, DataError> {
        let path = self.path(name);
        let of = DataError::of(&path);
        let (archive, entries) = match self {
            Self::Folder(folder) if !self.has(name) => {
                return Err(DataError::of(folder)(Problem::Missing { name: format!("{name}.npy") }));
            }
            Self::Folder(_) => {
                let file = File::open(&path).map_err(Problem::from).map_err(&of)?;
                return read(BufReader::new(file), check).map_err(of);
            }
            Self::Archive { archive, entries, .. } => (archive, entries),
        };
        let Some(entry) = find(entries, name) else {
            let found = entries.iter().map(|entry| entry.name.clone()).collect();
            let wanted = "x and y, or x_train, y_train, x_test and y_test, or MedMNIST's names";
            return Err(of(Problem::Arrays { found, wanted }));
        };
        let damaged = damaged(format!("the array `{name}` in the archive"));
        let place = archive.get_entry(entry.place).map_err(|error| of(damaged(io_error(error))))?;
        let bytes: Box<dyn Read> = match entry.method {
            CompressionMethod::STORE => Box::new(place.reader()),
            CompressionMethod::DEFLATE => Box::new(DeflateDecoder::new(place.reader())),
            method => {
                return Err(of(Problem::Archive(format!(
                    "the array `{name}` is compressed by {method:?}, not as NumPy does"
                ))));
            }
        };
        let mut reader = place.verifying_reader(bytes);
        read(&mut reader, check).map_err(|problem| match (problem, io::copy(&mut reader, &mut io::sink())) {
            (Problem::Io(error), _) => of(damaged(error)),
            // What is wrong with the array is said if its bytes are those that were written.
            (_, Err(error)) => of(damaged(error)),
            (problem, Ok(_)) => of(problem),
        })
    }
}

/// The array of this name; `X` is `x` where there is none.
fn find<'a>(entries: &'a [Entry], name: &str) -> Option<&'a Entry> {
    let exactly = entries.iter().find(|entry| entry.name == name);
    exactly.or_else(|| entries.iter().find(|entry| entry.name.eq_ignore_ascii_case(name)))
}

/// What the archive's reader says, as the system says it.
fn io_error(error: rawzip::Error) -> io::Error {
    let number = match error.kind() {
        rawzip::ErrorKind::IO(error) => error.raw_os_error(),
        _ => None,
    };
    number.map_or_else(|| io::Error::other(error), io::Error::from_raw_os_error)
}

/// What an element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Number(Kind),
    /// Of so many characters or fewer.
    Text(Text),
}

/// A text, which zeros fill up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    /// Of so many bytes.
    Bytes(usize),
    /// Of so many characters, four bytes each.
    Unicode(usize),
}

impl Element {
    /// The type of NumPy's name, without the sign of the byte order.
    fn of_numpy(name: &str) -> Option<Self> {
        let length = |digits: &str| digits.parse().ok().filter(|length| (1..=MOST_TEXT).contains(length));
        match (name.strip_prefix('S'), name.strip_prefix('U')) {
            (Some(bytes), _) => Some(Self::Text(Text::Bytes(length(bytes)?))),
            (_, Some(characters)) => Some(Self::Text(Text::Unicode(length(characters)?))),
            (None, None) => Kind::of_numpy(name).map(Self::Number),
        }
    }

    /// Bytes of one.
    fn len(self) -> usize {
        match self {
            Self::Number(kind) => kind.len(),
            Self::Text(Text::Bytes(bytes)) => bytes,
            Self::Text(Text::Unicode(characters)) => 4 * characters,
        }
    }
}

/// What a type is that is not read, or not here, by NumPy's name of it.
fn unread(name: &str) -> String {
    let what = match name.trim_start_matches(['<', '>', '|', '=']).chars().next() {
        Some('[' | '{' | '(') => return "a structured type (records with fields)".into(),
        Some('O') => " (Python objects)",
        Some('c') => " (complex numbers)",
        Some('M') => " (dates)",
        Some('m') => " (spans of time)",
        Some('S' | 'U') => " (text)",
        Some('V') => " (bytes without meaning)",
        _ => "",
    };
    format!("type `{}`{what}", name.chars().take(32).collect::<String>())
}

/// An array, its elements as they are in the file, the last dimension innermost.
#[derive(Clone)]
struct Raw {
    dimensions: Vec<usize>,
    /// NumPy's name of its type.
    name: String,
    element: Element,
    is_big_endian: bool,
    bytes: Vec<u8>,
}

impl Raw {
    /// The array, if its elements are numbers.
    fn numbers(self) -> Result<Array, Problem> {
        match self.element {
            Element::Number(kind) => {
                Ok(Array { dimensions: self.dimensions, values: kind.decode(self.bytes, self.is_big_endian) })
            }
            Element::Text(_) => Err(Problem::Type { found: unread(&self.name) }),
        }
    }

    /// An element as it is written; of text that is none, nothing.
    fn text(&self, index: usize) -> String {
        let len = self.element.len();
        let element = &self.bytes[index * len..][..len];
        let text = match self.element {
            Element::Number(kind) => kind.text(element, self.is_big_endian),
            Element::Text(Text::Bytes(_)) => String::from_utf8(element.to_vec()).unwrap_or_default(),
            Element::Text(Text::Unicode(_)) => {
                let (words, _) = element.as_chunks();
                let number = if self.is_big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
                words.iter().map(|&word| char::from_u32(number(word))).collect::<Option<_>>().unwrap_or_default()
            }
        };
        text.trim_end_matches('\0').trim().to_owned()
    }

    /// Whether there is one element for each sample.
    fn is_one_each(&self) -> bool {
        self.dimensions[1..].iter().all(|&length| length == 1)
    }

    /// The classes of labels that are texts, which mean what those of the training half do, if they are not its own.
    fn classes(
        &self,
        outputs: Outputs,
        options: &Options,
        train: Option<&Naming>,
    ) -> Result<(Vec<usize>, Naming), Problem> {
        let count = self.dimensions[0];
        if !self.is_one_each() {
            return Err(Problem::Targets { found: self.dimensions[1..].to_vec(), outputs });
        }
        if outputs == Outputs::Values(1) {
            return Err(Problem::Type { found: unread(&self.name) });
        }
        let mut numbers = Numbers::default();
        let mut labels = Vec::with_capacity(count);
        for index in 0..count {
            let (text, place) = (self.text(index), Place::Position(index));
            if text.is_empty() || text.contains(char::is_control) {
                return Err(Problem::Text(place));
            }
            labels.push(numbers.of(&text, place));
        }
        let naming = match train {
            Some(train) => train.clone(),
            None => Naming::of(&numbers.names, outputs, &options.labels)?,
        };
        let classes = numbers.names.iter().map(|name| naming.class(name)).collect::<Result<Vec<_>, _>>()?;
        Ok((labels.into_iter().map(|label| classes[label]).collect(), naming))
    }
}

/// Reads one array. Memory grows with the bytes really there, not with what a damaged header announces.
fn read(mut reader: impl Read, check: impl FnOnce(&[usize]) -> Result<(), Problem>) -> Result<Raw, Problem> {
    let Header { name, element, is_big_endian, is_fortran, dimensions } = header(&mut reader)?;
    check(&dimensions)?;
    let len = dimensions.iter().try_fold(element.len(), |len, &length| len.checked_mul(length));
    let Some(expected @ 1..) = len.filter(|&len| len as u64 <= MOST) else {
        return Err(Problem::Dimensions(dimensions));
    };
    let mut bytes = Vec::new();
    // One byte more than announced shows whether the file goes on.
    reader.take(expected as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() != expected {
        return Err(Problem::Length { found: bytes.len(), expected });
    }
    if is_fortran {
        bytes = in_c_order(&bytes, element.len(), &dimensions);
    }
    Ok(Raw { dimensions, name, element, is_big_endian, bytes })
}

/// Elements of `len` bytes with the last dimension innermost, of such with the first one innermost.
fn in_c_order(bytes: &[u8], len: usize, dimensions: &[usize]) -> Vec<u8> {
    let count = bytes.len() / len;
    let mut ordered = Vec::with_capacity(bytes.len());
    for position in 0..count {
        let (mut rest, mut from, mut stride) = (position, 0, count);
        for &length in dimensions.iter().rev() {
            // How far neighbours along this dimension are apart: all of those before it.
            stride /= length;
            from += rest % length * stride;
            rest /= length;
        }
        ordered.extend_from_slice(&bytes[from * len..][..len]);
    }
    ordered
}

/// What stands before the elements.
struct Header {
    name: String,
    element: Element,
    is_big_endian: bool,
    is_fortran: bool,
    dimensions: Vec<usize>,
}

fn header(reader: &mut impl Read) -> Result<Header, Problem> {
    let wrong = |what: &str| Problem::Npy { what: what.into() };
    let mut take = |len: usize| -> Result<Vec<u8>, Problem> {
        let mut bytes = Vec::new();
        reader.by_ref().take(len as u64).read_to_end(&mut bytes)?;
        if bytes.len() < len { Err(wrong("it ends within its header")) } else { Ok(bytes) }
    };
    let start = take(8)?;
    if !start.starts_with(b"\x93NUMPY") {
        return Err(wrong("it does not begin with \\x93NUMPY"));
    }
    let digits = match start[6] {
        1 => 2,
        2 | 3 => 4,
        version => return Err(wrong(&format!("format version {version}, but 1 to 3 are read"))),
    };
    let len = take(digits)?.iter().rfold(0, |len, &byte| len << 8 | usize::from(byte));
    if len > MOST_HEADER {
        return Err(wrong(&format!("a header of {len} bytes, but at most {MOST_HEADER} are read")));
    }
    let text = take(len)?;
    let text = String::from_utf8_lossy(&text);
    let field = |name: &str| {
        let value = text.split_once(&format!("'{name}':")).map(|(_, value)| value.trim_start());
        value.ok_or_else(|| wrong(&format!("its header does not tell {name}")))
    };

    let kind = field("descr")?;
    let kind = kind.strip_prefix('\'').and_then(|kind| kind.split('\'').next()).unwrap_or(kind);
    let known = kind.strip_prefix(['<', '>', '|']).and_then(Element::of_numpy);
    let element = known.ok_or_else(|| Problem::Type { found: unread(kind) })?;
    let shape = field("shape")?.strip_prefix('(').and_then(|shape| shape.split(')').next());
    let lengths =
        shape.into_iter().flat_map(|shape| shape.split(',')).map(str::trim).filter(|length| !length.is_empty());
    let dimensions: Result<Vec<usize>, _> = lengths.map(str::parse).collect();
    let dimensions = dimensions.map_err(|_| wrong("its shape is none"))?;
    // Samples and targets have a first dimension: their number.
    if dimensions.is_empty() {
        return Err(Problem::Dimensions(dimensions));
    }
    let order = field("fortran_order")?;
    let is_fortran = order.starts_with("True");
    if !is_fortran && !order.starts_with("False") {
        return Err(wrong("its fortran_order is neither True nor False"));
    }
    Ok(Header { name: kind.into(), element, is_big_endian: kind.starts_with('>'), is_fortran, dimensions })
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use rawzip::ZipArchiveWriter;
    use thumbnet::geometry::Shape;

    use super::*;
    use crate::data::{Samples, Target};

    /// A file as NumPy writes it.
    fn npy(kind: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
        // NumPy fills the header with spaces to a multiple of 64.
        let header = format!("{header:117}\n");
        [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), elements].concat()
    }

    fn npz(arrays: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut archive = ZipArchiveWriter::new(&mut bytes);
        for (name, array) in arrays {
            let (mut entry, config) =
                archive.new_file(format!("{name}.npy")).compression_method(method).start().unwrap();
            let descriptor = if method == CompressionMethod::DEFLATE {
                let mut writer = config.wrap(flate2::write::DeflateEncoder::new(&mut entry, Default::default()));
                writer.write_all(array).unwrap();
                let (encoder, descriptor) = writer.finish().unwrap();
                encoder.finish().unwrap();
                descriptor
            } else {
                let mut writer = config.wrap(&mut entry);
                writer.write_all(array).unwrap();
                writer.finish().unwrap().1
            };
            entry.finish(descriptor).unwrap();
        }
        archive.finish().unwrap();
        bytes
    }

    const VECTOR: Shape = Shape::vector(2);
    const CLASSES: Expected = Expected { input: VECTOR, outputs: Outputs::Classes(3) };

    fn f32s(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn numbers(bytes: &[u8]) -> Result<Array, Problem> {
        read(bytes, |_| Ok(()))?.numbers()
    }

    fn problem(bytes: &[u8]) -> String {
        numbers(bytes).unwrap_err().to_string()
    }

    #[test]
    fn reads_every_type_and_order_of_bytes() {
        for (kind, bytes, expected) in [
            ("<i8", vec![3, 0, 0, 0, 0, 0, 0, 0], 3.0),
            (">i8", vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe], -2.0),
            ("<u8", vec![1, 1, 0, 0, 0, 0, 0, 0], 257.0),
            ("<u4", vec![0, 0, 1, 0], 65536.0),
            ("<i4", vec![0xff, 0xff, 0xff, 0xff], -1.0),
            ("<u2", vec![0xff, 0xff], 65535.0),
            (">i2", vec![0xff, 0x00], -256.0),
            ("|i1", vec![0x80], -128.0),
            ("<f4", 2.5_f32.to_le_bytes().to_vec(), 2.5),
            ("<f8", (-2.5_f64).to_le_bytes().to_vec(), -2.5),
        ] {
            let array = numbers(&npy(kind, "(1,)", &bytes)).unwrap();
            assert_eq!(array, Array { dimensions: vec![1], values: Values::Floats(vec![expected]) }, "{kind}");
        }
        for kind in ["|u1", "|b1"] {
            let array = numbers(&npy(kind, "(2, 1)", &[1, 0])).unwrap();
            assert_eq!(array, Array { dimensions: vec![2, 1], values: Values::Bytes(vec![1, 0]) }, "{kind}");
        }
    }

    #[test]
    fn what_is_no_such_array_is_refused() {
        let whole = npy("<f4", "(2, 1)", &[0; 8]);
        for len in 0..whole.len() {
            let text = problem(&whole[..len]);
            let is_in_header = len < whole.len() - 8;
            let expected =
                if is_in_header { "ends within its header" } else { "bytes of elements, but 8 are announced" };
            assert!(text.contains(expected), "{len}: {text}");
        }
        assert_eq!(problem(&[&whole[..], &[0]].concat()), "9 bytes of elements at least, but 8 are announced");
        assert!(problem(b"PK\x03\x04 and more").contains("does not begin with"));
        let text = problem(&npy("<c8", "(1,)", &[0; 8]));
        let read = ", but bool, u1 to u8, i1 to i8, f4 and f8 are read, and text as labels of classes";
        assert_eq!(text, format!("elements of type `<c8` (complex numbers){read}"));
        for (kind, what) in [
            ("[('name', '<f4'), ('other', '<i8', (3,))]", "a structured type (records with fields)"),
            ("'|O'", "type `|O` (Python objects)"),
            ("'<M8[ns]'", "type `<M8[ns]` (dates)"),
            ("'<U3'", "type `<U3` (text)"),
            ("'|V8'", "type `|V8` (bytes without meaning)"),
            ("'<f2'", "type `<f2`"),
        ] {
            let header = String::from_utf8(npy("x", "(1,)", &[0; 12]).split_off(10)).unwrap().replace("'x'", kind);
            let length = (header.len() as u16 - 12).to_le_bytes();
            let text = problem(&[b"\x93NUMPY\x01\x00", &length[..], header.as_bytes()].concat());
            assert_eq!(text, format!("elements of {what}{read}"));
        }
        let text = "dimensions []: a single value, which is no array of samples";
        assert_eq!(problem(&npy("<f4", "()", &[0; 4])), text);
        for shape in ["(0, 2)", "(4000000000, 4000000000, 4000000000)", "(1073741824,)"] {
            assert!(problem(&npy("<f4", shape, &[])).starts_with("dimensions ["), "{shape}");
        }
        for shape in ["(-1,)", "(a, 2)", "(99999999999999999999999,)"] {
            assert!(problem(&npy("<f4", shape, &[])).ends_with("its shape is none"), "{shape}");
        }
        let mut version = whole;
        version[6] = 9;
        assert!(problem(&version).contains("format version 9, but 1 to 3 are read"));
        version[6] = 2;
        version[8..12].fill(0xff);
        assert!(problem(&version).contains("a header of 4294967295 bytes"));
    }

    #[test]
    fn damaged_headers_never_panic_and_take_no_memory() {
        let whole = npy("<f4", "(2, 3)", &[0; 24]);
        for at in 0..whole.len() {
            for byte in [0, b'\'', b'9', b')', b',', 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = byte;
                if let Ok(array) = numbers(&damaged) {
                    assert_eq!(array.dimensions.iter().product::<usize>(), array.values.len(), "{byte} at {at}");
                }
            }
        }
    }

    #[test]
    fn an_archive_is_a_data_set_by_the_names_of_its_arrays() {
        let x = npy("<f4", "(3, 2)", &f32s(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]));
        let y = npy("<i8", "(3, 1)", &[&[2, 0, 0, 0, 0, 0, 0, 0][..], &[0; 16]].concat());
        let test = npy("|u1", "(1, 1, 2)", &[7, 8]);
        let label = npy("|b1", "(1,)", &[1]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.npz");
        for method in [CompressionMethod::STORE, CompressionMethod::DEFLATE] {
            for names in HALVES {
                let arrays = names.into_iter().zip([&x, &y, &test, &label].map(Clone::clone)).collect::<Vec<_>>();
                fs::write(&path, npz(&arrays, method)).unwrap();
                let found = load_archive(&path, CLASSES, &Options::default()).unwrap();
                let test = found.test.unwrap();
                assert_eq!((found.train.len(), found.train.target(0)), (3, Target::Class(2)));
                assert_eq!((test.bytes(0), test.target(0)), (Some(&[7, 8][..]), Target::Class(1)));
            }
            let arrays = [("x", x.clone()), ("y", y.clone())];
            let whole = npz(&arrays, method);
            fs::write(&path, &whole).unwrap();
            assert!(load_archive(&path, CLASSES, &Options::default()).unwrap().test.is_none());
            for len in 0..whole.len() {
                fs::write(&path, &whole[..len]).unwrap();
                assert!(load_archive(&path, CLASSES, &Options::default()).is_err(), "{len} of {}", whole.len());
            }
            // A flipped bit of the elements is seen by the CRC.
            let mut damaged = whole.clone();
            let at = whole.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap() / 4;
            damaged[at] ^= 0x10;
            fs::write(&path, &damaged).unwrap();
            assert!(load_archive(&path, CLASSES, &Options::default()).is_err());
        }
        fs::write(&path, npz(&[("data", x.clone())], CompressionMethod::STORE)).unwrap();
        let text = load_archive(&path, CLASSES, &Options::default()).err().unwrap().to_string();
        assert!(
            text.ends_with(
                "own.npz: the arrays data, but must have x and y, or x_train, y_train, x_test and y_test, \
                                or MedMNIST's names"
            ),
            "{text}"
        );
    }

    #[test]
    fn files_and_folders_of_arrays() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
        write("x_all.npy", npy("<f4", "(2,)", &f32s(&[1.0, 2.0])));
        let numbers = Expected { input: Shape::vector(1), outputs: Outputs::Values(1) };
        let text = load_file(&folder.path().join("x_all.npy"), numbers, &Options::default()).err().unwrap().to_string();
        assert!(text.ends_with("no file y_all.npy in this folder"), "{text}");
        write("y_all.npy", npy("<f8", "(2, 1)", &[0.5_f64, -0.5].map(f64::to_le_bytes).concat()));
        let found = load_file(&folder.path().join("x_all.npy"), numbers, &Options::default()).unwrap();
        assert_eq!(found.train.target(1), Target::Values(&[-0.5]));

        for name in ["x_train", "x_test"] {
            write(&format!("{name}.npy"), npy("|u1", "(2, 2)", &[1, 2, 3, 4]));
        }
        assert!(is_there(folder.path()));
        write("y_train.npy", npy("|u1", "(2,)", &[2, 1]));
        write("y_test.npy", npy("|u1", "(3,)", &[0, 0, 3]));
        let error = |expected| load_folder(folder.path(), expected, &Options::default()).err().unwrap().to_string();
        assert!(error(CLASSES).contains("y_test.npy: 3 labels for 2 samples of"));
        write("y_test.npy", npy("|u1", "(2,)", &[0, 3]));
        let text = error(CLASSES);
        assert!(
            text.ends_with("y_test.npy: label 3 at position 1, the network has 3 classes (labels 0 to 2)"),
            "{text}"
        );
        write("y_test.npy", npy("<f4", "(2,)", &f32s(&[1.0, 1.5])));
        assert!(error(CLASSES).contains("label 1.5 at position 1"));
        write("y_test.npy", npy("<f4", "(2, 4)", &[0; 32]));
        let text = "targets of 4 values each, the network's outputs are one of 3 classes";
        assert!(error(CLASSES).ends_with(text), "{}", error(CLASSES));
        let text = "x_train.npy: samples of 2 values, the network takes (3)";
        assert!(error(Expected { input: Shape::vector(3), ..CLASSES }).ends_with(text));
        // An autoencoder takes no notice of targets.
        assert!(
            load_folder(folder.path(), Expected { outputs: Outputs::Input, ..CLASSES }, &Options::default()).is_ok()
        );
        write("x_test.npy", npy("<f4", "(2, 2)", &f32s(&[0.0, 0.0, 1.0, f32::NAN])));
        write("y_test.npy", npy("|u1", "(2,)", &[0, 2]));
        assert!(error(CLASSES).ends_with("x_test.npy: value 1 of sample 1 is NaN, but must be a finite number"));
    }

    /// `numpy.asfortranarray(numpy.arange(24, dtype='u1').reshape(2, 3, 4))`, saved, and the same of two bytes each.
    #[test]
    fn arrays_in_fortran_order_are_turned() {
        let fortran = |kind: &str, shape: &str, elements: &[u8]| {
            let bytes = npy(kind, shape, elements);
            let at = bytes.windows(5).position(|bytes| bytes == b"False").unwrap();
            [&bytes[..at], b"True ", &bytes[at + 5..]].concat()
        };
        let stored = [0, 12, 4, 16, 8, 20, 1, 13, 5, 17, 9, 21, 2, 14, 6, 18, 10, 22, 3, 15, 7, 19, 11, 23];
        let array = numbers(&fortran("|u1", "(2, 3, 4)", &stored)).unwrap();
        assert_eq!(array, Array { dimensions: vec![2, 3, 4], values: Values::Bytes((0..24).collect()) });
        let stored: Vec<u8> = stored.iter().flat_map(|&value| [value, 1]).collect();
        let expected = (0..24_u8).map(|value| 256.0 + f32::from(value)).collect();
        assert_eq!(numbers(&fortran("<i2", "(2, 3, 4)", &stored)).unwrap().values, Values::Floats(expected));
        assert_eq!(numbers(&fortran("|u1", "(2, 1)", &[4, 5])).unwrap().values, Values::Bytes(vec![4, 5]));
    }

    /// An archive of these labels for samples that do not matter.
    fn labelled(kind: &str, shape: &str, labels: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let count: usize = shape.trim_matches(['(', ')']).split(',').next().unwrap().parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.npz");
        let arrays =
            [("x", npy("|u1", &format!("({count}, 2)"), &vec![7; 2 * count])), ("y", npy(kind, shape, labels))];
        fs::write(&path, npz(&arrays, CompressionMethod::STORE)).unwrap();
        (folder, path)
    }

    fn classes(data: &Dataset) -> Vec<usize> {
        let Targets::Classes(classes) = data.targets() else { panic!("they have classes") };
        classes.clone()
    }

    #[test]
    fn labels_may_be_one_hot_or_bool() {
        let load = |kind: &str, shape: &str, labels: &[u8]| {
            let (_folder, path) = labelled(kind, shape, labels);
            let found = load_archive(&path, CLASSES, &Options::default());
            found
                .map(|found| classes(&found.train))
                .map_err(|error| error.to_string().rsplit_once(": ").unwrap().1.into())
        };
        let floats = f32s(&[0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
        assert_eq!(load("<f4", "(2, 3)", &floats), Ok(vec![2, 0]));
        for kind in ["|u1", "|b1", "|i1"] {
            assert_eq!(load(kind, "(2, 3)", &[0, 1, 0, 0, 0, 1]), Ok(vec![1, 2]), "{kind}");
        }
        assert_eq!(load("|b1", "(4,)", &[1, 0, 0, 1]), Ok(vec![1, 0, 0, 1]));
        let must = "but one of them must be 1 and all others 0, which tells the class";
        let wrong: Result<Vec<usize>, String> = Err(format!("values 0, 1, 1 at position 1, {must}"));
        assert_eq!(load("|u1", "(2, 3)", &[0, 1, 0, 0, 1, 1]), wrong);
        let wrong = Err(format!("values 0.5, 0.5, 0 at position 0, {must}"));
        assert_eq!(load("<f4", "(1, 3)", &f32s(&[0.5, 0.5, 0.0])), wrong);
        assert_eq!(load("|u1", "(1, 3)", &[0; 3]), Err(format!("values 0, 0, 0 at position 0, {must}")));
    }

    #[test]
    fn names_of_arrays_may_have_capitals() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.npz");
        let arrays = [("X", npy("|u1", "(2, 2)", &[7; 4])), ("Y", npy("|u1", "(2,)", &[2, 1]))];
        fs::write(&path, npz(&arrays, CompressionMethod::STORE)).unwrap();
        assert_eq!(classes(&load_archive(&path, CLASSES, &Options::default()).unwrap().train), [2, 1]);
    }

    #[test]
    fn labels_are_shown_to_the_last_digit() {
        let message = |kind: &str, label: &[u8]| {
            let (_folder, path) = labelled(kind, "(1,)", label);
            load_archive(&path, CLASSES, &Options::default()).err().unwrap().to_string()
        };
        for (kind, label, expected) in [
            ("<i8", 16_777_217_i64.to_le_bytes(), "16777217"),
            (">i8", i64::MIN.to_be_bytes(), "-9223372036854775808"),
            ("<u8", u64::MAX.to_le_bytes(), "18446744073709551615"),
            (">f8", 16_777_217_f64.to_be_bytes(), "16777217"),
        ] {
            let text = message(kind, &label);
            assert!(text.contains(&format!("label {expected} at position 0, the network has 3 classes")), "{text}");
        }
        assert!(message("|i1", &[0xfe]).contains("label -2 at position 0"));
    }

    #[test]
    fn labels_may_be_text() {
        let unicode = |order: fn(u32) -> [u8; 4], names: &[&str]| -> Vec<u8> {
            let fill =
                |name: &str| name.chars().map(u32::from).chain([0; 4]).take(4).flat_map(order).collect::<Vec<_>>();
            names.iter().flat_map(|name| fill(name)).collect()
        };
        let names = ["up", "auf", "left", "up"];
        for (kind, labels) in [
            ("<U4", unicode(u32::to_le_bytes, &names)),
            (">U4", unicode(u32::to_be_bytes, &names)),
            ("|S4", names.iter().flat_map(|name| format!("{name:\0<4}").into_bytes()).collect()),
        ] {
            let (_folder, path) = labelled(kind, "(4,)", &labels);
            let found = load_archive(&path, CLASSES, &Options::default()).unwrap().train;
            assert_eq!(
                (found.labels(), classes(&found)),
                (&["auf", "left", "up"].map(String::from)[..], vec![2, 0, 1, 2])
            );
            // Those that the network was trained on come first.
            let known = Options { labels: ["up", "left", "auf"].map(String::from).to_vec(), ..Options::default() };
            assert_eq!(classes(&load_archive(&path, CLASSES, &known).unwrap().train), [0, 2, 1, 0]);
            let numbers = Expected { outputs: Outputs::Values(1), ..CLASSES };
            let text = load_archive(&path, numbers, &Options::default()).err().unwrap().to_string();
            assert!(text.contains("(text), but bool, u1"), "{text}");
        }
        // So do names that are numbers, of which an array has the numbers.
        let known = Options { labels: ["1", "2", "3.0"].map(String::from).to_vec(), ..Options::default() };
        for (kind, labels) in [("|u1", vec![2, 3, 1]), ("<f4", f32s(&[2.0, 3.0, 1.0]))] {
            let (_folder, path) = labelled(kind, "(3,)", &labels);
            let found = load_archive(&path, CLASSES, &known).unwrap().train;
            assert_eq!((found.labels(), classes(&found)), (&known.labels[..], vec![1, 2, 0]), "{kind}");
        }
        let (_folder, path) = labelled("|u1", "(1,)", &[0]);
        let text = load_archive(&path, CLASSES, &known).err().unwrap().to_string();
        assert!(text.ends_with("class `0` at position 0, the network is trained on 1, 2, 3.0"), "{text}");
        for (label, expected) in
            [("", "the label at position 0 is empty"), ("a\nb", "the label at position 0 is empty, or")]
        {
            let (_folder, path) = labelled("<U4", "(1,)", &unicode(u32::to_le_bytes, &[label]));
            let text = load_archive(&path, CLASSES, &Options::default()).err().unwrap().to_string();
            assert!(text.contains(expected), "{text}");
        }
        let (_folder, path) = labelled("|S1", "(1,)", b"\xff");
        let text = load_archive(&path, CLASSES, &Options::default()).err().unwrap().to_string();
        assert!(text.ends_with("the label at position 0 is empty, or no text of one line in UTF-8"), "{text}");
    }

    /// What the training half's labels mean, those of the test half do.
    #[test]
    fn a_test_half_has_the_training_halfs_names() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
        for name in ["x_train", "x_test"] {
            write(&format!("{name}.npy"), npy("|u1", "(3, 2)", &[1; 6]));
        }
        let load = || load_folder(folder.path(), CLASSES, &Options::default());
        let error = || load().err().unwrap().to_string();
        write("y_train.npy", npy("|S1", "(3,)", b"cab"));
        write("y_test.npy", npy("|S1", "(3,)", b"bbc"));
        let test = load().unwrap().test.unwrap();
        assert_eq!((classes(&test), test.labels().len()), (vec![1, 1, 2], 3));
        write("y_test.npy", npy("|S1", "(3,)", b"bdc"));
        assert!(error().ends_with("y_test.npy: class `d` at position 1, the network is trained on a, b, c"));
        write("y_test.npy", npy("|u1", "(3,)", &[0; 3]));
        assert!(error().ends_with("y_test.npy: labels are numbers, but the training half's are text"));
        write("y_train.npy", npy("|u1", "(3,)", &[0; 3]));
        write("y_test.npy", npy("|S1", "(3,)", b"012"));
        assert!(error().ends_with("y_test.npy: labels are text, but the training half's are numbers"));
        // Numbers that are written as text are numbers, in the test half, too.
        write("y_train.npy", npy("|S1", "(3,)", b"010"));
        write("y_test.npy", npy("|S1", "(3,)", b"007"));
        assert!(error().ends_with("y_test.npy: label 7 at position 2, the network has 3 classes (labels 0 to 2)"));
    }

    #[test]
    fn a_damaged_archive_is_said_to_be_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.npz");
        let (x, y) = (npy("|u1", "(3, 2)", &[7; 6]), npy("|u1", "(3,)", &[0; 3]));
        let load = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            load_archive(&path, CLASSES, &Options::default())
        };
        let error = |bytes: &[u8]| load(bytes).err().unwrap().to_string();
        for method in [CompressionMethod::STORE, CompressionMethod::DEFLATE] {
            let whole = npz(&[("x", x.clone()), ("y", y.clone())], method);
            let anew = "is damaged or cut off: copy or save the file anew";
            assert!(error(&whole[..whole.len() / 2]).ends_with(&format!("own.npz: the archive {anew}")));
            // In its type, in its dimensions, in its values: at any byte but the last, of which not every bit is used.
            let find = |what: &[u8]| whole.windows(what.len()).position(|bytes| bytes == what).unwrap();
            for at in find(b"x.npy") + 5..find(b"PK\x07\x08") - 1 {
                let mut damaged = whole.clone();
                damaged[at] ^= 0x10;
                match load(&damaged) {
                    // A repetition that begins elsewhere among equal bytes is the same.
                    Ok(found) => {
                        assert_eq!(method, CompressionMethod::DEFLATE, "{at}");
                        for sample in 0..3 {
                            let mut values = [0.0; 2];
                            found.train.read(sample, &mut values);
                            assert_eq!(values, [7.0; 2], "{at}");
                        }
                    }
                    Err(error) => {
                        let said = format!("own.npz: the array `x` in the archive {anew}");
                        assert!(error.to_string().ends_with(&said), "{at}: {error}");
                    }
                }
            }
        }
        for bytes in [&b""[..], b"a,b,label\n1,2,0\n", b"\x93NUMPY\x01\0"] {
            assert!(error(bytes).ends_with("own.npz: no archive, as `numpy.savez` writes it"));
        }
    }
}
