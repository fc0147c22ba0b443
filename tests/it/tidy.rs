//! House rules: who may import whom, how long a file and a function may be, that every file says what it is for.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A module and what it may import, besides itself.
const LAYERS: [(&str, &[&str]); 15] = [
    ("domain", &[]),
    ("log", &[]),
    ("runtime", &["domain", "log"]),
    ("config", &["domain"]),
    ("store", &["domain", "runtime", "log"]),
    ("github", &["domain", "runtime", "log"]),
    ("anka", &["domain", "runtime", "log"]),
    ("host", &["domain", "runtime", "log"]),
    ("http", &["domain", "runtime", "log"]),
    ("metrics", &["domain", "runtime", "log"]),
    ("plugins", &["domain", "runtime", "log", "store", "github", "anka", "host", "http", "metrics"]),
    (
        "app",
        &[
            "domain", "runtime", "log", "config", "store", "github", "anka", "host", "http", "metrics",
            "plugins",
        ],
    ),
    (
        "commands",
        &[
            "domain", "runtime", "log", "config", "store", "github", "anka", "host", "http", "metrics",
            "plugins", "app",
        ],
    ),
    ("cli", &["app", "commands", "config", "log"]),
    ("main", &["app", "commands", "cli", "config", "log", "runtime"]),
];

const LONGEST_FILE: usize = 500;
const LONGEST_MEDIAN: usize = 200;
const LONGEST_FUNCTION: usize = 70;

#[test]
fn a_module_imports_only_from_layers_below() {
    let mut faults = Vec::new();
    for (file, text) in sources("src") {
        let own = module_of(&file);
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == own) else {
            assert_eq!(own, "lib", "{} belongs to no module of the table", file.display());
            continue;
        };
        for used in imported(&text, own == "main") {
            if used != own && !allowed.contains(&used.as_str()) {
                faults.push(format!("{}: {own} imports {used}", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_domain_knows_nothing_but_std() {
    for (file, text) in sources("src/domain") {
        for line in code(&text) {
            let foreign =
                ["serde", "crossbeam", "log::", "std::fs", "std::net", "std::process", "std::thread"];
            assert!(!foreign.iter().any(|word| line.contains(word)), "{}: {line}", file.display());
        }
    }
}

#[test]
fn adapters_stay_in_their_rooms() {
    let rooms = [
        ("ureq::", "src/github/ src/http/fetch.rs"),
        ("tiny_http::", "src/http/"),
        ("rusqlite::", "src/store/embedded"),
        ("use redis::", "src/store/redis"),
        ("serde_yaml::", "src/config/raw.rs"),
        ("sysinfo::", "src/host/"),
        ("ctrlc::", "src/runtime/signals.rs"),
    ];
    for (file, text) in sources("src") {
        for (word, room) in rooms {
            let used = code(&text).any(|line| line.contains(word));
            let file = file.to_string_lossy();
            assert!(!used || room.split(' ').any(|room| file.contains(room)), "{file} uses {word}");
        }
    }
}

#[test]
fn files_and_functions_are_short_and_say_what_they_are_for() {
    let mut lengths = Vec::new();
    for (file, text) in sources("src").into_iter().chain(sources("tests")) {
        let lines = text.lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines", file.display());
        assert!(text.starts_with("//!"), "{} does not say what it is for", file.display());
        if let Some((name, long)) = longest_function(&text).filter(|(_, long)| *long > LONGEST_FUNCTION) {
            panic!("{}: {name} has {long} lines", file.display());
        }
        lengths.push(lines);
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= LONGEST_MEDIAN, "the median file has {median} lines");
}

#[test]
fn nothing_is_left_for_later() {
    for (file, text) in sources("src").into_iter().chain(sources("tests")) {
        for mark in
            [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("todo", "!("), concat!("#[ign", "ore]")]
        {
            assert!(!text.contains(mark), "{} has a {mark}", file.display());
        }
    }
}

#[test]
fn the_architecture_names_every_room() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    assert!(text.lines().count() < 200, "ARCHITECTURE.md is too long to be read");
    for (name, _) in LAYERS.iter().filter(|(name, _)| *name != "main") {
        assert!(
            text.contains(&format!("`{name}`")) || text.contains(&format!("`{name}/")),
            "it does not name `{name}`"
        );
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files under a folder of the project, by their path in it.
fn sources(under: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    collect(&root().join(under), &mut found);
    assert!(!found.is_empty());
    found
        .into_iter()
        .map(|path| (path.strip_prefix(root()).unwrap().to_owned(), fs::read_to_string(&path).unwrap()))
        .collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn module_of(file: &Path) -> String {
    let first = file.components().nth(1).unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim_start).filter(|line| !line.starts_with("//"))
}

/// The modules of this crate that a file names, as `crate::x` or, in `main.rs`, as `anklet::x`.
fn imported(text: &str, is_main: bool) -> BTreeSet<String> {
    let prefix = if is_main { "anklet::" } else { "crate::" };
    let mut names = BTreeSet::new();
    for line in code(text) {
        for (at, _) in line.match_indices(prefix) {
            let rest = &line[at + prefix.len()..];
            if let Some(list) = rest.strip_prefix('{') {
                names.extend(list.split(['}', ',']).map(|word| head(word.trim())));
            } else {
                names.insert(head(rest));
            }
        }
    }
    names.retain(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
    names
}

fn head(path: &str) -> String {
    path.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or_default().to_owned()
}

/// The longest function by its indentation, which rustfmt keeps.
fn longest_function(text: &str) -> Option<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut longest: Option<(String, usize)> = None;
    for (at, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let is_fn = ["fn ", "pub fn ", "pub(super) fn ", "pub(crate) fn ", "const fn "]
            .iter()
            .any(|p| trimmed.starts_with(p));
        let has_body =
            lines[at..].iter().find(|l| l.ends_with(['{', ';', '}'])).is_some_and(|l| l.ends_with('{'));
        if !is_fn || !has_body {
            continue;
        }
        let closing = format!("{}}}", &line[..line.len() - trimmed.len()]);
        let Some(length) = lines[at..].iter().position(|l| **l == closing) else { continue };
        if longest.as_ref().is_none_or(|(_, most)| length + 1 > *most) {
            longest = Some((trimmed.to_owned(), length + 1));
        }
    }
    longest
}
