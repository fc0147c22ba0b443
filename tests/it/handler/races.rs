//! Stops, deaths and starts that meet a job at the wrong moment.

use nix::sys::signal::Signal;

use super::*;
use crate::support::Daemon;
use crate::support::web;

fn release(world: &World, job: u64) {
    world.control(&format!("jobs/{job}/release"), &json!({}));
}

fn successes(world: &World) -> Value {
    world.metrics()["total_successful_runs_since_start"].clone()
}

/// Waits until the delayed removal of a runner has reached GitHub.
fn removal_is_under_way(world: &World) {
    eventually("the removal is asked for", SOON, || {
        web::get_json(&format!("{}/_sim/rules", world.github)) == json!([])
    });
}

fn delay_the_removal(world: &World) {
    let rule = json!({ "method": "DELETE", "path": "/actions/runners/", "delay_ms": 800, "times": 1 });
    world.control("rules", &rule);
}

#[test]
pub fn a_drain_that_meets_a_starting_job_waits_for_it() {
    let world = World::new();
    let mut daemon = world.start(1);
    let job = world.order(json!({ "hold": true, "duration_ms": 1500 }))[0];
    online_runner(&world);
    delay_the_removal(&world);
    daemon.signal(Signal::SIGTERM);
    removal_is_under_way(&world);
    release(&world, job);
    assert_eq!(end_of(&world, job), "success");
    assert_eq!(daemon.wait(SOON).code(), Some(0));
    world.assert_clean();
    assert_eq!(calls(&world, "clone").len(), 1);
    assert!(world.has_said("INFO", "the job is over: success"));
}

#[test]
pub fn an_interrupt_that_meets_a_starting_job_leaves_it_running() {
    let world = World::new();
    let mut daemon = world.start(1);
    let job = world.order(json!({ "hold": true, "duration_ms": 2500 }))[0];
    online_runner(&world);
    delay_the_removal(&world);
    daemon.signal(Signal::SIGTERM);
    eventually("it drains", SOON, || world.has_said("INFO", "stopping: no new jobs"));
    daemon.signal(Signal::SIGTERM);
    removal_is_under_way(&world);
    release(&world, job);
    assert_eq!(daemon.wait(SOON).code(), Some(0));
    assert_eq!(world.vms().len(), 1);
    let _daemon = world.start(1);
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    eventually("it is counted", SOON, || successes(&world) == 1);
    assert_eq!(calls(&world, "clone").len(), 1);
}

/// The daemon dies, the job starts on its VM, and no delivery tells.
#[test]
pub fn a_job_that_starts_while_the_daemon_is_dead_is_adopted() {
    let world = World::new();
    let mut daemon = world.start(1);
    let job = world.order(json!({ "hold": true, "duration_ms": 2500 }))[0];
    online_runner(&world);
    daemon.kill();
    release(&world, job);
    world.until(job, "in_progress", SOON);
    let _daemon = world.start(1);
    shows(&world, "RUNNER1", "in_progress");
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    eventually("it is counted", SOON, || successes(&world) == 1);
    assert_eq!(calls(&world, "clone").len(), 1);
}

#[test]
pub fn a_job_that_ran_while_the_daemon_was_dead_is_settled_and_counted() {
    let world = World::new();
    let mut daemon = world.start(1);
    let job = world.order(json!({ "hold": true }))[0];
    online_runner(&world);
    daemon.kill();
    release(&world, job);
    assert_eq!(end_of(&world, job), "success");
    let _daemon = world.start(1);
    clean(&world);
    eventually("it is counted", SOON, || successes(&world) == 1);
    let next = world.order(json!({}))[0];
    assert_eq!(end_of(&world, next), "success");
    assert_eq!(calls(&world, "clone").len(), 2);
}

