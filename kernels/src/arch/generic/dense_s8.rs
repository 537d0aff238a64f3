//! Dense layers of int8 values: dot products of the input with the weights as they lie, row by row.
//!
//! ```text
//! for a vector's worth of units:
//!     for some rows at a time:
//!         sums[row] += products of a vector of inputs and a vector of the row's weights
//!         sum[unit] = the lanes of sums[row], added
//!     requantise
//! ```
//!
//! Each weight is read once and used once: the caches' bandwidth is the bound, and an order of the weights that spares
//! the addition of lanes would gain nothing.

/// Defines `dense_s8` for a token in terms of the modules `super::vector_s8`, `super::rows_s8` and `super::requantize`
/// of its instruction set.
macro_rules! define_dense_s8 {
    ($token:ty, $features:literal) => {
        use super::requantize::DenseScale;
        use super::rows_s8::{self as row, STEP, Sums};
        use super::vector_s8::{self as vector, LANES};
        use crate::arch::generic::requantize::lanes;
        use crate::int8::DenseS8;

        /// Rows at a time: enough independent sums to hide what an instruction takes.
        const ROWS: usize = if LANES < 8 { LANES } else { 8 };

        /// Runs `layer` over one sample. Only plain weights are rows to read as they are.
        pub(in crate::arch) fn dense_s8(_: $token, layer: &DenseS8<'_>, input: &[i8], output: &mut [i8]) {
            assert!(layer.is_consistent() && input.len() == layer.inputs && output.len() == layer.units);
            if layer.packing != crate::int8::Packing::Plain {
                return crate::arch::scalar::dense_s8::dense_s8(layer, input, output);
            }
            // SAFETY: the token proves that the CPU has the instructions.
            unsafe { sample(layer, input, output) };
        }

        #[target_feature(enable = $features)]
        fn sample(layer: &DenseS8<'_>, input: &[i8], output: &mut [i8]) {
            let correction = vector::splat(correction(input));
            for (block, output) in output.chunks_mut(LANES).enumerate() {
                let first = block * LANES;
                let mut sums = [0; LANES];
                for (at, sums) in sums.as_chunks_mut::<ROWS>().0.iter_mut().enumerate() {
                    let first = first + at * ROWS;
                    if first < layer.units {
                        // Behind the last unit, the last is computed again.
                        let rows = core::array::from_fn(|i| (first + i).min(layer.units - 1));
                        *sums = dot(layer, input, rows);
                    }
                }
                let bias = vector::from_array(lanes(&layer.bias[first..]));
                let sums = vector::add(vector::add(vector::from_array(sums), bias), correction);
                DenseScale::new(&layer.requantize, first).apply(sums, output);
            }
        }

        /// What is to be added to every sum, because the instruction multiplies other numbers.
        #[target_feature(enable = $features)]
        fn correction(input: &[i8]) -> i32 {
            let mut sums = row::zero();
            let (steps, rest) = input.as_chunks::<STEP>();
            for step in steps {
                sums = row::correct(sums, row::inputs(step));
            }
            if !rest.is_empty() {
                sums = row::correct(sums, row::inputs(&lanes(rest)));
            }
            let mut sum = [row::zero(); ROWS];
            sum[0] = sums;
            row::totals(sum)[0]
        }

        /// The products of the input with some rows.
        #[inline]
        #[target_feature(enable = $features)]
        fn dot(layer: &DenseS8<'_>, input: &[i8], rows: [usize; ROWS]) -> [i32; ROWS] {
            let rows: [&[i8]; ROWS] = rows.map(|row| &layer.weights[row * layer.inputs..][..layer.inputs]);
            let mut sums: [Sums; ROWS] = [row::zero(); ROWS];
            let (steps, rest) = input.as_chunks::<STEP>();
            for (at, step) in steps.iter().enumerate() {
                let inputs = row::inputs(step);
                for (sums, row) in sums.iter_mut().zip(&rows) {
                    // SAFETY: a row is as long as the input.
                    *sums = unsafe { row::dot(*sums, row.as_ptr().wrapping_add(at * STEP), inputs) };
                }
            }
            if !rest.is_empty() {
                let inputs = row::inputs(&lanes(rest));
                for (sums, row) in sums.iter_mut().zip(&rows) {
                    *sums = row::dot_part(*sums, &row[row.len() - rest.len()..], inputs);
                }
            }
            row::totals(sums)
        }
    };
}
pub(in crate::arch) use define_dense_s8;
