//! The blob: round trip, every truncation, every corrupted byte, and other networks.

mod tflite;

use thumbnet::arch::Backend;
use thumbnet::blob::{About, BlobError, Contents, Description, Family, Info, Loaded, WriteError, repack, write};
use thumbnet::geometry::Shape;
use thumbnet::graph::AllOps;
use thumbnet::graph::{Activation, Graph, Node, Op};
use thumbnet::infer::U32;
use thumbnet::infer::run;
use thumbnet::input::{Scaling, Shows};
use thumbnet::int8::{Affine, SoftmaxS8};
use thumbnet::network::{Memory, WorkingMemory, forward};
use thumbnet::quantize::{Calibrator, OwnedAfter, QuantizedNetwork, QuantizedStep, Range, quantize};
use thumbnet::train::{Initializer, initialize};
use thumbnet::{Network, include_blob, sequential};
use thumbnet_models::MnistSmall;

sequential! {
    struct Tiny: [5, 4, 2] {
        conv: Conv2D { filters: 3, kernel_size: 2, padding: Same, activation: Relu },
        pool: MaxPooling2D { pool_size: 2, padding: Same },
        hidden_conv: Conv2D { filters: 2, kernel_size: 1, activation: Tanh },
        flatten: Flatten,
        hidden: Dense { units: 4, activation: Sigmoid, use_bias: false },
        out: Dense { units: 3, activation: Softmax },
    }
}

sequential! {
    /// As `Tiny`, but for the filters of `hidden_conv` and what follows from them.
    struct OtherFilters: [5, 4, 2] {
        conv: Conv2D { filters: 3, kernel_size: 2, padding: Same, activation: Relu },
        pool: MaxPooling2D { pool_size: 2, padding: Same },
        hidden_conv: Conv2D { filters: 4, kernel_size: 1, activation: Tanh },
        flatten: Flatten,
        hidden: Dense { units: 4, activation: Sigmoid, use_bias: false },
        out: Dense { units: 3, activation: Softmax },
    }
}

sequential! {
    /// The first layers of `Tiny`.
    struct Shorter: [5, 4, 2] {
        conv: Conv2D { filters: 3, kernel_size: 2, padding: Same, activation: Relu },
        pool: MaxPooling2D { pool_size: 2, padding: Same },
    }
}

const SAMPLES: usize = 40;

fn weights_and_samples<N: Network>() -> (Vec<f32>, Vec<f32>) {
    let mut weights = vec![0.0; N::PARAMETERS];
    initialize(&N::GRAPH, Initializer::default(), &mut weights, 3);
    let x = (0..SAMPLES * N::INPUT.len()).map(|i| ((i * i * 31 + i * 7) % 199) as f32 / 100.0 - 0.5).collect();
    (weights, x)
}

fn quantized<N: Network>() -> QuantizedNetwork {
    let (weights, x) = weights_and_samples::<N>();
    let mut calibrator = Calibrator::new(N::GRAPH, Range::MinMax);
    let mut memory = vec![0.0; calibrator.memory_len(SAMPLES)];
    calibrator.observe(Backend::detect(), &weights, &x, &mut memory).unwrap();
    quantize(&N::GRAPH, &weights, &calibrator.finish()).unwrap()
}

/// A copy that lies where a blob may; `u128` is aligned to 16.
fn aligned(bytes: &[u8]) -> Vec<u128> {
    let mut copy = vec![0; bytes.len().div_ceil(16)];
    bytemuck::cast_slice_mut(&mut copy)[..bytes.len()].copy_from_slice(bytes);
    copy
}

/// The error of reading `bytes` as a blob, if it is one.
fn error<N: Network>(bytes: &[u8]) -> Option<BlobError> {
    N::from_blob(&bytemuck::cast_slice(&aligned(bytes))[..bytes.len()]).err()
}

