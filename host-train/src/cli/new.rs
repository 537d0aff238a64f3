//! `new`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use serde_json::json;

use super::{
    args::NewArgs,
    output::{Output, shown},
};

/// The files of the template, which is itself a project that works, by their paths in it.
macro_rules! template {
    ($($path:literal),* $(,)?) => { [$(($path, include_str!(concat!("../../template/", $path)))),*] };
}

const FILES: [(&str, &str); 12] = template![
    ".cargo/config.toml",
    ".gitignore",
    "Cargo.toml",
    "README.md",
    "data.csv",
    "firmware/Cargo.toml",
    "firmware/build.rs",
    "firmware/src/main.rs",
    "network/Cargo.toml",
    "network/src/lib.rs",
    "trainer/Cargo.toml",
    "trainer/src/main.rs",
];

/// What a new project takes from this repository: the versions that are tested here, and may be all that is there
/// without a connection.
const COPIED: [&str; 2] = ["Cargo.lock", "rust-toolchain.toml"];

/// What differs between the boards that the crate `firmware` knows: name, target, and the family of the core's kernels.
const BOARDS: [[&str; 3]; 8] = [
    ["microbit", "thumbv6m-none-eabi", "plain"],
    ["mps2-an385", "thumbv7m-none-eabi", "dsp"],
    ["mps2-an385-m0", "thumbv6m-none-eabi", "plain"],
    ["mps2-an386", "thumbv7em-none-eabihf", "dsp"],
    ["mps2-an500", "thumbv7em-none-eabihf", "dsp"],
    ["mps2-an505", "thumbv8m.main-none-eabihf", "dsp"],
    ["mps3-an547", "thumbv8m.main-none-eabihf", "plain"],
    ["nrf52840-dk", "thumbv7em-none-eabihf", "dsp"],
];

/// The boards' names.
pub(super) fn boards() -> [&'static str; BOARDS.len()] {
    BOARDS.map(|[name, ..]| name)
}

pub(super) fn run(arguments: &NewArgs, output: Output) -> anyhow::Result<()> {
    let NewArgs { path, board, thumbnet } = arguments;
    let name = project_name(path)?;
    let there = path.display();
    ensure!(path.symlink_metadata().is_err(), "{there} is there already, but `new` makes a folder of its own");
    let repository = repository(thumbnet.as_deref())?;
    make(path, name, board, &repository).with_context(|| format!("cannot make {there}"))?;

    let object = json!({ "command": "new", "name": name, "board": board, "folder": shown(path) });
    output.result(&object, &format!("{there}: a project for {board}; its README.md says how it is trained and run"))
}

/// The name of the project in that folder.
fn project_name(path: &Path) -> anyhow::Result<&str> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_name = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c));
    ensure!(
        is_name,
        "name is {name:?}, but must be of a-z, 0-9, - and _, and begin with a letter: crates are named so"
    );
    Ok(name)
}

/// The folder of this repository: the one that the program was built in, if no other is given.
fn repository(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let path = given.unwrap_or(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")));
    let is_there = ["kernels", "host-train", "firmware", "xtask"].iter().all(|crate_| path.join(crate_).is_dir());
    ensure!(is_there, "{}: thumbnet is not there: give its folder by --thumbnet", path.display());
    path.canonicalize().with_context(|| path.display().to_string())
}

/// Makes the folder: whole, or not at all.
fn make(path: &Path, name: &str, board: &str, repository: &Path) -> io::Result<()> {
    // As in a string of cargo's files.
    let place = repository.display().to_string().replace('\\', "\\\\").replace('"', "\\\"");
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let part = tempfile::Builder::new().prefix(".thumbnet-").tempdir_in(parent)?;
    // Not the temporary folder itself, which only its owner may read.
    let folder = part.path().join(name);
    for (file, text) in FILES {
        let to = folder.join(file);
        fs::create_dir_all(to.parent().unwrap_or(&folder))?;
        fs::write(to, adapted(text, name, board, &place))?;
    }
    for file in COPIED {
        fs::copy(repository.join(file), folder.join(file))?;
    }
    fs::rename(folder, path)
}

/// A file of the template for another project, board and place.
fn adapted(text: &str, name: &str, board: &str, repository: &str) -> String {
    let [_, target, family] = BOARDS.iter().find(|[known, ..]| *known == board).unwrap_or(&BOARDS[3]);
    // The underscored name first: no name of another kind is in it. The repository's path, which may hold any, last.
    text.replace("my_project", &name.replace('-', "_"))
        .replace("my-project", name)
        .replace("MyProject", &type_name(name))
        .replace("[\"mps2-an386\"]", &format!("[\"{board}\"]"))
        .replace("--target thumbv7em-none-eabihf", &format!("--target {target}"))
        .replace("--family dsp", &format!("--family {family}"))
        .replace("HELIUM = \"0\"", if board == "mps3-an547" { "HELIUM = \"1\"" } else { "HELIUM = \"0\"" })
        .replace("\"../../", &format!("\"{repository}/"))
}

/// `my-project` as the name of a type.
fn type_name(name: &str) -> String {
    let words = name.split(['-', '_']).map(|word| match word.split_at_checked(1) {
        Some((first, rest)) => first.to_uppercase() + rest,
        None => String::new(),
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_board_of_the_firmware_is_known() {
        let folders = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware/boards")).unwrap();
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().to_string_lossy().replace('_', "-");
        let mut names: Vec<_> = folders.map(name).collect();
        names.sort();
        assert_eq!(names, boards());
    }

    #[test]
    fn a_name_is_a_crates() {
        for name in ["a", "gestures", "two-nets", "x_1", "self", "some/where/tap"] {
            project_name(Path::new(name)).unwrap();
        }
        for name in ["", "..", "/", "9lives", "-a", "_a", "Tap", "tap!", "a b", "t\u{e4}p", "a.b"] {
            let error = project_name(Path::new(name)).unwrap_err().to_string();
            assert!(error.starts_with("name is \"") && !error.contains('\n'), "{error}");
        }
        assert_eq!(project_name(Path::new("some/where/tap/")).unwrap(), "tap");
        assert_eq!(["tap", "two-nets_1", "a--b"].map(type_name), ["Tap", "TwoNets1", "AB"]);
    }

    #[test]
    fn a_project_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let repository = repository(None).unwrap();
        // A name with the template's own in it.
        let path = folder.path().join("my-own_my_project");
        make(&path, "my-own_my_project", "mps3-an547", &repository).unwrap();
        let read = |file: &str| fs::read_to_string(path.join(file)).unwrap();
        assert!(read("firmware/Cargo.toml").contains("features = [\"mps3-an547\"]"));
        assert!(read("firmware/Cargo.toml").contains("name = \"my-own_my_project-firmware\""));
        assert!(read("trainer/src/main.rs").contains("my_own_my_project_network::MyOwnMyProjectNet"));
        assert!(read("README.md").contains("--family plain"));
        let config = read(".cargo/config.toml");
        assert!(config.contains("--target thumbv8m.main-none-eabihf") && config.contains("HELIUM = \"1\""), "{config}");
        for (file, _) in FILES {
            assert!(!read(file).contains("\"../../"), "{file}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

        let other = tempfile::tempdir().unwrap();
        make(&other.path().join("new"), "new", "microbit", other.path()).unwrap_err();
        assert_eq!(fs::read_dir(other.path()).unwrap().count(), 0);
    }
}
