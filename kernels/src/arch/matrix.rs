//! A matrix that threads may write at once, each its own columns.
#![expect(unsafe_code, reason = "a view that is cut between columns")]

use super::parallel::Split;
use core::marker::PhantomData;

/// An exclusive view of `rows` rows of `columns` values, each `stride` values after the one before.
///
/// Unlike `&mut [f32]`, it can be cut between columns.
#[derive(Debug)]
pub(crate) struct MatrixMut<'a> {
    start: *mut f32,
    rows: usize,
    columns: usize,
    stride: usize,
    values: PhantomData<&'a mut [f32]>,
}

// SAFETY: the view is exclusive, as `&mut [f32]` is, and f32 may be sent.
unsafe impl Send for MatrixMut<'_> {}

impl<'a> MatrixMut<'a> {
    /// The matrix whose first value is the first of `values`.
    ///
    /// # Panics
    ///
    /// If `values` ends before the matrix does, or rows overlap.
    pub(crate) fn new(values: &'a mut [f32], rows: usize, columns: usize, stride: usize) -> Self {
        assert!(rows <= 1 || columns <= stride, "rows of a matrix overlap");
        assert!(rows == 0 || (rows - 1) * stride + columns <= values.len(), "a matrix ends after its values");
        Self { start: values.as_mut_ptr(), rows, columns, stride, values: PhantomData }
    }

    /// The first value. As many as [`Self::rows`], [`Self::columns`] and [`Self::stride`] say may be read and written.
    pub(crate) fn start(&mut self) -> *mut f32 {
        self.start
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    /// The matrix of columns `first..first + columns`.
    pub(crate) fn block(&mut self, first: usize, columns: usize) -> MatrixMut<'_> {
        assert!(first + columns <= self.columns, "a block ends after its matrix");
        let start = self.start.wrapping_add(first);
        MatrixMut { start, rows: self.rows, columns, stride: self.stride, values: PhantomData }
    }

    /// The matrix of the rows `first..`.
    pub(crate) fn rows_from(&mut self, first: usize) -> MatrixMut<'_> {
        assert!(first <= self.rows, "a block ends after its matrix");
        let start = self.start.wrapping_add(first * self.stride);
        MatrixMut { start, rows: self.rows - first, columns: self.columns, stride: self.stride, values: PhantomData }
    }
}

/// Cut between columns.
impl Split for MatrixMut<'_> {
    fn count(&self) -> usize {
        self.columns
    }
    fn cut(self, at: usize) -> (Self, Self) {
        assert!(at <= self.columns, "a block ends after its matrix");
        (Self { columns: at, ..self }, Self { start: self.start.wrapping_add(at), columns: self.columns - at, ..self })
    }
}
