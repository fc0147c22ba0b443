//! Whether the daemon is ready: for load balancers, containers and people.

use serde_json::{Value, json};

use super::snapshot::Snapshot;
use crate::runtime::outlook::Found;
use crate::runtime::status::Status;

/// Words of [`READY`]'s answer, by which ours is told from a stranger's.
const STATUS: [&str; 2] = ["ready", "not ready"];

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

/// What [`READY`] answers: an HTTP status, and a body in JSON.
pub fn answer(reasons: &[String]) -> (u16, Value) {
    match reasons {
        [] => (200, json!({ "status": STATUS[0] })),
        _ => (503, json!({ "status": STATUS[1], "reasons": reasons })),
    }
}

/// What keeps the daemon that gave this answer from its work; none when it is no answer of ours.
pub fn heard(status: u16, body: &str) -> Option<Vec<String>> {
    let body: Value = serde_json::from_str(body).ok()?;
    let said = body.get("status")?.as_str()?;
    if status == 200 {
        return (said == STATUS[0]).then(Vec::new);
    }
    let reasons = body.get("reasons").filter(|_| said == STATUS[1])?.as_array()?;
    let reasons: Vec<String> = reasons.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    (!reasons.is_empty()).then_some(reasons)
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
    fn an_answer_of_ours_is_known_and_no_other() {
        for reasons in [vec![], vec!["one".to_owned(), "two".to_owned()]] {
            let (status, body) = answer(&reasons);
            assert_eq!(heard(status, &body.to_string()), Some(reasons));
        }
        for (status, body) in [
            (200, "abc"),
            (200, "{}"),
            (200, r#"{"status":"UP"}"#),
            (200, r#"{"status":"not ready"}"#),
            (503, "<html>"),
            (503, r#"{"status":"ready"}"#),
            (503, r#"{"reasons":["x"]}"#),
            (503, r#"{"status":"not ready","reasons":[]}"#),
            (404, r#"{"error":"there is nothing here"}"#),
        ] {
            assert_eq!(heard(status, body), None, "{status} {body}");
        }
    }

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
