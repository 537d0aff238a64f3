//! Whether a network fits a microcontroller.

use crate::support::host_train;

const PLAIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/blobs/mnist_small.plain.tnb");
const DSP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/blobs/mnist_small.dsp.tnb");

#[test]
fn a_chip_that_holds_the_network() {
    let text = host_train(["inspect", DSP, "--chip", "nRF52840"]).success();
    assert!(text.contains("\nFits nRF52840 (Cortex-M4)\n  flash: "), "{text}");
    assert!(text.contains(" of 1,048,576 bytes: ") && text.contains(" of 262,144 bytes: "), "{text}");
    assert!(text.contains("int8 per channel, pairs; ") && text.contains("int8 per channel, quads; "), "{text}");

    let object = host_train(["inspect", PLAIN, "--chip", "rp2040", "--json"]).json();
    let (fit, flash, ram) = (&object["fit"], &object["fit"]["flash"], &object["fit"]["ram"]);
    assert_eq!((&fit["fits"], &fit["needs_family"]), (&true.into(), &serde_json::Value::Null));
    assert_eq!((&flash["weights"], &flash["weights_layer"]), (&object["file_bytes"], &"dense1".into()));
    // As device-bench measures it on Cortex-M0.
    assert_eq!(ram["activations"].as_u64().unwrap() + ram["scratch"].as_u64().unwrap(), 3696);
    assert_eq!((&ram["stack"], &ram["available"]), (&1024.into(), &(264 * 1024).into()));
    assert!(host_train(["inspect", PLAIN, "--json"]).json()["fit"].is_null());
}

#[test]
fn memories_that_are_too_small() {
    let outcome = host_train(["inspect", PLAIN, "--flash", "32K", "--ram", "4096", "--core", "m0+", "--json"]);
    let object: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(object["fit"]["fits"], false);
    let error = outcome.error();
    assert!(error.contains(": does not fit a Cortex-M0+: 38,0"), "{error}");
    assert!(error.contains(" bytes of flash are needed, 32,768 are there; 4,720 bytes of RAM are needed, 4,096 are"));
    // As large as it is said to be, it is enough.
    let needed = |memory: &str| object["fit"][memory]["needed"].to_string();
    let (flash, ram) = (needed("flash"), needed("ram"));
    host_train(["inspect", PLAIN, "--flash", &flash, "--ram", &ram, "--core", "m0+"]).success();
    // In place of a chip's.
    let error = host_train(["inspect", PLAIN, "--chip", "rp2040", "--flash", "16k"]).error();
    assert!(error.contains("bytes of flash are needed, 16,384 are there\n"), "{error}");
}

#[test]
fn weights_of_other_cores() {
    let error = host_train(["inspect", PLAIN, "--chip", "stm32f411"]).error();
    assert!(error.ends_with("its weights are in the order of other cores: write them for family `dsp`\n"), "{error}");
    let error = host_train(["inspect", DSP, "--flash", "1M", "--ram", "1M", "--core", "m55"]).error();
    assert!(error.ends_with("write them for family `plain`\n"), "{error}");
    // Where no core is named, either may be meant.
    host_train(["inspect", DSP, "--flash", "1M", "--ram", "1M"]).success();
}

#[test]
fn what_is_asked_wrongly() {
    let error = host_train(["inspect", PLAIN, "--chip", "esp32"]).error();
    assert!(error.starts_with("error: unknown chip `esp32`; known are nrf51822, "), "{error}");
    let error = host_train(["inspect", PLAIN, "--ram", "1M"]).error();
    assert_eq!(error, "error: --ram is given, and --flash is not: it takes both, or --chip\n");
    for size in ["", "K", "1.5M", "-1", "1G", "99999999999999999999", "18014398509481984K"] {
        let error = host_train(["inspect", PLAIN, "--ram", "1M", &format!("--flash={size}")]).misuse();
        assert!(error.contains("number of bytes, as 131072 or 128K or 1M") || size.is_empty(), "{error}");
    }
    host_train(["inspect", PLAIN, "--chip", "rp2040", "--core", "m0"]).misuse();
}