#[test]
fn every_family_computes_the_same_and_near_the_f32_network() {
    let (weights, x) = weights_and_samples::<Tiny>();
    let quantized = quantized::<Tiny>();
    let mut memory = vec![0.0; Tiny::inference_len(SAMPLES)];
    let expected = forward::<Tiny>(Backend::SCALAR, &weights, &x, &mut memory).unwrap();
    let blobs =
        [Family::Plain, Family::Dsp].map(|family| write(&Tiny::GRAPH, &quantized, family, &About::default()).unwrap());
    assert_eq!(blobs[0].len(), blobs[1].len(), "packing takes no bytes");
    for (blob, other, family) in [(&blobs[0], &blobs[1], Family::Dsp), (&blobs[1], &blobs[0], Family::Plain)] {
        assert_ne!(blob, other);
        let copy = aligned(blob);
        let repacked = repack(&bytemuck::cast_slice(&copy)[..blob.len()], family).unwrap();
        assert_eq!(&repacked, other, "to {family:?}");
    }
    let copies = blobs.each_ref().map(|blob| aligned(blob));
    let networks = copies.each_ref().map(|copy| Tiny::from_blob(bytemuck::cast_slice(copy)).unwrap());
    let mut worst = 0.0f32;
    for (x, expected) in x.chunks(Tiny::INPUT.len()).zip(expected.chunks(3)) {
        let mut image = [0; Tiny::INPUT.len()];
        for (q, x) in image.iter_mut().zip(x) {
            *q = networks[0].input().quantize(*x);
        }
        let mut results = Vec::new();
        for network in &networks {
            for backend in Backend::available() {
                results.push(network.with_backend(backend).predict(&image, &mut Memory::default()));
            }
        }
        assert!(results.iter().all(|scores| scores == &results[0]), "{results:?}");
        for (score, expected) in results[0].iter().zip(expected) {
            worst = worst.max((networks[0].output().dequantize(*score) - expected).abs());
        }
    }
    // Four int8 layers one after the other; half a step of each is 0.2 to 2 percent.
    assert!(worst < 0.03, "{worst}");
}

#[test]
fn every_truncation_is_an_error() {
    let blob = write(&Tiny::GRAPH, &quantized::<Tiny>(), Family::Plain, &About::default()).unwrap();
    assert_eq!(error::<Tiny>(&blob), None);
    for len in 0..blob.len() {
        let found = error::<Tiny>(&blob[..len]);
        let expected = match len {
            0..8 => matches!(found, Some(BlobError::NotABlob)),
            8..36 => matches!(found, Some(BlobError::Truncated { needed: 36, .. })),
            _ => found == Some(BlobError::Truncated { len, needed: blob.len() }),
        };
        assert!(expected, "cut to {len} bytes: {found:?}");
    }
}

#[test]
fn every_corrupted_byte_is_an_error() {
    let mut blob = write(&Tiny::GRAPH, &quantized::<Tiny>(), Family::Dsp, &About::default()).unwrap();
    for at in 0..blob.len() {
        for flip in [0x01, 0x80, 0xff] {
            blob[at] ^= flip;
            let found = error::<Tiny>(&blob);
            let expected = match at {
                0..8 => matches!(found, Some(BlobError::NotABlob)),
                8 => matches!(found, Some(BlobError::Version { .. })),
                // A length that is too small makes four bytes of data the CRC.
                12..16 => matches!(
                    found,
                    Some(BlobError::Truncated { .. } | BlobError::Corrupt { .. } | BlobError::Malformed { .. })
                ),
                _ => matches!(found, Some(BlobError::Corrupt { .. })),
            };
            assert!(expected, "byte {at} ^ {flip:#x}: {found:?}");
            blob[at] ^= flip;
        }
    }
}

/// Writes the CRC anew, so that only the checks behind it remain.
fn reseal(blob: &mut [u8]) {
    let (covered, stored) = blob.split_last_chunk_mut::<4>().unwrap();
    *stored = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(covered).to_le_bytes();
}

sequential! {
    /// Sums in place and not, an input that two layers read, an activation that is a table.
    struct Branched: [3, 4, 2] {
        stem: Conv2D { filters: 2, kernel_size: 2, padding: Same, activation: Relu },
        first: Add(input, stem),
        deep: DepthwiseConv2D { kernel_size: 3, padding: Same, depth_multiplier: 2, activation: Relu },
        conv: Conv2D { filters: 2, kernel_size: 3, padding: Same, activation: Tanh },
        sum: Add(first, conv) { activation: Relu6 },
        pool: AveragePooling2D { pool_size: 2, strides: 1 },
        mean: GlobalAveragePooling2D,
        out: Dense { units: 3, activation: Softmax },
    }
}

