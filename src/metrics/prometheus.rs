//! The page in Prometheus' text format, version 0.0.4.
//!
//! The names are the ordering document's, also where today's custom would choose others; so their types are
//! those on which `promtool check metrics` is silent: `total_…_since_start` are gauges, `…_count` untyped.

use std::time::SystemTime;

use super::exposition::Exposition;
use super::own;
use super::snapshot::Snapshot;
use super::table::{FIGURES, PLUGIN_FAMILIES, TOTALS, Value, values};
use crate::runtime::board::{LastRun, Row};
use crate::runtime::clock;
use crate::runtime::status::{Kind, STATUS_WORDS};

/// The page.
pub(super) fn page(snapshot: &Snapshot) -> String {
    let mut out = Exposition::default();
    let figures: Vec<_> = FIGURES.into_iter().zip(values(snapshot)).collect();
    let (totals, host) = figures.split_at(TOTALS);
    for figure in totals {
        one(&mut out, figure);
    }
    plugins(&mut out, &snapshot.plugins);
    for figure in host {
        one(&mut out, figure);
    }
    own::families(&mut out, snapshot);
    out.text()
}

fn one(out: &mut Exposition, ((name, help, kind), value): &((&str, &str, &str), Value)) {
    out.family(name, help, kind);
    out.sample(name, &[], value);
}

fn plugins(out: &mut Exposition, rows: &[Row]) {
    if rows.is_empty() {
        return;
    }
    let [status, good, failed, since] = PLUGIN_FAMILIES;
    out.family(status.0, status.1, "gauge");
    for row in rows {
        for (known, word) in STATUS_WORDS {
            let mut labels = labels(row);
            labels.push(("status", word));
            out.sample(status.0, &labels, u8::from(known == row.status));
        }
    }
    runs(out, rows, good, |row| row.last_successful.as_ref());
    runs(out, rows, failed, |row| row.last_failed.as_ref());
    out.family(since.0, since.1, "gauge");
    for row in rows {
        out.sample(since.0, &labels(row), seconds(row.since));
    }
}

/// A family with one sample for each handler that has had such a run.
fn runs<'a>(
    out: &mut Exposition,
    rows: &'a [Row],
    (name, help): (&str, &str),
    of: impl Fn(&'a Row) -> Option<&'a LastRun>,
) {
    let had = rows.iter().filter(|row| row.identity.kind == Kind::Handler);
    let had: Vec<_> = had.filter_map(|row| Some((row, of(row)?))).collect();
    if had.is_empty() {
        return;
    }
    out.family(name, help, "gauge");
    for (row, run) in had {
        let mut labels = labels(row);
        labels.push(("job_url", &run.job_url));
        out.sample(name, &labels, seconds(run.at));
    }
}

fn labels(row: &Row) -> Vec<(&'static str, &str)> {
    let who = &row.identity;
    let mut labels = vec![("plugin_name", &*who.name), ("plugin", who.kind.word()), ("owner", &*who.owner)];
    labels.extend(who.repo.as_deref().map(|repo| ("repo", repo)));
    labels
}

/// Seconds since 1970, with microseconds.
pub(super) fn seconds(at: SystemTime) -> String {
    let since = clock::since_1970(at);
    format!("{}.{:06}", since.as_secs(), since.subsec_micros())
}

#[cfg(test)]
mod tests {
    use super::super::snapshot::example::{JOB, row, snapshot};
    use super::*;

    #[test]
    fn the_families_and_their_samples() {
        let text = page(&snapshot());
        let runner = r#"plugin_name="RUNNER1",plugin="github",owner="acme",repo="app""#;
        let hooks = r#"plugin_name="HOOKS",plugin="github_receiver",owner="acme""#;
        for wanted in [
            "# TYPE total_running_vms gauge\ntotal_running_vms 1\n".to_owned(),
            "total_canceled_runs_since_start 4\n".into(),
            "# TYPE host_cpu_count untyped\nhost_cpu_count 12\n".into(),
            "host_cpu_usage_percentage 10.674157\n".into(),
            format!("plugin_status{{{runner},status=\"idle\"}} 1\n"),
            format!("plugin_status{{{runner},status=\"draining\"}} 0\n"),
            format!("plugin_status{{{hooks},status=\"running\"}} 1\n"),
            format!("plugin_last_successful_run{{{runner},job_url=\"{JOB}\"}} 1716318966.300971\n"),
            format!("plugin_status_since{{{hooks}}} 1716318966.300971\n"),
            "# TYPE anklet_log_dropped_lines_total counter\nanklet_log_dropped_lines_total 5\n".into(),
        ] {
            assert!(text.contains(&wanted), "{wanted} is not in\n{text}");
        }
        assert!(!text.contains("plugin_last_failed_run"), "never is no sample");
        let statuses = text.lines().filter(|line| line.starts_with("plugin_status{"));
        let (has, has_not): (Vec<_>, Vec<_>) = statuses.partition(|line| line.ends_with(" 1"));
        assert_eq!((has.len(), has_not.len()), (2, 12), "one status each");
    }

    #[test]
    fn a_family_stands_together_and_each_line_parses() {
        let mut seen: Vec<String> = Vec::new();
        for line in page(&snapshot()).lines() {
            let family = if let Some(comment) = line.strip_prefix("# ") {
                comment.split(' ').nth(1).unwrap()
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap();
                value.parse::<f64>().unwrap();
                series.split('{').next().unwrap()
            };
            if seen.last().is_none_or(|last| last != family) {
                assert!(!seen.iter().any(|before| before == family), "{family} twice");
                seen.push(family.to_owned());
            }
        }
        assert!(seen.len() > 15);
    }

    #[test]
    fn labels_are_quoted() {
        let nasty = row("a\"b\\c\nd", Kind::Handler, None);
        let text = page(&Snapshot { plugins: vec![nasty], ..snapshot() });
        assert!(
            text.contains(r#"plugin_status_since{plugin_name="a\"b\\c\nd",plugin="github",owner="acme"} 17"#)
        );
    }
}
