//! The measurement of each stage.

use cortex_m::singleton;
use defmt::{info, unwrap};
use firmware::board::{Board, Counter, Parts, Selected};
use firmware::stack;
use thumbnet::blob::BlobError;
use thumbnet::geometry::Geometry;
use thumbnet::layer::Layer;
use thumbnet::quant::LayerS8;
use thumbnet::sequential::{StageVisitor, WorkingMemory};
use thumbnet::{Network, arch::Backend};

use crate::images::IMAGES;
use crate::model::{BLOB, Model};

type BoardCounter = <Selected as Board>::Counter;

const PIXELS: usize = Model::INPUT.len();
/// Room for the input or the output of any stage.
const LARGEST: usize = if Model::ACTIVATION_BYTES > PIXELS { Model::ACTIVATION_BYTES } else { PIXELS };

/// Logs one line for each stage, and one for the whole.
///
/// # Errors
///
/// What is wrong with the blob.
pub(crate) fn run() -> Result<(), BlobError> {
    let Parts { mut counter, .. } = Selected::start();
    let network = Model::from_blob(BLOB)?;
    let memory = unwrap!(singleton!(: <Model as Network>::Memory = Model::ZERO_MEMORY));
    let image = unwrap!(singleton!(: [i8; PIXELS] = [0; PIXELS]));
    for (value, pixel) in image.iter_mut().zip(&IMAGES[1..]) {
        *value = network.input().quantize(f32::from(*pixel) / 255.0);
    }

    let (_, total) = counter.count(|| network.predict(image, memory));
    let (_, stack) = stack::used_by(|| network.predict(image, memory));
    info!(
        "total {=str}: macs {=usize}, instructions {=u64}, ram_bytes {=usize}, stack_bytes {=usize}",
        network.backend().name(),
        Model::MACS,
        total,
        Model::ACTIVATION_BYTES + Model::SCRATCH_BYTES,
        stack
    );

    let mut x = [0; LARGEST];
    x[..PIXELS].copy_from_slice(image);
    let (_, scratch) = memory.parts();
    let tensors = network.tensors();
    let visitor = &mut Stages { backend: network.backend(), tensors, stage: 0, counter, x, y: [0; LARGEST], scratch };
    Model::visit_stages(visitor);
    Ok(())
}

/// The state between two stages.
struct Stages<'a> {
    backend: Backend,
    tensors: &'a [LayerS8<'a>],
    stage: usize,
    counter: BoardCounter,
    x: [i8; LARGEST],
    y: [i8; LARGEST],
    scratch: &'a mut [i32],
}

impl StageVisitor for Stages<'_> {
    fn stage<L: Layer>(&mut self, pool: Option<&'static Geometry>) {
        let (stage, tensors) = (&Model::STAGES[self.stage], &self.tensors[self.stage]);
        let x = &self.x[..L::INPUT.len()];
        let y = &mut self.y[..stage.output().len()];
        let ((), count) = self.counter.count(|| L::forward_s8(self.backend, tensors, pool, x, y, self.scratch));
        info!("layer {=str}: macs {=usize}, instructions {=u64}", stage.layer.name, stage.layer.macs(), count);
        core::mem::swap(&mut self.x, &mut self.y);
        self.stage += 1;
    }
}
