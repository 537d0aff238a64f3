//! The f32 kernels at the sizes of the tutorial's convnet, batch 50, beside the machine's peak.
//!
//! `cargo bench -p benches --bench kernels_f32 -- [filter]`. `RAYON_NUM_THREADS=1` measures one core,
//! `THUMBNET_BACKEND=avx2` another back end. Criterion keeps its statistics; the closing table has the best times,
//! since what disturbs a run only ever makes it slower. Operations are the textbook's (padding counts), so a
//! convolution that leaves out padding can pass 100 %.

use criterion::{Criterion, Throughput};
use host_train::profile::Machine;
use std::{
    hint::black_box,
    time::{Duration, Instant},
};
use thumbnet::{
    arch::{Backend, Trainable},
    geometry::{Geometry, Padding, Shape},
};

const BATCH: usize = 50;

/// One kernel's best time in seconds, its operations, and the bytes it moves to and from memory.
struct Row {
    name: String,
    time: f64,
    operations: f64,
    bytes: f64,
}

/// Measures, and keeps the best time of each kernel.
struct Table {
    criterion: Criterion,
    backend: Backend,
    rows: Vec<Row>,
}

impl Table {
    /// Measures `work`, which does so many operations and moves so many bytes.
    fn measure(&mut self, name: &str, operations: usize, bytes: usize, mut work: impl FnMut()) {
        let mut best = Duration::MAX;
        let mut group = self.criterion.benchmark_group(self.backend.name());
        group.sample_size(20).warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(500));
        group.throughput(Throughput::Elements(operations as u64));
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|iterations| {
                (0..iterations)
                    .map(|_| {
                        let start = Instant::now();
                        work();
                        let time = start.elapsed();
                        best = best.min(time);
                        time
                    })
                    .sum()
            });
        });
        group.finish();
        if best < Duration::MAX {
            let (operations, bytes) = (operations as f64, bytes as f64);
            self.rows.push(Row { name: name.to_owned(), time: best.as_secs_f64(), operations, bytes });
        }
    }

    fn print(&self) {
        let machine = Machine::measure(self.backend).expect("192 MiB of memory");
        println!(
            "\n{}, {} threads: peak of fused multiply-adds {:.1} GFLOP/s, triad {:.1} GB/s",
            self.backend.name(),
            rayon::current_num_threads(),
            machine.flops / 1e9,
            machine.bytes / 1e9
        );
        println!("{:34} {:>9} {:>9} {:>7} {:>7}", "", "ms", "GFLOP/s", "% peak", "GB/s");
        for Row { name, time, operations, bytes } in &self.rows {
            let (rate, traffic) = (operations / time, bytes / time);
            let percent = 100.0 * rate / machine.flops;
            println!("{name:34} {:9.3} {:9.1} {percent:7.1} {:7.1}", time * 1e3, rate / 1e9, traffic / 1e9);
        }
        let time: f64 = self.rows.iter().map(|row| row.time).sum();
        println!("{:34} {:9.3}", "sum", time * 1e3);
    }
}

fn values(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i.wrapping_mul(2_654_435_761) % 2048) as f32 / 1024.0 - 1.0).collect()
}

fn convolution(table: &mut Table, name: &str, size: usize, channels: usize, filters: usize) {
    let g = Geometry::new(Shape::new(size, size, channels), filters, [5, 5], [1, 1], Padding::Same).unwrap();
    let (x, kernel) = (values(BATCH * g.input().len()), values(g.patch() * filters));
    let (bias, dy) = (values(filters), values(BATCH * g.output().len()));
    let (mut y, mut dx) = (values(dy.len()), values(x.len()));
    let (mut dkernel, mut dbias) = (values(kernel.len()), values(filters));
    let mut scratch = values(Backend::conv2d_scratch_len(&g, BATCH));
    let (operations, bytes) = (2 * g.patch() * dy.len(), 4 * (x.len() + dy.len()));
    let backend = table.backend;
    table.measure(&format!("{name} forward"), operations, bytes, || {
        backend.conv2d(&g, BATCH, &x, &kernel, Some(&bias), false, black_box(&mut y), &mut scratch);
    });
    // The first layer of a network needs no gradient of its input.
    if channels > 1 {
        table.measure(&format!("{name} input gradient"), operations, bytes, || {
            backend.conv2d_input_gradient(&g, BATCH, &dy, &kernel, black_box(&mut dx), &mut scratch);
        });
    }
    table.measure(&format!("{name} kernel gradient"), operations, bytes, || {
        let dbias = Some(&mut dbias[..]);
        backend.conv2d_kernel_gradient(&g, BATCH, &x, &dy, black_box(&mut dkernel), dbias, &mut scratch);
    });
}

