//! `anklet check`: what a configuration says and what is wrong with it. Starts nothing, creates nothing.

use std::io::{self, Write};

use crate::app::exit::Exit;
use crate::app::out_of_reach;
use crate::config::{Checked, Faults};

/// Tells what was found: remarks on standard output, faults on standard error.
pub fn check(loaded: &Result<Checked, Faults>) -> Exit {
    match loaded {
        Ok(checked) => {
            let mut out = io::stdout().lock();
            for (word, notes) in [("note", &checked.infos), ("warning", &checked.warnings)] {
                for note in notes {
                    // A reader that has gone away wants no more lines.
                    let _ = writeln!(out, "{word}: {note}");
                }
            }
            let _ = writeln!(out, "{}", summary(checked));
            let away = out_of_reach(&checked.config);
            for fault in &away {
                let _ = writeln!(io::stderr().lock(), "{fault}");
            }
            if away.is_empty() { Exit::Done } else { Exit::StoreAway }
        }
        Err(faults) => {
            let _ = writeln!(io::stderr().lock(), "{faults}");
            Exit::Configuration
        }
    }
}

fn summary(checked: &Checked) -> String {
    let file =
        checked.config.file.as_ref().map_or("the environment".into(), |file| file.display().to_string());
    let plugins: Vec<String> = checked
        .config
        .plugins
        .iter()
        .map(|p| format!("{} ({}, {})", p.name(), p.kind(), p.common().scope))
        .collect();
    match (plugins.as_slice(), checked.warnings.len()) {
        ([], warnings) => format!("{file} is fine: an aggregator, {warnings} warnings"),
        (plugins, warnings) => format!("{file} is fine: {}; {warnings} warnings", plugins.join(", ")),
    }
}
