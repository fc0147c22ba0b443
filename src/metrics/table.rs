//! The ordering document's figures, in its order: one list for every form and for the fleet's page.

use super::snapshot::Snapshot;

/// Name, what it says, and the type on which `promtool check metrics` is silent.
pub(super) const FIGURES: [(&str, &str, &str); 15] = [
    ("total_running_vms", "VMs of this daemon that run now.", "gauge"),
    ("total_successful_runs_since_start", "Runs that ended well since the start.", "gauge"),
    ("total_failed_runs_since_start", "Runs that failed since the start.", "gauge"),
    ("total_canceled_runs_since_start", "Runs that were cancelled since the start.", "gauge"),
    ("host_cpu_count", "Logical CPUs of the host.", "untyped"),
    ("host_cpu_used_count", "CPUs of the host that are busy, whole ones.", "untyped"),
    ("host_cpu_usage_percentage", "How busy the host's CPUs are.", "gauge"),
    ("host_memory_total_bytes", "The host's memory, total.", "gauge"),
    ("host_memory_used_bytes", "The host's memory, used.", "gauge"),
    ("host_memory_available_bytes", "The host's memory, available.", "gauge"),
    ("host_memory_usage_percentage", "How full the host's memory is.", "gauge"),
    ("host_disk_total_bytes", "The host's disk, total.", "gauge"),
    ("host_disk_used_bytes", "The host's disk, used.", "gauge"),
    ("host_disk_available_bytes", "The host's disk, available.", "gauge"),
    ("host_disk_usage_percentage", "How full the host's disk is.", "gauge"),
];

/// Of the figures, those of the daemon; the host's follow.
pub(super) const TOTALS: usize = 4;

/// A figure's value: counts and bytes whole, percentages with their fraction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    Whole(u64),
    Part(f64),
}

/// The values, in the order of [`FIGURES`].
pub(super) fn values(snapshot: &Snapshot) -> [Value; FIGURES.len()] {
    let (totals, host) = (snapshot.totals, snapshot.host);
    [
        Value::Whole(totals.running_vms),
        Value::Whole(totals.successful),
        Value::Whole(totals.failed),
        Value::Whole(totals.canceled),
        Value::Whole(host.cpu_count),
        Value::Whole(host.cpu_used_count()),
        Value::Part(host.cpu_usage_percentage),
        Value::Whole(host.memory.total),
        Value::Whole(host.memory.used()),
        Value::Whole(host.memory.available),
        Value::Part(host.memory.usage_percentage()),
        Value::Whole(host.disk.total),
        Value::Whole(host.disk.used()),
        Value::Whole(host.disk.available),
        Value::Part(host.disk.usage_percentage()),
    ]
}

/// What the families of plugins say.
pub(super) const PLUGIN_FAMILIES: [(&str, &str); 4] = [
    ("plugin_status", "What the plugin does: 1 for the status that it has, 0 for all others."),
    ("plugin_last_successful_run", "When the plugin's last good run ended."),
    ("plugin_last_failed_run", "When the plugin's last failed run ended."),
    ("plugin_status_since", "Since when the plugin has its status."),
];

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Whole(n) => n.fmt(f),
            Value::Part(n) => n.fmt(f),
        }
    }
}
