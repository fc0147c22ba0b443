//! Whether the daemon is ready: for load balancers, containers and people.

use super::snapshot::Snapshot;
use crate::runtime::outlook::Found;
use crate::runtime::status::Status;

/// The process serves.
pub const ALIVE: &str = "/healthz";
/// The process can do its work.
pub const READY: &str = "/readyz";

/// What keeps the daemon from its work; empty when it is ready. A limit of GitHub's and a drain do not count.
pub fn unready(snapshot: &Snapshot) -> Vec<String> {
    let stopped = snapshot.plugins.iter().filter(|row| row.status == Status::Stopped);
    let stopped = stopped.map(|row| format!("plugin {} is stopped", row.identity.name));
    stopped.chain(away(&snapshot.found)).collect()
}

/// Queues whose store is away.
pub fn away(found: &Found) -> Vec<String> {
    let queues = found.queues.iter();
    queues.filter_map(|queue| Some(format!("queue {}: {}", queue.name, queue.is_away()?))).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::snapshot::example::snapshot;
    use super::*;
    use crate::runtime::outlook::PATIENCE;

    #[test]
    fn a_stopped_plugin_and_a_store_that_is_away_are_named_and_nothing_else() {
        let mut shown = snapshot();
        for status in [Status::LimitPaused, Status::Draining, Status::InProgress] {
            shown.plugins[0].status = status;
            shown.found.queues[0].away = Some((Instant::now(), "just gone".into()));
            assert!(unready(&shown).is_empty());
        }
        shown.plugins[1].status = Status::Stopped;
        shown.found.queues[0].away = Some((Instant::now().checked_sub(PATIENCE).unwrap(), "gone".into()));
        assert_eq!(unready(&shown), ["plugin HOOKS is stopped", "queue acme: gone"]);
    }
}
