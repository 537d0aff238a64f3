//! The application.

use cortex_m::singleton;
use defmt::{info, unwrap};
use embedded_hal::{delay::DelayNs, digital::OutputPin};
use firmware::board::{Board, Counter, Parts, Selected};
use firmware::stack;
use thumbnet::blob::{BlobError, Description};
use thumbnet::input::Scaling;
use thumbnet::train::argmax;
use thumbnet::{Int8, Network};

use crate::images::IMAGES;
use crate::model::{BLOB, Model};

type BoardCounter = <Selected as Board>::Counter;

/// Pixels of an image.
const PIXELS: usize = Model::INPUT.len();

const _: () = assert!(
    !IMAGES.is_empty() && IMAGES.len().is_multiple_of(1 + PIXELS),
    "THUMBNET_IMAGES must hold a label and as many bytes as the network's input has values, for each image"
);

/// What the run found, over all images.
#[derive(Default)]
struct Totals {
    images: u32,
    right: u32,
    counts: u64,
    stack: usize,
}

/// Reads the blob in place and classifies every image.
///
/// # Errors
///
/// What is wrong with the blob.
pub(crate) fn run() -> Result<(), BlobError> {
    let Parts { mut led, mut delay, mut counter } = Selected::start();
    info!("{=str} on {=str}", Model::NAME, Selected::NAME);

    let (network, check) = counter.count(|| Model::from_blob(BLOB));
    let network = network?;
    let description = Description::read(BLOB)?;
    info!(
        "back end {=str}, blob of {=usize} bytes, checked in {=u64} {=str}",
        network.backend().name(),
        BLOB.len(),
        check,
        BoardCounter::UNIT
    );
    let memory = unwrap!(singleton!(: <Model as Network>::Memory = Model::ZERO_MEMORY));
    info!(
        "RAM: {=usize} bytes = {=usize} for activations + {=usize} for scratch; image {=usize}",
        Model::ACTIVATION_BYTES + Model::SCRATCH_BYTES,
        Model::ACTIVATION_BYTES,
        Model::SCRATCH_BYTES,
        PIXELS
    );

    let mut totals = Totals::default();
    for record in IMAGES.chunks_exact(1 + PIXELS) {
        // An LED whose pin cannot be set is no reason not to classify.
        let _ = led.set_high();
        classify(&network, &description, record, memory, &mut counter, &mut totals);
        let _ = led.set_low();
        // On a real board, long enough for the LED to be seen to blink.
        delay.delay_us(100);
    }
    let Totals { images, right, counts, stack } = totals;
    info!("right: {=u32} of {=u32}", right, images);
    info!(
        "mean: {=u64} {=str}; stack of predict: {=usize} bytes",
        counts / u64::from(images.max(1)),
        BoardCounter::UNIT,
        stack
    );
    Ok(())
}

/// Classifies one image, given as its label and its pixels, and logs the result.
fn classify(
    network: &Int8<'_, Model>,
    description: &Description<'_>,
    record: &[u8],
    memory: &mut <Model as Network>::Memory,
    counter: &mut BoardCounter,
    totals: &mut Totals,
) {
    let (label, pixels) = (usize::from(record[0]), &record[1..]);
    let mut image = [0; PIXELS];
    let channels = (0..Model::INPUT.channels).cycle();
    for ((value, pixel), channel) in image.iter_mut().zip(pixels).zip(channels) {
        let scaling = description.scaling(channel).unwrap_or(Scaling::UNIT);
        *value = network.input().quantize(scaling.apply(f32::from(*pixel)));
    }
    // Painting the stack takes instructions too, so the two are measured one after the other.
    let (scores, count) = counter.count(|| network.predict(&image, memory));
    let (_, stack) = stack::used_by(|| network.predict(&image, memory));
    let class = argmax(&scores);
    info!(
        "image {=u32}: class {=usize} ({=str}), label {=usize}, score {=f32}, {=u64} {=str}, outputs {}",
        totals.images,
        class,
        description.label(class).unwrap_or("without a name"),
        label,
        network.output().dequantize(scores[class]),
        count,
        BoardCounter::UNIT,
        scores
    );
    totals.images += 1;
    totals.right += u32::from(class == label);
    totals.counts += count;
    totals.stack = totals.stack.max(stack);
}
