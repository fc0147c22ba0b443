//! The dashboard counts each host once, whether it is scraped itself, shown by an aggregator, or both.

use std::fmt::Write;
use std::fs;

use serde_json::Value;

use super::{promtool, read};

/// `a` is scraped and shown, `b` is shown, `c` is shown as down; `d` is shown by an aggregator whose series were left
/// with its own address.
const SERIES: &str = r#"
      - {series: 'up{job="anklet", instance="a:8080"}', values: '1x90'}
      - {series: 'up{job="anklet-aggregator", instance="x:8081"}', values: '1x90'}
      - {series: 'anklet_host_up{job="anklet-aggregator", instance="a:8080", metricsUrl="http://a:8080/metrics"}', values: '1x90'}
      - {series: 'anklet_host_up{job="anklet-aggregator", instance="b:8080", metricsUrl="http://b:8080/metrics"}', values: '1x90'}
      - {series: 'anklet_host_up{job="anklet-aggregator", instance="c:8080", metricsUrl="http://c:8080/metrics"}', values: '0x90'}
"#;

/// What a host says of itself, under these labels.
fn host(labels: &str) -> String {
    let of = |name: &str, more: &str, values: &str| {
        format!("      - {{series: '{name}{{{labels}{more}}}', values: '{values}'}}\n")
    };
    [
        of("total_running_vms", "", "2x90"),
        of("total_successful_runs_since_start", "", "0+1x90"),
        of("plugin_status", ", plugin=\"github\", plugin_name=\"R1\", status=\"idle\"", "1x90"),
        of("plugin_status", ", plugin=\"github\", plugin_name=\"R2\", status=\"idle\"", "1x90"),
        of("plugin_status", ", plugin=\"github_receiver\", plugin_name=\"H\", status=\"idle\"", "0x90"),
    ]
    .concat()
}

fn expression(panel: &str, at: usize) -> String {
    let dashboard: Value = serde_json::from_str(&read("config/grafana-dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let panel = panels.iter().find(|found| found["title"] == panel).unwrap_or_else(|| panic!("{panel}"));
    panel["targets"][at]["expr"].as_str().unwrap().replace("$instance", ".*")
}

#[test]
fn each_host_counts_once() {
    let shown = |name: &str, instance: &str| {
        format!(
            "job=\"anklet-aggregator\", instance=\"{instance}\", metricsUrl=\"http://{name}:8080/metrics\""
        )
    };
    let hosts = [
        host("job=\"anklet\", instance=\"a:8080\""),
        host(&shown("a", "a:8080")),
        host(&shown("b", "b:8080")),
        host(&shown("d", "x:8081")),
    ];
    let mut text = format!(
        "evaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:{SERIES}{}    promql_expr_test:\n",
        hosts.concat()
    );
    for (panel, at, labels, value) in [
        ("Hosts up", 0, "{}", 2),
        ("Hosts up", 1, "{}", 3),
        ("VMs that run", 0, "{}", 6),
        ("Handlers by status", 0, "{status=\"idle\"}", 6),
        ("Runs in the last hour", 0, "{}", 180),
    ] {
        let expression = expression(panel, at);
        let _ = write!(
            text,
            "      - expr: '{expression}'\n        eval_time: 80m\n        exp_samples: [{{labels: '{labels}', value: {value}}}]\n"
        );
    }
    let file = std::env::temp_dir().join(format!("anklet-dashboard-{}.yml", std::process::id()));
    fs::write(&file, text).unwrap();
    promtool(&["test", "rules", file.to_str().unwrap()]);
    fs::remove_file(file).unwrap();
}
