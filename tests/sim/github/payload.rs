//! Webhook payloads: GitHub's own examples with the job's facts in place of the example's.

use super::shape;
use super::state::Job;
use serde_json::{Value, json};

const QUEUED: &str = include_str!("../../webhooks/workflow_job.06.queued.json");
const WAITING: &str = include_str!("../../webhooks/workflow_job.08.waiting.json");
const IN_PROGRESS: &str = include_str!("../../webhooks/workflow_job.04.in_progress.json");
const COMPLETED: &str = include_str!("../../webhooks/workflow_job.03.completed.json");
const OTHERS: [(&str, &str); 6] = [
    ("ping", include_str!("../../webhooks/ping.json")),
    ("push", include_str!("../../webhooks/push.json")),
    ("pull_request", include_str!("../../webhooks/pull_request.json")),
    ("workflow_run", include_str!("../../webhooks/workflow_run.json")),
    ("workflow_dispatch", include_str!("../../webhooks/workflow_dispatch.json")),
    ("installation", include_str!("../../webhooks/installation.json")),
];

/// The delivery of one action of a job.
pub fn workflow_job(job: &Job, action: &str, url: &str) -> Value {
    let example = match action {
        "queued" => QUEUED,
        "waiting" => WAITING,
        "in_progress" => IN_PROGRESS,
        _ => COMPLETED,
    };
    let mut payload = renamed(example, &job.spec.owner, &job.spec.repo);
    payload["action"] = json!(action);
    let (kept, facts) = (payload["workflow_job"].as_object_mut(), shape::job(job, url));
    if let (Some(kept), Value::Object(facts)) = (kept, facts) {
        kept.extend(facts);
    }
    if !job.spec.enterprise.is_empty() {
        payload["enterprise"] = json!({ "id": 1, "slug": job.spec.enterprise, "name": job.spec.enterprise });
    }
    payload["organization"] = organization(&job.spec.owner);
    payload
}

/// A user, or an organization as one is shown.
pub fn user(login: &str) -> Value {
    let mut user = renamed(COMPLETED, "any", "any")["sender"].take();
    user["login"] = json!(login);
    user
}

/// An example of another event, as it is.
pub fn other(event: &str) -> Option<Value> {
    OTHERS.iter().find(|(name, _)| *name == event).and_then(|(_, text)| serde_json::from_str(text).ok())
}

fn organization(owner: &str) -> Value {
    let mut organization = renamed(COMPLETED, owner, "any")["organization"].take();
    organization["login"] = json!(owner);
    organization
}

/// The repository of GitHub's example under another name.
pub fn repository(owner: &str, repo: &str) -> Value {
    renamed(COMPLETED, owner, repo)["repository"].take()
}

fn renamed(example: &str, owner: &str, repo: &str) -> Value {
    let full_name = format!("{owner}/{repo}");
    let text = example
        .replace("Codertocat/Hello-World", &full_name)
        .replace("lineville/elastic-machines-testing", &full_name);
    // The examples are part of this program: a test below parses each.
    let mut payload: Value = serde_json::from_str(&text).unwrap_or_default();
    payload["repository"]["name"] = json!(repo);
    payload["repository"]["full_name"] = json!(full_name);
    payload["repository"]["owner"]["login"] = json!(owner);
    payload
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_parses_and_takes_the_name() {
        for example in [QUEUED, WAITING, IN_PROGRESS, COMPLETED] {
            let payload = renamed(example, "me", "mine");
            assert_eq!(payload["repository"]["full_name"], "me/mine");
            assert!(payload["workflow_job"]["id"].is_number());
        }
        assert!(OTHERS.iter().all(|(event, _)| other(event).is_some()));
    }
}
