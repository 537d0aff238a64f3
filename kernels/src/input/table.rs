//! Bytes to inputs by a table.

use super::Scaling;
use crate::LengthError;
use crate::int8::Affine;

/// The int8 input of each raw byte, for a network whose raw values all have one [`Scaling`]: pixels, say. Without
/// floating point once it is made, and in some four instructions a value on every core.
///
/// ```
/// # use thumbnet::input::{InputTable, Scaling};
/// # use thumbnet::int8::Affine;
/// # let input = Affine { scale: 1.0 / 255.0, zero_point: -128 };
/// // `input` is that of the network: `network.input()`.
/// let table = InputTable::new(Scaling::UNIT, input);
/// let mut image = [0; 3];
/// table.fill(&[0, 1, 255], &mut image)?;
/// assert_eq!(image, [-128, -127, 127]);
/// # Ok::<(), thumbnet::LengthError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputTable([i8; 256]);

impl InputTable {
    /// The table of a scaling and of the network's [input](crate::Int8::input): `input.quantize(scaling.apply(raw))`
    /// of each byte, to the bit.
    pub fn new(scaling: Scaling, input: Affine) -> Self {
        Self(core::array::from_fn(|raw| input.quantize(scaling.apply(raw as f32))))
    }

    /// The input of one byte.
    pub const fn get(&self, raw: u8) -> i8 {
        self.0[raw as usize]
    }

    /// Writes the input of each byte of `raw` to `image`, which has as many values.
    ///
    /// # Errors
    ///
    /// [`LengthError`], if they are not as many. Nothing is written then.
    pub fn fill(&self, raw: &[u8], image: &mut [i8]) -> Result<(), LengthError> {
        LengthError::expect("image", image.len(), raw.len())?;
        let ((blocks, rest), (to, to_rest)) = (raw.as_chunks::<8>(), image.as_chunks_mut::<8>());
        for (raw, value) in blocks.iter().zip(to) {
            macro_rules! each {
                ($($k:literal)*) => {$( value[$k] = self.get(raw[$k]); )*};
            }
            each!(0 1 2 3 4 5 6 7);
        }
        for (raw, value) in rest.iter().zip(to_rest) {
            *value = self.get(*raw);
        }
        Ok(())
    }
}
