//! docs/architecture.md speaks of the code as it is.
//!
//!     table of crates  ==  crates/*/Cargo.toml       acyclic, each row leans on rows above it
//!     table of third-party crates  ==  all manifests
//!     links, and the names in links such as `plan.rs::plan`  -->  files that are there and have the name
//!
//! The manifests are read as text: they are ours, and plain.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A manifest, as far as the page speaks of it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Manifest {
    ours: BTreeSet<String>,
    third_party: BTreeSet<String>,
    for_tests: BTreeSet<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in the workspace").to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names under crates/.
fn crate_names() -> BTreeSet<String> {
    let entries = fs::read_dir(root().join("crates")).expect("the workspace has crates");
    entries
        .map(|entry| entry.expect("a directory can be read").path())
        .filter(|path| path.join("Cargo.toml").is_file())
        .map(|path| path.file_name().expect("it has a name").to_string_lossy().into_owned())
        .collect()
}

/// The lines of a manifest's sections, each under the section's name.
fn sections(text: &str) -> Vec<(String, Vec<String>)> {
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|line| line.split_once(']')) {
            Some((name, _)) => all.push((name.trim_start_matches('[').to_owned(), Vec::new())),
            None => all.last_mut().expect("a manifest begins with a section").1.push(line.to_owned()),
        }
    }
    all
}

/// The names that a manifest's dependency sections mention, with whether they are for tests only.
/// Sections for one target (`target.'cfg(..)'.dependencies`) and for one dependency
/// (`dependencies.name`) count as well.
fn dependencies(text: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for (section, lines) in sections(text) {
        if section.starts_with("workspace") {
            continue;
        }
        let parts: Vec<&str> = section.split('.').collect();
        let Some(at) = parts.iter().position(|part| part.ends_with("dependencies")) else { continue };
        let for_tests = parts[at] == "dev-dependencies";
        match parts.get(at + 1) {
            Some(name) => found.push(((*name).to_owned(), for_tests)),
            None => found.extend(lines.iter().filter_map(|line| {
                let name = line.split_once('=')?.0.trim().split('.').next()?;
                Some((name.to_owned(), for_tests))
            })),
        }
    }
    found
}

fn manifest(name: &str, ours: &BTreeSet<String>) -> Manifest {
    let mut manifest = Manifest::default();
    for (dependency, for_tests) in dependencies(&read(&root().join("crates").join(name).join("Cargo.toml"))) {
        if ours.contains(&dependency) {
            assert!(
                !for_tests,
                "{name} leans on {dependency} in its tests: the table has no column for that"
            );
            manifest.ours.insert(dependency);
        } else if for_tests {
            manifest.for_tests.insert(dependency);
        } else {
            manifest.third_party.insert(dependency);
        }
    }
    manifest
}

/// The rows of the page's table whose heading begins so, cell by cell.
fn table(heading: &str) -> Vec<Vec<String>> {
    let page = read(&root().join("docs/architecture.md"));
    let mut lines = page.lines().skip_while(|line| !line.starts_with(heading));
    assert!(lines.next().is_some(), "the page has no table headed {heading}");
    let cells = |line: &str| -> Vec<String> {
        line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    lines.skip(1).take_while(|line| line.starts_with('|')).map(cells).collect()
}

/// The names in a cell: `a`, `b`; or none: -.
fn names(cell: &str) -> BTreeSet<String> {
    if cell == "-" {
        return BTreeSet::new();
    }
    let name = |text: &str| {
        let text = text.trim();
        let inner = text.strip_prefix('`').and_then(|text| text.strip_suffix('`'));
        inner
            .unwrap_or_else(|| panic!("in the cell {cell:?}: {text:?} is not a name in backticks"))
            .to_owned()
    };
    cell.split(',').map(name).collect()
}

fn rows() -> Vec<(String, Manifest)> {
    let row = |cells: Vec<String>| {
        let [name, ours, third_party, for_tests] = cells.try_into().expect("the table has four columns");
        let name = names(&name).pop_first().expect("a row names its crate");
        let (ours, third_party, for_tests) = (names(&ours), names(&third_party), names(&for_tests));
        (name, Manifest { ours, third_party, for_tests })
    };
    table("| crate | leans on |").into_iter().map(row).collect()
}

/// All Cargo.toml of the project.
fn all_manifests() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        crate_names().iter().map(|name| root().join("crates").join(name).join("Cargo.toml")).collect();
    all.extend(["tests/Cargo.toml", "tests/fuzz/Cargo.toml", "benches/Cargo.toml"].map(|at| root().join(at)));
    all
}

#[test]
fn the_table_of_crates_is_what_the_manifests_say() {
    let ours = crate_names();
    let rows = rows();
    let named: BTreeSet<String> = rows.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(named, ours, "crates in the table (left) and under crates/ (right)");
    assert_eq!(rows.len(), ours.len(), "a crate has one row");
    for (name, row) in &rows {
        assert_eq!(row, &manifest(name, &ours), "{name}: the table (left), its manifest (right)");
    }
}

