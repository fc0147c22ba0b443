//! The JSON line: what collectors read.

use std::fmt::Write;

use super::event::{Event, cut, is_unprintable};
use super::fields::Value;
use super::stamp;

/// One line with its end: `{"time":…,"level":…,"msg":…,"ankletVersion":…,` and the fields in their order.
pub(super) fn line(event: &Event<'_>) -> String {
    let mut out = String::with_capacity(512);
    out.push('{');
    pair(&mut out, "time", &stamp::micros(event.time));
    for (name, text) in
        [("level", event.level.as_str()), ("msg", event.msg), ("ankletVersion", event.version)]
    {
        out.push(',');
        pair(&mut out, name, text);
    }
    for (field, value) in event.fields.iter() {
        out.push(',');
        match value {
            Value::Text(text) => pair(&mut out, field.name(), text),
            Value::Number(number) => _ = write!(out, "\"{}\":{number}", field.name()),
        }
    }
    out.push_str("}\n");
    out
}

fn pair(out: &mut String, name: &str, text: &str) {
    let _ = write!(out, "\"{name}\":");
    out.push_str(&escaped(&serde_json::Value::from(cut(text)).to_string()));
}

/// JSON escapes what it must; this also escapes what a terminal would obey when the file is followed on one.
pub(super) fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        // A line feed is between values here; inside a string JSON has escaped it already.
        if is_unprintable(c) && c != '\n' {
            let _ = write!(out, "\\u{:04x}", c as u32);
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::event::Source;
    use crate::log::{Field, Fields};
    use log::Level;
    use time::macros::datetime;

    fn told(msg: &str, fields: &Fields) -> String {
        let time = datetime!(2024-04-03 17:10:08.726639 -4);
        line(&Event { time, level: Level::Info, msg, version: "1.2.3", fields, source: Source::default() })
    }

    #[test]
    fn the_line_of_the_order() {
        let fields = Fields::new()
            .with(Field::UniqueRunKey, "8544945071:1")
            .with(Field::PluginName, "RUNNER1")
            .with(Field::WorkflowRunId, 8_544_945_071)
            .with(Field::Plugin, "github");
        assert_eq!(
            told("handling a job", &fields),
            concat!(
                r#"{"time":"2024-04-03T17:10:08.726639-04:00","level":"INFO","msg":"handling a job","#,
                r#""ankletVersion":"1.2.3","pluginName":"RUNNER1","plugin":"github","#,
                r#""workflowRunId":8544945071,"uniqueRunKey":"8544945071:1"}"#,
                "\n"
            )
        );
    }

    #[test]
    fn hostile_text_stays_one_line_and_moves_no_cursor() {
        let nasty = "a\"\\\n\r\u{1b}[31m\u{9b}2J\u{7f}\u{2028}\u{202e}é😀";
        let line = told(nasty, &Fields::new());
        assert_eq!(line.matches('\n').count(), 1);
        assert!(!line.trim_end().chars().any(is_unprintable), "{line:?}");
        let back: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(back["msg"], nasty);
    }

    #[test]
    fn a_line_has_an_end_however_long_its_fields() {
        let long = "x".repeat(1 << 20);
        let line = told(&long, &Fields::new().with(Field::WorkflowName, long.as_str()));
        assert!(line.len() < 40 << 10, "{}", line.len());
        assert!(line.contains("… (cut, 1048576 bytes)"));
    }
}
