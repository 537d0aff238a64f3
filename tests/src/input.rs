//! Raw samples as inputs: the bytes that the PC makes, and names and scalings as a blob holds them.

use thumbnet::blob::Description;
use thumbnet::input::{InputMultiplier, InputTable, Scaling, Shows};

use crate::cases;
use crate::samples::{INPUT, SAMPLES, SCALINGS, for_each_input, samples};

cases![
    bytes_become_the_pcs_inputs,
    samples_become_the_pcs_inputs,
    blocks_are_steps_by_themselves,
    a_blob_names_its_classes
];

/// What the PC makes of all bytes, and then of the samples.
static INPUTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/inputs.i8"));

fn bytes_become_the_pcs_inputs() {
    let raw: [u8; 256] = core::array::from_fn(|raw| raw as u8);
    let mut image = [0; 256];
    assert!(InputTable::new(SCALINGS[0], INPUT).fill(&raw, &mut image).is_ok());
    assert!(INPUTS.starts_with(bytemuck::cast_slice(&image)));
}

fn samples_become_the_pcs_inputs() {
    let expected = bytemuck::cast_slice::<u8, i8>(INPUTS).get(256..).unwrap_or_default();
    let (expected, _) = expected.as_chunks::<SAMPLES>();
    let mut expected = expected.iter();
    for_each_input(&samples(), |image| assert!(expected.next() == Some(image)));
    assert!(expected.next().is_none());
}

/// All values of 16 bits, of scalings from flat to steep, are in blocks, for which cores have loops of their own, what
/// they are in steps by themselves, for which none has.
fn blocks_are_steps_by_themselves() {
    let [a, b, c, d] = SCALINGS;
    let flat = Scaling { mean: 0.0, deviation: 1e30 };
    let steepest = Scaling { mean: -3.0, deviation: -1e-6 };
    let beside = Scaling { mean: 1e6, deviation: 1e6 };
    let whole = Scaling { mean: 0.0, deviation: 32768.0 / 127.0 / INPUT.scale };
    whole_range([b]);
    whole_range([steepest]);
    whole_range([c, whole]);
    whole_range([flat, c, beside]);
    whole_range([b, a, steepest, d]);
    whole_range([b, c, d, flat, whole, a]);
}

fn whole_range<const CHANNELS: usize>(scalings: [Scaling; CHANNELS]) {
    let multiplier = InputMultiplier::new(scalings, INPUT);
    let mut image = [0; 480];
    for start in (0..65_536).step_by(image.len()) {
        let raw: [i16; 480] = core::array::from_fn(|i| (start + i) as u16 as i16);
        assert!(multiplier.fill(&raw, &mut image).is_ok());
        for (raw, found) in raw.as_chunks::<CHANNELS>().0.iter().zip(image.as_chunks::<CHANNELS>().0) {
            let mut alone = [0; CHANNELS];
            assert!(multiplier.fill(raw, &mut alone).is_ok() && alone == *found);
        }
    }
}

fn a_blob_names_its_classes() {
    let Ok(description) = Description::read(crate::int8::plain()) else { panic!("no description") };
    assert!(description.name() == "MnistSmall" && description.labels().count() == 10);
    assert!(description.label(7) == Some("7") && description.label(10).is_none());
    assert!(description.scaling(0) == Some(Scaling::UNIT) && description.shows() == Shows::Digits);
}