/// What `run` gives is the same on every back end.
fn same_everywhere(what: &str, mut run: impl FnMut(Backend) -> Vec<i8>) {
    let scalar = run(Backend::SCALAR);
    for backend in Backend::available() {
        assert_eq!(run(backend), scalar, "{what}, {}", backend.name());
    }
}

/// Whatever byte is wrong behind a right CRC, reading and running does not panic, by the type's graph and by the blob's
/// own, and what is accepted computes the same bytes on every back end.
fn change_every_byte<N: Network>() {
    let original = write(&N::GRAPH, &quantized::<N>(), Family::Dsp, &About::default()).unwrap();
    let mut accepted = [0; 2];
    for at in 9..original.len() - 4 {
        for value in [0x00, 0x01, 0x7f, 0x80, 0xff, original[at] ^ 0x10] {
            let mut blob = original.clone();
            blob[at] = value;
            reseal(&mut blob);
            let copy = aligned(&blob);
            let blob = &bytemuck::cast_slice(&copy)[..blob.len()];
            let what = format!("{}, byte {at} is {value:#x}", N::NAME);
            let image = vec![at as i8; N::INPUT.len()];
            if let Ok(network) = N::from_blob(blob) {
                accepted[0] += 1;
                let image = N::Image::try_from(&image).ok().unwrap();
                let mut memory = N::Memory::boxed();
                same_everywhere(&what, |backend| {
                    network.with_backend(backend).predict(&image, &mut memory).as_ref().to_vec()
                });
            }
            let description = Description::read(blob);
            if let Ok(network) = Loaded::read(blob) {
                accepted[1] += 1;
                described(&description.unwrap(), network.info());
                let (graph, plan, steps) = (network.graph(), network.plan(), network.steps());
                let image = vec![at as i8; graph.input().len()];
                let (mut activations, mut scratch) = (vec![0; plan.values], vec![0; plan.scratch_bytes(&graph) / 4]);
                let (parts, memory) = (network.parts(), (&mut activations, &mut scratch));
                same_everywhere(&what, |backend| {
                    run::<AllOps>(backend, &parts, &steps, &image, memory.0, memory.1).to_vec()
                });
            }
        }
    }
    assert!(accepted.into_iter().all(|count| count > original.len()), "too few were accepted: {accepted:?}");
}

#[test]
fn no_byte_with_a_right_crc_does_harm() {
    change_every_byte::<Tiny>();
    change_every_byte::<Branched>();
}

/// A device reads the same of a blob as a PC.
fn described(description: &Description<'_>, info: &Info<'_>) {
    assert_eq!((description.name(), description.shows()), (info.name, info.shows));
    assert!(description.labels().eq(info.labels.iter().copied()));
    for (class, label) in info.labels.iter().enumerate() {
        assert_eq!(description.label(class), Some(*label));
    }
    assert_eq!(description.label(info.labels.len()), None);
    for channel in 0..info.graph().input().channels {
        let scaling = info.scaling.get(channel).unwrap_or(&info.scaling[0]);
        assert_eq!(description.scaling(channel), Some(*scaling));
    }
}

#[test]
fn names_and_scalings_are_read_without_a_heap() {
    let scaling = [Scaling { mean: -3.5, deviation: 0.25 }, Scaling { mean: 1000.0, deviation: -7.0 }];
    let long = "x".repeat(200);
    let labels = ["idle", "süß", long.as_str()];
    let all = [
        About::default(),
        About { labels: &labels, scaling: &scaling, shows: Shows::Pictures, ..About::default() },
        About { labels: &["", "", ""], scaling: &[Scaling::NONE], shows: Shows::Digits, ..About::default() },
        About { columns: &["left", "right"], targets: &["moves"], ..About::default() },
    ];
    for about in all {
        let blob = write(&Tiny::GRAPH, &quantized::<Tiny>(), Family::Dsp, &about).unwrap();
        let copy = aligned(&blob);
        let blob = &bytemuck::cast_slice(&copy)[..blob.len()];
        let info = Info::read(blob).unwrap();
        assert_eq!(info.about(), about);
        let description = Description::read(blob).unwrap();
        described(&description, &info);
        assert_eq!((description.name(), description.scaling(2).is_some()), ("Tiny", about.scaling.len() == 1));
        let copy = aligned(&repack(blob, Family::Plain).unwrap());
        assert_eq!(Info::read(bytemuck::cast_slice(&copy)).unwrap(), info, "another order says the same");
        for len in 0..blob.len() {
            Description::read(&blob[..len]).unwrap_err();
        }
    }
}

