//! Files that are not YAML: the parsers' words put so that an operator finds the line and the remedy.

use saphyr_parser::ScanError;

use super::note::Place;
use super::raw::{Broken, MAX_BYTES};

/// A part of the parser's message, and what to say instead.
const EXPLANATIONS: &[(&str, &str)] = &[
    (
        "mapping values are not allowed",
        "this line is indented deeper than the keys that it belongs to, or its value holds \": \" and needs quotes",
    ),
    ("tabs disallowed", "this line begins with a tab; indent with spaces"),
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
    match text.bytes().position(|b| b.is_ascii_control() && !matches!(b, b'\t' | b'\n' | b'\r')) {
        Some(at) => Err(fault(line_of(bytes, at), "holds a control character (NUL or the like); remove it")),
        None => Ok(text),
    }
}

/// The marked parser's error, with the line that is to be mended.
pub(super) fn explain(text: &str, error: &ScanError) -> Broken {
    let line = error.marker().line();
    let known = EXPLANATIONS.iter().find(|(part, _)| error.info().contains(part));
    let line = match error.info() {
        // Noticed at the first word of the next line ...
        info if info.contains("simple key expect") => content_before(text, line),
        // ... and at the beginning of the value that goes on behind the tab.
        info if info.contains("found a tab") => tab_from(text, line),
        _ => line,
    };
    let text = match known {
        Some((_, said)) => format!("is not YAML: {said}"),
        None => format!("is not YAML: {}", without_position(error.info())),
    };
    Broken { place: Place::Line(line.max(1)), key: String::new(), text }
}

/// Cuts ` at line 3 column 1, …` off a message: the place is printed in front.
pub(super) fn without_position(message: &str) -> &str {
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
