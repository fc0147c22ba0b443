//! Deliveries of former days: in the hook's list with an outcome of their own, though nobody has sent them.

use super::hub::Hub;
use super::outbox::{Delivery, written};
use super::state::JobSpec;
use super::{jobs, payload};
use crate::{clock, secret};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Past {
    event: String,
    action: String,
    /// Empty: a new one each.
    guid: String,
    /// 0: no answer.
    status_code: u16,
    redelivery: bool,
    seconds_ago: i64,
    installation_id: Option<u64>,
    /// Which hook's; 0: the first one's.
    hook: u64,
    owner: String,
    repo: String,
    /// So many like this, each of another job.
    count: u64,
}

impl Default for Past {
    fn default() -> Self {
        Self {
            event: "workflow_job".into(),
            action: "queued".into(),
            guid: String::new(),
            status_code: 502,
            redelivery: false,
            seconds_ago: 60,
            installation_id: None,
            hook: 0,
            owner: "acme".into(),
            repo: "app".into(),
            count: 1,
        }
    }
}

/// Notes them all; gives their numbers, GUIDs and jobs.
pub fn deliveries(hub: &Hub, all: &[Past]) -> Result<Value, String> {
    let mut noted = Vec::new();
    for past in all {
        for _ in 0..past.count {
            noted.push(note(hub, past)?);
        }
    }
    let of = |key: &str| noted.iter().map(|one| one[key].clone()).collect::<Vec<Value>>();
    Ok(json!({ "ids": of("id"), "guids": of("guid"), "jobs": of("job") }))
}

fn note(hub: &Hub, past: &Past) -> Result<Value, String> {
    let (hook, job) = {
        let mut state = hub.state();
        let mut hooks = state.settings.hooks.iter();
        let hook =
            hooks.find(|hook| past.hook == 0 || hook.id == past.hook).cloned().ok_or("no such hook")?;
        (hook, state.next_id())
    };
    let payload = if past.event == "workflow_job" {
        let spec =
            JobSpec { owner: past.owner.clone(), repo: past.repo.clone(), run_id: job, ..JobSpec::default() };
        payload::workflow_job(&jobs::new(job, spec), &past.action, &hub.url)
    } else {
        payload::other(&past.event).unwrap_or_default()
    };
    let guid = if past.guid.is_empty() { secret::random_uuid() } else { past.guid.clone() };
    let good = (200..300).contains(&past.status_code);
    let id = hub.outbox.note(Delivery {
        id: 0,
        guid: guid.clone(),
        hook_id: hook.id,
        event: past.event.clone(),
        action: past.action.clone(),
        job,
        redelivery: past.redelivery,
        installation_id: past.installation_id,
        sent_at: clock::stamp_in(-past.seconds_ago),
        answered_at: clock::stamp_in(-past.seconds_ago),
        duration: 0.1,
        status_code: past.status_code,
        status: if good { "OK".into() } else { format!("Invalid HTTP Response: {}", past.status_code) },
        answer: String::new(),
        body: written(&hook.content_type, &payload),
        hook,
    });
    Ok(json!({ "id": id, "guid": guid, "job": job }))
}
