//! Why an `anka` call did not do what it was asked to.

use std::fmt;
use std::io;
use std::time::Duration;

/// Anka's code for "there is no such VM, template or tag".
const NOT_THERE: i64 = 3;
/// Anka's code for "a VM of this name exists".
const NAME_TAKEN: i64 = 18;
/// Longest text that is passed on to a log, in characters.
const LONGEST: usize = 400;

/// The closed list. No text in it decides anything: texts are for people.
#[derive(Debug)]
pub enum AnkaError {
    /// Anka answered ERROR.
    Failed {
        /// Anka's code; the exit code when there was none.
        code: i64,
        /// Anka's words.
        message: String,
    },
    /// Anka answered that there is no such VM, template or tag (code 3).
    NotThere(String),
    /// Anka answered that a VM of this name exists (code 18).
    NameTaken(String),
    /// The command inside the VM ended with an exit code other than 0.
    Exited {
        /// The code; `None`: ended by a signal.
        code: Option<i32>,
        /// The end of its output.
        output: String,
    },
    /// The connection to the guest was lost while the command ran (exit code 125).
    Disconnected(String),
    /// What came was no answer of Anka's.
    Garbage {
        /// How the child ended.
        ended: String,
        /// The end of what came.
        output: String,
    },
    /// No answer within this time; the child was ended.
    TimeLimit(Duration),
    /// A pull that went no further for this time; the child was ended.
    Stalled(Duration),
    /// A stop came first; the child was ended.
    Stopped,
    /// The child could not be started.
    NotStarted(io::Error),
}

impl AnkaError {
    /// Anka's ERROR, sorted by its code alone.
    pub fn answered(code: i64, message: &str) -> AnkaError {
        let message = for_people(message);
        match code {
            NOT_THERE => AnkaError::NotThere(message),
            NAME_TAKEN => AnkaError::NameTaken(message),
            _ => AnkaError::Failed { code, message },
        }
    }

    /// Whether there is no such VM, template or tag.
    pub fn is_not_there(&self) -> bool {
        matches!(self, AnkaError::NotThere(_))
    }
}

/// What had to be there before the child could be started was not.
pub fn not_started(what: &str, error: io::Error) -> AnkaError {
    AnkaError::NotStarted(with(what, error))
}

/// An error of the system under the name of what failed.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub fn with(what: &str, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}

/// The end of a foreign text as one line: bounded, control characters escaped, passwords in URLs left out.
pub fn for_people(text: &str) -> String {
    let text = without_passwords(text.trim());
    let skipped = text.chars().count().saturating_sub(LONGEST);
    let mut line = String::from(if skipped > 0 { "…" } else { "" });
    for c in text.chars().skip(skipped) {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

/// `https://user:password@host` becomes `https://…@host`.
fn without_passwords(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        clean.push_str(head);
        let authority = tail.find(|c: char| c.is_whitespace() || "/\"'?#".contains(c)).unwrap_or(tail.len());
        rest = match tail[..authority].rfind('@') {
            Some(end) => {
                clean.push('…');
                &tail[end..]
            }
            None => tail,
        };
    }
    clean + rest
}

impl fmt::Display for AnkaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AnkaError::Failed { code, message } => write!(f, "anka answered with code {code}: {message}"),
            AnkaError::NotThere(message) => write!(f, "anka finds no such VM, template or tag: {message}"),
            AnkaError::NameTaken(message) => write!(f, "anka has a VM of this name already: {message}"),
            AnkaError::Exited { code: Some(code), output } => {
                write!(f, "the command in the VM ended with exit code {code}: {output}")
            }
            AnkaError::Exited { code: None, output } => {
                write!(f, "the command in the VM was ended by a signal: {output}")
            }
            AnkaError::Disconnected(output) => write!(f, "the connection to the VM was lost: {output}"),
            AnkaError::Garbage { ended, output } => {
                write!(f, "anka gave no answer that can be read ({ended}): {output}")
            }
            AnkaError::TimeLimit(limit) => write!(f, "anka gave no answer within {} s", limit.as_secs_f32()),
            AnkaError::Stalled(limit) => write!(f, "the pull made no progress in {} s", limit.as_secs_f32()),
            AnkaError::Stopped => f.write_str("anka was stopped before it answered"),
            AnkaError::NotStarted(e) => write!(f, "anka could not be started: {e}"),
        }
    }
}

impl std::error::Error for AnkaError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            AnkaError::NotStarted(e) => Some(e),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_alone_decides() {
        assert!(AnkaError::answered(3, "everything is fine").is_not_there());
        assert!(!AnkaError::answered(1, "x: not found").is_not_there());
        assert!(matches!(AnkaError::answered(18, ""), AnkaError::NameTaken(_)));
    }

    #[test]
    fn texts_for_people_are_one_bounded_line_without_passwords() {
        assert_eq!(for_people(" a\nb\x1b[31m\u{7f} "), "a\\nb\\u{1b}[31m\\u{7f}");
        let long = for_people(&format!("{}end", "é".repeat(1000)));
        assert_eq!(long.chars().count(), LONGEST + 1);
        assert!(long.starts_with('…') && long.ends_with("end"));
        assert_eq!(
            for_people("pull from https://me:p@ss@reg.io/x?a=b@c and http://reg:80 me@home"),
            "pull from https://…@reg.io/x?a=b@c and http://reg:80 me@home"
        );
    }
}
