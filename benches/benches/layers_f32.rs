//! The f32 kernels at the layers of MLPerf Tiny's networks, batch 128, beside what the machine can do.
//!
//! `cargo bench -p benches --bench layers_f32 -- [text of a layer's or pass's name]`. `RAYON_NUM_THREADS=1` measures
//! one core, `THUMBNET_BACKEND=avx2` another back end. All take turns, and the best time of each counts, since what
//! disturbs a run only ever makes it slower. The last column is the share of what the machine allows: the time that the
//! operations take at its peak, or the bytes at its triad's rate if that is longer, by the time taken. Operations are
//! the textbook's, padding and all; so Winograd's convolutions, and bytes that a cache keeps, can pass 100 %.

use host_train::{memory::Values, profile::Machine};
use std::{hint::black_box, time::Instant};
use thumbnet::{
    arch::Backend,
    geometry::{Geometry, Padding, Shape},
};

const BATCH: usize = 128;
/// How often all passes take their turn.
const ROUNDS: usize = 25;

/// A pass of a layer with its buffers.
struct Pass {
    name: String,
    operations: usize,
    /// Values that it reads and writes.
    values: usize,
    work: Box<dyn FnMut(Backend)>,
    best: f64,
}

/// The passes whose names have `filter`.
struct Passes {
    filter: String,
    all: Vec<Pass>,
}

impl Passes {
    fn add(&mut self, name: String, operations: usize, values: usize, work: impl FnMut(Backend) + 'static) {
        if name.contains(&self.filter) {
            self.all.push(Pass { name, operations, values, work: Box::new(work), best: f64::MAX });
        }
    }
}

/// In large pages, as training has them.
fn values(len: usize) -> Values {
    let mut values = Values::zeroed(len);
    let some = |i: usize| (i.wrapping_mul(2_654_435_761) % 2048) as f32 / 1024.0 - 1.0;
    values.iter_mut().enumerate().for_each(|(i, value)| *value = some(i));
    values
}

fn geometry(input: [usize; 3], filters: usize, kernel: [usize; 2], strides: [usize; 2]) -> Geometry {
    let [height, width, channels] = input;
    Geometry::new(Shape::new(height, width, channels), filters, kernel, strides, Padding::Same).expect("padding fits")
}

/// A convolution; of the network's input where `first`, whose gradient nobody wants.
fn convolution(passes: &mut Passes, name: &str, g: Geometry, first: bool) {
    let (inputs, outputs, filters) = (BATCH * g.input().len(), BATCH * g.output().len(), g.output().channels);
    let (operations, touched) = (2 * g.patch() * outputs, inputs + outputs);
    let scratch = Backend::conv2d_scratch_len(&g, BATCH);
    let (x, kernel, mut y, mut own) = (values(inputs), values(g.patch() * filters), values(outputs), values(scratch));
    passes.add(format!("{name} forward"), operations, touched, move |backend| {
        backend.conv2d(&g, BATCH, &x, &kernel, None, false, black_box(&mut y), &mut own);
    });
    if !first {
        let (dy, kernel) = (values(outputs), values(g.patch() * filters));
        let (mut dx, mut own) = (values(inputs), values(scratch));
        passes.add(format!("{name} input gradient"), operations, touched, move |backend| {
            backend.conv2d_input_gradient(&g, BATCH, &dy, &kernel, black_box(&mut dx), &mut own);
        });
    }
    let (x, dy) = (values(inputs), values(outputs));
    let (mut dkernel, mut own) = (values(g.patch() * filters), values(scratch));
    passes.add(format!("{name} kernel gradient"), operations, touched, move |backend| {
        backend.conv2d_kernel_gradient(&g, BATCH, &x, &dy, black_box(&mut dkernel), None, &mut own);
    });
}

fn depthwise(passes: &mut Passes, name: &str, g: Geometry) {
    let (inputs, outputs) = (BATCH * g.input().len(), BATCH * g.output().len());
    let weights = g.kernel()[0] * g.kernel()[1] * g.output().channels;
    let (operations, touched) = (2 * g.kernel()[0] * g.kernel()[1] * outputs, inputs + outputs);
    let (x, kernel, mut y) = (values(inputs), values(weights), values(outputs));
    passes.add(format!("{name} forward"), operations, touched, move |backend| {
        backend.depthwise_conv2d(&g, BATCH, &x, &kernel, None, false, black_box(&mut y));
    });
    let (dy, kernel, mut dx) = (values(outputs), values(weights), values(inputs));
    passes.add(format!("{name} input gradient"), operations, touched, move |backend| {
        backend.depthwise_conv2d_input_gradient(&g, BATCH, &dy, &kernel, black_box(&mut dx));
    });
    let (x, dy, mut dkernel) = (values(inputs), values(outputs), values(weights));
    passes.add(format!("{name} kernel gradient"), operations, touched, move |backend| {
        backend.depthwise_conv2d_kernel_gradient(&g, BATCH, &x, &dy, black_box(&mut dkernel), None);
    });
}

