use std::collections::HashSet;

use thumbnet::{Network, arch::Cores};
use thumbnet_models::{MnistConvNet, MnistSmall};

use super::*;
use crate::summary::tests::measured_network;

fn weights(summary: &Summary) -> Stored {
    Stored { bytes: summary.flash_bytes, family: None }
}

fn target(core: Option<Core>, flash: usize, ram: usize) -> Target {
    Target { name: "it".into(), core, flash, ram }
}

#[test]
fn chips_are_found_by_their_names() {
    let names: HashSet<_> = CHIPS.iter().map(|chip| chip.name).collect();
    assert_eq!(names.len(), CHIPS.len(), "a name stands there twice");
    for chip in CHIPS {
        assert_eq!(find(&chip.name.to_uppercase()).as_ref(), Ok(chip));
        assert!(chip.ram >= 4096 && chip.flash > chip.ram, "{chip:?}");
    }
    let text = find("nrf52").unwrap_err().to_string();
    assert!(text.starts_with("unknown chip `nrf52`; known are nrf51822, nrf52805, "), "{text}");
}

/// What `cargo xtask device-bench` measured is no more than is allowed here, and not much less.
#[test]
fn allowances_are_those_that_were_measured() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/device.json");
    let (mut families, mut kinds) = (HashSet::new(), HashSet::new());
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["stack_bytes"].as_u64().unwrap() <= STACK as u64, "{line}");
        let Some(measured) = line["code_bytes"].as_u64() else { continue };
        let graph = measured_network(line["network"].as_str().unwrap());
        let core = Core::from_str(line["core"].as_str().unwrap(), true).unwrap();
        let family = Cores::ALL.iter().position(|cores| *cores == core.cores()).unwrap();
        let allowed = code(&Summary::new(&graph), family);
        let measured = measured as usize;
        assert!((measured..measured + 6 * 1024).contains(&allowed), "{allowed} bytes are allowed, but {line}");
        families.insert(family);
        kinds.insert(allowed);
    }
    assert!(families.len() == Cores::ALL.len() && kinds.len() >= CODE.len(), "{families:?} {kinds:?}");
}

#[test]
fn it_fits_to_the_byte() {
    let summary = Summary::new(&MnistSmall::GRAPH);
    for (core, cores) in [(Core::M0, 0), (Core::M3, 1), (Core::M4, 2), (Core::M33, 2), (Core::M55, 3)] {
        let flash = summary.flash_bytes + 1024 * CODE[1][cores];
        let ram = summary.devices[cores].ram_bytes + 1024;
        let fit = |flash, ram| Fit::new(&summary, weights(&summary), &target(Some(core), flash, ram));
        assert!(fit(flash, ram).fits, "{core}");
        assert!(!fit(flash - 1, ram).fits && !fit(flash, ram - 1).fits, "{core}");
        assert_eq!(fit(flash, ram).reason(), "");
    }
    // The most demanding family, of each memory by itself.
    let flash = summary.flash_bytes + 1024 * CODE[1].iter().max().unwrap();
    let ram = summary.devices.iter().map(|device| device.ram_bytes).max().unwrap() + 1024;
    let fit = Fit::new(&summary, weights(&summary), &target(None, flash, ram));
    assert_eq!((fit.fits, fit.flash.needed, fit.ram.needed), (true, flash, ram));
}

#[test]
fn says_what_decides() {
    let summary = Summary::new(&MnistConvNet::GRAPH);
    let fit = Fit::new(&summary, weights(&summary), &find("nrf52840").unwrap().into());
    assert_eq!(fit.flash.weights_layer.as_deref(), Some("dense1"));
    assert_eq!(fit.ram.activations_layer.as_deref(), Some("conv2"));
    assert_eq!(fit.ram.scratch_layer.as_deref(), Some("conv2"));
    let reason = fit.reason();
    assert!(reason.ends_with(" bytes of flash are needed, 1,048,576 are there"), "{reason}");
    let text = fit.to_string();
    assert!(text.starts_with("Does not fit nRF52840 (Cortex-M4)\n  flash: 3,5"), "{text}");
    assert!(text.contains(" of weights (most: dense1), about 12,288 of code\n  RAM: "), "{text}");
}

#[test]
fn a_core_reads_one_order_of_weights() {
    let summary = Summary::new(&MnistSmall::GRAPH);
    for chip in CHIPS {
        for family in [Family::Plain, Family::Dsp] {
            let fit = Fit::new(&summary, Stored { bytes: 1, family: Some(family) }, &Target::from(*chip));
            assert_eq!(fit.needs_family.is_none(), family == chip.core.family(), "{chip:?}");
            assert_eq!(fit.reason().contains("order of other cores"), family != chip.core.family(), "{chip:?}");
        }
    }
    let unordered = Fit::new(&summary, weights(&summary), &target(Some(Core::M4), 1 << 20, 1 << 20));
    assert!(unordered.fits);
}
