//! What the Rust peers share: MNIST's files, the loop over batches, the clock, and the JSON line.

use std::{error::Error, fs, path::PathBuf, time::Instant};

/// Images a batch.
pub const BATCH: usize = 50;
/// Values an image.
pub const PIXELS: usize = 28 * 28;
/// Batches that are timed together: the fastest block tells what a peer does while nobody else uses the machine.
const BLOCK: usize = 50;

/// Any error: these programs only report it.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A library that trains MnistConvNet.
pub trait Peer {
    /// One training step with `images` (`[n, 28, 28, 1]`, values in [0, 1]) and their classes.
    fn step(&mut self, images: &[f32], labels: &[u8]) -> Result<()>;
    /// The most likely class of each image.
    fn classes(&self, images: &[f32]) -> Result<Vec<u8>>;
}

/// Trains, evaluates and measures `peer` as the command line says, and prints the JSON line.
///
/// # Errors
///
/// Missing or damaged files, an unknown argument, and what the library reports.
pub fn run(name: &str, version: &str, mut peer: impl Peer) -> Result<()> {
    let options = Options::parse()?;
    let mut train = Mnist::read(&options.data_dir, "train", options.images)?;
    for batch in train.batches().take(5) {
        peer.step(&batch.0, &batch.1)?;
    }

    let mut shuffle = Shuffle(1);
    let (mut fastest, mut elapsed) = (0.0f64, 0.0);
    for _ in 0..options.epochs {
        let (start, mut block) = (Instant::now(), Instant::now());
        shuffle.apply(&mut train.order);
        for (number, (images, labels)) in train.batches().enumerate() {
            peer.step(&images, &labels)?;
            if number % BLOCK == BLOCK - 1 {
                fastest = fastest.max((BLOCK * BATCH) as f64 / block.elapsed().as_secs_f64());
                block = Instant::now();
            }
        }
        elapsed += start.elapsed().as_secs_f64();
    }
    let peak = peak_rss_mib()?;
    let (images, epochs) = (train.order.len(), options.epochs);
    let test = Mnist::read(&options.data_dir, "t10k", usize::MAX)?;
    println!(
        "{{\"peer\": \"{name}\", \"version\": \"{version}\", \"epochs\": {epochs}, \"images\": {images}, \
         \"images_per_second\": {:.1}, \"fastest_block_images_per_second\": {fastest:.1}, \"seconds_per_epoch\": \
         {:.3}, \"peak_rss_mib\": {peak:.1}, \"test_accuracy\": {:.4}, \
         \"inference_images_per_second\": {{\"50\": {:.1}, \"1\": {:.1}}}}}",
        (images * epochs) as f64 / elapsed,
        elapsed / epochs as f64,
        accuracy(&peer, &test)?,
        throughput(&peer, &test, BATCH)?,
        throughput(&peer, &test, 1)?,
    );
    Ok(())
}

struct Options {
    data_dir: PathBuf,
    epochs: usize,
    images: usize,
}

impl Options {
    fn parse() -> Result<Self> {
        let mut options = Self { data_dir: PathBuf::new(), epochs: 1, images: 60_000 };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--data-dir" => options.data_dir = value.into(),
                "--epochs" => options.epochs = value.parse()?,
                "--images" => options.images = value.parse()?,
                _ => return Err(format!("{name}: allowed are --data-dir, --epochs and --images").into()),
            }
        }
        Ok(options)
    }
}

struct Mnist {
    images: Vec<f32>,
    labels: Vec<u8>,
    order: Vec<usize>,
}

impl Mnist {
    /// Reads `<part>-images-idx3-ubyte` and `<part>-labels-idx1-ubyte`, the first `most` images at most.
    fn read(folder: &std::path::Path, part: &str, most: usize) -> Result<Self> {
        let bytes = |name: String, header: usize| -> Result<Vec<u8>> {
            let path = folder.join(name);
            let file = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(file.get(header..).ok_or_else(|| format!("{}: no IDX file", path.display()))?.to_vec())
        };
        let mut images = bytes(format!("{part}-images-idx3-ubyte"), 16)?;
        let mut labels = bytes(format!("{part}-labels-idx1-ubyte"), 8)?;
        images.truncate(most.saturating_mul(PIXELS));
        labels.truncate(most);
        let order = (0..labels.len()).collect();
        Ok(Self { images: images.iter().map(|&value| f32::from(value) / 255.0).collect(), labels, order })
    }

    /// Batches in the present order.
    fn batches(&self) -> impl Iterator<Item = (Vec<f32>, Vec<u8>)> {
        self.order.chunks(BATCH).map(|chosen| {
            let images = chosen.iter().flat_map(|&i| &self.images[i * PIXELS..][..PIXELS]).copied().collect();
            (images, chosen.iter().map(|&i| self.labels[i]).collect())
        })
    }
}

/// The state of a random generator (xorshift64), for the order of the images.
struct Shuffle(u64);

impl Shuffle {
    fn apply(&mut self, order: &mut [usize]) {
        for end in (1..order.len()).rev() {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            order.swap(end, (self.0 % (end as u64 + 1)) as usize);
        }
    }
}

fn accuracy(peer: &impl Peer, test: &Mnist) -> Result<f64> {
    let mut right = 0;
    for (images, labels) in test.batches() {
        right += peer.classes(&images)?.iter().zip(&labels).filter(|(a, b)| a == b).count();
    }
    Ok(right as f64 / test.labels.len() as f64)
}

/// Images a second, after a warm-up: the fastest of ten stretches of a fifth of a second.
fn throughput(peer: &impl Peer, test: &Mnist, batch: usize) -> Result<f64> {
    peer.classes(&test.images[..batch * PIXELS])?;
    let (mut stretches, mut done, mut start) = (Vec::new(), 0, Instant::now());
    for images in test.images.chunks_exact(batch * PIXELS).cycle() {
        peer.classes(images)?;
        done += batch;
        let elapsed = start.elapsed().as_secs_f64();
        if elapsed > 0.2 {
            stretches.push(done as f64 / elapsed);
            (done, start) = (0, Instant::now());
        }
        if stretches.len() == 10 {
            break;
        }
    }
    Ok(stretches.into_iter().fold(0.0, f64::max))
}

/// Peak resident memory, in MiB, as Linux tells it.
fn peak_rss_mib() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("/proc/self/status has no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}