sequential! {
    /// One output, which is the probability of the second of two classes.
    struct Binary: [1, 1, 2] {
        out: Dense { units: 1, activation: Sigmoid },
    }
}

#[test]
fn what_a_blob_says_must_fit_its_network() {
    let network = quantized::<Tiny>();
    let refused = |about: About<'_>| {
        // What another writer would make of it is not read either.
        let copy = aligned(&write(&Tiny::GRAPH, &network, Family::Plain, &About::default()).unwrap());
        let mut contents: Contents<'_> = postcard::from_bytes(bytemuck::cast_slice(&copy)).unwrap();
        contents.info.labels = about.labels.to_vec();
        contents.info.scaling = about.scaling.to_vec();
        contents.info.columns = about.columns.to_vec();
        contents.info.targets = about.targets.to_vec();
        contents.header.length = U32(postcard::to_allocvec(&contents).unwrap().len() as u32);
        let mut bytes = postcard::to_allocvec(&contents).unwrap();
        reseal(&mut bytes);
        let read = Info::read(&bytemuck::cast_slice(&aligned(&bytes))[..bytes.len()]).err();
        assert_eq!(read, Some(BlobError::Malformed { field: "labels, scaling or columns" }), "{about:?}");
        write(&Tiny::GRAPH, &network, Family::Plain, &about).unwrap_err().to_string()
    };
    let labels = |labels: &[&str]| refused(About { labels, ..About::default() });
    assert_eq!(labels(&["a", "b"]), "there are 2 labels, but must be none or 3, one for each class");
    assert_eq!(labels(&["a"; 4]), "there are 4 labels, but must be none or 3, one for each class");
    let scaling = |scaling: &[Scaling]| refused(About { scaling, ..About::default() });
    let text = "scalings, but must be one for all values or 2, one for each channel of the input";
    assert_eq!(scaling(&[]), format!("there are 0 {text}"));
    assert_eq!(scaling(&[Scaling::UNIT; 3]), format!("there are 3 {text}"));
    for (mean, deviation) in
        [(0.0, 0.0), (0.0, -0.0), (f32::NAN, 1.0), (f32::INFINITY, 1.0), (0.0, f32::NAN), (0.0, -f32::INFINITY)]
    {
        let text = format!(
            "the scaling of channel 1 has mean {mean:?} and deviation {deviation:?}, but both must be finite, and the \
             deviation not 0"
        );
        assert_eq!(scaling(&[Scaling::UNIT, Scaling { mean, deviation }]), text);
    }

    let values = Tiny::GRAPH.input().len();
    for columns in [1, 3, values + 1] {
        let text = refused(About { columns: &vec!["x"; columns], ..About::default() });
        let allowed = format!("2, one for each channel of the input, or {values}, one for each of its values");
        assert_eq!(text, format!("there are {columns} names of columns, but must be none, {allowed}"));
    }
    for targets in [2, 4] {
        let text = refused(About { targets: &vec!["y"; targets], ..About::default() });
        let allowed = "none, one, or 3, one for each output";
        assert_eq!(text, format!("there are {targets} names of columns of targets, but must be {allowed}"));
    }

    let network = quantized::<Binary>();
    let labels =
        |labels: &[&str]| write(&Binary::GRAPH, &network, Family::Plain, &About { labels, ..About::default() });
    labels(&["ham", "spam"]).unwrap();
    assert_eq!(labels(&["spam"]), Err(WriteError::Labels { labels: 1, classes: 2 }));
}

