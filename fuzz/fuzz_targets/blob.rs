//! A blob that says of itself that it is whole: either it is refused, or its network runs, the same on every back end.
//! It is one of a network that was compiled, or of a graph that only the file knows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thumbnet::{
    Network,
    blob::{self, About, Description, Family, Loaded, RepackError},
    graph::{AllOps, Graph},
    infer,
    quantize::{Calibration, quantize},
    train::{Initializer, initialize},
};
use thumbnet_fuzz::{Guarded, Source, backends, edited, follow, nodes};
use thumbnet_models::MnistSmall;

const VALID: &[u8] = include_bytes!("../../models/blobs/mnist_small.plain.tnb");
const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

fuzz_target!(|data: &[u8]| {
    let Some((how, data)) = data.split_first() else { return };
    let edits = how & 1 != 0;
    // A larger network, which takes longer.
    if how & 14 == 0 {
        return compiled(Guarded::new(&sealed(edited(VALID, data)), false).get(), data);
    }
    let (head, tail) = data.split_at(data.len().min(512));
    let Some(written) = made(&mut Source::new(head)) else { return };
    let blob = if edits { sealed(edited(&written, tail)) } else { written };
    let blob = Guarded::new(&blob, false);
    let runs = known_to_the_file(blob.get(), tail);
    assert!(edits || runs, "what was written is refused");
});

/// The blob of a graph, if that can be quantised.
fn made(source: &mut Source<'_>) -> Option<Vec<u8>> {
    let nodes = nodes(source);
    let graph = Graph { name: "Any", nodes: &nodes };
    if graph.check().is_err() || !follow(&graph) {
        return None;
    }
    let mut weights = vec![0.0; graph.parameters()];
    initialize(&graph, Initializer::default(), &mut weights, source.number());
    let mut range = || {
        let [a, b] = [0; 2].map(|_: i32| source.between(0, 2000) as f32 / 100.0 - 10.0);
        [a.min(b), a.max(b)]
    };
    let calibration = Calibration { input: range(), layers: graph.layers().iter().map(|_| range()).collect() };
    let quantized = quantize(&graph, &weights, &calibration).ok()?;
    let family = if source.one_in(2) { Family::Plain } else { Family::Dsp };
    // What has too large sizes for a blob is refused.
    let labels = vec!["a class"; if graph.output().len() == 1 { 0 } else { graph.output().len() }];
    blob::write(&graph, &quantized, family, &About { labels: &labels, ..About::default() }).ok()
}

/// The bytes with the length and the CRC that a blob of so many has.
fn sealed(mut blob: Vec<u8>) -> Vec<u8> {
    // Behind magic, version, family and count: the length. At the end: the CRC of all before it.
    if let (Some(covered), Ok(len)) = (blob.len().checked_sub(4), u32::try_from(blob.len())) {
        if let Some(length) = blob.get_mut(12..16) {
            length.copy_from_slice(&len.to_le_bytes());
        }
        let crc = CRC.checksum(&blob[..covered]);
        blob[covered..].copy_from_slice(&crc.to_le_bytes());
    }
    blob
}

/// Runs a network that was compiled.
fn compiled(blob: &[u8], data: &[u8]) {
    let Ok(network) = MnistSmall::from_blob(blob) else { return };
    let image = std::array::from_fn(|i| value(data, i));
    let mut memory = Box::new(MnistSmall::ZERO_MEMORY);
    let expected = network.predict(&image, &mut memory);
    for backend in backends() {
        assert_eq!(network.with_backend(backend).predict(&image, &mut memory), expected, "{}", backend.name());
    }
}

fn value(data: &[u8], i: usize) -> i8 {
    data.get(i % data.len().max(1)).map_or(0, |&byte| byte as i8)
}

/// Runs the network of the blob's own graph. Whether it was accepted.
fn known_to_the_file(blob: &[u8], data: &[u8]) -> bool {
    let description = Description::read(blob);
    let Ok(network) = Loaded::read(blob) else { return false };
    if let (Ok(description), info) = (description, network.info()) {
        assert_eq!((description.name(), description.shows()), (info.name, info.shows));
        assert!(description.labels().eq(info.labels.iter().copied()));
    }
    let (graph, plan, parts, steps) = (network.graph(), network.plan(), network.parts(), network.steps());
    if !follow(&graph) {
        return true;
    }
    let image: Vec<i8> = (0..graph.input().len()).map(|i| value(data, i)).collect();
    let image = Guarded::new(&image, true);
    let mut activations = Guarded::new(&vec![0x55i8; plan.values], true);
    let mut scratch = Guarded::new(&vec![0x1234_5678i32; plan.scratch_bytes(&graph) / 4], true);
    let mut expected = None;
    for backend in backends() {
        activations.get_mut().fill(0x55);
        let scores =
            infer::run::<AllOps>(backend, &parts, &steps, image.get(), activations.get_mut(), scratch.get_mut());
        assert_eq!(scores.len(), graph.output().len());
        let expected = expected.get_or_insert_with(|| scores.to_vec());
        assert_eq!(scores, expected, "{} differs", backend.name());
    }
    for family in [Family::Plain, Family::Dsp] {
        if let Err(RepackError::Read(error)) = blob::repack(blob, family) {
            panic!("what was read is not read again: {error}");
        }
    }
    true
}
