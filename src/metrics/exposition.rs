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
        let labels: Vec<_> =
            labels.iter().map(|(label, text)| format!("{label}=\"{}\"", quoted(text))).collect();
        if labels.is_empty() {
            let _ = writeln!(self.0, "{name} {value}");
        } else {
            let _ = writeln!(self.0, "{name}{{{}}} {value}", labels.join(","));
        }
    }
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