#[test]
fn errors_name_what_differs() {
    let blob = write(&Tiny::GRAPH, &quantized::<Tiny>(), Family::Plain, &About::default()).unwrap();
    let found = error::<OtherFilters>(&blob).unwrap();
    assert_eq!(found, BlobError::Architecture { layer: "hidden_conv" });
    assert_eq!(found.to_string(), "the blob is of another network: layer `hidden_conv` differs");
    assert_eq!(error::<Shorter>(&blob), Some(BlobError::Architecture { layer: "" }));
    assert_eq!(
        error::<Tiny>(&write(&Shorter::GRAPH, &quantized::<Shorter>(), Family::Plain, &About::default()).unwrap()),
        Some(BlobError::Architecture { layer: "hidden_conv" })
    );
    assert_eq!(error::<MnistSmall>(&blob), Some(BlobError::Architecture { layer: "conv1" }));

    let copy = aligned(&[&[0; 3], blob.as_slice()].concat());
    let misplaced = Tiny::from_blob(&bytemuck::cast_slice(&copy)[3..]);
    assert_eq!(misplaced.err(), Some(BlobError::Alignment { offset: 3 }));

    let longer = [blob.as_slice(), &[0xff; 100]].concat();
    assert_eq!(error::<Tiny>(&longer), None, "a flash partition may be longer than its blob");
}

/// The errors of writing [`Tiny`] after `change`, one for each family.
fn refusals(change: impl Fn(&mut QuantizedNetwork)) -> [String; 2] {
    let mut network = quantized::<Tiny>();
    change(&mut network);
    [Family::Plain, Family::Dsp]
        .map(|family| write(&Tiny::GRAPH, &network, family, &About::default()).unwrap_err().to_string())
}

#[test]
fn values_that_no_kernel_computes_with_are_not_written() {
    for scale in [0.0, -0.0, -0.5, f32::INFINITY, f32::NAN] {
        let input = format!("the input's scale is {scale:?}, but must be positive and finite");
        assert_eq!(refusals(|network| network.input.scale = scale), [input.clone(), input]);
        let output = format!("layer `out`: the output's scale is {scale:?}, but must be positive and finite");
        assert_eq!(refusals(|network| network.steps[3].output.scale = scale), [output.clone(), output]);
    }
    let is = |found: [String; 2], text: &str| assert_eq!(found, [text, text]);
    let negative = refusals(|network| network.steps[0].multiplier[2] = -1);
    is(negative, "layer `conv`: the multiplier of channel 2 is -1, but must be 0 or more");
    for shift in [-128, -32, 31, 99] {
        let text = format!("layer `hidden`: the shift of channel 0 is {shift}, but must be in -31..=30");
        is(refusals(|network| network.steps[2].shift[0] = shift), &text);
    }
    let swapped = refusals(|network| network.steps[1].activation = [5, 4]);
    is(swapped, "layer `hidden_conv`: the least output is 5, but must be at most the largest, 4");
    for (multiplier, left_shift, diff_min) in [(-1, 0, 0), (1, 32, 0), (1, 0, 1)] {
        let text = format!(
            "layer `out`: the softmax has multiplier {multiplier}, left shift {left_shift} and least difference \
             {diff_min}, but must have 0 or more, at most 31, and 0 or less"
        );
        let softmax = OwnedAfter::Softmax(SoftmaxS8 { multiplier, left_shift, diff_min });
        is(refusals(|network| network.steps[3].after = softmax.clone()), &text);
    }
    let fits = |found, layer: &str| is(found, &format!("the quantised tensors do not fit layer `{layer}`"));
    fits(refusals(|network| network.steps[2].after = OwnedAfter::Table(vec![0; 3])), "hidden");
    fits(refusals(|network| network.steps[0].bias.push(0)), "conv");
    fits(refusals(|network| _ = network.steps[0].multiplier.pop()), "conv");
    fits(refusals(|network| network.steps[3].shift.clear()), "out");
    fits(refusals(|network| _ = network.steps[1].weights.pop()), "hidden_conv");
    fits(refusals(|network| _ = network.steps.pop()), "conv");
    fits(refusals(|network| network.steps.clear()), "conv");
}

