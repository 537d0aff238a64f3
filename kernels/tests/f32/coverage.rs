//! That no kernel is without a test: what the sources define, against a table.
//!
//! A kernel is what a file below `src/arch` offers to the rest of it: a function, what a macro `define_...` makes, an
//! assembly function. A file that offers none of these is a part of the kernels beside it, and stands in the table as a
//! whole.
//!
//! What a back end overrides of the trait `Kernels` needs no row: the method has one, whose tests run on every back
//! end.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// A row of a table.
pub(crate) struct Kernel {
    /// File and function; `_` is the whole file.
    pub(crate) name: &'static str,
    /// The folders that have it.
    pub(crate) folders: &'static [&'static str],
    /// The method of `Backend` that reaches it.
    pub(crate) method: &'static str,
    /// The source of the tests that hold it against the oracle, from the package's folder.
    pub(crate) file: &'static str,
    /// These tests. Those that run on emulated cores are in another package, and known by their source alone;
    /// `cargo xtask device-test` sees to it that they run every instruction.
    pub(crate) tests: &'static [fn()],
}

/// Rows such as `pool_s8::max_pool_s8 [scalar avx2] by max_pool_s8 in pool {random_windows};`, the tests being those of
/// this `$binary`; and, for kernels that only emulated cores have, `conv_s8::thumbnet_copy [dsp] by conv_s8 on
/// devices;`, or `on inputs` for those that make a device's input.
macro_rules! table {
    (
        $binary:literal;
        $($file:ident::$function:tt [$($folder:ident)+] by $method:ident $where:ident $place:ident
            $({$($test:ident)+})?;)+
    ) => {
        &[$($crate::coverage::Kernel {
            name: concat!(stringify!($file), "::", stringify!($function)),
            folders: &[$(stringify!($folder)),+],
            method: stringify!($method),
            file: $crate::coverage::table!(@file $binary $where $place),
            tests: &[$($(crate::$place::$test as fn()),+)?],
        }),+]
    };
    (@file $binary:literal in $module:ident) => { concat!("tests/", $binary, "/", stringify!($module), ".rs") };
    (@file $binary:literal on devices) => { "../tests/src/int8_cases.rs" };
    (@file $binary:literal on inputs) => { "../tests/src/input.rs" };
}
pub(crate) use table;

/// Fails unless the kernels of the files for which `scope(folder, file)` holds are exactly those of the table, in the
/// same folders, and each has tests which call its method on every back end.
pub(crate) fn check(table: &[Kernel], scope: impl Fn(&str, &str) -> bool) {
    let mut wrong = Vec::new();
    let mut rows = BTreeSet::new();
    for kernel in table {
        for folder in kernel.folders {
            if !rows.insert((kernel.name.to_owned(), (*folder).to_owned())) {
                wrong.push(format!("{} of {folder} is twice in the table", kernel.name));
            }
        }
        let source = fs::read_to_string(root().join(kernel.file)).unwrap_or_default();
        let on_device = kernel.tests.is_empty();
        let calls = [format!(".{}(", kernel.method), format!("Backend::{}", kernel.method)];
        if !calls.iter().any(|call| source.contains(call)) || !(on_device || source.contains("in backends()")) {
            wrong.push(format!("{}: {} does not try {} on every back end", kernel.name, kernel.file, kernel.method));
        }
        if on_device && !kernel.file.starts_with("../") {
            wrong.push(format!("{} has no tests", kernel.name));
        }
    }
    let methods = fs::read_to_string(root().join("src/arch/kernels.rs")).unwrap();
    for method in methods.lines().filter_map(|line| line.strip_prefix("    fn ")).map(name) {
        let has_row = |kernel: &Kernel| kernel.method == method || kernel.name.ends_with(&format!("::{method}"));
        if scope("arch", method) && !table.iter().any(has_row) {
            wrong.push(format!("{method} of the trait has no test: it is not in the table"));
        }
    }
    let found = kernels(scope);
    assert!(found.len() > 10, "the sources are elsewhere: {found:?}");
    for (name, folder) in found.difference(&rows) {
        wrong.push(format!("{name} of {folder} has no test: it is not in the table"));
    }
    for (name, folder) in rows.difference(&found) {
        wrong.push(format!("{name} of {folder} is in the table, and not in the sources"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a file belongs to the table of int8 kernels; every other belongs to that of f32.
pub(crate) fn is_int8(folder: &str, file: &str) -> bool {
    let int8_alone = ["aarch64", "neon", "arm", "pairs", "dsp", "thumb", "thumb1", "helium"].contains(&folder);
    int8_alone || file.ends_with("_s8") || file.contains("_s8_") || file == "requantize"
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every kernel, with its folder.
fn kernels(scope: impl Fn(&str, &str) -> bool) -> BTreeSet<(String, String)> {
    let mut files = BTreeMap::new();
    // Files beside the folders, and those of `f32`, check lengths and call kernels; those of `cores` are sizes.
    let has_none = |folder: &PathBuf| folder.ends_with("f32") || folder.ends_with("cores");
    for folder in folders(&root().join("src/arch")).into_iter().filter(|folder| !has_none(folder)) {
        collect(&folder, &mut files);
    }
    let mut kernels = BTreeSet::new();
    for (path, source) in files {
        let part = |path: Option<&Path>| path.and_then(Path::file_stem).unwrap().to_string_lossy().into_owned();
        let (folder, file) = (part(path.parent()), part(Some(&path)));
        if !scope(&folder, &file) {
            continue;
        }
        let mut functions = functions(&source);
        // A `mod.rs` without kernels is a list of modules.
        if functions.is_empty() && file != "mod" {
            functions.push("_".into());
        }
        kernels.extend(functions.into_iter().map(|function| (format!("{file}::{function}"), folder.clone())));
    }
    kernels
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
}

/// The sources in a folder and in those within.
fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let source = fs::read_to_string(&path).unwrap();
            files.insert(path, source);
        }
    }
    for folder in folders(folder) {
        collect(&folder, files);
    }
}

/// The kernels that a source defines.
fn functions(source: &str) -> Vec<String> {
    let mut functions = Vec::new();
    for line in source.lines() {
        let definition = ["pub(in crate::arch) fn ", "pub(crate) fn ", "pub fn ", "macro_rules! define_"]
            .iter()
            .find_map(|start| line.strip_prefix(start).map(|rest| (start.ends_with('_'), rest)));
        let (prefix, rest) = if let Some((is_macro, rest)) = definition {
            (if is_macro { "define_" } else { "" }, rest)
        } else if let Some((_, rest)) = line.split_once("::define_").filter(|(_, rest)| rest.contains("!(")) {
            ("define_", rest)
        } else if let Some(rest) = line.trim().strip_prefix('"').filter(|rest| rest.ends_with("\":")) {
            ("", rest)
        } else {
            continue;
        };
        functions.push(format!("{prefix}{}", name(rest)));
    }
    functions
}

/// The name that a text begins with.
fn name(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())]
}

#[test]
fn every_kind_of_kernel_is_found() {
    let source = "
pub(in crate::arch) const fn scratch_len() -> usize {
pub(in crate::arch) fn one(y: &mut [f32]) {
    fn private(y: &mut [f32]);
macro_rules! define_two {
crate::arch::generic::define_three!(A);
    \"thumbnet_four\":
    \"1:\",
";
    assert_eq!(functions(source), ["one", "define_two", "define_three", "thumbnet_four"]);
}
