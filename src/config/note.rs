//! What is said about a configuration: faults, warnings and remarks, each with its place.

use std::fmt;

/// Where something was written. The order is that in which notes are printed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The file as a whole.
    File,
    /// A line of the file, counted from 1.
    Line(usize),
    /// An environment variable.
    Variable(String),
}

/// One thing said about one place. Prints as `FILE:LINE: KEY: TEXT`, or `VARIABLE: TEXT`.
///
/// Values of secrets are never part of `text`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Note {
    /// The file as the user named it; empty when there is none.
    pub file: String,
    /// Where.
    pub place: Place,
    /// The key's path, such as `plugins[1].sleep_interval`; empty when no one key is meant.
    pub key: String,
    /// Value and remedy, in one line.
    pub text: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Variable(name) => return write!(f, "{name}: {}", self.text),
            Place::Line(line) => write!(f, "{}:{line}: ", self.file)?,
            Place::File if self.file.is_empty() => {}
            Place::File => write!(f, "{}: ", self.file)?,
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.text)
    }
}

/// Why a configuration cannot be used. Prints one note a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    /// All its faults, by line, those of variables last.
    pub faults: Vec<Note>,
    /// What else is odd: a key that is missing is often there under a mistyped name.
    pub warnings: Vec<Note>,
}

impl Faults {
    /// One fault that says all.
    pub fn one(fault: Note) -> Faults {
        Faults { faults: vec![fault], warnings: Vec::new() }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults = self.faults.iter().map(ToString::to_string);
        let warnings = self.warnings.iter().map(|warning| format!("warning: {warning}"));
        f.write_str(&faults.chain(warnings).collect::<Vec<_>>().join("\n"))
    }
}

impl std::error::Error for Faults {}
