//! What does not count: no room, limits, outages, a drain. Each test would end in a cancel if it did.

use nix::sys::signal::Signal;

use super::*;
use crate::support::web;

const ONCE: &str = "global_job_retry_attempts: 1";

#[test]
fn two_foreign_guests_leave_no_room() {
    let world = World::new();
    world.anka("guest", &["theirs-1"]);
    world.anka("guest", &["theirs-2"]);
    let _daemon = world.start_with(&world.configuration(1, ONCE));
    let job = world.order(json!({}))[0];
    says(&world, "INFO", "no place for another VM");
    assert!(calls(&world, "clone").is_empty());
    shows(&world, "RUNNER1", "idle");
    let page = || web::get(&format!("http://127.0.0.1:{}/metrics?format=prometheus", world.metrics_port)).1;
    let counted = ["anklet_foreign_guests 2\n", "anklet_vm_slots{state=\"free\"} 0\n"];
    eventually("they are counted", SOON, || counted.iter().all(|line| page().contains(line)));
    world.anka("vanish", &["theirs-1"]);
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    assert_eq!(world.said("ERROR"), [""; 0]);
    assert!(page().contains("anklet_queue_wait_seconds_count 1\n"), "it waited for a place: {}", page());
}

#[test]
fn a_start_that_is_refused_because_guests_came_meanwhile_does_not_count() {
    let world = World::new();
    world.fault(&json!({ "call": "start", "do": "slow", "ms": 900 }));
    let _daemon = world.start_with(&world.configuration(1, ONCE));
    world.anka("set", &["limit_message=\"Das geht nicht\"", "limit_exit=77"]);
    let job = world.order(json!({}))[0];
    eventually("it starts", SOON, || !calls(&world, "start").is_empty());
    world.anka("guest", &["theirs-1"]);
    world.anka("guest", &["theirs-2"]);
    says(&world, "INFO", "2 other VMs run on this host");
    clean(&world);
    world.anka("vanish", &["theirs-1"]);
    assert_eq!(end_of(&world, job), "success");
    assert_eq!(world.said("ERROR"), [""; 0]);
}

#[test]
pub fn a_drain_before_the_start_gives_the_job_back() {
    let world = World::new();
    world.anka("set", &["timing_ms.start=2000"]);
    let text = world.configuration(1, ONCE);
    let mut daemon = world.start_with(&text);
    let job = world.order(json!({}))[0];
    eventually("it starts", SOON, || !calls(&world, "start").is_empty());
    assert_eq!(daemon.stop(), 0);
    world.assert_clean();
    assert_eq!(job_now(&world, job)["status"], "queued");
    world.anka("set", &["timing_ms.start=0"]);
    let _daemon = world.start_with(&text);
    assert_eq!(end_of(&world, job), "success");
    assert_eq!(world.said("ERROR"), [""; 0]);
}

#[test]
pub fn an_interrupt_before_the_start_gives_the_job_back() {
    let world = World::new();
    let text = world.configuration(1, ONCE);
    let mut daemon = world.start_with(&text);
    let job = world.order(json!({ "hold": true }))[0];
    online_runner(&world);
    daemon.signal(Signal::SIGTERM);
    eventually("it drains", SOON, || world.has_said("INFO", "stopping: no new jobs"));
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.wait(SOON).code(), Some(0));
    world.assert_clean();
    world.control(&format!("jobs/{job}/release"), &json!({}));
    let _daemon = world.start_with(&text);
    assert_eq!(end_of(&world, job), "success");
}

#[test]
pub fn a_crash_does_not_count() {
    let world = World::new();
    world.anka("set", &["timing_ms.start=800"]);
    let text = world.configuration(1, ONCE);
    let mut daemon = world.start_with(&text);
    let job = world.order(json!({}))[0];
    eventually("it starts", SOON, || !calls(&world, "start").is_empty());
    daemon.kill();
    let _daemon = world.start_with(&text);
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    assert_eq!(world.said("ERROR"), [""; 0]);
}

#[test]
fn github_away_before_the_start_gives_the_job_back() {
    let world = World::new();
    world.anka("set", &["timing_ms.start=600"]);
    let top = format!("{ONCE}\nglobal_registration_timeout_seconds: 2");
    let _daemon = world.start_with(&world.configuration(1, &top));
    let job = world.order(json!({}))[0];
    eventually("it starts", SOON, || !calls(&world, "start").is_empty());
    world.control("settings", &json!({ "outage": true }));
    says(&world, "WARN", "the job goes back to the queue");
    assert!(world.vms().is_empty(), "no runner was promised: the VM goes");
    world.control("settings", &json!({ "outage": false }));
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
}

#[test]
fn github_away_while_the_job_runs_gives_nothing_up() {
    let world = World::new();
    let top = format!("{ONCE}\nglobal_registration_timeout_seconds: 1");
    let _daemon = world.start_with(&world.configuration(1, &top));
    let job = world.order(json!({ "duration_ms": 2500 }))[0];
    shows(&world, "RUNNER1", "in_progress");
    world.control("settings", &json!({ "outage": true }));
    crate::support::pause(1500);
    assert_eq!(world.vms().len(), 1);
    world.control("settings", &json!({ "outage": false }));
    assert_eq!(end_of(&world, job), "success");
    eventually("it is counted", SOON, || world.metrics()["total_successful_runs_since_start"] == 1);
    clean(&world);
}

/// Nobody but GitHub can say that no job runs on the runner: while it is away, the VM stays.
#[test]
fn while_github_is_away_a_vm_with_a_runner_stays() {
    let world = World::new();
    let top = format!("{ONCE}\nglobal_registration_timeout_seconds: 1");
    let _daemon = world.start_with(&world.configuration(1, &top));
    let job = world.order(json!({ "hold": true }))[0];
    online_runner(&world);
    world.control("settings", &json!({ "outage": true }));
    says(&world, "WARN", "the VM stays until GitHub says");
    assert_eq!(world.vms().len(), 1);
    world.control("settings", &json!({ "outage": false }));
    world.control(&format!("jobs/{job}/release"), &json!({}));
    assert_eq!(end_of(&world, job), "success");
}
