//! Runners that do not come online, get no job, do not return, or go away.

use super::*;
use crate::support::pause;

/// Starts the runner and stays until it has ended.
const STAYS: &str = "cd actions-runner && exec bash ./run.sh\n";

#[test]
fn one_that_never_comes_online_is_a_try() {
    let world = World::new();
    script(&world, "start", "exit 0\n");
    let top = "global_registration_timeout_seconds: 1\nglobal_job_retry_attempts: 2";
    let _daemon = world.start_with(&world.configuration(1, top));
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "cancelled");
    clean(&world);
    says(&world, "ERROR", "did not come online in time");
    assert_eq!(calls(&world, "clone").len(), 2);
    assert_eq!(asked(&world, "DELETE", "runners"), 2, "it was registered, and is removed");
}

#[test]
fn one_that_is_online_and_gets_no_job_is_a_try() {
    let world = World::new();
    let top = "global_registration_timeout_seconds: 1\nglobal_job_retry_attempts: 1";
    let _daemon = world.start_with(&world.configuration(1, top));
    let job = world.order(json!({ "hold": true }))[0];
    assert_eq!(end_of(&world, job), "cancelled");
    clean(&world);
    says(&world, "ERROR", "gave it no job in time");
}

#[test]
fn a_start_script_that_stays_is_left_alone_while_its_job_runs() {
    let world = World::new();
    script(&world, "start", STAYS);
    let _daemon = world.start_with(&world.configuration(1, "global_script_timeout_seconds: 2"));
    let job = world.order(json!({ "duration_ms": 3500 }))[0];
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    let next = world.order(json!({}))[0];
    assert_eq!(end_of(&world, next), "success", "its slot is free again");
    assert_eq!(world.said("WARN"), [""; 0]);
}

#[test]
fn a_start_script_that_stays_is_left_alone_although_the_delivery_was_lost() {
    let world = World::new();
    script(&world, "start", STAYS);
    let _daemon = world.start_with(&world.configuration(1, "global_script_timeout_seconds: 2"));
    let job = world.order(json!({ "duration_ms": 4000, "webhooks": { "in_progress": { "drop": true } } }))[0];
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    assert_eq!(calls(&world, "clone").len(), 1);
}

#[test]
fn a_start_script_that_stays_is_never_ended_by_a_stop() {
    let world = World::new();
    script(&world, "start", STAYS);
    let mut daemon = world.start(1);
    let job = world.order(json!({ "duration_ms": 3000 }))[0];
    shows(&world, "RUNNER1", "in_progress");
    daemon.signal(nix::sys::signal::Signal::SIGTERM);
    eventually("it drains", SOON, || world.has_said("INFO", "stopping: no new jobs"));
    daemon.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(daemon.wait(SOON).code(), Some(0));
    let mut daemon = world.start(1);
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    let next = world.order(json!({}))[0];
    assert_eq!(end_of(&world, next), "success", "its slot is free again");
    assert_eq!(daemon.stop(), 0);
}

/// A drain asks GitHub for the runner only once no registration is under way: until then it may still appear.
#[test]
fn a_registration_that_a_drain_meets_is_let_end() {
    let world = World::new();
    let ours =
        fs::read_to_string(world.dir.join(".config/anklet/plugins/handlers/github/register-runner.bash"))
            .unwrap();
    let slow = ours.replacen("set -euo pipefail", "set -euo pipefail\nsleep 3", 1);
    assert_ne!(slow, ours);
    script(&world, "register", &slow);
    let mut daemon = world.start(1);
    let job = world.order(json!({ "hold": true }))[0];
    says(&world, "INFO", "registering and starting the runner");
    assert_eq!(daemon.stop(), 0);
    world.assert_clean();
    assert_eq!(
        asked(&world, "DELETE", "runners"),
        1,
        "it was registered, and is removed: {}",
        world.state()["calls"]
    );
    assert_eq!(job_now(&world, job)["status"], "queued");
}

#[test]
fn a_start_script_that_hangs_without_a_job_is_a_try() {
    let world = World::new();
    script(&world, "start", "sleep 1000\n");
    let top = "global_script_timeout_seconds: 1\nglobal_job_retry_attempts: 1";
    let _daemon = world.start_with(&world.configuration(1, top));
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "cancelled");
    clean(&world);
    says(&world, "ERROR", "did not end in time");
}

#[test]
fn an_install_script_that_hangs_is_a_try() {
    let world = World::new();
    script(&world, "install", "sleep 1000\n");
    let top = "global_script_timeout_seconds: 1\nglobal_job_retry_attempts: 1";
    let _daemon = world.start_with(&world.configuration(1, top));
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "cancelled");
    clean(&world);
    says(&world, "ERROR", "a script failed");
}

#[test]
fn a_vm_that_vanishes_under_its_job_ends_with_github_s_verdict() {
    let world = World::new();
    world.control("settings", &json!({ "lost_runner_ms": 700 }));
    let _daemon = world.start(1);
    let job = world.order(json!({ "duration_ms": 60_000 }))[0];
    shows(&world, "RUNNER1", "in_progress");
    world.anka("vanish", &[&world.vms()[0]]);
    assert_eq!(end_of(&world, job), "failure");
    clean(&world);
    eventually("it is counted", SOON, || world.metrics()["total_failed_runs_since_start"] == 1);
    assert_eq!(world.metrics()["total_running_vms"], 0);
    assert_eq!(calls(&world, "clone").len(), 1);
}

#[test]
fn a_template_without_a_runner_gets_one() {
    let world = World::with(&["--template", "bare:v1", "--runner", "none"]);
    let _daemon = world.start(1);
    let labels = ["self-hosted", "anka-template:bare", "anka-template-tag:v1"];
    for _ in 0..2 {
        let job = world.order(json!({ "labels": labels }))[0];
        assert_eq!(end_of(&world, job), "success");
    }
    assert_eq!(asked(&world, "GET", "runners/downloads"), 1, "resolved on the host, once a day");
}

#[test]
fn scripts_may_be_symbolic_links() {
    let world = World::new();
    let folder = world.dir.join(".config/anklet/plugins/handlers/github");
    fs::create_dir(world.dir.join("mine")).unwrap();
    for name in ["install-runner.bash", "register-runner.bash", "start-runner.bash"] {
        let real = world.dir.join("mine").join(format!("my-{name}"));
        fs::rename(folder.join(name), &real).unwrap();
        std::os::unix::fs::symlink(&real, folder.join(name)).unwrap();
    }
    let _daemon = world.start(1);
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "success");
}

#[test]
fn one_registration_token_serves_many_jobs() {
    let world = World::new();
    script(&world, "start", QUICK_START);
    let _daemon = world.start(2);
    for job in world.order(json!({ "count": 4 })) {
        assert_eq!(end_of(&world, job), "success");
    }
    clean(&world);
    pause(100);
    let state = world.state();
    let all: u64 = state["calls"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert!(asked(&world, "POST", "registration-token") <= 2, "{}", state["calls"]);
    assert!(all <= 2, "the happy path costs no other call: {}", state["calls"]);
}
