//! Series beyond the ordering document's: prefix `anklet_`, base units, bounded labels.

use super::exposition::Exposition;
use super::snapshot::Snapshot;
use crate::runtime::meters::{COUNTERS, COUNTERS_OF_ALL, Counter, HISTOGRAMS, Histogram};
use crate::runtime::outlook::Found;

/// Writes all that a daemon with plugins has.
pub(super) fn families(out: &mut Exposition, snapshot: &Snapshot) {
    process(out, &snapshot.found, snapshot.log_lines_dropped);
    queues(out, &snapshot.found);
    host(out, &snapshot.found);
    quotas(out, &snapshot.found);
    for histogram in HISTOGRAMS {
        times(out, histogram);
    }
    for counter in COUNTERS {
        counts(out, counter);
    }
}

/// Writes what an aggregator has as well: what runs, its stores, its door and its log.
pub(super) fn process(out: &mut Exposition, found: &Found, log_lines_dropped: u64) {
    out.family("anklet_build_info", "1; the labels tell what runs.", "gauge");
    let system = [std::env::consts::OS, std::env::consts::ARCH];
    let build = [("version", env!("CARGO_PKG_VERSION")), ("os", system[0]), ("arch", system[1])];
    out.sample("anklet_build_info", &build, 1);
    if !found.queues.is_empty() {
        out.family("anklet_store_up", "Whether the queue's store answered the last look.", "gauge");
    }
    for queue in &found.queues {
        out.sample("anklet_store_up", &[("queue", &queue.name)], u8::from(queue.away.is_none()));
    }
    for counter in COUNTERS_OF_ALL {
        counts(out, counter);
    }
    out.family("anklet_log_dropped_lines_total", "Log lines that could not be written.", "counter");
    out.sample("anklet_log_dropped_lines_total", &[], log_lines_dropped);
}

fn queues(out: &mut Exposition, found: &Found) {
    // What is not known now has no sample: an old depth must not look like a new one.
    let known = || {
        let there = found.queues.iter().filter(|queue| queue.is_away().is_none());
        there.filter_map(|queue| Some((queue.name.as_str(), queue.depth.as_ref()?)))
    };
    if known().next().is_none() {
        return;
    }
    out.family("anklet_queue_jobs", "Jobs in the queue, by state.", "gauge");
    for (name, depth) in known() {
        for (state, jobs) in depth.jobs {
            out.sample("anklet_queue_jobs", &[("queue", name), ("state", state)], jobs);
        }
    }
    out.family("anklet_queue_eldest_seconds", "How long the eldest queued job has waited.", "gauge");
    for (name, depth) in known() {
        out.sample("anklet_queue_eldest_seconds", &[("queue", name)], depth.eldest.as_secs_f64());
    }
}

fn host(out: &mut Exposition, found: &Found) {
    if let Some(slots) = found.slots {
        let help = "Places for VMs on this host: used by anklet's, and free, which a foreign guest's is not.";
        // A foreign guest takes a place that nobody has locked.
        let free = slots.free.saturating_sub(found.foreign_guests.unwrap_or(0));
        out.family("anklet_vm_slots", help, "gauge");
        out.sample("anklet_vm_slots", &[("state", "used")], slots.used);
        out.sample("anklet_vm_slots", &[("state", "free")], free);
    }
    if let Some(guests) = found.foreign_guests {
        out.gauge("anklet_foreign_guests", "Running VMs of this host that anklet has not made.", guests);
    }
}

fn quotas(out: &mut Exposition, found: &Found) {
    if found.quotas.is_empty() {
        return;
    }
    let families = [
        ("anklet_github_quota_limit", "Calls an hour that GitHub grants."),
        ("anklet_github_quota_remaining", "Calls of this hour that are left."),
        ("anklet_github_quota_reset_timestamp_seconds", "When the quota is full again."),
    ];
    for (at, (name, help)) in families.into_iter().enumerate() {
        out.family(name, help, "gauge");
        for quota in &found.quotas {
            let value = [quota.limit, quota.remaining, quota.reset][at];
            out.sample(name, &[("plugin_name", &quota.plugin)], value);
        }
    }
}

fn times(out: &mut Exposition, histogram: &Histogram) {
    let measured = histogram.measured();
    let (name, bucket) = (histogram.name, format!("{}_bucket", histogram.name));
    out.family(name, histogram.help, "histogram");
    for (bound, count) in histogram.bounds.iter().zip(measured.up_to) {
        out.sample(&bucket, &[("le", &bound.to_string())], count);
    }
    out.sample(&bucket, &[("le", "+Inf")], measured.count);
    out.sample(&format!("{name}_sum"), &[], measured.sum.as_secs_f64());
    out.sample(&format!("{name}_count"), &[], measured.count);
}

fn counts(out: &mut Exposition, counter: &Counter) {
    let series = counter.series();
    if series.is_empty() {
        return;
    }
    out.family(counter.name, counter.help, "counter");
    for (values, count) in series {
        let labels: Vec<(&str, &str)> =
            counter.labels.iter().copied().zip(values.iter().map(String::as_str)).collect();
        out.sample(counter.name, &labels, count);
    }
}

#[cfg(test)]
mod tests {
    use super::super::snapshot::example::snapshot;
    use super::*;
    use crate::runtime::outlook::PATIENCE;

    fn page(snapshot: &Snapshot) -> String {
        let mut out = Exposition::default();
        families(&mut out, snapshot);
        out.text()
    }

    #[test]
    fn what_the_looks_found() {
        let mut snapshot = snapshot();
        let text = page(&snapshot);
        for wanted in [
            "anklet_queue_jobs{queue=\"acme\",state=\"queued\"} 7\n",
            "anklet_queue_eldest_seconds{queue=\"acme\"} 1.5\n",
            "anklet_store_up{queue=\"acme\"} 1\n",
            "anklet_vm_slots{state=\"free\"} 1\n",
            "anklet_github_quota_remaining{plugin_name=\"RUNNER1\"} 4321\n",
            "# TYPE anklet_vm_boot_seconds histogram\nanklet_vm_boot_seconds_bucket{le=\"0.5\"} ",
            "# TYPE anklet_signature_failures_total counter\nanklet_signature_failures_total ",
            "# TYPE anklet_log_dropped_lines_total counter\nanklet_log_dropped_lines_total 5\n",
        ] {
            assert!(text.contains(wanted), "{wanted} is not in\n{text}");
        }
        assert!(!text.contains("anklet_foreign_guests"), "nobody has looked");
        snapshot.found.foreign_guests = Some(1);
        let text = page(&snapshot);
        assert!(text.contains("anklet_vm_slots{state=\"free\"} 0\n"), "{text}");
        let long_ago = std::time::Instant::now().checked_sub(PATIENCE).unwrap();
        snapshot.found.queues[0].away = Some((long_ago, "gone".into()));
        let text = page(&snapshot);
        assert!(text.contains("anklet_store_up{queue=\"acme\"} 0\n") && !text.contains("anklet_queue_jobs"));
    }
}