/// Pooling of windows side by side, and what works value by value.
fn others(passes: &mut Passes) {
    for (name, [height, width, channels], pool) in [
        ("gap 25x5x64", [25, 5, 64], [25, 5]),
        ("average 8x8x64", [8, 8, 64], [8, 8]),
        ("average 14x14x64 by 2", [14, 14, 64], [2, 2]),
    ] {
        let g = geometry([height, width, channels], channels, pool, pool);
        let (inputs, outputs) = (BATCH * g.input().len(), BATCH * g.output().len());
        let (x, mut y) = (values(inputs), values(outputs));
        passes.add(format!("{name} forward"), inputs, inputs + outputs, move |backend| {
            backend.average_pool(&g, BATCH, &x, black_box(&mut y));
        });
        let (dy, mut dx) = (values(outputs), values(inputs));
        passes.add(format!("{name} gradient"), inputs, inputs + outputs, move |backend| {
            backend.average_pool_gradient(&g, BATCH, &dy, black_box(&mut dx));
        });
    }
    let len = BATCH * 32 * 32 * 16;
    let (x, mut y) = (values(len), values(len));
    passes.add("add 32x32x16".into(), len, 3 * len, move |backend| backend.add(&x, black_box(&mut y)));
    let mut y = values(len);
    passes.add("relu 32x32x16".into(), len, 2 * len, move |backend| backend.relu(black_box(&mut y)));
    let (y, mut dy) = (values(len), values(len));
    passes.add("relu 32x32x16 gradient".into(), len, 3 * len, move |backend| {
        backend.relu_gradient(&y, black_box(&mut dy));
    });
    let (dy, mut db) = (values(len), values(16));
    passes.add("bias 32x32x16 gradient".into(), len, len, move |backend| {
        backend.bias_gradient(16, len / 16, &dy, black_box(&mut db));
    });
}

fn main() {
    let name = std::env::var("THUMBNET_BACKEND").ok();
    let backend = name.map_or_else(Backend::detect, |name| Backend::with_name(&name).expect("no such back end here"));
    // Cargo says `--bench` too.
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with("--")).unwrap_or_default();
    let mut passes = Passes { filter, all: Vec::new() };
    convolution(&mut passes, "first 49x10x1-64 10x4/2", geometry([49, 10, 1], 64, [10, 4], [2, 2]), true);
    convolution(&mut passes, "first 28x28x1-64 10x4/2", geometry([28, 28, 1], 64, [10, 4], [2, 2]), true);
    depthwise(&mut passes, "depthwise 25x5x64", geometry([25, 5, 64], 64, [3, 3], [1, 1]));
    depthwise(&mut passes, "depthwise 14x14x64", geometry([14, 14, 64], 64, [3, 3], [1, 1]));
    depthwise(&mut passes, "depthwise 48x48x16/2", geometry([48, 48, 16], 16, [3, 3], [2, 2]));
    depthwise(&mut passes, "depthwise 20x20x16-32", geometry([20, 20, 16], 32, [3, 3], [1, 1]));
    depthwise(&mut passes, "depthwise 20x20x16-128", geometry([20, 20, 16], 128, [3, 3], [1, 1]));
    convolution(&mut passes, "pointwise 25x5x64-64", geometry([25, 5, 64], 64, [1, 1], [1, 1]), false);
    convolution(&mut passes, "pointwise 14x14x64-64", geometry([14, 14, 64], 64, [1, 1], [1, 1]), false);
    convolution(&mut passes, "first 32x32x3-16", geometry([32, 32, 3], 16, [3, 3], [1, 1]), true);
    convolution(&mut passes, "conv 32x32x16-16", geometry([32, 32, 16], 16, [3, 3], [1, 1]), false);
    convolution(&mut passes, "conv 32x32x16-32/2", geometry([32, 32, 16], 32, [3, 3], [2, 2]), false);
    convolution(&mut passes, "conv 16x16x32-32", geometry([16, 16, 32], 32, [3, 3], [1, 1]), false);
    convolution(&mut passes, "short 32x32x16-32/2", geometry([32, 32, 16], 32, [1, 1], [2, 2]), false);
    convolution(&mut passes, "conv 16x16x32-64/2", geometry([16, 16, 32], 64, [3, 3], [2, 2]), false);
    convolution(&mut passes, "conv 8x8x64-64", geometry([8, 8, 64], 64, [3, 3], [1, 1]), false);
    convolution(&mut passes, "short 16x16x32-64/2", geometry([16, 16, 32], 64, [1, 1], [2, 2]), false);
    others(&mut passes);

    for _ in 0..ROUNDS {
        for pass in &mut passes.all {
            let start = Instant::now();
            (pass.work)(backend);
            pass.best = pass.best.min(start.elapsed().as_secs_f64());
        }
    }
    let machine = Machine::measure(backend).expect("192 MiB of memory");
    println!(
        "{}, {} threads: peak of fused multiply-adds {:.1} GFLOP/s, triad {:.1} GB/s",
        backend.name(),
        rayon::current_num_threads(),
        machine.flops / 1e9,
        machine.bytes / 1e9
    );
    println!("{:40} {:>9} {:>9} {:>7} {:>9}", "", "ms", "GFLOP/s", "GB/s", "allowed %");
    for Pass { name, operations, values, best, .. } in passes.all {
        let (operations, bytes) = (operations as f64, (size_of::<f32>() * values) as f64);
        let allowed = 100.0 * machine.bound(operations, bytes).0 / best;
        let (rate, traffic) = (operations / best / 1e9, bytes / best / 1e9);
        println!("{name:40} {:9.3} {rate:9.1} {traffic:7.1} {allowed:9.1}", best * 1e3);
    }
}
