//! Inputs made by tables and integers against the formula that a network is trained on.

use thumbnet::input::{InputMultiplier, InputTable, Scaling};
use thumbnet::int8::Affine;

/// What networks have as input, and what they had better not.
fn inputs() -> Vec<Affine> {
    let ranges = [[0.0, 1.0], [-1.0, 1.0], [-3.1, 4.2], [-0.001, 0.0004], [-1e6, 3e6], [0.0, 1e-3], [-7.0, 0.0]];
    ranges.into_iter().map(|[min, max]| Affine::from_range(min, max)).collect()
}

/// What raw values may mean.
fn scalings() -> Vec<Scaling> {
    let pairs = [
        (0.0, 255.0),
        (0.0, 1.0),
        (127.5, 127.5),
        (33.3, 78.6),
        (0.0, 32768.0),
        (-120.25, 4096.0),
        (16384.0, 812.7),
        (20000.5, -3333.0),
        (1e6, 1e6),
        (-40000.0, 500.0),
        (12.3, 0.01),
        (0.5, 1e-6),
        (7.0, 1e-38),
        (0.0, 1e30),
        (-3e38, 3e38),
    ];
    pairs.map(|(mean, deviation)| Scaling { mean, deviation }).to_vec()
}

#[test]
fn a_table_is_the_formula() {
    let raw: Vec<u8> = (0..=255).collect();
    for scaling in scalings() {
        for input in inputs() {
            let expected: Vec<i8> = raw.iter().map(|&raw| input.quantize(scaling.apply(raw.into()))).collect();
            let table = InputTable::new(scaling, input);
            // Of every length, whole blocks or not.
            for start in (0..20).chain([100, 250, 256]) {
                let mut image = vec![0; 256 - start];
                table.fill(&raw[start..], &mut image).unwrap();
                assert_eq!(image, expected[start..], "{scaling:?} {input:?}");
            }
        }
    }
}

/// How far apart the real values are, in int8 steps, and the real value of each raw one.
fn exact(scaling: Scaling, input: Affine) -> (f64, impl Fn(i16) -> f64) {
    let slope = 1.0 / (f64::from(scaling.deviation) * f64::from(input.scale));
    (slope, move |raw| (f64::from(raw) - f64::from(scaling.mean)) * slope)
}

#[test]
fn a_multiplier_is_the_formula_but_near_the_middle_of_two() {
    let raw: Vec<i16> = (i16::MIN..=i16::MAX).collect();
    let (mut compared, mut near, mut unlike) = (0u64, 0u64, 0u64);
    for scaling in scalings() {
        for input in inputs() {
            let mut image = vec![0; raw.len()];
            InputMultiplier::new([scaling], input).fill(&raw, &mut image).unwrap();
            let (slope, exact) = exact(scaling, input);
            let shift = if slope.abs() < 1.0 { 14 } else { 6 };
            for (&raw, &found) in raw.iter().zip(&image) {
                let expected = input.quantize(scaling.apply(raw.into()));
                let what = || format!("{scaling:?} {input:?} {raw}: {found}, not {expected}");
                assert!(found.abs_diff(expected) <= 1, "{}", what());
                let part = exact(raw).rem_euclid(1.0);
                if (part - 0.5).abs() > 4.0 / f64::from(1 << shift) {
                    assert_eq!(found, expected, "{}, which is {}", what(), exact(raw));
                    compared += 1;
                } else {
                    near += 1;
                    unlike += u64::from(found != expected);
                }
            }
        }
    }
    println!("{compared} equal, {near} near the middle of two, {unlike} of them unlike");
    assert!(compared > 15 * near && near > 1000);
}

/// Each channel has its own factor, in blocks and in what is left of them; the order is that of time.
fn channels_are_apart<const CHANNELS: usize>() {
    let input = Affine { scale: 0.02, zero_point: 11 };
    let scalings: [Scaling; CHANNELS] =
        std::array::from_fn(|k| Scaling { mean: 100.0 * k as f32, deviation: 900.0 + 77.0 * k as f32 });
    for steps in [0, 1, 2, 15, 16, 33, 100] {
        let raw: Vec<i16> = (0..steps * CHANNELS).map(|i| (i * 7919 % 8191) as i16 - 4096).collect();
        let mut image = vec![0; raw.len()];
        InputMultiplier::new(scalings, input).fill(&raw, &mut image).unwrap();
        for (i, (&raw, found)) in raw.iter().zip(image).enumerate() {
            let mut alone = [0];
            InputMultiplier::new([scalings[i % CHANNELS]], input).fill(&[raw], &mut alone).unwrap();
            assert_eq!([found], alone, "value {i} of {CHANNELS} channels");
        }
    }
}

#[test]
fn every_channel_has_its_own() {
    channels_are_apart::<1>();
    channels_are_apart::<2>();
    channels_are_apart::<3>();
    channels_are_apart::<4>();
    channels_are_apart::<6>();
}

#[test]
fn other_lengths_are_refused() {
    let input = Affine { scale: 0.02, zero_point: 11 };
    let table = InputTable::new(Scaling::UNIT, input);
    let error = table.fill(&[1, 2, 3], &mut [0; 2]).unwrap_err();
    assert_eq!(error.to_string(), "image has 2 values, but 3 are needed");
    let multiplier = InputMultiplier::new([Scaling::NONE; 3], input);
    let error = multiplier.fill(&[1, 2, 3, 4], &mut [0; 4]).unwrap_err();
    assert_eq!(error.to_string(), "raw has 4 values, but 6 are needed");
    let error = multiplier.fill(&[1, 2, 3], &mut [0; 4]).unwrap_err();
    assert_eq!(error.to_string(), "image has 4 values, but 3 are needed");
}
