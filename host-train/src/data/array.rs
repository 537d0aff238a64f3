//! Arrays of numbers, as IDX and NumPy's files hold them, and what they are as samples and targets.

use std::path::Path;

use thumbnet::geometry::Shape;

use super::{
    Outputs, Targets, Values,
    error::{Place, Problem},
};

/// Bytes of an array at most: three times those of the largest data set of MNIST's family (EMNIST by class, 638 MB). A
/// few megabytes of gzip can announce, and hold, a thousand times as many.
pub(super) const MOST: u64 = 1 << 31;

/// An array of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Lengths, outermost first. None is zero.
    pub dimensions: Vec<usize>,
    /// As many as the product of the dimensions, the last dimension innermost.
    pub values: Values,
}

/// The type of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

impl Kind {
    /// NumPy's names of what is read.
    pub(super) const NUMPY: &str = "bool, u1 to u8, i1 to i8, f4 and f8";

    /// The type of IDX's code.
    pub(super) fn of_idx(code: u8) -> Option<Self> {
        Some(match code {
            0x08 => Self::U8,
            0x09 => Self::I8,
            0x0b => Self::I16,
            0x0c => Self::I32,
            0x0d => Self::F32,
            0x0e => Self::F64,
            _ => return None,
        })
    }

    /// The type of NumPy's name, without the sign of the byte order.
    pub(super) fn of_numpy(name: &str) -> Option<Self> {
        Some(match name {
            "u1" | "b1" => Self::U8,
            "i1" => Self::I8,
            "u2" => Self::U16,
            "i2" => Self::I16,
            "u4" => Self::U32,
            "i4" => Self::I32,
            "u8" => Self::U64,
            "i8" => Self::I64,
            "f4" => Self::F32,
            "f8" => Self::F64,
            _ => return None,
        })
    }

