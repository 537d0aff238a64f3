use std::marker::PhantomData;

use bytemuck::Pod;
use memmap2::MmapMut;
use region::Protection;

/// Values between two pages that cannot be read or written, next to one of them.
pub struct Guarded<T> {
    pages: MmapMut,
    start: usize,
    bytes: usize,
    values: PhantomData<T>,
}

impl<T: Pod> Guarded<T> {
    /// These values, up to the page behind them, or from the one before them on.
    pub fn new(values: &[T], at_end: bool) -> Self {
        let page = region::page::size();
        let from: &[u8] = bytemuck::cast_slice(values);
        let inside = from.len().next_multiple_of(page).max(page);
        let pages = MmapMut::map_anon(inside + 2 * page).expect("there is memory");
        for guard in [0, page + inside] {
            // SAFETY: a whole page of this mapping, of which no reference exists.
            unsafe { region::protect(pages.as_ptr().wrapping_add(guard), page, Protection::NONE) }
                .expect("pages can be protected");
        }
        let start = if at_end { page + inside - from.len() } else { page };
        let mut guarded = Self { pages, start, bytes: from.len(), values: PhantomData };
        guarded.get_mut().copy_from_slice(values);
        guarded
    }

    /// The values.
    pub fn get(&self) -> &[T] {
        bytemuck::cast_slice(&self.pages[self.start..][..self.bytes])
    }

    /// The values, to write.
    pub fn get_mut(&mut self) -> &mut [T] {
        bytemuck::cast_slice_mut(&mut self.pages[self.start..][..self.bytes])
    }
}
