use super::{Trainable, check_bias, check_len, check_scratch};
#[cfg(thumbnet_x86)]
use crate::arch::generic;
use crate::arch::parallel::{Split, lanes, pieces};
use crate::arch::{Backend, Kernels, Weights};
use crate::geometry::Shape;

/// How many rows of a dense kernel's gradient exist at a time in each thread.
pub const BLOCK_ROWS: usize = if cfg!(feature = "std") { 28 } else { 1 };

/// More threads than this are left idle by kernels that need scratch, one piece a thread.
pub(in crate::arch) const MOST_LANES: usize = if cfg!(feature = "std") { 32 } else { 1 };

/// Rows of the parameters together with what an update needs to know of them.
struct Block<'a> {
    rows: Trainable<'a>,
    units: usize,
}

impl Split for Block<'_> {
    fn count(&self) -> usize {
        self.rows.count() / self.units
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let (a, b) = self.rows.cut(at * self.units);
        (Self { rows: a, units: self.units }, Self { rows: b, units: self.units })
    }
}

impl Backend {
    /// How many f32 of scratch [`Self::dense`], [`Self::dense_input_gradient`] and [`Self::dense_kernel_gradient`] need
    /// at most. On a device that is one row of the gradient, `units` values.
    pub const fn dense_scratch_len(inputs: usize, units: usize, batch: usize) -> usize {
        let block = BLOCK_ROWS.saturating_mul(units);
        core::cfg_select! {
            thumbnet_x86 => {
                let each = lane_len(block, BLOCK_ROWS.saturating_mul(batch));
                generic::dense_f32::scratch_len(inputs, units, batch, each)
            }
            _ => {
                _ = (inputs, batch);
                MOST_LANES.saturating_mul(block)
            }
        }
    }

    /// The fully connected layer: `y[b, u] = bias[u] + sum over i of x[b, i] * kernel[i, u]`, then `max(y, 0)` where
    /// `relu`.
    ///
    /// Vector back ends do not read the weights of a single sample's inputs that are zero: should such a weight be
    /// infinite or NaN, it shows in a batch alone.
    ///
    /// # Panics
    ///
    /// If `inputs` or `units` is 0, or a slice's length does not follow from `inputs`, `units` and `batch`.
    #[expect(clippy::too_many_arguments, reason = "one name a tensor, as in the formula")]
    pub fn dense(
        self,
        inputs: usize,
        units: usize,
        batch: usize,
        x: &[f32],
        kernel: &[f32],
        bias: Option<&[f32]>,
        relu: bool,
        y: &mut [f32],
        scratch: &mut [f32],
    ) {
        check([inputs, units, batch], x, kernel.len(), y, scratch);
        check_bias(bias, units);
        self.kernels().dense([inputs, units], x, Weights { kernel, bias, relu }, y, scratch);
    }

    /// The gradient of [`Self::dense`] with respect to its input, before the activation:
    /// `dx[b, i] = sum over u of dy[b, u] * kernel[i, u]`.
    ///
    /// # Panics
    ///
    /// If `inputs` or `units` is 0, or a slice's length does not follow from `inputs`, `units` and `batch`.
    #[expect(clippy::too_many_arguments, reason = "one name a tensor, as in the formula")]
    pub fn dense_input_gradient(
        self,
        inputs: usize,
        units: usize,
        batch: usize,
        dy: &[f32],
        kernel: &[f32],
        dx: &mut [f32],
        scratch: &mut [f32],
    ) {
        check([inputs, units, batch], dx, kernel.len(), dy, scratch);
        self.kernels().dense_input_gradient([inputs, units], dy, kernel, dx, scratch);
    }