/// Changes one field at random to a value at random, often one at an end.
fn change(network: &mut QuantizedNetwork, mut random: impl FnMut() -> u32) {
    let word = random();
    let byte = (word >> 8) as i8;
    let scale =
        [0.0, -1.0, f32::NAN, f32::INFINITY, f32::from_bits(1), f32::MAX, f32::from_bits(word)][random() as usize % 7];
    let affine = Affine { scale, zero_point: byte };
    let stages = network.steps.len();
    if random().is_multiple_of(20) {
        network.input = affine;
        return;
    }
    let stage = &mut network.steps[random() as usize % stages];
    let channel = random() as usize % stage.bias.len();
    match random() % 12 {
        0 => stage.output = affine,
        1 => stage.multiplier[channel] = word as i32,
        2 => stage.shift[channel] = byte,
        3 => stage.bias[channel] = word as i32,
        4 => stage.weights.fill(byte),
        5 => stage.zero_point = byte,
        6 => stage.activation = [byte, word as i8],
        7 => stage.after = OwnedAfter::Table(vec![byte; [256, 255, 0][random() as usize % 3]]),
        8 => {
            let (multiplier, left_shift) = (word as i32 ^ random() as i32 >> 8, random() as u8 % 40);
            stage.after = OwnedAfter::Softmax(SoftmaxS8 { multiplier, left_shift, diff_min: random() as i32 });
        }
        9 => stage.after = OwnedAfter::Nothing,
        10 => stage.bias.truncate(channel),
        _ => stage.shift.push(byte),
    }
}

#[test]
fn what_is_written_can_be_read_and_run() {
    let mut state = 1u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as u32
    };
    let original = quantized::<Tiny>();
    let (mut written, mut refused) = (0, 0);
    for case in 0..4000 {
        let mut network = original.clone();
        for _ in 0..1 + case % 3 {
            if network.steps.iter().all(|stage| !stage.bias.is_empty()) {
                change(&mut network, &mut random);
            }
        }
        let family = [Family::Plain, Family::Dsp][case % 2];
        let Ok(blob) = write(&Tiny::GRAPH, &network, family, &About::default()) else {
            refused += 1;
            continue;
        };
        written += 1;
        let copy = aligned(&blob);
        let read = Tiny::from_blob(bytemuck::cast_slice(&copy)).unwrap_or_else(|error| panic!("{error}: {network:?}"));
        for backend in Backend::available() {
            read.with_backend(backend).predict(&[case as i8; 40], &mut Memory::default());
        }
    }
    assert!(written > 500 && refused > 500, "{written} written, {refused} refused");
}

sequential! {
    /// As many values as int8 softmax has no room for, without one.
    struct ManyValues: [1, 1, 1] {
        values: Dense { units: 4097 },
    }
}

#[test]
fn softmax_of_too_many_values_is_neither_written_nor_read() {
    let mut network = quantized::<ManyValues>();
    let mut blob = write(&ManyValues::GRAPH, &network, Family::Plain, &About::default()).unwrap();
    network.steps[0].after = OwnedAfter::Softmax(SoftmaxS8 { multiplier: 0, left_shift: 0, diff_min: 0 });
    let refused = write(&ManyValues::GRAPH, &network, Family::Plain, &About::default());
    assert_eq!(refused, Err(WriteError::Classes { layer: "values".into(), classes: 4097 }));

    // The record as another writer would make it, with a softmax of all zeros.
    let record = blob.windows(4).position(|bytes| bytes == [1, 0, 0, network.steps[0].zero_point as u8]).unwrap();
    blob[record + 2] = 1;
    reseal(&mut blob);
    assert_eq!(error::<ManyValues>(&blob), Some(BlobError::Malformed { field: "softmax" }));
}

