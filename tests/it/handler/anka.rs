//! An `anka` that fails, lies, hangs, floods: at each call the job is served in the end, and nothing is left.

use super::*;

/// The calls of a job's life, with words that tell them apart.
const CALLS: [&str; 6] =
    ["clone", "start", "cp install-runner", "run install-runner", "run register-runner", "delete"];

/// With this fault at one call after the other, each of six jobs ends well, and the host is clean.
#[track_caller]
fn survives(fault: &Value) -> World {
    let world = World::new();
    script(&world, "start", QUICK_START);
    let top = "global_command_timeout_seconds: 1\nglobal_start_timeout_seconds: 1\nglobal_script_timeout_seconds: 1";
    let mut daemon = world.start_with(&world.configuration(1, top));
    for call in CALLS {
        let mut fault = fault.clone();
        fault["call"] = json!(call);
        world.fault(&fault);
        let job = world.order(json!({ "duration_ms": 50 }))[0];
        assert_eq!(end_of(&world, job), "success", "{fault}");
        clean(&world);
        let left = fs::read_to_string(world.dir.join("anka/faults.json")).unwrap();
        assert_eq!(left.trim(), "[]", "it was not met");
    }
    assert_eq!(world.metrics()["total_successful_runs_since_start"], CALLS.len());
    assert_eq!(world.metrics()["total_running_vms"], 0);
    assert_eq!(world.said("ERROR"), [""; 0]);
    assert_eq!(daemon.stop(), 0);
    world.assert_clean();
    world
}

#[test]
fn failures() {
    survives(&json!({ "do": "fail" }));
}

#[test]
fn an_error_with_exit_code_0() {
    survives(&json!({ "do": "error_exit_0", "code": 1 }));
}

#[test]
fn garbage() {
    survives(&json!({ "do": "garbage", "code": 1 }));
}

#[test]
fn no_answer_and_a_lost_connection() {
    survives(&json!({ "do": "drop" }));
}

#[test]
fn a_crash() {
    survives(&json!({ "do": "crash" }));
}

#[test]
fn a_hang() {
    survives(&json!({ "do": "hang" }));
}

#[test]
fn a_hang_that_ignores_sigterm() {
    survives(&json!({ "do": "ignore_term" }));
}

#[test]
fn a_flood_and_noise_before_the_answer_are_no_fault() {
    let world = survives(&json!({ "do": "flood", "bytes": 8 << 20 }));
    assert_eq!(world.said("WARN"), [""; 0]);
    assert!(world.log_text().len() < 100_000);
    let world = survives(&json!({ "do": "noise" }));
    assert_eq!(world.said("WARN"), [""; 0]);
}

#[test]
fn slowness_is_no_fault() {
    let world = survives(&json!({ "do": "slow", "ms": 400 }));
    assert_eq!(world.said("WARN"), [""; 0]);
}

/// It did what it was told and says that it did not.
#[test]
fn a_lie_about_a_deed() {
    survives(&json!({ "do": "fail", "after": true }));
}

/// An answer that is empty though the exit code is 0 tells nothing: no job is given up for it.
#[test]
fn an_empty_answer() {
    let world = World::new();
    let _daemon = world.start_with(&world.configuration(1, "global_job_retry_attempts: 2"));
    for call in ["clone", "start", "delete"] {
        world.fault(&json!({ "call": call, "do": "empty" }));
        let job = world.order(json!({}))[0];
        assert_eq!(end_of(&world, job), "success", "{call}");
        clean(&world);
    }
}

#[test]
fn a_list_that_cannot_be_read_counts_against_no_job() {
    let world = World::new();
    world.fault(&json!({ "call": "list", "do": "garbage" }));
    world.fault(&json!({ "call": "show", "do": "garbage" }));
    let _daemon = world.start_with(&world.configuration(1, "global_job_retry_attempts: 1"));
    let job = world.order(json!({}))[0];
    says(&world, "WARN", "anka does not answer");
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    assert_eq!(world.said("ERROR"), [""; 0]);
}

/// "not there" is a success for a delete.
#[test]
fn a_vm_that_is_gone_before_it_is_deleted_is_deleted() {
    let world = World::new();
    world.fault(&json!({ "call": "delete", "do": "vanish" }));
    let _daemon = world.start(1);
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    shows(&world, "RUNNER1", "idle");
    assert_eq!(calls(&world, "delete").len(), 1);
    assert_eq!(world.said("WARN"), [""; 0]);
}

#[test]
fn a_vm_that_cannot_be_deleted_keeps_its_slot_and_not_its_job() {
    let world = World::new();
    world.fault(&json!({ "call": "delete", "do": "fail", "times": 2 }));
    let _daemon = world.start(1);
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "success");
    says(&world, "WARN", "could not be deleted");
    assert_eq!(world.metrics()["total_running_vms"], 1, "until the delete's success");
    clean(&world);
    eventually("it is gone", SOON, || world.metrics()["total_running_vms"] == 0);
    assert_eq!(world.said("ERROR"), [""; 0]);
}

/// It says that it has deleted the VM, and has not: the next list shows it, and it is deleted again.
#[test]
fn a_lie_about_a_delete_is_found_out_by_the_next_list() {
    let world = World::new();
    world.fault(&json!({ "call": "delete", "do": "garbage", "output": "{\"status\":\"OK\"}" }));
    let _daemon = world.start(1);
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "success");
    says(&world, "INFO", "the VM is deleted");
    shows(&world, "RUNNER1", "idle");
    let left = world.vms();
    assert_eq!(left.len(), 1);
    let lists = calls(&world, "list").len();
    let next = world.order(json!({}))[0];
    assert_eq!(end_of(&world, next), "success");
    clean(&world);
    assert_eq!(calls(&world, "list").len(), lists + 1, "no look is made for it");
    let said = world.said("WARN");
    assert!(said.len() == 1 && said[0].contains(&left[0]), "{said:?}");
    let third = world.order(json!({}))[0];
    assert_eq!(end_of(&world, third), "success");
    clean(&world);
    assert_eq!(world.said("WARN").len(), 1);
    assert_eq!(calls(&world, "delete").len(), 4);
}