    /// The gradient of [`Self::dense`] with respect to its kernel, `dkernel[i, u] = sum over b of x[b, i] * dy[b, u]`,
    /// handed to `update` block by block, so that it never reaches memory as a whole.
    ///
    /// `parameters` are the kernel's weights and the optimizer's state for them. `update(first, block, gradient)` gets
    /// at most [`BLOCK_ROWS`] whole rows of them, the index of the block's first weight in the kernel, and their
    /// gradient. Blocks are the same for any number of threads; threads call `update` at once, each on its own block.
    ///
    /// # Panics
    ///
    /// If `inputs` or `units` is 0, or a slice's length does not follow from `inputs`, `units` and `batch`.
    #[expect(clippy::too_many_arguments, reason = "one name a tensor, as in the formula")]
    pub fn dense_kernel_gradient(
        self,
        inputs: usize,
        units: usize,
        batch: usize,
        x: &[f32],
        dy: &[f32],
        parameters: Trainable<'_>,
        update: &(impl Fn(usize, Trainable<'_>, &[f32]) + Sync),
        scratch: &mut [f32],
    ) {
        check([inputs, units, batch], x, parameters.weights.len(), dy, scratch);
        parameters.check();
        let kernels = self.kernels();
        let (dy, scratch, extra) = kernels.pack_panels(units, dy, scratch);
        let gradient = |first, out: &mut [f32], extra: &mut [f32], next: [&[f32]; 3]| {
            kernels.dense_kernel_gradient([inputs, units, batch], x, dy, first, out, extra, next);
        };
        for_each_block(Block { rows: parameters, units }, scratch, extra, &gradient, update);
    }

    /// The gradient of a bias: the column sums `db[u] = sum over rows r of dy[r, u]`.
    ///
    /// # Panics
    ///
    /// If `units` is 0, or a slice's length does not follow from `units` and `rows`.
    pub fn bias_gradient(self, units: usize, rows: usize, dy: &[f32], db: &mut [f32]) {
        /// Rows that are summed before their sum joins the total: a few hundred keep the rounding errors of both small.
        const GROUP: usize = 256;
        assert!(units > 0, "a bias of no values");
        check_len("rows of units", dy.len(), rows, Shape::vector(units));
        check_bias(Some(db), units);
        db.fill(0.0);
        let grain = if dy.len() < 1 << 16 { units } else { 16 };
        pieces(db, grain, &|first, db| self.kernels().column_sums(units, GROUP, dy, first, db));
    }
}

fn check([inputs, units, batch]: [usize; 3], x: &[f32], kernel: usize, y: &[f32], scratch: &[f32]) {
    assert!(inputs > 0 && units > 0, "a dense layer of {inputs} inputs and {units} units");
    check_len("input", x.len(), batch, Shape::vector(inputs));
    check_len("output", y.len(), batch, Shape::vector(units));
    check_len("kernel [inputs, units]", kernel, inputs, Shape::vector(units));
    check_scratch(scratch, Backend::dense_scratch_len(inputs, units, batch));
}

/// The scratch of one thread, whole cache lines of it if there is more than a block.
const fn lane_len(block: usize, extra: usize) -> usize {
    if extra == 0 { block } else { block.saturating_add(extra).div_ceil(16).saturating_mul(16) }
}

/// Calls `gradient(first row, gradient of the block's rows, extra, what the update will read)` and then `update` for
/// each block of [`BLOCK_ROWS`] rows; each thread has `extra` more values of scratch.
fn for_each_block(
    blocks: Block<'_>,
    scratch: &mut [f32],
    extra: usize,
    gradient: &(impl Fn(usize, &mut [f32], &mut [f32], [&[f32]; 3]) + Sync),
    update: &(impl Fn(usize, Trainable<'_>, &[f32]) + Sync),
) {
    let units = blocks.units;
    let each = lane_len(BLOCK_ROWS * units, extra);
    lanes(blocks, BLOCK_ROWS, MOST_LANES, scratch, each, &|mut first, mut rest: Block<'_>, scratch| {
        let (out, extra) = scratch.split_at_mut(BLOCK_ROWS * units);
        while rest.count() > 0 {
            let rows = BLOCK_ROWS.min(rest.count());
            let (block, others) = rest.cut(rows);
            let out = &mut out[..rows * units];
            let [first_state, second_state] = &block.rows.state;
            gradient(first, out, extra, [block.rows.weights, first_state, second_state]);
            update(first * units, block.rows, out);
            (first, rest) = (first + rows, others);
        }
    });
}
