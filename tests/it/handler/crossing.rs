//! Crossings: GitHub gives a runner to any job whose labels are a subset of the runner's.

use super::*;

fn assign(world: &World, job: u64, runner: &str) {
    world.control("assign", &json!({ "job": job, "runner": runner }));
}

fn stranger(world: &World) {
    let labels = ["self-hosted", "anka-template:macos-15", "anka-template-tag:v1"];
    world.control(
        "strangers",
        &json!({ "name": "outsider", "owner": "acme", "repo": "app", "labels": labels }),
    );
}

/// The job that the one handler has claimed first, and the other one. Deliveries may change places.
fn claimed_and_other(world: &World, jobs: &[u64]) -> (u64, u64) {
    let claimed = world.log().into_iter().find(|line| line["msg"] == "handling the job").unwrap();
    if claimed["workflowJobId"] == jobs[0] { (jobs[0], jobs[1]) } else { (jobs[1], jobs[0]) }
}

fn successes(world: &World) -> Value {
    world.metrics()["total_successful_runs_since_start"].clone()
}

#[test]
pub fn two_equal_jobs_cross() {
    let world = World::new();
    let _daemon = world.start(2);
    let jobs = world.order(json!({ "count": 2, "cross": "x", "duration_ms": 600 }));
    for job in &jobs {
        assert_eq!(end_of(&world, *job), "success");
    }
    clean(&world);
    assert_eq!(calls(&world, "clone").len(), 2);
    eventually("both are counted", SOON, || successes(&world) == 2);
    assert_eq!(world.said("WARN"), [""; 0]);
    assert_eq!(asked(&world, "DELETE", "runners"), 0, "GitHub has removed them");
}

/// One ends long before the other: the VM that must stay is the one whose *runner* still works.
#[test]
pub fn the_vm_of_the_longer_job_stays() {
    let world = World::new();
    let _daemon = world.start(2);
    let short = world.order(json!({ "cross": "x", "duration_ms": 300 }))[0];
    let long = world.order(json!({ "cross": "x", "duration_ms": 2500 }))[0];
    assert_eq!(end_of(&world, short), "success");
    eventually("one VM is gone", SOON, || world.vms().len() == 1);
    let runner = job_now(&world, long)["runner_name"].as_str().unwrap().to_owned();
    assert_eq!(world.vms(), [runner]);
    assert_eq!(end_of(&world, long), "success");
    clean(&world);
    eventually("both are counted", SOON, || successes(&world) == 2);
}

#[test]
pub fn our_vm_serves_a_job_that_never_named_us() {
    let world = World::new();
    let _daemon = world.start_with(&world.configuration(1, "global_job_retry_attempts: 1"));
    let other = world.order(json!({ "labels": ["self-hosted"], "hold": true, "duration_ms": 1500 }))[0];
    let ours = world.order(json!({ "hold": true }))[0];
    let runner = online_runner(&world);
    assign(&world, other, &runner);
    shows(&world, "RUNNER1", "in_progress");
    world.control(&format!("jobs/{ours}/release"), &json!({}));
    assert_eq!(end_of(&world, other), "success");
    assert_eq!(end_of(&world, ours), "success");
    clean(&world);
    assert_eq!(calls(&world, "clone").len(), 2);
    eventually("both ran in our VMs", SOON, || successes(&world) == 2);
}

#[test]
fn a_vm_whose_job_a_stranger_took_is_cleaned_up() {
    let world = World::new();
    let _daemon = world.start(1);
    let job = world.order(json!({ "hold": true, "duration_ms": 1500 }))[0];
    online_runner(&world);
    stranger(&world);
    assign(&world, job, "outsider");
    clean(&world);
    assert_eq!(job_now(&world, job)["status"], "in_progress", "the VM does not wait for the stranger");
    assert_eq!(end_of(&world, job), "success");
    assert_eq!(calls(&world, "clone").len(), 1);
    assert_eq!(successes(&world), 0, "it ran elsewhere");
}

