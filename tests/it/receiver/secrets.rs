//! No secret, token or body reaches a log, a page, an answer or the process list, whatever goes wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::json;

use super::{PATH, deliver, deliver_text, job};
use crate::support::{Daemon, World, eventually, web, wire, world};

const SOON: Duration = Duration::from_secs(15);
/// Stands in bodies, and in GitHub's answers.
const BODY: &str = "canary-of-a-body-91c4";
/// A registration token that GitHub gives and does not know afterwards.
const REGISTRATION: &str = "AREGISTRATIONCANARY7731";

/// Everything that a stranger, a colleague or a collector could read.
fn readable(world: &World) -> Vec<(&'static str, String)> {
    let page = |format: &str| {
        web::get(&format!("http://127.0.0.1:{}/metrics?format={format}", world.metrics_port)).1
    };
    vec![
        ("log", world.log_text()),
        ("stderr", fs::read_to_string(world.dir.join("stderr")).unwrap_or_default()),
        ("json", page("json")),
        ("prometheus", page("prometheus")),
        ("plain", page("plain")),
        ("anka's arguments", format!("{:?}", world.anka_calls())),
    ]
}

#[track_caller]
fn assert_hidden(world: &World, secrets: &[&str]) {
    for (place, text) in readable(world) {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} is in the {place}:\n{text}");
        }
    }
}

fn start(world: &World) -> Daemon {
    let text = world
        .configuration(1, "")
        .replace("  owner: acme\n", "  owner: acme\n  registration_timeout_seconds: 5\n");
    // By environment, so that what is handed on to children is seen too.
    let text = text.replace(&format!("global_token: {}\n", world::TOKEN), "");
    let env =
        [("LOG_LEVEL", "DEBUG"), ("ANKLET_GLOBAL_TOKEN", world::TOKEN), ("RUNNER1_JOB_RETRY_ATTEMPTS", "5")];
    let daemon = Daemon::start(world, &text, &[], &env);
    world.wait_until_it_serves();
    daemon
}

#[test]
fn refused_and_strange_deliveries_leave_nothing_behind() {
    let world = World::new();
    let mut daemon = start(&world);
    let mut payload = job("queued", 7);
    payload["sender"]["login"] = json!(BODY);
    let good = payload.to_string();
    let wrong = web::signature("another", &good);
    let headers = [("X-GitHub-Event", "workflow_job"), ("X-Hub-Signature-256", wrong.as_str())];
    let mut told = vec![
        wire::post(world.port, PATH, &headers, good.as_bytes()),
        wire::post(world.port, PATH, &[("X-GitHub-Event", BODY)], good.as_bytes()),
        wire::post(world.port, &format!("/{BODY}"), &[], good.as_bytes()),
        deliver_text(world.port, "workflow_job", &format!("{{\"x\": {BODY}}}")),
        deliver_text(world.port, "workflow_job", &format!("{{\"action\": \"{BODY}\"}}")),
        deliver_text(world.port, "push", &format!("\"{BODY}\"")),
        deliver(world.port, "workflow_job", &payload),
        wire::raw(world.port, format!("{BODY}\r\n\r\n").as_bytes()),
    ];
    payload["workflow_job"]["labels"] = json!([{ "name": BODY }]);
    told.push(deliver(world.port, "workflow_job", &payload));
    payload["repository"]["full_name"] = json!("stranger/app");
    told.push(deliver(world.port, "workflow_job", &payload));
    for answer in &told {
        assert!(!answer.body.contains(BODY) && !answer.body.contains(world::SECRET), "{answer:?}");
        assert!(answer.status >= 200, "{answer:?}");
    }
    assert_hidden(&world, &[BODY, world::SECRET, world::TOKEN, &wrong[7..]]);
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn github_s_refusals_and_gateways_leave_no_token_behind() {
    for rule in [
        json!({ "path": "*", "preset": "unauthorized", "times": 2 }),
        json!({ "path": "*", "preset": "permission", "times": 2 }),
        json!({ "path": "*", "preset": "html", "times": 2 }),
        json!({ "path": "*", "preset": "truncated", "times": 2 }),
        json!({ "path": "*", "status": 500, "body": format!("you sent {} and {BODY}", world::TOKEN), "times": 2 }),
    ] {
        let world = World::new();
        let mut daemon = start(&world);
        world.control("rules", &rule);
        world.order(json!({}));
        eventually("something went wrong", SOON, || {
            !world.said("WARN").is_empty() || !world.said("ERROR").is_empty()
        });
        assert_hidden(&world, &[BODY, world::TOKEN, world::SECRET]);
        daemon.kill();
    }
}

#[test]
fn a_registration_that_fails_shows_its_token_to_nobody() {
    let world = World::new();
    let mut daemon = start(&world);
    let body = json!({ "token": REGISTRATION, "expires_at": "2031-01-01T00:00:00.000Z" });
    world.control(
        "rules",
        &json!({ "method": "POST", "path": "registration-token", "status": 201, "body": body.to_string(), "times": 0 }),
    );
    world.order(json!({}));
    eventually("a try has failed", SOON, || {
        world.anka_calls().iter().any(|call| call.join(" ").contains("register-runner"))
            && !(world.said("WARN").is_empty() && world.said("ERROR").is_empty())
    });
    assert_hidden(&world, &[REGISTRATION, world::TOKEN, world::SECRET]);
    daemon.kill();
}

#[test]
fn a_job_sees_nothing_of_ours_and_neither_does_anka() {
    let world = World::new();
    // An `anka` that writes down what it was given.
    let (spy, seen) = (world.dir.join("spy"), world.dir.join("seen"));
    let anka = world.dir.join("anka/bin/anka");
    fs::write(&spy, format!("#!/bin/sh\nenv >> {}\nexec {} \"$@\"\n", seen.display(), anka.display()))
        .unwrap();
    fs::set_permissions(&spy, fs::Permissions::from_mode(0o755)).unwrap();
    let env = [("RUNNER1_TOKEN", world::TOKEN), ("ANKLET_GLOBAL_RECEIVER_SECRET", world::SECRET)];
    let text = world.configuration(1, &format!("anka_path: {}", spy.display()));
    let mut daemon = Daemon::start(&world, &text, &[], &env);
    world.wait_until_it_serves();
    let job = world.order(json!({}))[0];
    let done = world.until(job, "completed", SOON);
    assert_eq!(done["leaks"], json!([]), "what its runner could read");
    eventually("the host is clean", SOON, || world.vms().is_empty());
    assert_hidden(&world, &[world::TOKEN, world::SECRET]);
    let given = fs::read_to_string(seen).unwrap();
    assert!(
        given.contains("PATH=") && !given.contains(world::TOKEN) && !given.contains(world::SECRET),
        "{given}"
    );
    assert_eq!(daemon.stop(), 0);
}
