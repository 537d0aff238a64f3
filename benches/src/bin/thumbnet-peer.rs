//! thumbnet among its peers: trains a network and prints the JSON line that the programs in `benches/peers` print.

use std::{
    error::Error,
    fs,
    hint::black_box,
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Parser;
use host_train::{
    data::{self, Dataset, Expected, Halves, Outputs, mnist},
    memory::Values,
    model::{Callback, CallbackResult, FitOptions, Model, Running},
    network::{self, NETWORKS},
    quantized::{QuantizeOptions, QuantizedModel, plain, quantize},
};
use serde_json::json;
use thumbnet::{
    arch::Backend,
    forward::forward,
    geometry::Shape,
    graph::AllOps,
    infer,
    input::Scaling,
    plan::{Fusion, PlanBuf},
    train::{Adadelta, Loss},
};

/// Images a step.
const BATCH: usize = 50;
/// Steps that are timed together, as in the other peers.
const BLOCK: usize = 50;

/// Trains a network and prints one JSON line.
#[derive(Parser)]
struct Options {
    /// The network, by host-train's name
    #[arg(long, default_value = "mnist-convnet", value_name = "NAME")]
    network: String,
    /// Folder of MNIST's four files; fetched if missing [default: host-train's]
    #[arg(long, value_name = "DIR", env = mnist::DATA_VARIABLE)]
    data_dir: Option<PathBuf>,
    /// Print the folder, once the data are there, and do nothing else
    #[arg(long)]
    show_data_dir: bool,
    /// Passes over the training images
    #[arg(long, default_value_t = 1)]
    epochs: usize,
    /// Training images
    #[arg(long, default_value_t = 60_000)]
    images: usize,
    /// Threads [default: one a core]
    #[arg(long)]
    threads: Option<usize>,
    /// The kernels: scalar, avx2, avx512, or avx512-bf16 for dense layers in bf16 [default: the fastest]
    #[arg(long)]
    backend: Option<String>,
    /// Quantise, and measure int8 inference on one thread in place of f32 inference
    #[arg(long)]
    int8: bool,
}

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let options = Options::parse();
    let folder = mnist::folder(options.data_dir.as_deref())?;
    mnist::ensure(&folder)?;
    if options.show_data_dir {
        println!("{}", folder.display());
        return Ok(());
    }
    if let Some(threads) = options.threads {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    }
    // All of it on one of the threads that share the work, so that none has to be woken for each piece.
    rayon::scope(|_| measure(&options, &folder))
}

/// Trains, measures, and prints the line.
fn measure(options: &Options, folder: &Path) -> Outcome<()> {
    let backend = match &options.backend {
        None => Backend::detect(),
        Some(name) => Backend::with_name(name).ok_or_else(|| format!("this machine has no back end `{name}`"))?,
    };
    let graph = network::find(NETWORKS, &options.network)?;
    let expected = Expected { input: Shape::new(28, 28, 1), outputs: Outputs::Classes(10) };
    let Halves { train, test, .. } = data::load(folder, expected, &data::Options::default())?;
    let train = stretched(&train, graph.input(), options.images);
    let test = stretched(&test, graph.input(), usize::MAX);

    // Untimed, as every peer's first steps.
    let mut model = Model::new(graph, 1).with_backend(backend);
    let warm_up = stretched(&train, graph.input(), 5 * BATCH);
    model.clone().compile(Adadelta::default(), Loss::CategoricalCrossentropy).fit(
        &warm_up,
        FitOptions { epochs: 1, batch_size: BATCH, ..FitOptions::default() },
        &mut [&mut Blocks::default()],
    )?;
    let mut blocks = Blocks::default();
    let mut compiled = model.compile(Adadelta::default(), Loss::CategoricalCrossentropy);
    let fit = FitOptions { epochs: options.epochs, batch_size: BATCH, ..FitOptions::default() };
    let history = compiled.fit(&train, fit, &mut [&mut blocks])?;
    let peak = peak_rss_mib()?;
    model = compiled.model().clone();

    let seconds: f64 = history.iter().map(|epoch| epoch.seconds).sum();
    let mut line = json!({
        "peer": format!("thumbnet-{}", backend.name()),
        "version": env!("CARGO_PKG_VERSION"),
        "epochs": options.epochs,
        "images": train.len(),
        "images_per_second": (train.len() * options.epochs) as f64 / seconds,
        "fastest_block_images_per_second": blocks.fastest,
        "seconds_per_epoch": seconds / options.epochs as f64,
        "peak_rss_mib": peak,
        "test_accuracy": model.evaluate(&test, Loss::CategoricalCrossentropy)?.accuracy,
    });
    if options.int8 {
        let blob = quantize(&model, &train, QuantizeOptions { images: train.len().min(500), ..Default::default() })?;
        let blob = plain(&blob)?;
        let quantized = QuantizedModel::read(&blob)?;
        line["test_accuracy"] = quantized.evaluate(&test)?.accuracy.into();
        line["int8_images_per_second"] = int8(&quantized, &test).into();
    } else {
        let f32 = |batch| f32_throughput(&model, &test, batch);
        line["inference_images_per_second"] = json!({ "50": f32(50)?, "1": f32(1)? });
    }
    println!("{line}");
    Ok(())
}

