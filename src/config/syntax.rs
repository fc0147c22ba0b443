//! Files that are not YAML: the parsers' words put so that an operator finds the line and the remedy.

use std::borrow::Cow;

use super::note::Place;
use super::raw::{Broken, MAX_BYTES};

const TAB: &str = "this line begins with a tab; indent with spaces";

/// A part of a parser's message, and what to say instead.
const EXPLANATIONS: &[(&str, &str)] = &[
    (
        "mapping values are not allowed",
        "this line is indented deeper than the keys that it belongs to, or its value holds \": \" and needs quotes",
    ),
    ("tabs disallowed", TAB),
    ("found a tab", "this line begins with a tab, or holds one outside of quotes; write spaces"),
    ("recursion limit", "this line is nested too deeply"),
    ("simple key expect", "this line lacks a colon with a space behind it; write KEY: VALUE"),
    (
        "expected '-' indicator",
        "this line is indented differently from the keys that it belongs to; align it with them",
    ),
    (
        "did not find expected key",
        "this line is indented differently from the keys that it belongs to; align it with them",
    ),
    (
        "block sequence entries are not allowed",
        "a dash begins an item of a list, on a line of its own; else quote it",
    ),
    ("invalid indentation", "a quotation mark opens here and is not closed, or its text is not indented"),
    ("unexpected character: `@'", "a value cannot begin with @; put it in quotes"),
    ("unexpected character: ``'", "a value cannot begin with a backtick; put it in quotes"),
    ("unexpected character: `%'", "a value cannot begin with %; put it in quotes"),
    (
        "found unknown anchor",
        "an alias (*name) names no anchor (&name); a value that begins with * needs quotes",
    ),
    ("anchor or alias", "a value that begins with * or & needs quotes"),
];

/// The file's text, without a byte order mark.
pub(super) fn text_of(bytes: &[u8]) -> Result<&str, Broken> {
    let fault = |place, text: &str| Broken { place, key: String::new(), text: text.into() };
    if bytes.len() > MAX_BYTES {
        return Err(fault(Place::File, "is larger than 1 MiB; this is hardly a configuration"));
    }
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(fault(Place::File, "is UTF-16; save it as UTF-8"));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        fault(line_of(bytes, error.valid_up_to()), "holds bytes that are not UTF-8; save it as UTF-8")
    })?;
    match text.find(is_unprintable) {
        Some(at) => Err(fault(line_of(bytes, at), "holds a control character (NUL or the like); remove it")),
        None => Ok(text),
    }
}

/// `file_dir: -` is how everyone writes standard output, but to YAML a lone dash begins a list.
pub(super) fn quote_dash(text: &str) -> Cow<'_, str> {
    if !text.contains("file_dir:") {
        return Cow::Borrowed(text);
    }
    let quoted = text.split_inclusive('\n').map(|line| match line.trim_start().strip_prefix("file_dir:") {
        Some(value) if value.split('#').next().is_some_and(|value| value.trim() == "-") => {
            line.replacen('-', "\"-\"", 1)
        }
        _ => line.to_owned(),
    });
    Cow::Owned(quoted.collect())
}

/// A parser's error, with the line that is to be mended.
pub(super) fn explain(text: &str, line: usize, message: &str) -> Broken {
    let line = match message {
        // Noticed at the first word of the next line ...
        _ if message.contains("simple key expect") => content_before(text, line),
        // ... and at the beginning of the value that goes on behind the tab.
        _ if message.contains("found a tab") => tab_from(text, line),
        _ => line,
    }
    .max(1);
    let said = match EXPLANATIONS.iter().find(|(part, _)| message.contains(part)) {
        _ if message.contains("cannot start any token") && tab_from(text, line) == line => TAB,
        Some((_, said)) => said,
        None => without_position(message),
    };
    Broken { place: Place::Line(line), key: String::new(), text: format!("is not YAML: {said}") }
}

/// Cuts ` at line 3 column 1, …` off a message: the place is printed in front.
fn without_position(message: &str) -> &str {
    message.split(" at line ").next().unwrap_or(message)
}

/// `plugins`, `[1]`, `port` as `plugins[1].port`.
pub(super) fn join(path: &[String]) -> String {
    path.iter().fold(String::new(), |mut joined, part| {
        if !joined.is_empty() && !part.starts_with('[') {
            joined.push('.');
        }
        joined + part
    })
}

fn line_of(bytes: &[u8], at: usize) -> Place {
    Place::Line(1 + bytes.iter().take(at).filter(|b| **b == b'\n').count())
}

/// The last line before `line` that holds more than space and comment.
fn content_before(text: &str, line: usize) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let is_content = |n: &usize| {
        let line = lines.get(n - 1).map_or("", |l| l.trim());
        !line.is_empty() && !line.starts_with('#')
    };
    (1..line).rev().find(is_content).unwrap_or(line)
}

/// The first line from `line` on that is indented by a tab.
fn tab_from(text: &str, line: usize) -> usize {
    let is_tabbed = |line: &str| line[..line.len() - line.trim_start().len()].contains('\t');
    text.lines().skip(line - 1).position(is_tabbed).map_or(line, |below| line + below)
}

/// What YAML does not allow in a file: `char::is_control`, but for the white space, and two that are no characters.
fn is_unprintable(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}') || matches!(c, '\u{FFFE}' | '\u{FFFF}')
}