/// Another job runs in the VM that was made for the first: the restart must not delete it.
#[test]
pub fn a_crossing_while_the_daemon_is_dead_costs_no_job() {
    let world = World::new();
    let mut daemon = world.start_with(&world.configuration(1, "global_job_retry_attempts: 1"));
    let jobs = world.order(json!({ "count": 2, "hold": true, "duration_ms": 3000 }));
    let runner = online_runner(&world);
    eventually("both are stored", SOON, || world.state()["deliveries"].as_array().unwrap().len() == 2);
    let claimed = world.log().into_iter().find(|line| line["msg"] == "handling the job").unwrap();
    let other = *jobs.iter().find(|job| claimed["workflowJobId"] != **job).unwrap();
    daemon.kill();
    world.control("assign", &json!({ "job": other, "runner": runner }));
    let _daemon = world.start_with(&world.configuration(1, "global_job_retry_attempts: 1"));
    for job in &jobs {
        release(&world, *job);
    }
    assert_eq!(end_of(&world, other), "success");
    for job in &jobs {
        assert_eq!(end_of(&world, *job), "success");
    }
    clean(&world);
    eventually("both are counted", SOON, || successes(&world) == 2);
    assert_eq!(calls(&world, "clone").len(), 2);
}

#[test]
fn a_restart_in_a_storm_of_github_adopts_all_the_same() {
    let world = World::new();
    let mut daemon = world.start(1);
    let job = world.order(json!({ "duration_ms": 6000 }))[0];
    shows(&world, "RUNNER1", "in_progress");
    daemon.kill();
    for rule in [
        json!({ "preset": "html" }),
        json!({ "preset": "secondary", "seconds": 1 }),
        json!({ "drop_connection": true }),
    ] {
        let mut rule = rule;
        rule["path"] = json!("/actions/jobs/");
        rule["times"] = json!(1);
        world.control("rules", &rule);
    }
    let _daemon = world.start(1);
    shows(&world, "RUNNER1", "in_progress");
    assert_eq!(world.vms().len(), 1);
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    eventually("it is counted", SOON, || successes(&world) == 1);
    assert_eq!(world.said("ERROR"), [""; 0]);
}

/// A stop that comes while the next daemon still asks about the running job leaves that job alone.
#[test]
pub fn a_stop_in_the_middle_of_a_recovery_gives_no_running_job_up() {
    let world = World::new();
    let mut daemon = world.start(1);
    let job = world.order(json!({ "duration_ms": 4000, "webhooks": { "completed": { "drop": true } } }))[0];
    shows(&world, "RUNNER1", "in_progress");
    daemon.kill();
    let rule = json!({ "path": "/actions/jobs/", "preset": "secondary", "seconds": 30, "times": 1 });
    world.control("rules", &rule);
    let mut daemon = world.start(1);
    shows(&world, "RUNNER1", "limit_paused");
    daemon.signal(Signal::SIGTERM);
    eventually("it drains", SOON, || world.has_said("INFO", "stopping: no new jobs"));
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.wait(Duration::from_secs(5)).code(), Some(0), "nothing is to be cleaned up");
    assert_eq!((world.vms().len(), world.pages().len()), (1, 1), "it is the journal's");
    assert_eq!(end_of(&world, job), "success");
    let _daemon = world.start(1);
    clean(&world);
    eventually("it is counted", SOON, || successes(&world) == 1);
}

/// The job has run when the drain comes, but nobody knows: it is neither given back nor forgotten.
#[test]
fn a_drain_that_comes_after_a_job_of_which_nothing_was_told_finds_it_out() {
    let world = World::new();
    let mut daemon = world.start(1);
    let lost = json!({ "in_progress": { "drop": true }, "completed": { "drop": true } });
    let job = world.order(json!({ "duration_ms": 50, "webhooks": lost }))[0];
    assert_eq!(end_of(&world, job), "success");
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.wait(SOON).code(), Some(0));
    world.assert_clean();
    assert!(world.has_said("INFO", "the job is over: success"), "{}", world.log_text());
    let _daemon = world.start(1);
    let next = world.order(json!({}))[0];
    assert_eq!(end_of(&world, next), "success");
    assert_eq!(calls(&world, "clone").len(), 2, "no second VM for the first job");
}

/// Its `in_progress` comes while its VM is being deleted, and GitHub does not answer at once.
#[test]
fn a_late_in_progress_has_its_end_waited_for() {
    let world = World::new();
    world.anka("set", &["timing_ms.delete=1500"]);
    let mut daemon = world.start(1);
    let late = json!({ "in_progress": { "delay_ms": 1200 }, "completed": { "drop": true } });
    let job = world.order(json!({ "duration_ms": 50, "webhooks": late }))[0];
    world.control("rules", &json!({ "path": "/actions/jobs/", "preset": "html", "times": 1 }));
    assert_eq!(end_of(&world, job), "success");
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.wait(SOON).code(), Some(0));
    world.assert_clean();
    assert!(world.has_said("INFO", "the job is over: success"), "{}", world.log_text());
}