    /// Bytes of one.
    pub(super) fn len(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// An element as it is written, to the last digit, whatever f32 has of it.
    pub(super) fn text(self, element: &[u8], is_big_endian: bool) -> String {
        fn written<const N: usize, T: ToString>(bytes: &[u8], is_big_endian: bool, number: fn([u8; N]) -> T) -> String {
            let (words, _) = bytes.as_chunks::<N>();
            let ordered = |mut word: [u8; N]| {
                if is_big_endian {
                    word.reverse();
                }
                word
            };
            words.first().map(|&word| number(ordered(word)).to_string()).unwrap_or_default()
        }
        let order = is_big_endian;
        match self {
            Self::U8 => written(element, order, u8::from_le_bytes),
            Self::I8 => written(element, order, i8::from_le_bytes),
            Self::U16 => written(element, order, u16::from_le_bytes),
            Self::I16 => written(element, order, i16::from_le_bytes),
            Self::U32 => written(element, order, u32::from_le_bytes),
            Self::I32 => written(element, order, i32::from_le_bytes),
            Self::U64 => written(element, order, u64::from_le_bytes),
            Self::I64 => written(element, order, i64::from_le_bytes),
            Self::F32 => written(element, order, f32::from_le_bytes),
            Self::F64 => written(element, order, f64::from_le_bytes),
        }
    }

    /// What bytes mean. Numbers that f32 does not have are rounded to the nearest.
    pub(super) fn decode(self, bytes: Vec<u8>, is_big_endian: bool) -> Values {
        fn floats<const N: usize>(bytes: &[u8], is_big_endian: bool, number: fn([u8; N]) -> f32) -> Values {
            let (words, _) = bytes.as_chunks::<N>();
            let float = |&(mut word): &[u8; N]| {
                if is_big_endian {
                    word.reverse();
                }
                number(word)
            };
            Values::Floats(words.iter().map(float).collect())
        }
        let order = is_big_endian;
        match self {
            Self::U8 => Values::Bytes(bytes),
            Self::I8 => floats(&bytes, order, |word| i8::from_le_bytes(word).into()),
            Self::U16 => floats(&bytes, order, |word| u16::from_le_bytes(word).into()),
            Self::I16 => floats(&bytes, order, |word| i16::from_le_bytes(word).into()),
            Self::U32 => floats(&bytes, order, |word| u32::from_le_bytes(word) as f32),
            Self::I32 => floats(&bytes, order, |word| i32::from_le_bytes(word) as f32),
            Self::U64 => floats(&bytes, order, |word| u64::from_le_bytes(word) as f32),
            Self::I64 => floats(&bytes, order, |word| i64::from_le_bytes(word) as f32),
            Self::F32 => floats(&bytes, order, f32::from_le_bytes),
            Self::F64 => floats(&bytes, order, |word| f64::from_le_bytes(word) as f32),
        }
    }
}

/// Fails where samples of these dimensions are none of that shape: dimensions of 1 may be there or not.
pub(super) fn check_shape(dimensions: &[usize], expected: Shape) -> Result<(), Problem> {
    let found = dimensions.get(1..).unwrap_or_default();
    let longer = |dimensions: &[usize]| dimensions.iter().copied().filter(|&len| len != 1).collect::<Vec<_>>();
    if longer(found) == longer(&[expected.height, expected.width, expected.channels]) {
        return Ok(());
    }
    Err(Problem::Shape { found: found.into(), expected })
}

/// Fails where targets of these dimensions are not for so many samples, which are in the file `of`.
pub(super) fn check_count(dimensions: &[usize], samples: usize, of: &Path) -> Result<(), Problem> {
    match dimensions.first() {
        Some(&targets) if targets != samples => Err(Problem::Count { targets, samples, of: of.display().to_string() }),
        _ => Ok(()),
    }
}

/// The targets in an array of as many as there are samples; `text` says how one of its elements is written.
pub(super) fn targets(array: &Array, outputs: Outputs, text: impl Fn(usize) -> String) -> Result<Targets, Problem> {
    let (samples, found) = array.dimensions.split_first().expect("an array has a dimension at least");
    let each: usize = found.iter().product();
    let classes = match outputs {
        Outputs::Input => return Ok(Targets::Classes(vec![0; *samples])),
        Outputs::Values(outputs) if each == outputs => {
            let values = (0..array.values.len()).map(|index| array.values.get(index)).collect();
            return Ok(Targets::Values { outputs, values });
        }
        Outputs::Classes(classes) | Outputs::Values(classes) if each == 1 => classes,
        Outputs::Classes(classes) if each == classes => return one_hot(array, classes, text),
        Outputs::Classes(_) | Outputs::Values(_) => return Err(Problem::Targets { found: found.into(), outputs }),
    };
    let class = |index| {
        let number = class(array.values.get(index), classes);
        number.ok_or_else(|| Problem::Label { label: text(index), place: Place::Position(index), classes })
    };
    Ok(Targets::Classes((0..*samples).map(class).collect::<Result<_, _>>()?))
}

/// The classes of rows in which one value is 1, at the place of the class, and all others are 0.
fn one_hot(array: &Array, classes: usize, text: impl Fn(usize) -> String) -> Result<Targets, Problem> {
    let class = |row: usize| {
        let value = |class: usize| array.values.get(row * classes + class);
        let ones: Vec<usize> = (0..classes).filter(|&class| value(class) == 1.0).collect();
        match ones[..] {
            [one] if (0..classes).all(|class| class == one || value(class) == 0.0) => Ok(one),
            _ => {
                let found = (0..classes).map(|class| text(row * classes + class)).collect();
                Err(Problem::OneHot { found, place: Place::Position(row) })
            }
        }
    };
    Ok(Targets::Classes((0..array.dimensions[0]).map(class).collect::<Result<_, _>>()?))
}

/// The class of this number, if there is one.
pub(super) fn class(label: f32, classes: usize) -> Option<usize> {
    let number = label as usize;
    (number as f32 == label && number < classes).then_some(number)
}