/// Nodes that are no network are refused as a reader would refuse them, and so is what a step never applies.
#[test]
fn what_is_no_network_is_not_written() {
    let network = quantized::<Small>();
    let refused = |nodes: &[Node<'_>]| {
        let graph = Graph { name: "Small", nodes };
        write(&graph, &network, Family::Plain, &About::default()).unwrap_err().to_string()
    };
    let [input, out] = *Small::GRAPH.nodes else { panic!("one layer") };
    assert_eq!(refused(&[]), "a network is one input and at least one layer");
    assert_eq!(refused(&[input]), "a network is one input and at least one layer");
    assert_eq!(
        refused(&[input, Node { inputs: [9, 0], ..out }]),
        "layer `out` reads layer 9, which does not come before it"
    );
    assert_eq!(refused(&[input, out, Node { inputs: [1, 0], ..out }]), "two layers are called `out`");
    let other = Op::Dense { inputs: 5, use_bias: true, activation: Activation::Linear };
    let text = refused(&[input, Node { op: other, ..out }]);
    assert!(text.starts_with("layer `out` does not make "), "{text}");
}

/// The last step of a network with what `change` makes of it is refused with this.
fn refuses<N: Network>(change: impl FnOnce(&mut QuantizedStep), error: WriteError) {
    let mut network = quantized::<N>();
    change(network.steps.last_mut().unwrap());
    assert_eq!(write(&N::GRAPH, &network, Family::Plain, &About::default()), Err(error));
}

/// What follows on a layer is what its activation asks for, and a softmax that is made of no scale is none.
#[test]
fn what_no_activation_asks_for_is_not_written() {
    fn all<N: Network>(layer: &str, activation: Activation, right: usize) {
        let table = OwnedAfter::Table(vec![0; 256]);
        let kinds = [OwnedAfter::Nothing, table, OwnedAfter::Softmax(SoftmaxS8::new(0.1))];
        for (kind, after) in kinds.into_iter().enumerate().filter(|(kind, _)| *kind != right) {
            println!("{layer}: {kind}");
            refuses::<N>(|step| step.after = after, WriteError::After { layer: layer.into(), activation });
        }
    }
    all::<Sum>("sum", Activation::Linear, 0);
    all::<Small>("out", Activation::Linear, 0);
    all::<Scored>("out", Activation::Softmax, 2);
    all::<Clamped>("hidden", Activation::Relu, 0);
    all::<ClampedAlone>("alone", Activation::Relu, 1);
    all::<Curved>("out", Activation::Tanh, 1);
    for scale in [f64::NAN, f64::INFINITY, 0.0, -1.0] {
        let softmax = SoftmaxS8::new(scale);
        let error = WriteError::Softmax { layer: "out".into(), softmax };
        refuses::<Scored>(|step| step.after = OwnedAfter::Softmax(softmax), error);
    }
}

/// No blob has sums that wrap, on whichever side, in rows or in a depthwise convolution's columns.
#[test]
fn sums_beyond_32_bits_are_not_written() {
    fn dense(sign: i8, bias: i32, sum: i64) {
        let change = |step: &mut QuantizedStep| {
            step.weights[3..].fill(127 * sign);
            step.bias[1] = bias;
        };
        refuses::<Small>(change, WriteError::Outgrown { layer: "out".into(), channel: 1, sum });
    }
    let most = 3 * 127 * 127;
    dense(1, i32::MAX - most + 1, i64::from(i32::MAX) + 1);
    dense(-1, i32::MIN + most - 1, i64::from(i32::MIN) - 1);

    let change = |step: &mut QuantizedStep| {
        step.weights.chunks_exact_mut(2).for_each(|taps| taps[1] = -127);
        step.bias[1] = i32::MAX;
    };
    let sum = i64::from(i32::MAX) + 4 * 127 * 128;
    refuses::<ByTaps>(change, WriteError::Outgrown { layer: "taps".into(), channel: 1, sum });
    // The largest that fits does.
    let mut network = quantized::<Small>();
    network.steps[0].weights.fill(127);
    network.steps[0].bias.fill(i32::MAX - most);
    assert!(write(&Small::GRAPH, &network, Family::Plain, &About::default()).is_ok());
}

sequential! {
    struct Scored: [2] {
        out: Dense { units: 3, activation: Softmax },
    }
}

sequential! {
    struct Clamped: [2] {
        hidden: Dense { units: 3, activation: Relu },
    }
}

sequential! {
    struct ClampedAlone: [2] {
        alone: Activation { activation: Relu },
    }
}

sequential! {
    struct Curved: [2] {
        out: Dense { units: 3, activation: Tanh },
    }
}

