//! Rows of the job's life, through the real binary.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::time::Duration;

use serde_json::json;

use crate::support::{World, eventually, world};

const SOON: Duration = Duration::from_secs(15);

#[test]
fn one_job_from_the_webhook_to_a_clean_host() {
    let world = World::new();
    let mut daemon = world.start(1);
    let job = world.order(json!({}))[0];
    let done = world.until(job, "completed", SOON);
    assert_eq!(done["conclusion"], "success");
    eventually("the host is clean", SOON, || world.vms().is_empty() && world.runners().is_empty());
    eventually("the success is counted", SOON, || world.metrics()["total_successful_runs_since_start"] == 1);
    assert_eq!(daemon.stop(), 0);
    world.assert_clean();
    assert_eq!(world.said("ERROR"), [""; 0]);
    assert_eq!(world.said("WARN"), [""; 0]);
    assert!(!world.log_text().contains(world::TOKEN), "the token is in the log");
    let calls = world.anka_calls();
    assert!(
        !calls.iter().flatten().any(|word| word.contains(world::TOKEN)),
        "the token is in the process list"
    );
}
