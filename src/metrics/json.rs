//! The page as JSON, with the names, the types and the order of the ordering document.

use serde::Serialize;

use super::snapshot::Snapshot;
use crate::runtime::board::{LastRun, Row};
use crate::runtime::clock;
use crate::runtime::status::Kind;

/// What stands for a time that never came: the zero of the old program's language.
pub(super) const NEVER: &str = "0001-01-01T00:00:00Z";

#[derive(Serialize)]
struct Page<'a> {
    total_running_vms: u64,
    total_successful_runs_since_start: u64,
    total_failed_runs_since_start: u64,
    total_canceled_runs_since_start: u64,
    host_cpu_count: u64,
    host_cpu_used_count: u64,
    host_cpu_usage_percentage: f64,
    host_memory_total_bytes: u64,
    host_memory_used_bytes: u64,
    host_memory_available_bytes: u64,
    host_memory_usage_percentage: f64,
    host_disk_total_bytes: u64,
    host_disk_used_bytes: u64,
    host_disk_available_bytes: u64,
    host_disk_usage_percentage: f64,
    plugins: Vec<Plugin<'a>>,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are the ordering document's")]
struct Plugin<'a> {
    name: &'a str,
    plugin_name: &'a str,
    repo_name: &'a str,
    owner_name: &'a str,
    status: &'a str,
    #[serde(flatten)]
    runs: Option<Runs<'a>>,
    status_since: String,
}

/// What a receiver does not have.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are the ordering document's")]
struct Runs<'a> {
    last_successful_run_job_url: &'a str,
    last_failed_run_job_url: &'a str,
    last_successful_run: String,
    last_failed_run: String,
}

/// The page, with an end of line.
pub(super) fn page(snapshot: &Snapshot) -> String {
    let (totals, host) = (snapshot.totals, snapshot.host);
    let page = Page {
        total_running_vms: totals.running_vms,
        total_successful_runs_since_start: totals.successful,
        total_failed_runs_since_start: totals.failed,
        total_canceled_runs_since_start: totals.canceled,
        host_cpu_count: host.cpu_count,
        host_cpu_used_count: host.cpu_used_count(),
        host_cpu_usage_percentage: host.cpu_usage_percentage,
        host_memory_total_bytes: host.memory.total,
        host_memory_used_bytes: host.memory.used(),
        host_memory_available_bytes: host.memory.available,
        host_memory_usage_percentage: host.memory.usage_percentage(),
        host_disk_total_bytes: host.disk.total,
        host_disk_used_bytes: host.disk.used(),
        host_disk_available_bytes: host.disk.available,
        host_disk_usage_percentage: host.disk.usage_percentage(),
        plugins: snapshot.plugins.iter().map(plugin).collect(),
    };
    let mut text = serde_json::to_string_pretty(&page).unwrap_or_default();
    text.push('\n');
    text
}

fn plugin(row: &Row) -> Plugin<'_> {
    Plugin {
        name: &row.identity.name,
        plugin_name: row.identity.kind.word(),
        repo_name: row.identity.repo.as_deref().unwrap_or_default(),
        owner_name: &row.identity.owner,
        status: row.status.word(),
        runs: (row.identity.kind == Kind::Handler).then(|| runs(row)),
        status_since: clock::text(row.since),
    }
}

fn runs(row: &Row) -> Runs<'_> {
    Runs {
        last_successful_run_job_url: url(row.last_successful.as_ref()),
        last_failed_run_job_url: url(row.last_failed.as_ref()),
        last_successful_run: when(row.last_successful.as_ref()),
        last_failed_run: when(row.last_failed.as_ref()),
    }
}

fn url(run: Option<&LastRun>) -> &str {
    run.map_or("", |run| &run.job_url)
}

fn when(run: Option<&LastRun>) -> String {
    run.map_or_else(|| NEVER.to_owned(), |run| clock::text(run.at))
}

#[cfg(test)]
mod tests {
    use super::super::snapshot::example::{JOB, moment, snapshot};
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn the_page_of_the_order() {
        let text = page(&snapshot());
        let time = clock::text(moment());
        let wanted = json!({
            "total_running_vms": 1,
            "total_successful_runs_since_start": 2,
            "total_failed_runs_since_start": 3,
            "total_canceled_runs_since_start": 4,
            "host_cpu_count": 12,
            "host_cpu_used_count": 1,
            "host_cpu_usage_percentage": 10.674_157,
            "host_memory_total_bytes": 38_654_705_664_u64,
            "host_memory_used_bytes": 23_025_205_248_u64,
            "host_memory_available_bytes": 15_629_500_416_u64,
            "host_memory_usage_percentage": 59.566_370_646_158_85,
            "host_disk_total_bytes": 994_662_584_320_u64,
            "host_disk_used_bytes": 459_045_515_264_u64,
            "host_disk_available_bytes": 535_617_069_056_u64,
            "host_disk_usage_percentage": 46.150_877_945_994_715,
            "plugins": [
                {
                    "name": "RUNNER1", "plugin_name": "github", "repo_name": "app", "owner_name": "acme",
                    "status": "idle", "last_successful_run_job_url": JOB, "last_failed_run_job_url": "",
                    "last_successful_run": time, "last_failed_run": "0001-01-01T00:00:00Z",
                    "status_since": time
                },
                {
                    "name": "HOOKS", "plugin_name": "github_receiver", "repo_name": "", "owner_name": "acme",
                    "status": "running", "status_since": time
                }
            ]
        });
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), wanted);
    }

    #[test]
    fn names_stand_in_the_order_of_the_document() {
        let text = page(&snapshot());
        let order =
            ["total_running_vms", "host_cpu_count", "host_disk_usage_percentage", "\"plugins\"", "\"name\""];
        let places: Vec<_> = order.iter().map(|name| text.find(name).unwrap()).collect();
        assert!(places.is_sorted(), "{text}");
        let row = ["\"status\"", "last_successful_run_job_url", "last_failed_run\"", "status_since"];
        let places: Vec<_> = row.iter().map(|name| text.find(name).unwrap()).collect();
        assert!(places.is_sorted(), "{text}");
    }
}
