//! Deliveries, through the real binary: what is refused and how, what is taken, what is never lost.
//!
//! - [`checks`] the order of the checks, signatures, methods, paths
//! - [`payloads`] GitHub's real payloads and variants of them
//! - [`redeliver`] deliveries that were lost
//! - [`scope`] whose deliveries are taken
//! - [`outage`] a store that is away, a daemon that dies, a storm of copies
//! - [`secrets`] what never reaches a log, a page or an answer

mod checks;
mod outage;
mod payloads;
mod redeliver;
mod scope;
mod secrets;

use serde_json::{Value, json};

use crate::support::wire::{self, Answer};
use crate::support::{World, web, world};

/// Where deliveries go.
pub const PATH: &str = "/jobs/v1/receiver";

/// A delivery of `workflow_job` as GitHub sends it: a real payload with an Anka label, for `acme/app`.
pub fn job(action: &str, id: u64) -> Value {
    let text = match action {
        "queued" => include_str!("../../webhooks/workflow_job.06.queued.json"),
        "waiting" => include_str!("../../webhooks/workflow_job.08.waiting.json"),
        "in_progress" => include_str!("../../webhooks/workflow_job.04.in_progress.json"),
        _ => include_str!("../../webhooks/workflow_job.03.completed.json"),
    };
    let mut payload: Value = serde_json::from_str(text).unwrap();
    payload["workflow_job"]["id"] = json!(id);
    payload["workflow_job"]["labels"] = json!(["self-hosted", "anka-template:macos-15"]);
    payload["repository"]["full_name"] = json!("acme/app");
    payload
}

/// Sends a signed event.
pub fn deliver(port: u16, event: &str, payload: &Value) -> Answer {
    deliver_text(port, event, &payload.to_string())
}

/// Sends a signed event with exactly this body.
pub fn deliver_text(port: u16, event: &str, body: &str) -> Answer {
    let signature = web::signature(world::SECRET, body);
    let headers = [
        ("Content-Type", "application/json"),
        ("X-GitHub-Event", event),
        ("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        ("X-Hub-Signature-256", &signature),
    ];
    wire::post(port, PATH, &headers, body.as_bytes())
}

/// The answer's status, once it is known to be a small JSON object with `result` on success and `error` otherwise.
#[track_caller]
pub fn status(answer: &Answer) -> u16 {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_else(|e| panic!("{e}: {answer:?}"));
    let key = if answer.status < 300 { "result" } else { "error" };
    assert!(body[key].is_string(), "no {key}: {answer:?}");
    assert_eq!(body.as_object().unwrap().len(), 1, "{answer:?}");
    assert!(answer.body.len() < 300, "not small: {answer:?}");
    assert!(
        answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json")),
        "{answer:?}"
    );
    answer.status
}

/// What the answer says.
pub fn word(answer: &Answer) -> String {
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    body["result"].as_str().or(body["error"].as_str()).unwrap_or_default().to_owned()
}

/// Warnings, but the one that a receiver without a handler gets at its start.
pub fn warnings(world: &World) -> Vec<String> {
    world.said("WARN").into_iter().filter(|said| !said.contains("no handler here takes jobs")).collect()
}
