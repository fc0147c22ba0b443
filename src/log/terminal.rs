//! The forms for people: a short coloured line, and the developers' form with everything.

use std::collections::BTreeMap;
use std::fmt::Write;

use log::Level;
use serde_json::{Value as Json, json};

use super::event::{Event, cut, is_unprintable};
use super::fields::{Field, Value};
use super::{json, stamp};

const RESET: &str = "\x1b[0m";
const DIM: &str = "\x1b[2m";
const CYAN: &str = "\x1b[36m";

/// What the short form shows of a line's fields, behind the message.
const SHOWN: [(Field, &str); 4] = [
    (Field::WorkflowJobName, ""),
    (Field::WorkflowJobId, "job "),
    (Field::AnkaTemplate, "template "),
    (Field::VmName, ""),
];

/// `17:10:08 INFO  RUNNER1 the message (testJob, job 23414111000, anklet-vm-…)`.
pub(super) fn short(event: &Event<'_>) -> String {
    let mut out = format!("{DIM}{}{RESET} ", stamp::of_day(event.time));
    let _ = write!(out, "{}{:<5}{RESET} ", colour(event.level), event.level.as_str());
    if let Some(plugin) = event.fields.text(Field::PluginName) {
        let _ = write!(out, "{CYAN}{}{RESET} ", printable(plugin));
    }
    out.push_str(&printable(event.msg));
    let shown: Vec<String> = SHOWN.iter().filter_map(|(field, word)| part(event, *field, word)).collect();
    if !shown.is_empty() {
        let _ = write!(out, " {DIM}({}){RESET}", shown.join(", "));
    }
    out.push('\n');
    out
}

fn part(event: &Event<'_>, field: Field, word: &str) -> Option<String> {
    let (_, value) = event.fields.iter().find(|(f, _)| *f == field)?;
    Some(format!("{word}{}", printable(&value.to_string())))
}

/// `[17:10:08.726] INFO: the message {…}`, all fields as indented JSON, with the place in the source.
pub(super) fn dev(event: &Event<'_>) -> String {
    let mut all: BTreeMap<&str, Json> =
        event.fields.iter().map(|(field, value)| (field.name(), in_json(value))).collect();
    all.insert("ankletVersion", event.version.into());
    let source = event.source;
    all.insert("source", json!({"file": source.file, "function": source.module, "line": source.line}));
    let body = json::escaped(&serde_json::to_string_pretty(&all).unwrap_or_default());
    format!(
        "[{}] {}{}:{RESET} {CYAN}{}{RESET} {body}\n",
        stamp::of_day_millis(event.time),
        colour(event.level),
        event.level.as_str(),
        printable(event.msg),
    )
}

fn in_json(value: &Value) -> Json {
    match value {
        Value::Text(text) => cut(text).into(),
        Value::Number(number) => (*number).into(),
    }
}

fn colour(level: Level) -> &'static str {
    match level {
        Level::Error => "\x1b[31m",
        Level::Warn => "\x1b[33m",
        Level::Info => "\x1b[32m",
        Level::Debug | Level::Trace => "\x1b[35m",
    }
}

/// Text that a terminal shows as it stands and does not obey.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in cut(text).chars() {
        if is_unprintable(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Fields;
    use crate::log::event::Source;
    use time::macros::datetime;

    fn event<'a>(msg: &'a str, fields: &'a Fields) -> Event<'a> {
        let time = datetime!(2024-04-03 17:10:08.726639 -4);
        let source = Source { file: "src/x.rs", module: "anklet::x", line: 7 };
        Event { time, level: Level::Warn, msg, version: "1.2.3", fields, source }
    }

    fn plain(text: &str) -> String {
        [RESET, DIM, CYAN, colour(Level::Warn)]
            .iter()
            .fold(text.to_owned(), |text, code| text.replace(code, ""))
    }

    #[test]
    fn the_short_form() {
        let fields = Fields::new()
            .with(Field::PluginName, "R1")
            .with(Field::WorkflowJobId, 7)
            .with(Field::VmName, "vm");
        assert_eq!(plain(&short(&event("up", &fields))), "17:10:08 WARN  R1 up (job 7, vm)\n");
        assert_eq!(plain(&short(&event("up", &Fields::new()))), "17:10:08 WARN  up\n");
    }

    #[test]
    fn the_developers_form_has_sorted_json_and_the_source() {
        let fields = Fields::new().with(Field::WorkflowJobId, 7).with(Field::Owner, "acme");
        let text = plain(&dev(&event("up", &fields)));
        let body = text.strip_prefix("[17:10:08.726] WARN: up ").unwrap();
        assert!(body.starts_with("{\n  \"ankletVersion\": \"1.2.3\",\n  \"owner\": \"acme\","), "{body}");
        let back: Json = serde_json::from_str(body).unwrap();
        assert_eq!(back["source"], json!({"file": "src/x.rs", "function": "anklet::x", "line": 7}));
        assert_eq!(back["workflowJobId"], 7);
    }

    #[test]
    fn no_escape_sequence_of_others_gets_through() {
        let nasty = "x\u{1b}]0;gone\u{7}\r\n\u{9b}2J\u{202e}";
        let fields = Fields::new().with(Field::PluginName, nasty).with(Field::VmName, nasty);
        for text in [short(&event(nasty, &fields)), dev(&event(nasty, &fields))] {
            let rest = plain(&text).replace('\n', "");
            assert!(!rest.chars().any(is_unprintable), "{rest:?}");
            assert!(rest.contains("x\\u{1b}]0;gone\\u{7}\\r\\n"), "{rest:?}");
        }
    }
}
