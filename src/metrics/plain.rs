//! The ordering document's own text form, line for line: for people and old scripts; Prometheus refuses it.

use std::fmt::Write;

use super::json::NEVER;
use super::snapshot::Snapshot;
use super::table::{FIGURES, TOTALS, Value, values};
use crate::runtime::board::{LastRun, Row};
use crate::runtime::clock;
use crate::runtime::status::Kind;

/// Not in the document.
pub(super) const LATER: &str = "total_canceled_runs_since_start";

/// The page: totals, then the plugins, then the host. What came after the document is left out.
pub(super) fn page(snapshot: &Snapshot) -> String {
    let figures: Vec<_> = FIGURES.into_iter().zip(values(snapshot)).collect();
    let (totals, host) = figures.split_at(TOTALS);
    let mut out = String::new();
    for ((name, ..), value) in totals.iter().filter(|((name, ..), _)| *name != LATER) {
        line(&mut out, name, figure(*value));
    }
    for row in &snapshot.plugins {
        plugin(&mut out, row);
    }
    for ((name, ..), value) in host {
        line(&mut out, name, figure(*value));
    }
    out
}

/// Six places, as the document has them.
pub(super) fn figure(value: Value) -> String {
    match value {
        Value::Whole(n) => n.to_string(),
        Value::Part(n) => format!("{n:.6}"),
    }
}

fn line(out: &mut String, name: &str, value: impl std::fmt::Display) {
    let _ = writeln!(out, "{name} {value}");
}

fn plugin(out: &mut String, row: &Row) {
    let labels = labels(row);
    line(out, &format!("plugin_status{{{labels}}}"), row.status.word());
    if row.identity.kind == Kind::Handler {
        run(out, "plugin_last_successful_run", &labels, row.last_successful.as_ref());
        run(out, "plugin_last_failed_run", &labels, row.last_failed.as_ref());
    }
    line(out, &format!("plugin_status_since{{{labels}}}"), clock::text_in_seconds(row.since));
}

fn run(out: &mut String, name: &str, labels: &str, run: Option<&LastRun>) {
    let (url, at) = match run {
        Some(run) => (run.job_url.as_str(), clock::text_in_seconds(run.at)),
        None => ("", NEVER.to_owned()),
    };
    line(out, &format!("{name}{{{labels},job_url={url}}}"), at);
}

fn labels(row: &Row) -> String {
    let who = &row.identity;
    let repo = who.repo.as_ref().map(|repo| format!(",repo={repo}")).unwrap_or_default();
    format!("plugin_name={},plugin={},owner={}{repo}", who.name, who.kind.word(), who.owner)
}

#[cfg(test)]
mod tests {
    use super::super::snapshot::example::{JOB, moment, snapshot};
    use super::*;

    #[test]
    fn the_lines_of_the_order() {
        let time = clock::text_in_seconds(moment());
        let wanted = format!(
            "\
total_running_vms 1
total_successful_runs_since_start 2
total_failed_runs_since_start 3
plugin_status{{plugin_name=RUNNER1,plugin=github,owner=acme,repo=app}} idle
plugin_last_successful_run{{plugin_name=RUNNER1,plugin=github,owner=acme,repo=app,job_url={JOB}}} {time}
plugin_last_failed_run{{plugin_name=RUNNER1,plugin=github,owner=acme,repo=app,job_url=}} 0001-01-01T00:00:00Z
plugin_status_since{{plugin_name=RUNNER1,plugin=github,owner=acme,repo=app}} {time}
plugin_status{{plugin_name=HOOKS,plugin=github_receiver,owner=acme}} running
plugin_status_since{{plugin_name=HOOKS,plugin=github_receiver,owner=acme}} {time}
host_cpu_count 12
host_cpu_used_count 1
host_cpu_usage_percentage 10.674157
host_memory_total_bytes 38654705664
host_memory_used_bytes 23025205248
host_memory_available_bytes 15629500416
host_memory_usage_percentage 59.566371
host_disk_total_bytes 994662584320
host_disk_used_bytes 459045515264
host_disk_available_bytes 535617069056
host_disk_usage_percentage 46.150878
"
        );
        assert_eq!(page(&snapshot()), wanted);
    }
}
