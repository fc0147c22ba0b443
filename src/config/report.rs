//! Gathers what is said while a configuration is read, and where it was read.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::PathBuf;

use super::note::{Note, Place};
use crate::domain::percent;

/// How loud a note is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Fault,
    Warning,
    Info,
}

/// The notes so far, and the surroundings that values are read in.
pub(super) struct Report {
    /// The file as the user named it; empty when there is none.
    pub file: String,
    /// The user's home folder.
    pub home: Option<PathBuf>,
    /// What relative paths start from.
    pub cwd: PathBuf,
    /// Texts that no note may show.
    secrets: Vec<String>,
    notes: RefCell<Vec<(Level, Note)>>,
}

/// Shorter secrets are not looked for inside other values: everything would hold them.
const SHORTEST: usize = 4;
/// How GitHub's tokens and PEM blocks begin.
const TELLING: &[&str] = &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "-----BEGIN"];
const LONGEST_SHOWN: usize = 120;

impl Report {
    pub fn new(file: String, home: Option<PathBuf>, cwd: PathBuf, secrets: Vec<String>) -> Report {
        let secrets = secrets.into_iter().filter(|s| s.len() >= SHORTEST).collect();
        Report { file, home, cwd, secrets, notes: RefCell::default() }
    }

    pub fn fault(&self, place: &Place, key: &str, text: impl Into<String>) {
        self.add(Level::Fault, place, key, text.into());
    }

    pub fn warn(&self, place: &Place, key: &str, text: impl Into<String>) {
        self.add(Level::Warning, place, key, text.into());
    }

    pub fn info(&self, place: &Place, key: &str, text: impl Into<String>) {
        self.add(Level::Info, place, key, text.into());
    }

    /// The one-word values of numbers and choices, quoted, for a note. What follows a space may be another
    /// key's value that slipped into this one, so it is left out.
    pub fn word(&self, text: &str) -> String {
        let mut words = text.split_whitespace();
        let first = words.next().unwrap_or_default();
        let more = if words.next().is_some() { " …" } else { "" };
        self.quote(&format!("{first}{more}"))
    }

    /// A value, quoted, without what is secret in it.
    pub fn quote(&self, text: &str) -> String {
        if self.is_telling(text) {
            return "\"***\"".into();
        }
        let text = percent::apart(text).0;
        let mut shown: String = text.chars().take(LONGEST_SHOWN).flat_map(char::escape_debug).collect();
        if text.chars().count() > LONGEST_SHOWN {
            shown.push('…');
        }
        format!("\"{shown}\"")
    }

    /// An unknown key's path: it may be a secret that slipped before a colon. Short ones may be words of a path.
    pub fn unknown(&self, path: &str) -> String {
        let holds_secret = self.secrets.iter().any(|s| s.len() >= 2 * SHORTEST && path.contains(s.as_str()));
        if holds_secret || is_token(path) { "***".into() } else { path.to_owned() }
    }

    /// The warnings so far, in the order of the file.
    pub fn warnings(&self) -> Vec<Note> {
        sorted(self.notes.borrow().clone()).1
    }

    /// Faults, warnings and remarks, each in the order of the file and without repetitions.
    pub fn finish(self) -> (Vec<Note>, Vec<Note>, Vec<Note>) {
        sorted(self.notes.into_inner())
    }

    fn add(&self, level: Level, place: &Place, key: &str, text: String) {
        let note = Note { file: self.file.clone(), place: place.clone(), key: key.to_owned(), text };
        self.notes.borrow_mut().push((level, note));
    }

    fn is_telling(&self, text: &str) -> bool {
        is_token(text) || self.secrets.iter().any(|s| text.contains(s.as_str()))
    }
}

fn is_token(text: &str) -> bool {
    TELLING.iter().any(|part| text.contains(part))
}

fn sorted(mut notes: Vec<(Level, Note)>) -> (Vec<Note>, Vec<Note>, Vec<Note>) {
    notes.sort_by(|(_, a), (_, b)| a.place.cmp(&b.place));
    let mut seen = HashSet::new();
    let mut of = |level: Level| {
        let new = notes.iter().filter(|(l, note)| *l == level && seen.insert(note));
        new.map(|(_, note)| note.clone()).collect()
    };
    (of(Level::Fault), of(Level::Warning), of(Level::Info))
}