#[test]
fn the_graph_has_no_cycle_and_rows_lean_on_rows_above() {
    let ours = crate_names();
    let graph: BTreeMap<&String, Manifest> = ours.iter().map(|name| (name, manifest(name, &ours))).collect();
    // Taking away what leans on nothing that is left takes away everything, unless there is a cycle.
    let mut left: BTreeSet<&String> = ours.iter().collect();
    while !left.is_empty() {
        let free = |name: &&String| graph[*name].ours.iter().all(|below| !left.contains(below));
        let gone: Vec<&String> = left.iter().copied().filter(|name| free(name)).collect();
        assert!(!gone.is_empty(), "there is a cycle among {left:?}");
        gone.iter().for_each(|name| assert!(left.remove(*name)));
    }
    let mut above = BTreeSet::new();
    for (name, row) in rows() {
        let below: Vec<&String> = row.ours.difference(&above).collect();
        assert!(below.is_empty(), "{name} leans on {below:?}, whose rows are not above its own");
        above.insert(name);
    }
}

#[test]
fn only_the_runtime_names_its_backends() {
    let mut named = BTreeMap::new();
    for path in all_manifests() {
        let backends: Vec<String> = dependencies(&read(&path))
            .into_iter()
            .map(|(name, _)| name)
            .filter(|name| name == "glommio" || name == "io-uring")
            .collect();
        if !backends.is_empty() {
            named.insert(path, backends.len());
        }
    }
    let runtime = root().join("crates/runtime/Cargo.toml");
    assert_eq!(named, BTreeMap::from([(runtime, 2)]), "who names glommio or io-uring, and how many of them");
}

#[test]
fn the_pure_crates_stand_apart_from_the_runtime() {
    let ours = crate_names();
    let leaning: Vec<&String> =
        ours.iter().filter(|name| manifest(name, &ours).ours.contains("runtime")).collect();
    assert_eq!(leaning, ["server"], "only the program may lean on the runtime");
    assert!(manifest("runtime", &ours).ours.is_empty(), "the runtime leans on none of ours");
}

#[test]
fn every_third_party_crate_has_its_reason_and_none_is_left_over() {
    let ours = crate_names();
    let used: BTreeSet<String> = all_manifests()
        .iter()
        .flat_map(|path| dependencies(&read(path)))
        .map(|(name, _)| name)
        .filter(|name| !ours.contains(name))
        .collect();
    let rows = table("| dependency | why |");
    let explained: BTreeSet<String> = rows.iter().flat_map(|row| names(&row[0])).collect();
    assert_eq!(explained, used, "dependencies with a line (left) and in the manifests (right)");
    for row in rows {
        assert!(row[1].len() > 10, "{} is there for a reason", row[0]);
    }
}

/// The project's pages.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("docs can be read") {
            let path = entry.expect("docs can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    let at_the_top = ["README.md", "CHANGELOG.md"].map(|name| root().join(name));
    pages.extend(at_the_top.into_iter().filter(|path| path.is_file()));
    pages.sort();
    pages
}

/// The links of a page: text and target.
fn links(page: &str) -> Vec<(&str, &str)> {
    let mut links = Vec::new();
    for (at, _) in page.match_indices("](") {
        let before = &page[..at];
        let Some(open) = before.rfind('[') else { continue };
        let Some((target, _)) = page[at + 2..].split_once(')') else { continue };
        links.push((&before[open + 1..], target));
    }
    links
}

#[test]
fn what_the_pages_link_to_is_there() {
    let mut wrong = Vec::new();
    for path in pages() {
        let page = read(&path);
        for (text, target) in links(&page) {
            let file = target.split('#').next().expect("a split has a first part");
            if file.is_empty() || target.contains("://") {
                continue;
            }
            let linked = path.parent().expect("a page is in a folder").join(file);
            let said = format!("{}: [{text}]({target})", path.display());
            if !linked.exists() {
                wrong.push(format!("{said}: no such file"));
                continue;
            }
            let text = text.trim_matches('`');
            let (name, item) = text.split_once("::").unwrap_or((text, ""));
            if name.ends_with(".rs") && !linked.ends_with(name) {
                wrong.push(format!("{said}: leads to another file"));
            }
            if !item.is_empty() && !defines(&read(&linked), item) {
                wrong.push(format!("{said}: the file defines no such name"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a source file defines something of this name.
fn defines(source: &str, item: &str) -> bool {
    ["fn", "struct", "enum", "trait", "const", "static", "type", "mod"].iter().any(|kind| {
        let definition = format!("{kind} {item}");
        source.match_indices(&definition).any(|(at, _)| {
            let follows = source[at + definition.len()..].chars().next();
            !follows.is_some_and(|next| next.is_alphanumeric() || next == '_')
        })
    })
}

#[test]
fn the_readers_of_this_test_are_not_fooled() {
    let text = "[dependencies]\na.workspace = true\nb = { version = \"1\" }\n[dev-dependencies]\nc = \"1\"\n\
                [target.'cfg(unix)'.dependencies]\nd = \"1\"\n[dependencies.e]\nversion = \"1\"\n\
                [workspace.dependencies]\nf = \"1\"\n";
    let found: Vec<(String, bool)> = dependencies(text);
    let expected = [("a", false), ("b", false), ("c", true), ("d", false), ("e", false)];
    assert_eq!(found, expected.map(|(name, for_tests)| (name.to_owned(), for_tests)));
    assert_eq!(links("see [`a.rs::b`](../a.rs) and [c](d#e)"), [("`a.rs::b`", "../a.rs"), ("c", "d#e")]);
    assert!(defines("pub fn plan(&self)", "plan") && !defines("fn planning()", "plan"));
}
