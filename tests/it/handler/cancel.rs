//! A person cancels the run: before, during, after.

use super::*;

fn cancel(world: &World, job: u64) {
    let run = job_now(world, job)["run_id"].as_u64().unwrap();
    world.control(&format!("runs/{run}/cancel"), &json!({}));
}

fn totals(world: &World) -> [Value; 3] {
    let metrics = world.metrics();
    ["successful", "failed", "canceled"].map(|what| metrics[format!("total_{what}_runs_since_start")].clone())
}

#[test]
fn while_it_is_queued_no_vm_is_spent() {
    let world = World::new();
    let mut receiver = world.start(0);
    let job = world.order(json!({}))[0];
    cancel(&world, job);
    assert_eq!(end_of(&world, job), "cancelled");
    eventually("all is told", SOON, || world.state()["deliveries"].as_array().unwrap().len() == 2);
    assert_eq!(receiver.stop(), 0);
    let _daemon = world.start(1);
    let next = world.order(json!({}))[0];
    assert_eq!(end_of(&world, next), "success");
    assert_eq!(calls(&world, "clone").len(), 1);
}

#[test]
fn before_its_start_the_vm_is_cleaned_up_at_once() {
    let world = World::new();
    world.anka("set", &["timing_ms.start=1500"]);
    let _daemon = world.start(1);
    let job = world.order(json!({}))[0];
    eventually("the VM boots", SOON, || !calls(&world, "start").is_empty());
    cancel(&world, job);
    assert_eq!(end_of(&world, job), "cancelled");
    clean(&world);
    assert_eq!(totals(&world), [0, 0, 0].map(Value::from), "it never ran");
    shows(&world, "RUNNER1", "idle");
    assert_eq!(world.said("WARN"), [""; 0]);
}

/// No step of a boot is taken for a job that is over.
#[track_caller]
fn goes_no_further(call: &str, next: &str) {
    let world = World::new();
    world.anka("set", &[&format!("timing_ms.{call}=1200")]);
    let _daemon = world.start(1);
    let labels = ["self-hosted", "anka-template:macos-14", "anka-template-tag:v1"];
    let job = world.order(json!({ "labels": labels }))[0];
    eventually("it is at work", SOON, || !calls(&world, call).is_empty());
    cancel(&world, job);
    assert_eq!(end_of(&world, job), "cancelled");
    says(&world, "INFO", "over before it started");
    clean(&world);
    assert!(calls(&world, next).is_empty(), "{next} after {call}");
    assert_eq!(world.said("WARN"), [""; 0]);
}

#[test]
fn no_step_is_taken_for_a_job_that_is_over() {
    goes_no_further("registry pull", "clone");
    goes_no_further("clone", "start");
    goes_no_further("start", "run");
}

/// The last try fails, but the job is over: that is no fault, and nothing is cancelled.
#[test]
fn a_last_try_that_was_overtaken_is_no_fault() {
    let world = World::new();
    world.fault(&json!({ "call": "clone", "do": "hang", "ms": 1200 }));
    let _daemon = world.start_with(&world.configuration(1, "global_job_retry_attempts: 1"));
    let job = world.order(json!({}))[0];
    eventually("it is at work", SOON, || !calls(&world, "clone").is_empty());
    cancel(&world, job);
    says(&world, "INFO", "over before it started");
    clean(&world);
    assert_eq!(asked(&world, "POST", "/cancel"), 0);
    assert_eq!(world.said("ERROR"), [""; 0]);
}

#[test]
pub fn while_its_runner_waits_the_vm_is_cleaned_up_at_once() {
    let world = World::new();
    let _daemon = world.start(1);
    let job = world.order(json!({ "hold": true }))[0];
    online_runner(&world);
    cancel(&world, job);
    assert_eq!(end_of(&world, job), "cancelled");
    clean(&world);
    assert_eq!(totals(&world), [0, 0, 0].map(Value::from), "it never ran");
}

#[test]
pub fn while_it_runs_it_counts_as_cancelled() {
    let world = World::new();
    let _daemon = world.start(1);
    let job = world.order(json!({ "duration_ms": 60_000 }))[0];
    shows(&world, "RUNNER1", "in_progress");
    cancel(&world, job);
    assert_eq!(end_of(&world, job), "cancelled");
    clean(&world);
    eventually("it is counted", SOON, || totals(&world) == [0, 0, 1].map(Value::from));
}

#[test]
fn a_run_that_is_over_already_is_no_fault() {
    let world = World::new();
    world.control("rules", &json!({ "method": "POST", "path": "/cancel", "status": 409, "body": "{\"message\":\"Cannot cancel a workflow run that is completed.\"}" , "headers": {"Content-Type": "application/json"}}));
    let _daemon = world.start(1);
    world.order(json!({ "labels": ["anka-template:"] }));
    says(&world, "INFO", "the run was over already");
    assert_eq!(world.said("ERROR"), [""; 0]);
}

#[test]
fn when_github_does_not_take_the_cancel_it_is_tried_again() {
    let world = World::new();
    world.control("rules", &json!({ "method": "POST", "path": "/cancel", "preset": "html", "times": 2 }));
    let _daemon = world.start_with(&world.configuration(1, "global_registration_timeout_seconds: 1"));
    let job = world.order(json!({ "labels": ["anka-template:"] }))[0];
    assert_eq!(end_of(&world, job), "cancelled");
    assert_eq!(asked(&world, "POST", "/cancel"), 3);
}

#[test]
fn a_cancel_whose_answer_was_lost_is_ours() {
    let world = World::new();
    world.fault(&json!({ "call": "clone", "do": "fail", "times": 0 }));
    let lost =
        json!({ "method": "POST", "path": "/cancel", "after": true, "drop_connection": true, "times": 1 });
    world.control("rules", &lost);
    let _daemon = world.start_with(&world.configuration(1, "global_job_retry_attempts: 1"));
    let job = world.order(json!({}))[0];
    says(&world, "ERROR", "its run is cancelled");
    assert_eq!(end_of(&world, job), "cancelled");
}
