//! The manual pages, the README and the completions, held against the code: nothing is missing, and nothing is made up.
#![expect(clippy::disallowed_methods, reason = "starts mandoc and shells")]

mod completions; // every word of the command line, in each shell
mod keys; // anklet.yml(5)
mod page; // mdoc, read
mod program; // anklet(1)
mod readme; // README.md: its commands are run

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::{Command, Output};

use anklet::cli;
use anklet::commands::queue::help;

/// A file of the project.
fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What a program says; `None`, aloud, where there is no such program.
fn run(program: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(program).args(arguments).current_dir(root()).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("SKIPPED: there is no {program} here");
            None
        }
        output => Some(output.unwrap()),
    }
}

/// The text of every source file of the daemon.
fn sources() -> Vec<String> {
    let (mut open, mut found) = (vec![root().join("src")], Vec::new());
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                open.push(entry);
            } else if entry.extension().is_some_and(|e| e == "rs") && !entry.ends_with("tests.rs") {
                found.push(fs::read_to_string(&entry).unwrap());
            }
        }
    }
    found
}

/// `-c`, `--config` and so on, as `--help` of the program and of `queue` lists them; sorted, each once.
fn options() -> Vec<String> {
    let texts = [cli::HELP, help::HELP];
    let lines = texts.iter().flat_map(|text| text.lines()).filter(|line| line.trim_start().starts_with('-'));
    let words = lines.flat_map(str::split_whitespace).map(|word| word.trim_end_matches(','));
    sorted(words.filter(|word| word.starts_with('-') && word.len() > 1).map(str::to_owned))
}

/// `check`, `queue list` and so on, without the arguments, as `--help` lists them; sorted.
fn commands() -> Vec<String> {
    let block = cli::HELP.split("\nCommands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = block.lines().map(|line| line.trim_start().split("  ").next().unwrap());
    let is_word = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase());
    sorted(names.map(|name| name.split(' ').filter(is_word).collect::<Vec<_>>().join(" ")))
}

fn sorted(items: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut items: Vec<String> = items.into_iter().collect();
    items.sort();
    items.dedup();
    items
}

#[test]
fn mandoc_finds_nothing_in_the_pages() {
    for page in ["man/anklet.1", "man/anklet.yml.5"] {
        let Some(output) = run("mandoc", &["-Tlint", "-Wstyle", page]) else { return };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        // Other programs' pages need not be installed where this runs; our own two are there.
        let others = |line: &&str| {
            !line.contains("referenced manual not found: Xr") && !line.contains("outdated mandoc.db")
        };
        let ours: Vec<&str> = said.lines().filter(others).collect();
        assert_eq!(ours, [""; 0]);
    }
}