fn pooling(table: &mut Table, name: &str, size: usize, channels: usize) {
    let g = Geometry::new(Shape::new(size, size, channels), channels, [2, 2], [2, 2], Padding::Same).unwrap();
    let (x, dy) = (values(BATCH * g.input().len()), values(BATCH * g.output().len()));
    let (mut y, mut dx) = (values(dy.len()), values(x.len()));
    let backend = table.backend;
    table.measure(&format!("{name} forward"), x.len(), 4 * (x.len() + y.len()), || {
        backend.max_pool(&g, BATCH, &x, black_box(&mut y));
    });
    table.measure(&format!("{name} gradient"), x.len(), 4 * (2 * x.len() + 2 * y.len()), || {
        backend.max_pool_gradient(&g, BATCH, &x, &y, &dy, black_box(&mut dx));
    });
}

fn dense(table: &mut Table, name: &str, inputs: usize, units: usize) {
    let (x, mut kernel) = (values(BATCH * inputs), values(inputs * units));
    let (bias, dy) = (values(units), values(BATCH * units));
    let (mut y, mut dx) = (values(dy.len()), values(x.len()));
    let mut state = [vec![0.0; kernel.len()], vec![0.0; kernel.len()]];
    let mut scratch = values(Backend::dense_scratch_len(inputs, units, BATCH));
    let (operations, bytes) = (2 * BATCH * kernel.len(), 4 * kernel.len());
    let backend = table.backend;
    table.measure(&format!("{name} forward"), operations, bytes, || {
        backend.dense(inputs, units, BATCH, &x, &kernel, Some(&bias), true, black_box(&mut y), &mut scratch);
    });
    table.measure(&format!("{name} input gradient"), operations, bytes, || {
        backend.dense_input_gradient(inputs, units, BATCH, &dy, &kernel, black_box(&mut dx), &mut scratch);
    });
    table.measure(&format!("{name} kernel gradient"), operations, 0, || {
        let parameters = Trainable { weights: &mut kernel, state: [&mut [], &mut []] };
        let update = |_: usize, _: Trainable<'_>, gradient: &[f32]| {
            black_box(gradient);
        };
        backend.dense_kernel_gradient(inputs, units, BATCH, &x, &dy, parameters, &update, &mut scratch);
    });
    table.measure(&format!("{name} gradient and adadelta"), operations, 6 * bytes, || {
        let [first, second] = &mut state;
        let parameters = Trainable { weights: &mut kernel, state: [first, second] };
        let update = |_: usize, block: Trainable<'_>, gradient: &[f32]| {
            backend.adadelta(1.0, 0.95, 1e-7, block, gradient);
        };
        backend.dense_kernel_gradient(inputs, units, BATCH, &x, &dy, parameters, &update, &mut scratch);
    });
}

fn main() {
    let name = std::env::var("THUMBNET_BACKEND").ok();
    let backend = name.map_or_else(Backend::detect, |name| Backend::with_name(&name).expect("no such back end here"));
    let mut table = Table { criterion: Criterion::default().configure_from_args(), backend, rows: Vec::new() };
    convolution(&mut table, "conv1 28x28x1-32", 28, 1, 32);
    pooling(&mut table, "pool1 28x28x32", 28, 32);
    convolution(&mut table, "conv2 14x14x32-64", 14, 32, 64);
    pooling(&mut table, "pool2 14x14x64", 14, 64);
    dense(&mut table, "dense1 3136-1024", 3136, 1024);
    dense(&mut table, "dense2 1024-256", 1024, 256);
    let mut hidden = values(BATCH * 1024);
    table.measure("dropout 1024", hidden.len(), 8 * hidden.len(), || backend.dropout(1, 0.5, black_box(&mut hidden)));
    table.print();
}
