//! A count that is born with its first event has not grown for `increase()`: it stands at 0 before.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use crate::support::web::deliver;
use crate::support::wire::ask;
use crate::support::world::SECRET;
use crate::support::{World, eventually};

const SOON: Duration = Duration::from_secs(15);

/// The series of counts of our own, without their values.
fn counts(world: &World) -> BTreeSet<String> {
    let page = ask(world.metrics_port, "GET", "/metrics?format=prometheus", &[]).body;
    let lines = page.lines().filter_map(|line| line.rsplit_once(' '));
    lines
        .filter(|(series, _)| series.starts_with("anklet_") && series.contains("_total"))
        .map(|(series, _)| series.to_owned())
        .collect()
}

#[test]
fn what_can_be_counted_is_there_before_it_is() {
    let world = World::new();
    let mut daemon = world.start(1);
    eventually("the receiver's door stands", SOON, || counts(&world).iter().any(|s| s.contains("RECEIVER")));
    let fresh = counts(&world);
    for series in [
        "anklet_store_errors_total{store=\"embedded\"}",
        "anklet_guests_shown_out_total{listener=\"metrics\"}",
        "anklet_guests_shown_out_total{listener=\"RECEIVER\"}",
        "anklet_github_calls_total{endpoint=\"get_job\",status=\"0\"}",
        "anklet_deliveries_total{event=\"workflow_job\",action=\"queued\",result=\"store_away\"}",
    ] {
        assert!(fresh.contains(series), "{series} is not in {fresh:#?}");
    }
    let job = world.order(json!({ "conclusion": "failure" }))[0];
    world.until(job, "completed", SOON);
    let foreign = json!({ "action": "queued", "repository": { "full_name": "other/app" }, "workflow_job": {
        "id": 1, "run_id": 1, "run_attempt": 1, "name": "n", "labels": ["anka-template:t"], "status": "queued",
    } });
    for (event, body) in [
        ("ping", json!({}).to_string()),
        ("push", json!({}).to_string()),
        ("workflow_job", json!({ "action": "frozen" }).to_string()),
        ("workflow_job", foreign.to_string()),
        ("workflow_job", "no JSON".into()),
    ] {
        deliver(&world.receiver(), SECRET, event, &body);
    }
    let later = counts(&world);
    let born: Vec<&String> = later.difference(&fresh).collect();
    assert!(born.is_empty(), "{born:#?}");
    assert_eq!(daemon.stop(), 0);
}
