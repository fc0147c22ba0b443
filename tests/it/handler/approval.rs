//! Jobs that wait for a person's approval: no VM, no cancel, no try, until GitHub says `queued` again.

use super::*;
use crate::support::world::SECRET;
use crate::support::{Daemon, pause, web};

#[track_caller]
fn waits_then_runs(webhooks: &Value) {
    let world = World::new();
    let _daemon = world.start_with(&world.configuration(1, "global_job_retry_attempts: 1"));
    let job = world.order(json!({ "waits_for_approval": true, "webhooks": webhooks }))[0];
    let other = world.order(json!({}))[0];
    assert_eq!(end_of(&world, other), "success", "nobody waits for it");
    pause(300);
    assert_eq!(job_now(&world, job)["status"], "waiting");
    assert_eq!(calls(&world, "clone").len(), 1, "no VM is spent");
    assert_eq!(asked(&world, "POST", "/cancel"), 0);
    world.control(&format!("jobs/{job}/approve"), &json!({}));
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    assert_eq!(world.said("WARN"), [""; 0]);
    assert_eq!(world.said("ERROR"), [""; 0]);
}

#[test]
pub fn a_job_that_waits_is_parked_and_queued_again_when_it_is_approved() {
    waits_then_runs(&json!({}));
}

/// `queued` with status waiting, and nothing else: GitHub is asked before a VM is spent.
#[test]
fn a_queued_delivery_that_says_waiting_is_asked_about() {
    waits_then_runs(&json!({ "waiting": { "drop": true } }));
}

#[test]
fn doubled_and_swapped_deliveries_change_nothing() {
    waits_then_runs(&json!({ "queued": { "copies": 2 }, "waiting": { "copies": 2 } }));
}

/// A delivery as GitHub would send it, for a job that the simulated GitHub goes on to call queued.
fn deliver(world: &World, action: &str, job: &Value) {
    let body = json!({
        "action": action,
        "workflow_job": {
            "id": job["id"], "run_id": job["run_id"], "run_attempt": 1, "name": "build", "workflow_name": "Build",
            "status": action, "conclusion": null, "labels": job["labels"], "runner_name": null,
            "html_url": format!("{}/acme/app/actions/runs/{}/job/{}", world.github, job["run_id"], job["id"]),
        },
        "repository": { "full_name": "acme/app" },
    });
    let (status, answer) = web::deliver(&world.receiver(), SECRET, "workflow_job", &body.to_string());
    assert_eq!(status, 202, "{answer}");
}

/// While its runner waits, a person's approval becomes necessary: the handler lets go, and the job is parked.
#[test]
pub fn a_claimed_job_that_waits_is_let_go() {
    let world = World::new();
    let _daemon = world.start_with(&world.configuration(1, "global_job_retry_attempts: 1"));
    let job = world.order(json!({ "hold": true }))[0];
    online_runner(&world);
    deliver(&world, "waiting", &job_now(&world, job));
    clean(&world);
    says(&world, "INFO", "the job is parked");
    pause(300);
    assert_eq!(calls(&world, "clone").len(), 1, "no second VM while it waits");
    deliver(&world, "queued", &job_now(&world, job));
    online_runner(&world);
    world.control(&format!("jobs/{job}/release"), &json!({}));
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    assert_eq!(world.said("WARN"), [""; 0]);
    assert_eq!(world.said("ERROR"), [""; 0]);
}

/// A delivery says `queued`, GitHub says what it has said before (304): it waits.
#[test]
fn an_unchanged_answer_is_as_good_as_a_new_one() {
    let world = World::new();
    let text = world.configuration(1, "global_job_retry_attempts: 1");
    let _daemon = Daemon::start(&world, &text, &[], &[("ANKLET_PACE", "60")]);
    world.wait_until_it_serves();
    let drain = world.dir.join(".config/anklet/.drain");
    let job =
        world.order(json!({ "waits_for_approval": true, "webhooks": { "waiting": { "drop": true } } }))[0];
    says(&world, "INFO", "the job is parked");
    fs::write(&drain, "").unwrap();
    shows(&world, "RUNNER1", "draining");
    deliver(&world, "queued", &job_now(&world, job));
    pause(1000);
    fs::remove_file(&drain).unwrap();
    let parked = || world.said("INFO").iter().filter(|said| said.contains("the job is parked")).count();
    eventually("it is parked again", SOON, || parked() == 2);
    assert_eq!(asked(&world, "GET", "/jobs/"), 2);
    assert!(calls(&world, "clone").is_empty(), "no VM is spent");
    world.control(&format!("jobs/{job}/approve"), &json!({}));
    assert_eq!(end_of(&world, job), "success");
    assert_eq!(calls(&world, "clone").len(), 1);
}
