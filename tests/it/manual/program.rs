//! anklet(1): commands, options, signals, variables, files, exit codes.

use anklet::app::exit::CODES;
use anklet::cli;
use anklet::config::keys::{VARIABLES, top_rows};

use super::page::{Item, items};
use super::{commands, options, read, root, sorted, sources};

const PAGE: &str = "man/anklet.1";

/// What the page calls a file or folder, and where the code names it.
const FILES: [(&str, &str); 17] = [
    ("~/.config/anklet/config.yml", "\"config.yml\""),
    ("~/.config/anklet/.drain", "\".drain\""),
    ("~/.config/anklet/plugins/handlers/github/*.bash", "\"handlers/github\""),
    ("~/.config/anklet/run/", "\"run\""),
    ("slot-0.lock", "\"slot-{"),
    ("pull.lock", "\"pull.lock\""),
    ("children/", "\"children\""),
    ("bells/", "\"bells\""),
    ("http-*.sock", "\"http-{}.sock\""),
    ("daemon-*.lock", "\"daemon-{name}.lock\""),
    ("metrics-*.port", "\"metrics-{}.port\""),
    ("~/.config/anklet/state/", "~/.config/anklet/state"),
    ("queue.sqlite", "\"queue.sqlite\""),
    ("host_id", "\"host_id\""),
    ("journal/", "\"journal\""),
    ("anklet.pid", "\"anklet.pid\""),
    ("anklet.log", "\"anklet.log\""),
];

fn all_items(heading: &str) -> Vec<Item> {
    items(&read(PAGE), heading)
}

#[test]
fn the_options_are_those_of_help() {
    let items = all_items(".Sh OPTIONS");
    // `Fl Fl json` is mdoc's way to write --json.
    let flags = items.iter().flat_map(|item| {
        item.head.split(" , ").map(|flag| {
            let words: Vec<&str> = flag.split(' ').filter(|word| !word.is_empty()).collect();
            let dashes = words.iter().take_while(|word| **word == "Fl").count();
            format!("{}{}", "-".repeat(dashes), words[dashes])
        })
    });
    assert_eq!(sorted(flags), options());
}

#[test]
fn the_commands_are_those_of_help() {
    let items = all_items(".Sh COMMANDS");
    let names = items.iter().map(|item| item.head_words("Cm").join(" "));
    assert_eq!(sorted(names), commands());
}

#[test]
fn the_exit_codes_are_the_program_s() {
    let codes: Vec<u8> = all_items(".Sh EXIT STATUS").iter().map(|item| item.head.parse().unwrap()).collect();
    assert_eq!(codes, sorted_codes());
    let told = cli::HELP.split("\nExit codes:").nth(1).unwrap();
    let parts = told.split([',', '\n']).filter_map(|part| part.split_whitespace().next());
    let told: Vec<u8> = parts.filter_map(|word| word.parse().ok()).collect();
    assert_eq!(told, sorted_codes(), "--help");
}

/// A code may have more than one meaning.
fn sorted_codes() -> Vec<u8> {
    let mut codes: Vec<u8> = CODES.iter().map(|(_, code, _)| *code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

#[test]
fn the_signals_are_those_that_are_heard() {
    let code = read("src/runtime/signals.rs");
    let words = code.split(|c: char| !c.is_ascii_alphanumeric());
    let heard = sorted(words.filter(|word| word.starts_with("SIG")).map(str::to_owned));
    let items = all_items(".Sh SIGNALS");
    assert_eq!(sorted(items.iter().flat_map(|item| item.head_words("Dv"))), heard);
}

#[test]
fn the_variables_are_those_that_are_read() {
    let mut read_ones: Vec<String> = VARIABLES.iter().map(|(name, _)| (*name).to_owned()).collect();
    for code in sources() {
        for before in [".get(\"", "variable(\""] {
            let names = code.split(before).skip(1).filter_map(|rest| rest.split('"').next());
            let is_variable =
                |name: &&str| name.len() > 1 && name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
            read_ones.extend(names.filter(is_variable).map(str::to_owned));
        }
    }
    // Those of the keys are in the other page.
    let keys: Vec<String> = top_rows().into_iter().map(|row| row.variable).collect();
    let wanted = sorted(read_ones.into_iter().filter(|name| !keys.contains(name)));
    let items = all_items(".Sh ENVIRONMENT");
    assert_eq!(sorted(items.iter().flat_map(|item| item.head_words("Ev"))), wanted);
}

#[test]
fn the_levels_are_the_program_s() {
    let items = all_items(".Sh ENVIRONMENT");
    let level = items.iter().find(|item| item.head == "Ev LOG_LEVEL").unwrap();
    let (_, told) = VARIABLES.iter().find(|(name, _)| *name == "LOG_LEVEL").unwrap();
    let words = told.split([',', ' ']).filter(|word| word.len() > 2 && !["any", "case."].contains(word));
    assert_eq!(sorted(level.words("Cm")), sorted(words.map(str::to_owned)));
}

#[test]
fn the_files_are_those_that_the_code_names() {
    let code = sources().concat();
    let told: Vec<String> =
        all_items(".Sh FILES").iter().flat_map(|i| [i.head_words("Pa"), i.words("Pa")].concat()).collect();
    for (file, named) in FILES {
        assert!(told.iter().any(|name| name == file), "{file} is not in the page");
        assert!(code.contains(named), "{named} is not in the code");
    }
    // Beside the first of its kind, or the scripts' own.
    let known = [
        "slot-1.lock",
        "anklet-aggregator.pid",
        "~/.config/anklet/installed",
        "~/.config/anklet/installed.service",
    ];
    for file in told.iter().filter(|file| !known.contains(&file.as_str())) {
        let is_ours = FILES.iter().any(|(name, _)| name == file);
        assert!(is_ours || root().join(file).exists(), "{file} is in the page and nowhere else");
    }
}

/// What a user may change, and the examples, must not outlive what they speak of.
#[test]
fn the_runner_scripts_and_the_programs_of_the_examples_are_there() {
    for item in all_items(".Sh RUNNER SCRIPTS") {
        let script = item.head_words("Pa").join("");
        let head = read(&format!("scripts/runner/{script}"));
        for argument in item.head_words("Ar") {
            assert!(head.contains(&argument.to_uppercase()), "{script} takes no {argument}");
        }
    }
    let page = read(PAGE);
    let named = page.split_whitespace().filter(|word| word.starts_with("scripts/"));
    named.for_each(|script| assert!(root().join(script).exists(), "{script}"));
}
