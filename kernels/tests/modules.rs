//! That modules import in one direction only. The order is that of the line in `src/lib.rs` which begins as [`LINE`]
//! says.

use std::fs;
use std::path::{Path, PathBuf};

const LINE: &str = "//! Each imports only from those that stand before it:";

fn source(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The sources at and below a path.
fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_file() {
        return found.push(path.into());
    }
    for entry in fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())) {
        sources(&entry.unwrap().path(), found);
    }
}

/// The name that a text begins with.
fn name(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())]
}

/// What a source takes from the crate's root: the first names behind each `crate::`, those of a group too.
fn imports(source: &str) -> Vec<&str> {
    let mut names = Vec::new();
    // A macro's `$crate` is an import of whoever calls it; `pub(in crate::arch)` is none.
    for (at, _) in source.match_indices("crate::").filter(|(at, _)| !source[..*at].ends_with(['$', '_'])) {
        let path = &source[at + "crate::".len()..];
        let line = &source[source[..at].rfind('\n').map_or(0, |end| end + 1)..at];
        if line.contains("//") || line.ends_with("(in ") {
            continue;
        }
        let Some(group) = path.strip_prefix('{') else {
            names.push(name(path));
            continue;
        };
        let (mut depth, mut begins) = (1, true);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => begins = true,
                _ if begins && !c.is_whitespace() => {
                    names.push(name(&group[at..]));
                    begins = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    names
}

/// What is wrong with a source of `module`.
fn against(order: &[&str], exports: &[(&str, &str)], module: &str, source: &str) -> Vec<String> {
    let place = |module: &str| order.iter().position(|&other| other == module);
    let of = |name| exports.iter().find(|(_, export)| *export == name).map_or(name, |(module, _)| *module);
    let modules = imports(source).into_iter().map(of);
    modules
        .filter(|imported| *imported != module && place(imported).is_none_or(|at| Some(at) > place(module)))
        .map(|imported| format!("`{module}` imports from `{imported}`, which does not stand before it"))
        .collect()
}

#[test]
fn import_in_one_direction() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let root = source(&folder.join("lib.rs"));
    let order: String =
        root.lines().skip_while(|line| *line != LINE).skip(1).take_while(|line| line.contains('`')).collect();
    let order: Vec<_> = order.split('`').skip(1).step_by(2).collect();
    let mut listed = order.clone();
    listed.sort_unstable();
    let mut modules: Vec<_> = root.lines().filter_map(|line| line.split_once("mod ")?.1.strip_suffix(';')).collect();
    modules.sort_unstable();
    assert_eq!(listed, modules, "the order in src/lib.rs does not list each module once");

    // What the root gives out from its modules.
    let exports = root.lines().filter_map(|line| line.strip_prefix("pub use ")?.strip_suffix(';')?.split_once("::"));
    let exports: Vec<_> =
        exports.flat_map(|(module, names)| names.split([',', '{', '}', ' ']).map(move |name| (module, name))).collect();
    let mut wrong = Vec::new();
    for module in &order {
        let file = folder.join(format!("{module}.rs"));
        let mut files = Vec::new();
        sources(&if file.exists() { file } else { folder.join(module) }, &mut files);
        for file in files {
            wrong.extend(against(&order, &exports, module, &source(&file)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_import_against_the_order_is_found() {
    let wrong = |source| against(&["low", "middle", "high"], &[("high", "Network")], "middle", source);
    let fine = "use crate::low::A;\nuse crate::{middle::B,\n low::{C, high}};\npub(in crate::high) fn f() {}\n\
                /// [`crate::high`]\n$crate::high::D";
    assert_eq!(wrong(fine), [""; 0]);
    let high = ["`middle` imports from `high`, which does not stand before it"];
    assert_eq!(wrong("use crate::high::A;"), high);
    assert_eq!(wrong("use crate::Network;"), high);
    assert_eq!(wrong("use crate::{\n    low::{self, B},\n    high::C,\n};"), high);
    assert_eq!(wrong("fn f() { crate::high::f() }"), high);
    assert_eq!(wrong("use crate::unknown;"), ["`middle` imports from `unknown`, which does not stand before it"]);
}
