//! What was found beyond the configuration's own text: one line each.

use std::io::{self, Write};

use super::tell;
use crate::app::exit::Exit;

/// One line, with its remedy where there is something to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// As it should be, or not to be told.
    Note(String),
    /// It works, and should be looked at.
    Warning(String),
    /// Settings, keys or permissions must mend it.
    Fault(String),
    /// A database cannot be used.
    StoreAway(String),
    /// GitHub cannot be reached, or allows no more calls for now.
    GitHubAway(String),
}

impl Finding {
    /// Remarks go to standard output, the rest to standard error.
    pub(super) fn tell(&self) {
        match self {
            Finding::Note(text) => tell(&format!("note: {text}")),
            Finding::Warning(text) => tell(&format!("warning: {text}")),
            Finding::Fault(text) | Finding::StoreAway(text) | Finding::GitHubAway(text) => {
                let _ = writeln!(io::stderr().lock(), "{text}");
            }
        }
    }
}

/// What must be mended comes before what may come back by itself.
pub(super) fn exit(found: &[Finding]) -> Exit {
    let any = |wanted: fn(&Finding) -> bool| found.iter().any(wanted);
    if any(|finding| matches!(finding, Finding::Fault(_))) {
        Exit::Configuration
    } else if any(|finding| matches!(finding, Finding::StoreAway(_))) {
        Exit::StoreAway
    } else if any(|finding| matches!(finding, Finding::GitHubAway(_))) {
        Exit::GitHubAway
    } else {
        Exit::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_decides_and_warnings_do_not() {
        let (note, warning) = (Finding::Note(String::new()), Finding::Warning(String::new()));
        let (fault, github) = (Finding::Fault(String::new()), Finding::GitHubAway(String::new()));
        let store = Finding::StoreAway(String::new());
        assert_eq!(exit(&[note.clone(), warning]), Exit::Done);
        assert_eq!(exit(&[note, github.clone()]), Exit::GitHubAway);
        assert_eq!(exit(&[github.clone(), store.clone()]), Exit::StoreAway);
        assert_eq!(exit(&[github, store, fault]), Exit::Configuration);
    }
}
