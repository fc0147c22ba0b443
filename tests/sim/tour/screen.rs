//! How the tour is shown: aligned lines, in colour on a terminal only.

use super::sources::What;
use crate::stage::Stage;
use serde_json::Value;
use std::io::{IsTerminal, Stdout, Write};
use time::Duration;

const DIM: &str = "2";
const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const MAGENTA: &str = "35";
const CYAN: &str = "36";
/// `anklet-vm-` and the first eight digits.
const VM: usize = 18;

pub struct Screen {
    out: Stdout,
    coloured: bool,
}

impl Screen {
    pub fn of_standard_output() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none();
        let out = std::io::stdout();
        Self { coloured: wanted && out.is_terminal(), out }
    }

    pub fn heading(&self, text: &str) {
        self.line(&format!("\n{}", self.in_colour(BOLD, text)));
    }

    /// Where everything is.
    pub fn place(&self, stage: &Stage) {
        let folder = stage.folder.path().display();
        self.fact("folder", &folder.to_string());
        self.fact("GitHub", &format!("{} (simulated)", stage.github.url));
        self.fact("anka", "anka/bin/anka, first on the PATH (simulated); macos-15:v1 is on the host");
        self.fact("anklet", &format!("process {}, one receiver, two handlers", stage.daemon.pid()));
    }

    /// A name and what there is to say of it.
    pub fn fact(&self, name: &str, what: &str) {
        self.line(&format!("  {} {what}", self.in_colour(DIM, &format!("{name:<14}"))));
    }

    /// A fact that must hold.
    pub fn judged(&self, name: &str, what: &str, good: bool) {
        let what = self.in_colour(if good { GREEN } else { RED }, what);
        self.fact(name, &what);
    }

    /// A job has moved.
    pub fn moved(&self, after: Duration, job: &str, what: &What) {
        let (word, colour, said) = told(what);
        let time = format!("{:6.2} s", after.as_seconds_f64());
        let word = self.in_colour(colour, &format!("{word:<8}"));
        self.line(format!("  {}  {job:<8} {word} {said}", self.in_colour(DIM, &time)).trim_end());
    }

    /// Rows of equal length, the first one a heading.
    pub fn table(&self, rows: &[Vec<String>]) {
        let columns = rows.first().map_or(0, Vec::len);
        let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (at, row) in rows.iter().enumerate() {
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            let text = cells.join("  ");
            let text = text.trim_end();
            let text = if at == 0 { self.in_colour(DIM, text) } else { text.to_owned() };
            self.line(&format!("  {text}"));
        }
    }

    /// The metrics: totals, host, and a row a plugin.
    pub fn metrics(&self, metrics: &Value) {
        for (name, value) in metrics.as_object().into_iter().flatten() {
            if name.starts_with("total_") {
                self.line(&format!("  {name:<34} {value}"));
            }
        }
        for plugin in metrics["plugins"].as_array().into_iter().flatten() {
            let text = |key: &str| plugin[key].as_str().unwrap_or_default().to_owned();
            let (kind, status) = (text("plugin_name"), text("status"));
            self.line(&format!("  plugin {:<27} {status} ({kind})", text("name")));
        }
    }

    /// A line of its own. A reader that has gone away is no fault of ours.
    pub fn line(&self, text: &str) {
        let _ = writeln!(&self.out, "{text}");
    }

    fn in_colour(&self, colour: &str, text: &str) -> String {
        if self.coloured { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The beginning of a VM's name.
pub fn short(vm: &str) -> &str {
    if vm.starts_with("anklet-vm-") { vm.get(..VM).unwrap_or(vm) } else { vm }
}

/// The word, its colour, and what else there is to say.
fn told(what: &What) -> (&str, &'static str, String) {
    match what {
        What::Delivered { status, answer } => {
            ("queued", DIM, format!("delivered, answered {status} {answer}"))
        }
        What::Claimed { plugin, .. } => ("claimed", CYAN, format!("by {plugin}")),
        What::Crossed { vm, plugin } => {
            ("crossed", MAGENTA, format!("{plugin}'s {} holds it now", short(vm)))
        }
        What::Pulling(what) => ("pulling", CYAN, what.clone()),
        What::Started { vm } => ("VM", CYAN, format!("{} is cloned and started", short(vm))),
        What::Running { runner } => ("running", YELLOW, format!("on {}", short(runner))),
        What::Cancelled { by_anklet: true } => ("cancel", MAGENTA, "by anklet".into()),
        What::Cancelled { by_anklet: false } => ("cancel", MAGENTA, "by a person".into()),
        What::Done { conclusion } => ("done", conclusion_colour(conclusion), conclusion.clone()),
        What::Cleaned { vm } => ("cleaned", GREEN, format!("{} is deleted", short(vm))),
        What::Said { level, message } => (level, RED, message.clone()),
    }
}

fn conclusion_colour(conclusion: &str) -> &'static str {
    match conclusion {
        "success" => GREEN,
        "cancelled" => MAGENTA,
        _ => RED,
    }
}
