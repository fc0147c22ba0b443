//! Tries: what counts as one, how many there are, what comes between and after them.

use super::*;
use crate::support::pause;

/// With this fault at each try the job is tried twice, then given up.
#[track_caller]
fn gives_up_after_two(call: &str, what: &str) {
    let world = World::new();
    world.fault(&json!({ "call": call, "do": "fail", "times": 0, "message": "no such luck" }));
    let mut daemon = world.start_with(&world.configuration(2, "global_job_retry_attempts: 2"));
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "cancelled");
    clean(&world);
    says(&world, "ERROR", "try 2 of 2 failed");
    let errors = world.said("ERROR");
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(errors[0].contains(what) && errors[0].contains("no such luck"), "{errors:?}");
    assert!(world.has_said("WARN", "try 1 of 2 failed"));
    assert!(
        errors[0].contains(&format!("/acme/app/actions/runs/{}", job_now(&world, job)["run_id"])),
        "{errors:?}"
    );
    assert!(errors[0].contains("its run is cancelled"), "{errors:?}");
    assert_eq!(calls(&world, "clone").len(), 2, "two tries in all");
    assert_eq!(asked(&world, "POST", "/cancel"), 1);
    pause(300);
    assert_eq!(calls(&world, "clone").len(), 2, "given up is given up");
    let metrics = world.metrics();
    for total in ["successful", "failed", "canceled"] {
        assert_eq!(metrics[format!("total_{total}_runs_since_start")], 0, "it never ran");
    }
    assert_eq!(daemon.stop(), 0);
}

#[test]
pub fn a_clone_that_fails_is_a_try() {
    gives_up_after_two("clone", "clone");
}

#[test]
fn a_start_that_fails_is_a_try() {
    gives_up_after_two("start", "start");
}

#[test]
fn a_copy_that_fails_is_a_try() {
    gives_up_after_two("cp start-runner", "copied");
}

#[test]
fn an_install_script_that_fails_is_a_try() {
    gives_up_after_two("run install-runner", "script");
}

#[test]
fn a_register_script_that_fails_is_a_try() {
    gives_up_after_two("run register-runner", "script");
}

#[test]
fn a_script_s_own_words_are_in_the_log_and_the_token_is_not() {
    let world = World::new();
    script(&world, "register", "echo \"cannot register with $2\" >&2; exit 7\n");
    let _daemon = world.start_with(&world.configuration(1, "global_job_retry_attempts: 1"));
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "cancelled");
    says(&world, "ERROR", "cannot register with");
    assert!(world.has_said("ERROR", "7"), "its exit code");
    assert!(!world.log_text().contains("AAB"), "the registration token is in the log");
}

#[test]
pub fn the_count_is_the_job_s_own_and_outlives_the_daemon() {
    let world = World::new();
    world.fault(&json!({ "call": "clone", "do": "fail", "times": 2 }));
    let text = world.configuration(1, "global_job_retry_attempts: 3");
    let mut daemon = world.start_with(&text);
    let job = world.order(json!({}))[0];
    says(&world, "WARN", "try 2 of 3 failed");
    // The line comes just before the store is told; the next try comes 5 s later.
    pause(1500);
    daemon.kill();
    world.fault(&json!({ "call": "start", "do": "fail", "times": 0 }));
    let _daemon = world.start_with(&text);
    assert_eq!(end_of(&world, job), "cancelled");
    says(&world, "ERROR", "try 3 of 3 failed");
    assert_eq!(calls(&world, "clone").len(), 3);
}

#[test]
fn another_job_is_served_while_one_waits_for_its_next_try() {
    let world = World::new();
    world.fault(&json!({ "call": "clone", "do": "fail", "times": 2 }));
    let _daemon = world.start_with(&world.configuration(1, "global_job_retry_attempts: 4"));
    let labels = ["self-hosted", "anka-template:macos-15", "anka-template-tag:v1", "mine"];
    let first = world.order(json!({ "labels": labels }))[0];
    says(&world, "WARN", "try 2 of 4 failed");
    let second = world.order(json!({}))[0];
    assert_eq!(end_of(&world, second), "success");
    assert_eq!(job_now(&world, first)["status"], "queued");
    assert_eq!(end_of(&world, first), "success");
}

#[test]
pub fn a_refused_cancel_ends_it_all_the_same() {
    let world = World::new();
    world.fault(&json!({ "call": "clone", "do": "fail", "times": 0 }));
    world.control("rules", &json!({ "method": "POST", "path": "/cancel", "preset": "permission" }));
    let _daemon = world.start_with(&world.configuration(1, "global_job_retry_attempts: 1"));
    let job = world.order(json!({}))[0];
    says(&world, "ERROR", "failed to cancel the run");
    let errors = world.said("ERROR");
    assert!(errors.len() == 1 && errors[0].contains("administration=write"), "{errors:?}");
    assert!(errors[0].contains("try 1 of 1 failed") && !errors[0].contains("is cancelled"), "{errors:?}");
    shows(&world, "RUNNER1", "idle");
    pause(500);
    assert_eq!(calls(&world, "clone").len(), 1, "it never goes round again by itself");
    assert_eq!(asked(&world, "POST", "/cancel"), 1);
    assert_eq!(job_now(&world, job)["status"], "queued");
}
