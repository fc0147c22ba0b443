//! The hosts' series with the label `metricsUrl`, and sums over the hosts that are up.
//!
//! A host that is down has no series but its `anklet_host_up` and its age: what it said last is not now.

use std::time::SystemTime;

use super::View;
use super::host::{Host, Row};
use crate::metrics::exposition::Exposition;
use crate::metrics::own;
use crate::metrics::prometheus::seconds;
use crate::metrics::table::{FIGURES, PLUGIN_FAMILIES, TOTALS};
use crate::runtime::clock;
use crate::runtime::status::STATUS_WORDS;

/// The ordering document's label; Prometheus' own custom would write `metrics_url`.
const URL: &str = "metricsUrl";

/// Sums over the hosts: name, what it says, and the figure that is added up.
const SUMS: [(&str, &str, &str); 4] = [
    ("anklet_fleet_running_vms", "VMs that run on the hosts that are up.", "total_running_vms"),
    (
        "anklet_fleet_successful_runs",
        "Runs that ended well since the starts of the hosts that are up.",
        "total_successful_runs_since_start",
    ),
    (
        "anklet_fleet_failed_runs",
        "Runs that failed since the starts of the hosts that are up.",
        "total_failed_runs_since_start",
    ),
    (
        "anklet_fleet_canceled_runs",
        "Runs that were cancelled since the starts of the hosts that are up.",
        "total_canceled_runs_since_start",
    ),
];

/// The page: what the hosts say, and what the aggregator says of itself.
pub(super) fn page(view: &View) -> String {
    let mut out = Exposition::default();
    own::process(&mut out, &view.found, view.log_lines_dropped);
    let (hosts, now) = (&view.hosts[..], view.now);
    let up: Vec<&Host> = hosts.iter().filter(|host| host.is_up()).collect();
    let (totals, of_host) = FIGURES.split_at(TOTALS);
    for figure in totals {
        each(&mut out, &up, figure);
    }
    plugins(&mut out, &up);
    for figure in of_host {
        each(&mut out, &up, figure);
    }
    freshness(&mut out, hosts, now);
    out.gauge("anklet_fleet_hosts", "Hosts that are asked.", hosts.len());
    out.gauge("anklet_fleet_hosts_up", "Hosts that answered the last time.", up.len());
    for (name, help, figure) in SUMS {
        // Not `sum`: nothing at all sums up to -0.
        let sum = up.iter().filter_map(|host| host.figure(figure)?.as_f64()).fold(0.0, |a, b| a + b);
        out.gauge(name, help, sum);
    }
    out.text()
}

/// A figure of each host that has it.
fn each(out: &mut Exposition, up: &[&Host], (name, help, kind): &(&str, &str, &str)) {
    let has: Vec<_> = up.iter().filter_map(|host| Some((host, host.figure(name)?))).collect();
    if has.is_empty() {
        return;
    }
    out.family(name, help, kind);
    for (host, value) in has {
        out.sample(name, &[(URL, &host.url)], value);
    }
}

fn plugins(out: &mut Exposition, up: &[&Host]) {
    let rows: Vec<(&Host, Row<'_>)> =
        up.iter().flat_map(|host| host.plugins().map(|row| (*host, row))).collect();
    let [status, good, failed, since] = PLUGIN_FAMILIES;
    if rows.is_empty() {
        return;
    }
    out.family(status.0, status.1, "gauge");
    for (host, row) in &rows {
        for (_, word) in STATUS_WORDS {
            let labels = labels(host, *row, Some(("status", word)));
            out.sample(status.0, &labels, u8::from(row.text("status") == word));
        }
    }
    moments(out, &rows, good, "last_successful_run", Some("last_successful_run_job_url"));
    moments(out, &rows, failed, "last_failed_run", Some("last_failed_run_job_url"));
    moments(out, &rows, since, "status_since", None);
}

/// A family of moments; what never came, or cannot be read, has no sample.
fn moments(
    out: &mut Exposition,
    rows: &[(&Host, Row<'_>)],
    (name, help): (&str, &str),
    key: &str,
    url_key: Option<&str>,
) {
    let had: Vec<_> = rows
        .iter()
        .filter_map(|(host, row)| {
            Some((labels(host, *row, url_key.map(|k| ("job_url", row.text(k)))), clock::read(row.text(key))?))
        })
        .collect();
    if had.is_empty() {
        return;
    }
    out.family(name, help, "gauge");
    for (labels, at) in had {
        out.sample(name, &labels, seconds(at));
    }
}

fn labels<'a>(
    host: &'a Host,
    row: Row<'a>,
    more: Option<(&'static str, &'a str)>,
) -> Vec<(&'static str, &'a str)> {
    let mut labels = vec![
        ("plugin_name", row.text("name")),
        ("plugin", row.text("plugin_name")),
        ("owner", row.text("owner_name")),
    ];
    labels.extend(Some(("repo", row.text("repo_name"))).filter(|(_, repo)| !repo.is_empty()));
    labels.extend(more);
    labels.push((URL, &host.url));
    labels
}

fn freshness(out: &mut Exposition, hosts: &[Host], now: SystemTime) {
    out.family("anklet_host_up", "Whether the host answered the last time.", "gauge");
    for host in hosts {
        out.sample("anklet_host_up", &[(URL, &host.url)], u8::from(host.is_up()));
    }
    let seen: Vec<_> = hosts.iter().filter_map(|host| Some((host, host.age(now)?))).collect();
    if seen.is_empty() {
        return;
    }
    out.family("anklet_host_age_seconds", "How long ago the host's last page was fetched.", "gauge");
    for (host, age) in seen {
        out.sample("anklet_host_age_seconds", &[(URL, &host.url)], age.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::super::host::example::{hosts, now};
    use super::*;
    use crate::runtime::outlook::Found;

    #[test]
    fn a_host_that_is_down_has_only_its_age() {
        let view = View { hosts: hosts(), now: now(), found: Found::default(), log_lines_dropped: 7 };
        let text = page(&view);
        let runner = r#"plugin_name="RUNNER\"3",plugin="github",owner="acme",repo="anklet""#;
        let a = r#"metricsUrl="http://a/metrics""#;
        for wanted in [
            format!("# TYPE total_running_vms gauge\ntotal_running_vms{{{a}}} 1\n#"),
            format!("host_cpu_usage_percentage{{{a}}} 20.5\n"),
            format!("plugin_status{{{runner},status=\"idle\",{a}}} 1\n"),
            format!(
                "plugin_last_successful_run{{{runner},job_url=\"https://job/1\",{a}}} 1716318966.500000\n"
            ),
            format!(
                "plugin_status_since{{plugin_name=\"HOOKS\",plugin=\"github_receiver\",owner=\"acme\",{a}}} 17"
            ),
            format!("anklet_host_up{{{a}}} 1\nanklet_host_up{{metricsUrl=\"http://b/metrics\"}} 0\n"),
            "anklet_host_age_seconds{metricsUrl=\"http://b/metrics\"} 1.5\n".into(),
            "anklet_log_dropped_lines_total 7\n".into(),
            "anklet_fleet_hosts 3\n".into(),
            "anklet_fleet_hosts_up 1\n".into(),
            "anklet_fleet_running_vms 1\n".into(),
        ] {
            assert!(text.contains(&wanted), "{wanted} is not in\n{text}");
        }
        assert!(!text.contains("plugin_last_failed_run"), "never is no sample");
        let of_b = text.lines().filter(|line| line.contains("http://b/")).count();
        let of_c = text.lines().filter(|line| line.contains("http://c/")).count();
        assert_eq!((of_b, of_c), (2, 1), "{text}");
    }
}