#[test]
pub fn a_vm_whose_job_a_stranger_took_serves_an_equal_job_first() {
    let world = World::new();
    let _daemon = world.start(1);
    let jobs = world.order(json!({ "count": 2, "hold": true, "duration_ms": 800 }));
    let runner = online_runner(&world);
    stranger(&world);
    let (own, other) = claimed_and_other(&world, &jobs);
    assign(&world, own, "outsider");
    says(&world, "INFO", "have crossed");
    world.control(&format!("jobs/{other}/release"), &json!({}));
    assert_eq!(end_of(&world, other), "success");
    assert_eq!(job_now(&world, other)["runner_name"], runner);
    assert_eq!(end_of(&world, own), "success");
    clean(&world);
    assert_eq!(calls(&world, "clone").len(), 1, "no new VM");
    eventually("one ran in our VM", SOON, || successes(&world) == 1);
}

/// The last try fails while a stranger runs the job: its run must not be cancelled.
#[test]
fn a_stranger_s_run_is_never_cancelled() {
    let world = World::new();
    world.fault(&json!({ "call": "clone", "do": "hang", "ms": 1200 }));
    let _daemon = world.start_with(&world.configuration(1, "global_job_retry_attempts: 1"));
    let job = world.order(json!({ "hold": true, "duration_ms": 3000 }))[0];
    eventually("it is at work", SOON, || !calls(&world, "clone").is_empty());
    stranger(&world);
    assign(&world, job, "outsider");
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    assert_eq!(asked(&world, "POST", "/cancel"), 0);
    assert_eq!(world.said("ERROR"), [""; 0]);
}

/// The VM has no runner yet when its job is lost: it is booted on for another one.
#[test]
fn a_vm_that_boots_serves_an_equal_job_when_a_stranger_took_its_own() {
    let world = World::new();
    world.anka("set", &["timing_ms.start=1200"]);
    let _daemon = world.start(1);
    let jobs = world.order(json!({ "count": 2, "hold": true, "duration_ms": 800 }));
    eventually("it boots", SOON, || !calls(&world, "start").is_empty());
    let (own, other) = claimed_and_other(&world, &jobs);
    stranger(&world);
    assign(&world, own, "outsider");
    says(&world, "INFO", "have crossed");
    world.control(&format!("jobs/{other}/release"), &json!({}));
    assert_eq!(end_of(&world, other), "success");
    assert_eq!(end_of(&world, own), "success");
    clean(&world);
    assert_eq!(calls(&world, "clone").len(), 1);
    eventually("one ran in our VM", SOON, || successes(&world) == 1);
}

#[test]
fn a_stranger_may_take_a_queued_job() {
    let world = World::new();
    let mut receiver = world.start(0);
    let job = world.order(json!({ "hold": true, "duration_ms": 300 }))[0];
    stranger(&world);
    assign(&world, job, "outsider");
    assert_eq!(end_of(&world, job), "success");
    eventually("all is told", SOON, || world.state()["deliveries"].as_array().unwrap().len() == 3);
    assert_eq!(receiver.stop(), 0);
    let _daemon = world.start(1);
    let next = world.order(json!({}))[0];
    assert_eq!(end_of(&world, next), "success");
    assert_eq!(calls(&world, "clone").len(), 1, "no VM for what is over");
}

/// Between the decision to clean up and the removal, GitHub gives the runner another job: 422, back to watching.
#[test]
pub fn a_runner_that_is_busy_when_it_is_to_be_removed_is_watched_again() {
    let world = World::new();
    let _daemon = world.start(1);
    let other = world.order(json!({ "labels": ["self-hosted"], "hold": true, "duration_ms": 2000 }))[0];
    let ours = world.order(json!({ "hold": true }))[0];
    let runner = online_runner(&world);
    world.control(
        "rules",
        &json!({ "method": "DELETE", "path": "/actions/runners/", "delay_ms": 800, "times": 1 }),
    );
    world.control(&format!("runs/{}/cancel", job_now(&world, ours)["run_id"]), &json!({}));
    eventually("the removal is asked for", SOON, || {
        crate::support::web::get_json(&format!("{}/_sim/rules", world.github)) == json!([])
    });
    assign(&world, other, &runner);
    says(&world, "INFO", "back to watching");
    assert_eq!(world.vms(), [runner], "the VM stays");
    assert_eq!(end_of(&world, other), "success");
    clean(&world);
    assert_eq!(calls(&world, "clone").len(), 1);
    eventually("it ran in our VM", SOON, || successes(&world) == 1);
}
