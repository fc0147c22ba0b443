//! The ordering document's text form, with `metricsUrl`; hosts that are down are left out.

use std::fmt::Write;

use super::host::{Host, Row};
use crate::metrics::plain::{LATER, figure};
use crate::metrics::table::{FIGURES, TOTALS, Value};

/// The page: host by host, each as its own page has it.
pub(super) fn page(hosts: &[Host]) -> String {
    let mut out = String::new();
    let (totals, of_host) = FIGURES.split_at(TOTALS);
    for host in hosts.iter().filter(|host| host.is_up()) {
        for (name, ..) in totals.iter().filter(|(name, ..)| *name != LATER) {
            one(&mut out, host, name);
        }
        for row in host.plugins() {
            plugin(&mut out, host, row);
        }
        for (name, ..) in of_host {
            one(&mut out, host, name);
        }
    }
    out
}

fn one(out: &mut String, host: &Host, name: &str) {
    let Some(value) = host.figure(name) else { return };
    let value = value.as_u64().map(Value::Whole).or_else(|| value.as_f64().map(Value::Part));
    if let Some(value) = value {
        let _ = writeln!(out, "{name}{{metricsUrl={}}} {}", host.url, figure(value));
    }
}

fn plugin(out: &mut String, host: &Host, row: Row<'_>) {
    let repo = Some(row.text("repo_name")).filter(|repo| !repo.is_empty());
    let repo = repo.map(|repo| format!(",repo={repo}")).unwrap_or_default();
    let (name, kind, owner) = (row.text("name"), row.text("plugin_name"), row.text("owner_name"));
    let who = format!("plugin_name={name},plugin={kind},owner={owner}{repo}");
    let url = &host.url;
    let _ = writeln!(out, "plugin_status{{{who},metricsUrl={url}}} {}", row.text("status"));
    for run in ["last_successful_run", "last_failed_run"].into_iter().filter(|run| row.has(run)) {
        let job = row.text(&format!("{run}_job_url"));
        let _ =
            writeln!(out, "plugin_{run}{{{who},job_url={job},metricsUrl={url}}} {}", whole(row.text(run)));
    }
    let _ =
        writeln!(out, "plugin_status_since{{{who},metricsUrl={url}}} {}", whole(row.text("status_since")));
}

/// A moment in whole seconds, as the document has it here; its JSON has fractions.
fn whole(moment: &str) -> String {
    match moment.split_once('.') {
        Some((seconds, rest)) => seconds.to_owned() + rest.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => moment.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::host::example::hosts;
    use super::*;

    #[test]
    fn the_lines_of_the_order() {
        let wanted = "\
total_running_vms{metricsUrl=http://a/metrics} 1
total_successful_runs_since_start{metricsUrl=http://a/metrics} 2
total_failed_runs_since_start{metricsUrl=http://a/metrics} 3
plugin_status{plugin_name=RUNNER\"3,plugin=github,owner=acme,repo=anklet,metricsUrl=http://a/metrics} idle
plugin_last_successful_run{plugin_name=RUNNER\"3,plugin=github,owner=acme,repo=anklet,job_url=https://job/1,metricsUrl=http://a/metrics} 2024-05-21T14:16:06-05:00
plugin_last_failed_run{plugin_name=RUNNER\"3,plugin=github,owner=acme,repo=anklet,job_url=,metricsUrl=http://a/metrics} 0001-01-01T00:00:00Z
plugin_status_since{plugin_name=RUNNER\"3,plugin=github,owner=acme,repo=anklet,metricsUrl=http://a/metrics} 2024-05-21T14:16:06-05:00
plugin_status{plugin_name=HOOKS,plugin=github_receiver,owner=acme,metricsUrl=http://a/metrics} running
plugin_status_since{plugin_name=HOOKS,plugin=github_receiver,owner=acme,metricsUrl=http://a/metrics} 2024-05-21T14:16:06-05:00
host_cpu_count{metricsUrl=http://a/metrics} 8
host_cpu_usage_percentage{metricsUrl=http://a/metrics} 20.500000
";
        assert_eq!(page(&hosts()), wanted);
    }
}
