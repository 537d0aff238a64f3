//! NumPy's arrays: `.npy`, one in a file, and `.npz`, several in a zip archive.
//!
//! Source: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>. The header is a Python literal of
//! three entries, which is all that is read of that language: the crates for these files bring a parser generator.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, FileReader, RECOMMENDED_BUFFER_SIZE, ZipArchive, ZipArchiveEntryWayfinder};
use thumbnet::input::Shows;

use super::{
    DataError, Dataset, Outputs, Targets, Values,
    array::{self, Array, Kind, MOST},
    error::Problem,
    load::{Expected, Found, TEST_NAMES},
    mnist,
};

/// Bytes of a header at most; NumPy's own have some hundred.
const MOST_HEADER: usize = 1 << 16;

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
pub(super) fn load_folder(folder: &Path, expected: Expected) -> Result<Found, DataError> {
    let train = folder.join("train.npz");
    if !train.is_file() {
        return Arrays::Folder(folder.into()).load(expected);
    }
    let half = |path: &Path| Arrays::archive(path)?.half(ONE, expected);
    let test = TEST_NAMES.map(|name| folder.join(name).with_extension("npz"));
    let test = test.iter().find(|path| path.is_file()).map(|path| half(path)).transpose()?;
    Ok(Found::of(half(&train)?, test))
}

/// Loads an `.npz` file.
pub(super) fn load_archive(path: &Path, expected: Expected) -> Result<Found, DataError> {
    Arrays::archive(path)?.load(expected)
}

