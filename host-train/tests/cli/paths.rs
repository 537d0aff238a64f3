//! Paths that are not UTF-8, in every command, and the names that results and errors show for them.

use std::{ffi::OsString, fs, os::unix::ffi::OsStringExt, path::PathBuf};

use crate::support::{Folder, digits, host_train};

/// What is shown for `dé` in Latin-1.
const SHOWN: &str = "d\u{fffd}-";

/// The path of a file in the folder whose name is no UTF-8.
fn place(folder: &Folder, name: &str) -> PathBuf {
    let name = OsString::from_vec([b"d\xe9-", name.as_bytes()].concat());
    PathBuf::from(folder.path("")).join(name)
}

/// The words of a call; one that begins with `@` is a place.
fn call(folder: &Folder, line: &str) -> Vec<OsString> {
    let word = |word: &str| word.strip_prefix('@').map_or(word.into(), |name| place(folder, name).into_os_string());
    line.split(' ').map(word).collect()
}

#[test]
fn every_command_takes_paths_that_are_not_utf8() {
    let folder = Folder::with_stripes();
    fs::rename(folder.path("data"), place(&folder, "data")).unwrap();
    image::GrayImage::from_raw(28, 28, digits()[0].clone()).unwrap().save(place(&folder, "digit.png")).unwrap();
    for (line, fields) in [
        ("train --network mnist-small --dataset @data --epochs 1 --out @run", &["weights", "history"][..]),
        ("evaluate @run --dataset @data", &["file"]),
        ("quantize @run --dataset @data --images 20 --out @blob", &["file", "blob"]),
        ("evaluate @blob --dataset @data --scores @all", &["file"]),
        ("sample @blob --dataset @data --images 2 --out @out --scores @scores", &["file", "out", "scores"]),
        ("predict @digit.png --model @blob", &["image"]),
        ("inspect @blob", &["file"]),
        ("export @run --out @export", &["file", "safetensors"]),
        ("import @export --network mnist-small --out @import", &["file", "weights"]),
    ] {
        let output = host_train(call(&folder, &format!("{line} --json"))).success();
        let result: serde_json::Value = serde_json::from_str(output.lines().last().unwrap()).unwrap();
        for field in fields {
            assert!(result[field].as_str().unwrap().contains(SHOWN), "{line}: {field} in {result}");
        }
        let text = host_train(call(&folder, line)).success();
        assert!(text.contains(SHOWN) || line.starts_with("evaluate"), "{line}: {text}");
    }
    let weights = place(&folder, "run").join("weights.postcard");
    assert_eq!(fs::read(place(&folder, "import")).unwrap(), fs::read(weights).unwrap());

    for line in ["inspect @missing", "evaluate @missing", "import @missing", "train --dataset @missing"] {
        let text = host_train(call(&folder, line)).error();
        assert!(text.contains(&format!("{SHOWN}missing: ")), "{line}: {text}");
    }
}
