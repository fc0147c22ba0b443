//! GitHub's payloads, real ones and variants: fields that are absent, null, long, or of later versions.

use serde_json::{Value, json};

use super::{deliver, job, status, warnings, word};
use crate::support::World;

/// Every example of other events.
const OTHERS: [(&str, &str); 6] = [
    ("installation", include_str!("../../webhooks/installation.json")),
    ("ping", include_str!("../../webhooks/ping.json")),
    ("pull_request", include_str!("../../webhooks/pull_request.json")),
    ("push", include_str!("../../webhooks/push.json")),
    ("workflow_dispatch", include_str!("../../webhooks/workflow_dispatch.json")),
    ("workflow_run", include_str!("../../webhooks/workflow_run.json")),
];

/// Every example of ours, as GitHub sent it.
const JOBS: [&str; 6] = [
    include_str!("../../webhooks/workflow_job.01.in_progress.json"),
    include_str!("../../webhooks/workflow_job.02.completed.json"),
    include_str!("../../webhooks/workflow_job.03.completed.json"),
    include_str!("../../webhooks/workflow_job.04.in_progress.json"),
    include_str!("../../webhooks/workflow_job.06.queued.json"),
    include_str!("../../webhooks/workflow_job.08.waiting.json"),
];

/// What is done to a payload.
type Change = fn(&mut Value);

fn example(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn other_events_are_ignored_whatever_they_hold() {
    let world = World::new();
    let _daemon = world.start(0);
    for (event, text) in OTHERS {
        let told = deliver(world.port, event, &example(text));
        assert_eq!(status(&told), 200, "{event}");
    }
    assert_eq!(word(&deliver(world.port, "ping", &example(OTHERS[1].1))), "pong");
    for event in ["check_run", "made_up", "workflow_jobs"] {
        assert_eq!(status(&deliver(world.port, event, &job("queued", 1))), 200, "{event}");
    }
    assert_eq!(
        status(&deliver(world.port, "workflow_job", &job("queued", 1))),
        202,
        "nothing was stored before"
    );
    assert_eq!(warnings(&world), [""; 0]);
}

#[test]
fn jobs_that_name_no_template_and_no_runner_of_ours_are_ignored() {
    let world = World::new();
    let _daemon = world.start(0);
    for text in JOBS {
        let mut payload = example(text);
        payload["repository"]["full_name"] = json!("acme/app");
        let told = deliver(world.port, "workflow_job", &payload);
        assert_eq!(status(&told), 200, "{told:?}");
        assert!(word(&told).starts_with("ignored"), "{told:?}");
    }
    assert_eq!(warnings(&world), [""; 0], "nobody has to do anything about them");
}

#[test]
fn each_action_is_noted_once_and_known_afterwards() {
    let world = World::new();
    let _daemon = world.start(0);
    let send = |action: &str, id: u64| status(&deliver(world.port, "workflow_job", &job(action, id)));
    // A life in order, each step twice.
    for (action, first) in [("queued", 202), ("in_progress", 202), ("completed", 202)] {
        assert_eq!(send(action, 1), first, "{action}");
        assert_eq!(send(action, 1), 200, "{action} again");
    }
    for late in ["queued", "waiting", "in_progress"] {
        assert_eq!(send(late, 1), 200, "{late}, late");
    }
    let lines = world.log();
    let told: Vec<_> = lines.iter().filter(|line| line["msg"] == "the job is queued").collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["workflowJobId"], &told[0]["pluginName"]), (&json!(1), &json!("RECEIVER")));
    assert!(told[0]["jobURL"].is_string() && told[0]["ankaTemplateTag"] == "(using latest)", "{}", told[0]);
    // What comes first is remembered.
    assert_eq!((send("completed", 2), send("queued", 2)), (202, 200));
    assert_eq!((send("in_progress", 3), send("queued", 3), send("completed", 3)), (202, 200, 202));
    // Approval: queued, waiting, queued.
    assert_eq!(
        (send("waiting", 4), send("queued", 4), send("waiting", 4), send("queued", 4)),
        (200, 202, 202, 202)
    );
}

#[test]
fn a_runner_of_ours_counts_without_a_label_of_ours() {
    let world = World::new();
    let _daemon = world.start(0);
    for (name, wanted) in [("anklet-vm-1", 202), ("mac-mini", 200), ("xanklet-vm-1", 200)] {
        let mut payload = job("in_progress", 7);
        payload["workflow_job"]["labels"] = json!(["self-hosted"]);
        payload["workflow_job"]["runner_name"] = json!(name);
        assert_eq!(status(&deliver(world.port, "workflow_job", &payload)), wanted, "{name}");
    }
}

#[test]
fn what_older_and_newer_versions_leave_out_or_add_does_not_matter() {
    let world = World::new();
    let _daemon = world.start(0);
    let variants: [Change; 14] = [
        |p| drop(p["workflow_job"].as_object_mut().unwrap().remove("run_attempt")),
        |p| p["workflow_job"]["run_attempt"] = Value::Null,
        |p| drop(p["workflow_job"].as_object_mut().unwrap().remove("workflow_name")),
        |p| p["workflow_job"]["workflow_name"] = Value::Null,
        |p| drop(p["workflow_job"].as_object_mut().unwrap().remove("steps")),
        |p| p["workflow_job"]["runner_name"] = Value::Null,
        |p| p["workflow_job"]["html_url"] = Value::Null,
        |p| drop(p["workflow_job"].as_object_mut().unwrap().remove("status")),
        |p| p["workflow_job"]["of_2031"] = json!({ "new": [1, { "x": null }] }),
        |p| drop(p.as_object_mut().unwrap().remove("sender")),
        |p| p["organization"] = Value::Null,
        |p| p["enterprise"] = Value::Null,
        |p| p["deployment"] = json!({ "url": "x" }),
        |p| p["workflow_job"]["name"] = json!("Bau (ünïcødé, 日本語, 🦀, \u{202e}rtl, \"q\", \\, \u{7})"),
    ];
    for (id, change) in (100..).zip(variants) {
        let mut payload = job("queued", id);
        change(&mut payload);
        assert_eq!(status(&deliver(world.port, "workflow_job", &payload)), 202, "variant {id}");
    }
    assert_eq!(world.said("ERROR"), [""; 0]);
}

