//! `anklet check`: what a configuration says and what is wrong with it, here and at GitHub. Starts nothing, creates
//! nothing.
//!
//! - [`plan`] what is to be asked, once for each set of credentials
//! - [`ask`] the asking, within a time limit
//! - [`rights`], [`hook`] what the answers mean: pure
//! - [`finding`], [`say`] one line each, and the exit code
//!
//! Costs, for each set of credentials: who we are, and for each scope its installation (of an App) and its runners,
//! its runner group, its webhook and the latest deliveries.

mod ask;
mod finding;
mod hook;
mod plan;
mod rights;
mod say;

use std::io::{self, Write};

use crate::app::exit::Exit;
use crate::app::{damaged, examine};
use crate::config::env::Variables;
use crate::config::{Checked, Faults};
use finding::Finding;

/// Tells what was found: remarks on standard output, faults on standard error. With `offline` nobody else is asked.
pub fn check(loaded: &Result<Checked, Faults>, env: &Variables, offline: bool) -> Exit {
    match loaded {
        Ok(checked) => {
            for (word, notes) in [("note", &checked.infos), ("warning", &checked.warnings)] {
                for note in notes {
                    tell(&format!("{word}: {note}"));
                }
            }
            let found = found(checked, env, offline);
            let more = found.iter().filter(|one| matches!(one, Finding::Warning(_))).count();
            tell(&summary(checked, checked.warnings.len() + more));
            found.iter().for_each(Finding::tell);
            finding::exit(&found)
        }
        Err(faults) => {
            let _ = writeln!(io::stderr().lock(), "{faults}");
            Exit::Configuration
        }
    }
}

/// GitHub is asked while the databases are.
fn found(checked: &Checked, env: &Variables, offline: bool) -> Vec<Finding> {
    let mut found: Vec<Finding> = damaged(&checked.config).map(Finding::StoreAway).into_iter().collect();
    if offline {
        return found;
    }
    let (accounts, faults) = plan::accounts(&checked.config, env);
    let asked = ask::begin(accounts);
    for told in examine(&checked.config) {
        match told {
            Ok(remarks) => found.extend(remarks.into_iter().map(Finding::Warning)),
            Err(fault) => found.push(Finding::StoreAway(fault)),
        }
    }
    found.extend(faults);
    found.extend(asked.into_iter().flat_map(ask::Asked::end));
    found
}

/// A reader that has gone away wants no more lines.
fn tell(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

fn summary(checked: &Checked, warnings: usize) -> String {
    let file =
        checked.config.file.as_ref().map_or("the environment".into(), |file| file.display().to_string());
    let plugins: Vec<String> = checked
        .config
        .plugins
        .iter()
        .map(|p| format!("{} ({}, {})", p.name(), p.kind(), p.common().scope))
        .collect();
    match plugins.as_slice() {
        [] => format!("{file} is fine: an aggregator, {warnings} warnings"),
        plugins => format!("{file} is fine: {}; {warnings} warnings", plugins.join(", ")),
    }
}
