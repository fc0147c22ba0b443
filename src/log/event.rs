//! One thing that is told, before it has a form.

use std::borrow::Cow;

use log::{Level, Record};
use time::OffsetDateTime;

use super::fields::Fields;

/// More of one field than anybody reads; longer ones are cut and say so.
const FIELD_LIMIT: usize = 16 << 10;

/// What every form is made from.
#[derive(Debug)]
pub(super) struct Event<'a> {
    pub time: OffsetDateTime,
    pub level: Level,
    pub msg: &'a str,
    pub version: &'a str,
    pub fields: &'a Fields,
    pub source: Source<'a>,
}

/// Where in the program it was told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Source<'a> {
    pub file: &'a str,
    pub module: &'a str,
    pub line: u32,
}

/// The level under which a record is told.
///
/// `ERROR` is what an operator must act on; a crate cannot know that, so that its errors are warnings here.
pub(super) fn level_of(record: &Record<'_>) -> Level {
    if is_ours(record.target()) { record.level() } else { record.level().max(Level::Warn) }
}

/// Whether a record's target is a module of ours; of other crates only warnings are told.
pub(super) fn is_ours(target: &str) -> bool {
    target.split("::").next().is_some_and(|krate| krate == env!("CARGO_CRATE_NAME"))
}

impl<'a> Source<'a> {
    pub(super) fn of(record: &Record<'a>) -> Source<'a> {
        Source {
            file: record.file().unwrap_or_default(),
            module: record.module_path().unwrap_or_default(),
            line: record.line().unwrap_or_default(),
        }
    }
}

/// `text`, or its beginning with a mark that tells how long it was.
pub(super) fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= FIELD_LIMIT {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(FIELD_LIMIT);
    Cow::Owned(format!("{}… (cut, {} bytes)", &text[..end], text.len()))
}

/// Whether a character could move a terminal's cursor, hide text or break a line.
pub(super) fn is_unprintable(c: char) -> bool {
    // Beyond the control characters: line and paragraph separator, marks and overrides of direction.
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters() {
        let long = "é".repeat(FIELD_LIMIT);
        let short = cut(&long);
        assert!(short.len() < FIELD_LIMIT + 40);
        assert!(short.ends_with("é… (cut, 32768 bytes)"), "{}", &short[FIELD_LIMIT - 4..]);
        assert_eq!(cut("short"), "short");
    }

    #[test]
    fn ours_are_told_from_crates_of_like_names() {
        assert!(is_ours("anklet::plugins::handler") && is_ours("anklet"));
        assert!(!is_ours("anklets::x") && !is_ours("rustls::conn"));
    }
}