/// The first images of a data set, each stretched to `shape`: every value is that of the nearest pixel above and left.
fn stretched(data: &Dataset, shape: Shape, count: usize) -> Dataset {
    let (count, from) = (count.min(data.len()), data.shape());
    let row = |row: usize| {
        (0..shape.width).map(move |column| [row * from.height / shape.height, column * from.width / shape.width])
    };
    let pixels: Vec<usize> = (0..shape.height).flat_map(row).map(|[row, column]| row * from.width + column).collect();
    let value = |image: &[u8], pixel: usize, channel: usize| image[pixel * from.channels + channel % from.channels];
    let mut images = Vec::with_capacity(count * shape.len());
    for i in 0..count {
        let image = data.image(i);
        images.extend(
            pixels.iter().flat_map(|&pixel| (0..shape.channels).map(move |channel| value(image, pixel, channel))),
        );
    }
    Dataset::new(shape, images, (0..count).map(|i| data.label(i)).collect())
}

/// Finds the fastest block of steps.
struct Blocks {
    fastest: f64,
    since: Instant,
}

impl Default for Blocks {
    fn default() -> Self {
        Self { fastest: 0.0, since: Instant::now() }
    }
}

impl Callback for Blocks {
    fn epoch_begins(&mut self, _epoch: usize, _steps: usize) -> CallbackResult {
        self.since = Instant::now();
        Ok(())
    }

    fn step_ends(&mut self, step: usize, _running: &Running) -> CallbackResult {
        if step.is_multiple_of(BLOCK) {
            self.fastest = self.fastest.max((BLOCK * BATCH) as f64 / self.since.elapsed().as_secs_f64());
            self.since = Instant::now();
        }
        Ok(())
    }
}

/// Images a second of f32 inference.
fn f32_throughput(model: &Model<'_>, test: &Dataset, batch: usize) -> Outcome<f64> {
    let graph = model.graph();
    let plan = PlanBuf::new(&graph, Fusion::F32);
    let x: Vec<f32> =
        (0..test.len()).flat_map(|i| test.image(i)).map(|&pixel| Scaling::UNIT.apply(pixel.into())).collect();
    let mut memory = Values::zeroed(plan.plan().memory_len(&graph, batch));
    let mut failed = None;
    let rate = throughput(x.chunks_exact(batch * graph.input().len()), batch, |x| {
        match forward(&graph, &plan.plan(), model.backend(), model.weights(), x, &mut memory, None) {
            Ok(scores) => drop(black_box(scores)),
            Err(error) => failed = Some(error.to_string()),
        }
    });
    failed.map_or(Ok(rate), |error| Err(error.into()))
}

/// Images a second of int8 inference, on this thread.
fn int8(model: &QuantizedModel<'_>, test: &Dataset) -> f64 {
    let (network, graph) = (model.network(), model.graph());
    let (parts, steps, plan) = (network.parts(), network.steps(), network.plan());
    let x: Vec<i8> = (0..test.len()).flat_map(|i| model.input(test.image(i))).collect();
    let mut activations = Values::zeroed(plan.values);
    let mut scratch = Values::zeroed(plan.scratch_bytes(&graph) / size_of::<i32>());
    throughput(x.chunks_exact(graph.input().len()), 1, |image| {
        black_box(infer::run::<AllOps>(model.backend(), &parts, &steps, image, &mut activations, &mut scratch));
    })
}

/// Images a second of `work` on each item, which are `images` images each, after a warm-up: the fastest of ten
/// stretches of a fifth of a second.
fn throughput<T>(items: impl Iterator<Item = T> + Clone, images: usize, mut work: impl FnMut(T)) -> f64 {
    items.clone().take(1).for_each(&mut work);
    let (mut stretches, mut done, mut start) = (Vec::new(), 0, Instant::now());
    for item in items.cycle() {
        work(item);
        done += images;
        let elapsed = start.elapsed().as_secs_f64();
        if elapsed > 0.2 {
            stretches.push(done as f64 / elapsed);
            (done, start) = (0, Instant::now());
        }
        if stretches.len() == 10 {
            break;
        }
    }
    stretches.into_iter().fold(0.0, f64::max)
}

/// Peak resident memory in MiB, as Linux tells it.
fn peak_rss_mib() -> Outcome<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("/proc/self/status has no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}
