//! Prometheus' text format, version 0.0.4: how families, samples and labels are written.
//!
//! Our own, and small: of the encoders to be had one cannot write untyped series, the other only OpenMetrics.

use std::fmt::{Display, Write};

/// A page as it is written.
#[derive(Default)]
pub(super) struct Exposition(String);

impl Exposition {
    /// The page.
    pub(super) fn text(self) -> String {
        self.0
    }

    /// A family of one sample.
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, help, "gauge");
        self.sample(name, &[], value);
    }

    /// Begins a family; its samples follow.
    pub(super) fn family(&mut self, name: &str, help: &str, kind: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// One sample of the family begun last.
    pub(super) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let out = &mut self.0;
        out.push_str(name);
        for (nth, (label, text)) in labels.iter().enumerate() {
            out.push(if nth == 0 { '{' } else { ',' });
            out.push_str(label);
            out.push_str("=\"");
            quote(out, text);
            out.push('"');
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(out, "{end} {value}");
    }
}

/// A fleet's page has tens of thousands of labels, and hardly one that needs it.
fn quote(out: &mut String, text: &str) {
    if ['\\', '"', '\n'].iter().any(|mark| text.contains(*mark)) {
        out.push_str(&text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"));
    } else {
        out.push_str(text);
    }
}