/// Its repository answers, the job does not: GitHub has deleted it.
#[test]
fn a_job_that_github_has_deleted_is_over() {
    let world = World::new();
    let mut daemon = world.start(1);
    let job = world.order(json!({ "hold": true }))[0];
    online_runner(&world);
    daemon.kill();
    world.control(&format!("jobs/{job}/forget"), &json!({}));
    let _daemon = Daemon::start(&world, &world.configuration(1, ""), &[], &[("ANKLET_PACE", "60")]);
    world.wait_until_it_serves();
    says(&world, "WARN", "no longer knows the job");
    clean(&world);
    let next = world.order(json!({}))[0];
    assert_eq!(end_of(&world, next), "success");
    assert_eq!(world.said("ERROR"), [""; 0]);
}

/// GitHub has short 404s: one of them ends no job, and no VM under it.
#[test]
fn a_404_for_a_moment_ends_no_running_job() {
    let world = World::new();
    let text = world.configuration(1, "global_job_retry_attempts: 1");
    let _daemon = Daemon::start(&world, &text, &[], &[("ANKLET_PACE", "20")]);
    world.wait_until_it_serves();
    world.control(
        "rules",
        &json!({ "method": "GET", "path": "/actions/jobs/", "preset": "not_found", "times": 1 }),
    );
    let job = world.order(json!({ "duration_ms": 5000 }))[0];
    says(&world, "WARN", "perhaps for a moment only");
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    eventually("it is counted", SOON, || successes(&world) == 1);
    assert_eq!(world.said("ERROR"), [""; 0]);
}

/// GitHub no longer knows the job, but its runner is busy: its VM stays.
#[test]
fn a_job_that_is_deleted_while_it_runs_keeps_its_vm_until_its_runner_is_free() {
    let world = World::new();
    let _daemon = Daemon::start(&world, &world.configuration(1, ""), &[], &[("ANKLET_PACE", "60")]);
    world.wait_until_it_serves();
    world.control(
        "rules",
        &json!({ "method": "GET", "path": "/actions/jobs/", "preset": "not_found", "times": 0 }),
    );
    let job = world.order(json!({ "duration_ms": 6000 }))[0];
    says(&world, "WARN", "no longer knows the job");
    says(&world, "INFO", "back to watching");
    assert_eq!((job_now(&world, job)["status"].as_str(), world.vms().len()), (Some("in_progress"), 1));
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
}

/// Neither the job nor its repository answers: no reason to give the job up.
#[test]
fn a_404_of_everything_gives_no_job_up() {
    let world = World::new();
    let mut daemon = world.start_with(&world.configuration(1, "global_job_retry_attempts: 1"));
    let job = world.order(json!({ "duration_ms": 4000 }))[0];
    shows(&world, "RUNNER1", "in_progress");
    daemon.kill();
    world.control("rules", &json!({ "method": "GET", "path": "/repos/", "preset": "not_found", "times": 2 }));
    let _daemon = world.start_with(&world.configuration(1, "global_job_retry_attempts: 1"));
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    eventually("it is counted", SOON, || successes(&world) == 1);
    assert_eq!(asked(&world, "POST", "/cancel"), 0);
}

/// The line between GitHub and the runner breaks under its job.
#[test]
fn a_runner_that_github_loses_ends_with_its_verdict() {
    let world = World::new();
    world.control("settings", &json!({ "lost_runner_ms": 500 }));
    let _daemon = world.start(1);
    let job = world.order(json!({ "duration_ms": 60_000 }))[0];
    shows(&world, "RUNNER1", "in_progress");
    let id = world.state()["runners"][0]["id"].clone();
    world.control(&format!("runners/{id}/drop"), &json!({}));
    assert_eq!(end_of(&world, job), "failure");
    clean(&world);
    eventually("it is counted", SOON, || world.metrics()["total_failed_runs_since_start"] == 1);
}
