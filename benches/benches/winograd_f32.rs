//! Convolutions with fewer multiplications beside the direct ones, one and two threads.
//!
//! `cargo bench -p benches --bench winograd_f32`; `THUMBNET_BACKEND=avx2` measures another back end. Rates are the
//! textbook's operations by time, padding and all. Only square kernels are done with fewer multiplications, so a kernel
//! one column narrower stands for the direct ones: its share of padding, and so its rate, is nearly that of the square
//! one. Passes of both take turns, and the best time of each counts, since what disturbs a run only ever makes it
//! slower.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};
use thumbnet::{
    arch::Backend,
    geometry::{Geometry, Padding, Shape},
};

const PASSES: [&str; 3] = ["forward", "input gradient", "kernel gradient"];
/// How long one convolution is measured with one number of threads.
const TIME: Duration = Duration::from_millis(1200);

fn values(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i.wrapping_mul(2_654_435_761) % 2048) as f32 / 1024.0 - 1.0).collect()
}

/// One convolution with its tensors.
struct Convolution {
    g: Geometry,
    batch: usize,
    x: Vec<f32>,
    kernel: Vec<f32>,
    bias: Vec<f32>,
    y: Vec<f32>,
    dy: Vec<f32>,
    dx: Vec<f32>,
    dkernel: Vec<f32>,
    scratch: Vec<f32>,
}

impl Convolution {
    fn new(shape: Shape, filters: usize, kernel: [usize; 2], batch: usize) -> Self {
        let g = Geometry::new(shape, filters, kernel, [1, 1], Padding::Same).expect("a window with padding fits");
        let (inputs, outputs, weights) = (batch * g.input().len(), batch * g.output().len(), g.patch() * filters);
        let scratch = vec![0.0; Backend::conv2d_scratch_len(&g, batch)];
        let (x, kernel, bias, dy) = (values(inputs), values(weights), values(filters), values(outputs));
        let (y, dx, dkernel) = (vec![0.0; outputs], vec![0.0; inputs], vec![0.0; weights]);
        Self { g, batch, x, kernel, bias, y, dy, dx, dkernel, scratch }
    }

    fn run(&mut self, backend: Backend, pass: usize) {
        let Self { g, batch, x, kernel, bias, y, dy, dx, dkernel, scratch } = self;
        match pass {
            0 => backend.conv2d(g, *batch, x, kernel, Some(bias), false, black_box(y), scratch),
            1 => backend.conv2d_input_gradient(g, *batch, dy, kernel, black_box(dx), scratch),
            _ => backend.conv2d_kernel_gradient(g, *batch, x, dy, black_box(dkernel), None, scratch),
        }
    }

    /// The textbook's operations of any pass.
    fn operations(&self) -> f64 {
        (2 * self.g.patch() * self.y.len()) as f64
    }
}

/// The rates of all passes, direct and with fewer multiplications, in operations a second.
fn rates(backend: Backend, both: &mut [Convolution; 2]) -> [[f64; 3]; 2] {
    let mut best = [[Duration::MAX; 3]; 2];
    let start = Instant::now();
    while start.elapsed() < TIME {
        for (convolution, best) in both.iter_mut().zip(&mut best) {
            for (pass, best) in best.iter_mut().enumerate() {
                let start = Instant::now();
                convolution.run(backend, pass);
                *best = start.elapsed().min(*best);
            }
        }
    }
    [0, 1].map(|i| best[i].map(|time| both[i].operations() / time.as_secs_f64()))
}

fn main() {
    let name = std::env::var("THUMBNET_BACKEND").ok();
    let backend = name.map_or_else(Backend::detect, |name| Backend::with_name(&name).expect("no such back end here"));
    println!("{}, GFLOP/s direct and with fewer multiplications", backend.name());
    println!("{:36} {:>21} {:>21}", "", "1 thread", "2 threads");
    for (size, channels, filters, taps, batch) in [
        (14, 32, 64, 5, 50),
        (14, 32, 64, 5, 1),
        (28, 16, 32, 5, 10),
        (14, 16, 16, 5, 50),
        (28, 32, 64, 3, 10),
        (14, 16, 16, 3, 50),
        (14, 64, 128, 3, 20),
    ] {
        let shape = Shape::new(size, size, channels);
        let mut both = [[taps, taps - 1], [taps, taps]].map(|kernel| Convolution::new(shape, filters, kernel, batch));
        let measured = [1, 2].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| rates(backend, &mut both))
        });
        println!("{size} x {size} x {channels} to {filters}, {taps} x {taps}, batch {batch}");
        for (pass, name) in PASSES.into_iter().enumerate() {
            print!("    {name:32}");
            for [direct, fewer] in measured {
                let (direct, fewer) = (direct[pass] / 1e9, fewer[pass] / 1e9);
                print!(" {direct:6.0} {fewer:6.0} x{:5.2} ", fewer / direct);
            }
            println!();
        }
    }
}
