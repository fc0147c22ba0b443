//! What is shipped for Prometheus and Grafana: it is valid, its alerts fire, and it names only series that exist.
#![expect(clippy::disallowed_methods, reason = "starts promtool")]

mod begin; // counts before there is something to count
mod dashboard; // what its panels count
mod live; // a real Prometheus on real daemons

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Named by the rules for metrics that later versions have.
const LATER: [&str; 2] = ["anklet_orphan_vms", "anklet_runner_release_age_seconds"];

fn promtool(arguments: &[&str]) {
    let output = Command::new("promtool")
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("promtool (Debian's package prometheus); scripts/test installs it");
    let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
    assert!(output.status.success() && !said.contains("FAILED"), "{said}");
}

#[test]
fn promtool_accepts_the_configuration_and_the_rules() {
    promtool(&["check", "config", "config/prometheus.yml"]);
    promtool(&["check", "rules", "config/prometheus-rules.yml"]);
}

#[test]
fn each_alert_fires_when_its_fault_is_made_and_only_then() {
    promtool(&["test", "rules", "tests/prometheus/rules_test.yml"]);
}

#[test]
fn every_alert_is_tested() {
    let (rules, tests) = (read("config/prometheus-rules.yml"), read("tests/prometheus/rules_test.yml"));
    let alerts = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    for alert in alerts {
        assert!(tests.contains(&format!("alertname: {alert}\n")), "{alert}");
    }
}

#[test]
fn rules_and_dashboard_name_only_series_that_exist() {
    let sources: String = ["src/metrics", "src/runtime/meters"].into_iter().map(all_of).collect();
    let dashboard: serde_json::Value = serde_json::from_str(&read("config/grafana-dashboard.json")).unwrap();
    let rules = read("config/prometheus-rules.yml");
    let exprs: Vec<&str> = rules.lines().filter(|line| !line.contains(": \"")).collect();
    for text in [exprs.join("\n"), dashboard["panels"].to_string()] {
        let found = series(&text);
        assert!(found.len() > 8, "{found:?}");
        for name in found.iter().filter(|name| !LATER.contains(&name.as_str())) {
            let family = name.trim_end_matches("_bucket");
            assert!(sources.contains(&format!("\"{family}\"")), "{name}");
        }
    }
}

/// Words that look like a series of ours.
fn series(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = ["anklet_", "total_", "host_", "plugin_"];
    let named = words.filter(|word| ours.iter().any(|prefix| word.starts_with(prefix)));
    named.filter(|word| !["plugin_name"].contains(word)).map(ToOwned::to_owned).collect()
}

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

fn all_of(folder: &str) -> String {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap().flatten();
    entries
        .map(|entry| match entry.path() {
            path if path.is_dir() => all_of(path.to_str().unwrap()),
            path => fs::read_to_string(path).unwrap(),
        })
        .collect()
}