sequential! {
    struct ByTaps: [2, 2, 2] {
        taps: DepthwiseConv2D { kernel_size: 2 },
    }
}

sequential! {
    /// A sum is the last step.
    struct Sum: [2] {
        left: Dense { units: 2 },
        sum: Add(input, left),
    }
}

sequential! {
    /// What [`large`] enlarges.
    struct Small: [1, 1, 3] {
        out: Dense { units: 2 },
    }
}

/// [`Small`] with so many inputs and outputs.
fn large(inputs: usize, units: usize) -> [Node<'static>; 2] {
    let [input, out] = *Small::GRAPH.nodes else { panic!("one layer") };
    let op = Op::Dense { inputs, use_bias: true, activation: Activation::Linear };
    [Node { output: Shape::vector(inputs), ..input }, Node { output: Shape::vector(units), op, ..out }]
}

/// A device's numbers have 32 bits: 2^32 + 3 inputs are not taken for 3, nor 2^16 by 2^16 weights for none.
#[test]
fn sizes_beyond_a_devices_are_neither_written_nor_read() {
    let quantized = quantized::<Small>();
    let nodes = large((1 << 32) + 3, 2);
    let refused = write(&Graph { name: "Large", nodes: &nodes }, &quantized, Family::Plain, &About::default());
    assert_eq!(refused, Err(WriteError::TooLarge));

    let blob = aligned(&write(&Small::GRAPH, &quantized, Family::Plain, &About::default()).unwrap());
    let blob = bytemuck::cast_slice(&blob);
    let mut contents: Contents<'_> = postcard::from_bytes(blob).unwrap();
    contents.info.nodes = nodes.to_vec();
    contents.header.length = U32(postcard::to_allocvec(&contents).unwrap().len() as u32);
    let mut bytes = postcard::to_allocvec(&contents).unwrap();
    reseal(&mut bytes);
    let found = Info::read(&bytemuck::cast_slice(&aligned(&bytes))[..bytes.len()]).err();
    assert_eq!(found, Some(BlobError::Malformed { field: "info" }));

    const CHANNELS: usize = 1 << 16;
    let [step] = &quantized.steps[..] else { panic!("one step") };
    let step = QuantizedStep {
        weights: Vec::new(),
        bias: vec![0; CHANNELS],
        multiplier: vec![0; CHANNELS],
        shift: vec![0; CHANNELS],
        ..step.clone()
    };
    let quantized = QuantizedNetwork { input: quantized.input, steps: vec![step] };
    let graph = Graph { name: "Large", nodes: &large(CHANNELS, CHANNELS) };
    let refused = write(&graph, &quantized, Family::Plain, &About::default());
    assert_eq!(refused, Err(WriteError::Mismatch { layer: "out".into() }));
}

/// The whole way of a device - blob, stages, fused pooling, memory plan - with TFLite's own parameters.
#[test]
fn a_blob_of_tflites_network_gives_tflites_bytes() {
    let quantized = tflite::network();
    let (images, expected) = (tflite::bytes("input"), tflite::bytes("op7_softmax.activation"));
    for family in [Family::Plain, Family::Dsp] {
        let copy = aligned(&write(&MnistSmall::GRAPH, &quantized, family, &About::default()).unwrap());
        let network = MnistSmall::from_blob(bytemuck::cast_slice(&copy)).unwrap();
        for backend in Backend::available() {
            let network = network.with_backend(backend);
            let mut memory = MnistSmall::ZERO_MEMORY;
            for (image, expected) in images.as_chunks().0.iter().zip(expected.chunks(10)) {
                assert_eq!(network.predict(image, &mut memory), expected, "{family:?} on {}", backend.name());
            }
        }
    }
}

/// The two blobs that firmware embeds by default hold the same network. After a change of one, write the other with
/// [`repack`].
#[test]
fn the_embedded_blobs_differ_in_order_alone() {
    let plain: &[u8] = include_blob!("../blobs/mnist_small.plain.tnb");
    let dsp: &[u8] = include_blob!("../blobs/mnist_small.dsp.tnb");
    assert_eq!(repack(dsp, Family::Plain).unwrap(), plain);
    assert_eq!(repack(plain, Family::Dsp).unwrap(), dsp);
}
