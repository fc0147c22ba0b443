//! Deliveries that are lost, late or doubled.

use super::*;

fn successes(world: &World) -> Value {
    world.metrics()["total_successful_runs_since_start"].clone()
}

#[test]
pub fn a_lost_in_progress_costs_nothing() {
    let world = World::new();
    let _daemon = world.start(1);
    let job = world.order(json!({ "webhooks": { "in_progress": { "drop": true } } }))[0];
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    assert_eq!(calls(&world, "clone").len(), 1);
    eventually("it is counted", SOON, || successes(&world) == 1);
}

#[test]
pub fn a_lost_completed_is_asked_for_at_the_next_start() {
    let world = World::new();
    let mut daemon = world.start(1);
    let job = world.order(json!({ "duration_ms": 1200, "webhooks": { "completed": { "drop": true } } }))[0];
    shows(&world, "RUNNER1", "in_progress");
    daemon.kill();
    assert_eq!(end_of(&world, job), "success");
    let _daemon = world.start(1);
    clean(&world);
    eventually("it is counted", SOON, || successes(&world) == 1);
    assert_eq!(calls(&world, "clone").len(), 1);
}

/// And before a VM is spent on a job that is older than that.
#[test]
fn when_both_are_lost_github_is_asked_after_half_a_minute() {
    let world = World::new();
    let _daemon = world.start(1);
    let lost = json!({ "in_progress": { "drop": true }, "completed": { "drop": true } });
    let job = world.order(json!({ "webhooks": lost }))[0];
    world.until(job, "in_progress", SOON);
    let cancelled = world.order(json!({ "webhooks": lost }))[0];
    let run = job_now(&world, cancelled)["run_id"].clone();
    world.control(&format!("runs/{run}/cancel"), &json!({}));
    assert_eq!(end_of(&world, job), "success");
    eventually("it is counted", Duration::from_secs(40), || successes(&world) == 1);
    says(&world, "INFO", "over before it started");
    clean(&world);
    assert_eq!(calls(&world, "clone").len(), 1);
    assert_eq!(world.said("WARN"), [""; 0]);
}

/// The runner is gone when its time is up, because its job is over: that is no failed try.
#[test]
fn a_runner_that_has_done_its_job_is_no_failed_try() {
    let world = World::new();
    let top = "global_registration_timeout_seconds: 3\nglobal_job_retry_attempts: 1";
    let _daemon = world.start_with(&world.configuration(1, top));
    let lost = json!({ "in_progress": { "drop": true }, "completed": { "drop": true } });
    let job = world.order(json!({ "webhooks": lost }))[0];
    assert_eq!(end_of(&world, job), "success");
    eventually("it is counted", SOON, || successes(&world) == 1);
    clean(&world);
    assert_eq!(calls(&world, "clone").len(), 1);
    assert_eq!(world.said("ERROR"), [""; 0]);
}

#[test]
pub fn what_is_known_as_over_or_running_is_never_queued_again() {
    let world = World::new();
    let _daemon = world.start(1);
    let stranger = json!({ "name": "outsider", "owner": "acme", "repo": "app", "ephemeral": false,
        "labels": ["self-hosted", "anka-template:macos-15", "anka-template-tag:v1"] });
    world.control("strangers", &stranger);
    let late =
        world.order(json!({ "webhooks": { "queued": { "after": "completed" } }, "duration_ms": 100 }))[0];
    assert_eq!(end_of(&world, late), "success");
    let swapped =
        world.order(json!({ "webhooks": { "queued": { "after": "in_progress" } }, "duration_ms": 800 }))[0];
    assert_eq!(end_of(&world, swapped), "success");
    eventually("all is told", SOON, || world.state()["deliveries"].as_array().unwrap().len() == 6);
    let next = world.order(json!({ "hold": true }))[0];
    let runner = online_runner(&world);
    world.control("assign", &json!({ "job": next, "runner": runner }));
    assert_eq!(end_of(&world, next), "success");
    clean(&world);
    assert_eq!(calls(&world, "clone").len(), 1, "only the last one cost a VM");
}

#[test]
pub fn doubled_deliveries_count_once() {
    let world = World::new();
    let _daemon = world.start(2);
    let twice = json!({ "copies": 2 });
    let job =
        world.order(json!({ "webhooks": { "queued": twice, "in_progress": twice, "completed": twice } }))[0];
    assert_eq!(end_of(&world, job), "success");
    eventually("all is told", SOON, || world.state()["deliveries"].as_array().unwrap().len() == 9);
    clean(&world);
    let next = world.order(json!({}))[0];
    assert_eq!(end_of(&world, next), "success");
    clean(&world);
    assert_eq!(calls(&world, "clone").len(), 2);
    eventually("each is counted once", SOON, || successes(&world) == 2);
}