#[test]
fn ids_are_as_large_as_numbers_get() {
    let world = World::new();
    let _daemon = world.start(0);
    let edge = 1_u64 << 53;
    for id in [1, u64::from(u32::MAX) + 1, edge - 1, edge, edge + 1] {
        let mut payload = job("queued", id);
        payload["workflow_job"]["run_id"] = json!(id);
        assert_eq!(status(&deliver(world.port, "workflow_job", &payload)), 202, "{id}");
        assert_eq!(status(&deliver(world.port, "workflow_job", &payload)), 200, "{id} again");
    }
}

#[test]
fn what_a_job_is_known_by_must_be_there() {
    let world = World::new();
    let _daemon = world.start(0);
    let faults: [(&str, Change); 13] = [
        ("action", |p| drop(p.as_object_mut().unwrap().remove("action"))),
        ("action", |p| p["action"] = json!(7)),
        ("workflow_job.id", |p| drop(p["workflow_job"].as_object_mut().unwrap().remove("id"))),
        ("workflow_job.id", |p| p["workflow_job"]["id"] = json!("7")),
        ("workflow_job.id", |p| p["workflow_job"]["id"] = json!(-7)),
        ("workflow_job.id", |p| p["workflow_job"]["id"] = json!(7.5)),
        ("workflow_job.id", |p| p["workflow_job"]["id"] = json!(0)),
        ("workflow_job.run_id", |p| p["workflow_job"]["run_id"] = Value::Null),
        ("workflow_job.labels", |p| p["workflow_job"]["labels"] = json!("anka-template:x")),
        ("workflow_job.labels", |p| p["workflow_job"]["labels"] = json!(["anka-template:x", 7])),
        ("repository.full_name", |p| drop(p.as_object_mut().unwrap().remove("repository"))),
        ("repository.full_name", |p| p["repository"]["full_name"] = json!("acme")),
        ("", |p| *p = json!([])),
    ];
    for (path, change) in faults {
        let mut payload = job("queued", 7);
        change(&mut payload);
        let told = deliver(world.port, "workflow_job", &payload);
        assert_eq!(status(&told), 400, "{path}");
        assert!(word(&told).contains(path), "{path}: {told:?}");
    }
    let mut payload = job("queued", 7);
    payload["workflow_job"]["labels"] = Value::Null;
    assert_eq!(status(&deliver(world.port, "workflow_job", &payload)), 200, "no labels: nothing of ours");
    assert_eq!(status(&deliver(world.port, "workflow_job", &job("queued", 7))), 202);
}

#[test]
fn an_unknown_action_is_ignored() {
    let world = World::new();
    let _daemon = world.start(0);
    for action in ["requested", "pending", "Queued", "in-progress", &"x".repeat(10_000)] {
        let mut payload = job("queued", 7);
        payload["action"] = json!(action);
        assert_eq!(status(&deliver(world.port, "workflow_job", &payload)), 200);
    }
    assert_eq!(status(&deliver(world.port, "workflow_job", &job("queued", 7))), 202);
}

#[test]
fn malformed_labels_are_stored_like_any_job() {
    let world = World::new();
    let _daemon = world.start(0);
    let lists = [
        json!(["anka-template:"]),
        json!(["anka-template:a", "anka-template:b"]),
        json!(["anka-template:a", "anka-template-tag:"]),
        json!(["anka-template:$(reboot)"]),
        json!(["ANKA-TEMPLATE:a"]),
    ];
    for (id, labels) in (1..).zip(lists) {
        let mut payload = job("queued", id);
        payload["workflow_job"]["labels"] = labels;
        assert_eq!(
            status(&deliver(world.port, "workflow_job", &payload)),
            202,
            "{}",
            payload["workflow_job"]["labels"]
        );
    }
}

#[test]
fn a_delivery_without_its_event_is_told_so_and_nothing_is_lost() {
    let world = World::new();
    let _daemon = world.start(0);
    let body = job("queued", 7).to_string();
    let signature = crate::support::web::signature(crate::support::world::SECRET, &body);
    let headers = [("Content-Type", "application/json"), ("X-Hub-Signature-256", signature.as_str())];
    let told = crate::support::wire::post(world.port, super::PATH, &headers, body.as_bytes());
    assert_eq!(status(&told), 400, "a proxy that drops headers must not go unseen");
    assert!(word(&told).contains("X-GitHub-Event"), "{told:?}");
}

#[test]
fn a_large_payload_is_taken_and_a_larger_one_refused_before_it_is_read() {
    let world = World::new();
    let _daemon = world.start(0);
    let mut payload = job("queued", 7);
    payload["workflow_job"]["steps"] = json!("x".repeat(6_000_000));
    assert_eq!(status(&deliver(world.port, "workflow_job", &payload)), 202);
    let head = format!("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 26214401\r\n\r\n", super::PATH);
    let told = crate::support::wire::raw(world.port, head.as_bytes());
    assert_eq!(status(&told), 413);
}
