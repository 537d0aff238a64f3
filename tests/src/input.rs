//! Raw samples as inputs: the bytes that the PC makes, and names and scalings as a blob holds them.

use thumbnet::blob::Description;
use thumbnet::input::{InputTable, Scaling, Shows};

use crate::cases;
use crate::samples::{INPUT, SAMPLES, SCALINGS, for_each_input, samples};

cases![bytes_become_the_pcs_inputs, samples_become_the_pcs_inputs, a_blob_names_its_classes];

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

fn a_blob_names_its_classes() {
    let Ok(description) = Description::read(crate::int8::plain()) else { panic!("no description") };
    assert!(description.name() == "MnistSmall" && description.labels().count() == 10);
    assert!(description.label(7) == Some("7") && description.label(10).is_none());
    assert!(description.scaling(0) == Some(Scaling::UNIT) && description.shows() == Shows::Digits);
}