/// Loads an `.npy` file of samples, beside which lies one of targets: `y.npy` beside `x.npy`, `y_all.npy` beside
/// `x_all.npy`.
pub(super) fn load_file(path: &Path, expected: Expected) -> Result<Found, DataError> {
    let x = path.file_stem().unwrap_or_default().to_string_lossy();
    let y = targets_of(&x);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_path_buf();
    Ok(Found::of(Arrays::Folder(folder).half([&x, &y], expected)?, None))
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

fn damaged(error: rawzip::Error) -> Problem {
    Problem::Archive(error.to_string())
}

impl Arrays {
    fn archive(path: &Path) -> Result<Self, DataError> {
        let open = || -> Result<Self, Problem> {
            let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
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
            Self::Archive { entries, .. } => entries.iter().any(|entry| entry.name == name),
        }
    }

    /// Loads the data set that the names tell of.
    fn load(&self, expected: Expected) -> Result<Found, DataError> {
        let Some([x, y, test_x, test_y]) = HALVES.into_iter().find(|names| self.has(names[0])) else {
            return Ok(Found::of(self.half(ONE, expected)?, None));
        };
        let test = self.has(test_x).then(|| self.half([test_x, test_y], expected)).transpose()?;
        Ok(Found::of(self.half([x, y], expected)?, test))
    }

    /// The samples and targets in two arrays.
    fn half(&self, [x, y]: [&str; 2], Expected { input, outputs }: Expected) -> Result<Dataset, DataError> {
        let samples = self.read(x, |dimensions| array::check_shape(dimensions, input))?;
        let count = samples.dimensions[0];
        let (targets, is_mnist) = match outputs {
            Outputs::Input => (Targets::Classes(vec![0; count]), false),
            Outputs::Classes(_) | Outputs::Values(_) => {
                let labels = self.read(y, |dimensions| array::check_count(dimensions, count, &self.path(x)))?;
                let is_mnist = matches!(&labels.values, Values::Bytes(labels) if mnist::are_labels(labels));
                (array::targets(&labels, outputs).map_err(DataError::of(&self.path(y)))?, is_mnist)
            }
        };
        let data = Dataset::of(input, samples.values, targets).map_err(DataError::of(&self.path(x)))?;
        Ok(if is_mnist { data.showing(Shows::Digits) } else { data })
    }

    /// Reads an array whose dimensions are those that are wanted.
    fn read(&self, name: &str, check: impl FnOnce(&[usize]) -> Result<(), Problem>) -> Result<Array, DataError> {
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
        let Some(entry) = entries.iter().find(|entry| entry.name == name) else {
            let found = entries.iter().map(|entry| entry.name.clone()).collect();
            let wanted = "x and y, or x_train, y_train, x_test and y_test, or MedMNIST's names";
            return Err(of(Problem::Arrays { found, wanted }));
        };
        let place = archive.get_entry(entry.place).map_err(damaged).map_err(&of)?;
        let bytes: Box<dyn Read> = match entry.method {
            CompressionMethod::STORE => Box::new(place.reader()),
            CompressionMethod::DEFLATE => Box::new(DeflateDecoder::new(place.reader())),
            method => {
                return Err(of(Problem::Archive(format!("{name} is compressed by {method:?}, not as NumPy does"))));
            }
        };
        read(place.verifying_reader(bytes), check).map_err(of)
    }
}

/// Reads one array. Memory grows with the bytes really there, not with what a damaged header announces.
fn read(mut reader: impl Read, check: impl FnOnce(&[usize]) -> Result<(), Problem>) -> Result<Array, Problem> {
    let Header { kind, is_big_endian, dimensions } = header(&mut reader)?;
    check(&dimensions)?;
    let len = dimensions.iter().try_fold(kind.len(), |len, &length| len.checked_mul(length));
    let Some(expected @ 1..) = len.filter(|&len| len as u64 <= MOST) else {
        return Err(Problem::Dimensions(dimensions));
    };
    let mut bytes = Vec::new();
    // One byte more than announced shows whether the file goes on.
    reader.take(expected as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() != expected {
        return Err(Problem::Length { found: bytes.len(), expected });
    }
    Ok(Array { dimensions, values: kind.decode(bytes, is_big_endian) })
}

/// What stands before the elements.
struct Header {
    kind: Kind,
    is_big_endian: bool,
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
    let known = || {
        let is_big_endian = kind.starts_with('>');
        Some((Kind::of_numpy(kind.strip_prefix(['<', '>', '|'])?)?, is_big_endian))
    };
    let (kind, is_big_endian) =
        known().ok_or_else(|| Problem::Type { found: kind.chars().take(32).collect::<String>() })?;
    let shape = field("shape")?.strip_prefix('(').and_then(|shape| shape.split(')').next());
    let lengths =
        shape.into_iter().flat_map(|shape| shape.split(',')).map(str::trim).filter(|length| !length.is_empty());
    let dimensions: Result<Vec<usize>, _> = lengths.map(str::parse).collect();
    let dimensions = dimensions.map_err(|_| wrong("its shape is none"))?;
    // Samples and targets have a first dimension: their number.
    if dimensions.is_empty() {
        return Err(Problem::Dimensions(dimensions));
    }
    let is_one_line = dimensions.iter().filter(|&&length| length > 1).count() <= 1;
    if !field("fortran_order")?.starts_with("False") && !is_one_line {
        return Err(Problem::Fortran { found: dimensions });
    }
    Ok(Header { kind, is_big_endian, dimensions })
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

    fn problem(bytes: &[u8]) -> String {
        read(bytes, |_| Ok(())).unwrap_err().to_string()
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
            let array = read(&npy(kind, "(1,)", &bytes)[..], |_| Ok(())).unwrap();
            assert_eq!(array, Array { dimensions: vec![1], values: Values::Floats(vec![expected]) }, "{kind}");
        }
        for kind in ["|u1", "|b1"] {
            let array = read(&npy(kind, "(2, 1)", &[1, 0])[..], |_| Ok(())).unwrap();
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
        assert_eq!(text, "elements of type `<c8`, but bool, u1 to u8, i1 to i8, f4 and f8 are read");
        let structured =
            String::from_utf8(npy("x", "(1,)", &[]).split_off(10)).unwrap().replace("'x'", "[('a', '<f4')]");
        let structured = [b"\x93NUMPY\x01\x00", &(structured.len() as u16).to_le_bytes()[..], structured.as_bytes()];
        assert!(problem(&structured.concat()).starts_with("elements of type `[('a', '<f4')]"));
        let text = "dimensions []: a single value, which is no array of samples";
        assert_eq!(problem(&npy("<f4", "()", &[0; 4])), text);
        for shape in ["(0, 2)", "(4000000000, 4000000000, 4000000000)", "(1073741824,)"] {
            assert!(problem(&npy("<f4", shape, &[])).starts_with("dimensions ["), "{shape}");
        }
        for shape in ["(-1,)", "(a, 2)", "(99999999999999999999999,)"] {
            assert!(problem(&npy("<f4", shape, &[])).ends_with("its shape is none"), "{shape}");
        }
        let fortran = |shape: &str, elements: &[u8]| {
            let bytes = npy("|u1", shape, elements);
            let at = bytes.windows(5).position(|bytes| bytes == b"False").unwrap();
            [&bytes[..at], b"True ", &bytes[at + 5..]].concat()
        };
        assert!(problem(&fortran("(2, 2)", &[0; 4])).starts_with("[2, 2] in Fortran order, but C order is read"));
        assert_eq!(read(&fortran("(2, 1)", &[4, 5])[..], |_| Ok(())).unwrap().values, Values::Bytes(vec![4, 5]));
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
                if let Ok(array) = read(&damaged[..], |_| Ok(())) {
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
                let found = load_archive(&path, CLASSES).unwrap();
                let test = found.test.unwrap();
                assert_eq!((found.train.len(), found.train.target(0)), (3, Target::Class(2)));
                assert_eq!((test.bytes(0), test.target(0)), (Some(&[7, 8][..]), Target::Class(1)));
            }
            let arrays = [("x", x.clone()), ("y", y.clone())];
            let whole = npz(&arrays, method);
            fs::write(&path, &whole).unwrap();
            assert!(load_archive(&path, CLASSES).unwrap().test.is_none());
            for len in 0..whole.len() {
                fs::write(&path, &whole[..len]).unwrap();
                assert!(load_archive(&path, CLASSES).is_err(), "{len} of {}", whole.len());
            }
            // A flipped bit of the elements is seen by the CRC.
            let mut damaged = whole.clone();
            let at = whole.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap() / 4;
            damaged[at] ^= 0x10;
            fs::write(&path, &damaged).unwrap();
            assert!(load_archive(&path, CLASSES).is_err());
        }
        fs::write(&path, npz(&[("data", x.clone())], CompressionMethod::STORE)).unwrap();
        let text = load_archive(&path, CLASSES).err().unwrap().to_string();
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
        let text = load_file(&folder.path().join("x_all.npy"), numbers).err().unwrap().to_string();
        assert!(text.ends_with("no file y_all.npy in this folder"), "{text}");
        write("y_all.npy", npy("<f8", "(2, 1)", &[0.5_f64, -0.5].map(f64::to_le_bytes).concat()));
        let found = load_file(&folder.path().join("x_all.npy"), numbers).unwrap();
        assert_eq!(found.train.target(1), Target::Values(&[-0.5]));

        for name in ["x_train", "x_test"] {
            write(&format!("{name}.npy"), npy("|u1", "(2, 2)", &[1, 2, 3, 4]));
        }
        assert!(is_there(folder.path()));
        write("y_train.npy", npy("|u1", "(2,)", &[2, 1]));
        write("y_test.npy", npy("|u1", "(3,)", &[0, 0, 3]));
        let error = |expected| load_folder(folder.path(), expected).err().unwrap().to_string();
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
        let text = "x_test.npy: samples of 2 values, the network takes (3)";
        assert!(error(Expected { input: Shape::vector(3), ..CLASSES }).ends_with(text));
        // An autoencoder takes no notice of targets.
        assert!(load_folder(folder.path(), Expected { outputs: Outputs::Input, ..CLASSES }).is_ok());
        write("x_test.npy", npy("<f4", "(2, 2)", &f32s(&[0.0, 0.0, 1.0, f32::NAN])));
        write("y_test.npy", npy("|u1", "(2,)", &[0, 2]));
        assert!(error(CLASSES).ends_with("x_test.npy: value 1 of sample 1 is NaN, but must be a finite number"));
    }
}
