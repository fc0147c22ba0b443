//! The control API below `/_sim/`: tests order jobs, turn knobs, and look at everything.

use super::http::{Answer, Reply, Request, json};
use super::hub::Hub;
use super::jobs::{self, Cancel};
use super::outbox::Knob;
use super::rest::number;
use super::rules::Rule;
use super::state::{Hook, Job, JobSpec, Settings, State};
use super::{past, payload, runners, session};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

const CONCLUSIONS: [&str; 7] =
    ["success", "failure", "cancelled", "skipped", "neutral", "timed_out", "action_required"];

type Answered = Result<Value, String>;

pub fn answer(hub: &Arc<Hub>, request: &Request) -> Reply {
    let parts: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).skip(1).collect();
    if parts == ["runner", "session"] {
        return session::open(hub, request);
    }
    if parts == ["runner", "register"] {
        return Reply::Send(runners::register(hub, &request.body));
    }
    if parts == ["history"] {
        return Reply::Send(Answer { status: 200, headers: Vec::new(), body: history(hub).into_bytes() });
    }
    Reply::Send(match route(hub, request, &parts) {
        Ok(body) => json(200, &body),
        Err(why) => json(400, &json!({ "error": why })),
    })
}

fn route(hub: &Hub, request: &Request, parts: &[&str]) -> Answered {
    let body = &request.body[..];
    match (request.method.as_str(), parts) {
        ("GET", ["state"]) => Ok(dump(hub)),
        ("GET", ["settings"]) => serde_json::to_value(&hub.state().settings).map_err(|e| e.to_string()),
        ("POST", ["settings"]) => settings(hub, read(body)?),
        ("POST", ["hook"]) => hooks(hub, read(body)?),
        ("POST", ["jobs"]) => Ok(order(hub, &many(body)?)),
        ("GET", ["jobs", id]) => watch(hub, id, request),
        ("POST", ["jobs", id, deed]) => job(hub, id, deed),
        ("POST", ["runs", id, "cancel"]) => cancel(hub, id, request.asked("force").is_some()),
        ("POST", ["assign"]) => assign(hub, &read(body)?),
        ("POST", ["strangers"]) => stranger(hub, read(body)?),
        ("POST", ["runners", id, "drop"]) => drop_session(hub, id),
        ("POST", ["rules"]) => {
            let rules: Vec<Rule> = many(body)?;
            hub.state().rules.extend(rules);
            Ok(json!({}))
        }
        ("GET", ["rules"]) => serde_json::to_value(&hub.state().rules).map_err(|e| e.to_string()),
        ("DELETE", ["rules"]) => {
            hub.state().rules.clear();
            Ok(json!({}))
        }
        ("DELETE", ["installation_tokens"]) => {
            hub.state().installation_tokens.clear();
            Ok(json!({}))
        }
        ("GET", ["deliveries"]) => serde_json::to_value(hub.outbox.tried()).map_err(|e| e.to_string()),
        ("POST", ["deliveries"]) => past::deliveries(hub, &many(body)?),
        ("POST", ["deliveries", id, "redeliver"]) => {
            let found = number(id).is_some_and(|id| hub.outbox.redeliver(id, 0));
            if found { Ok(json!({})) } else { Err("no such delivery".into()) }
        }
        ("POST", ["events", event]) => send_other(hub, event, body),
        _ => Err(format!("no such control: {} {}", request.method, request.path)),
    }
}

fn dump(hub: &Hub) -> Value {
    let state = hub.state();
    json!({
        "jobs": state.jobs, "runners": state.runners, "calls": state.calls,
        "deliveries": hub.outbox.tried(), "deliveries_waiting": hub.outbox.waiting(),
    })
}

/// What happened to all jobs, one line each: time, job id, job name, what.
fn history(hub: &Hub) -> String {
    let state = hub.state();
    let line = |job: &Job, step: &Value| {
        let word = |key: &str| step[key].as_str().unwrap_or_default().to_owned();
        format!("{} {} {} {}\n", word("at"), job.id, job.spec.name, word("what"))
    };
    let lines = state.jobs.iter().flat_map(|job| job.history.iter().map(move |step| line(job, step)));
    let mut lines: Vec<String> = lines.collect();
    lines.sort_unstable();
    lines.concat()
}

/// Any part of the settings; the rest stays.
fn settings(hub: &Hub, changes: Value) -> Answered {
    hub.change(|state| {
        let mut all = serde_json::to_value(&state.settings).map_err(|e| e.to_string())?;
        if let (Some(all), Value::Object(changes)) = (all.as_object_mut(), changes) {
            all.extend(changes);
        }
        state.settings = serde_json::from_value::<Settings>(all.clone()).map_err(|e| e.to_string())?;
        let lost = state.settings.outage || state.settings.lose_deliveries;
        hub.outbox.outage.store(lost, Ordering::Relaxed);
        Ok(all)
    })
}

/// One hook or a list; it replaces those that were.
fn hooks(hub: &Hub, body: Value) -> Answered {
    let list = if body.is_array() { body } else { json!([body]) };
    let mut hooks: Vec<Hook> = serde_json::from_value(list).map_err(|e| e.to_string())?;
    for (hook, id) in hooks.iter_mut().zip(1..) {
        if hook.id == 0 {
            hook.id = 480_000_000 + id;
        }
    }
    let ids: Vec<u64> = hooks.iter().map(|hook| hook.id).collect();
    hub.state().settings.hooks = hooks;
    Ok(json!({ "ids": ids }))
}

fn order(hub: &Hub, specs: &[JobSpec]) -> Value {
    let ids: Vec<u64> = hub.change(|state| {
        let each = specs.iter().flat_map(|spec| (0..spec.count).map(move |_| spec));
        each.map(|spec| jobs::create(state, &hub.outbox, spec)).collect()
    });
    let state = hub.state();
    let runs: Vec<u64> = ids.iter().filter_map(|id| state.job(*id)).map(|job| job.spec.run_id).collect();
    json!({ "ids": ids, "run_ids": runs })
}

/// `?until=STATUS&within_ms=N` waits for a status.
fn watch(hub: &Hub, id: &str, request: &Request) -> Answered {
    let id = number(id).ok_or("not a number")?;
    let until = request.asked("until").unwrap_or_default();
    let within = request.asked("within_ms").and_then(|ms| ms.parse().ok()).unwrap_or(0);
    let reached = |job: &&Job| until.is_empty() || job.status.word() == until;
    let found =
        hub.wait(Duration::from_millis(within), |state: &State| state.job(id).filter(reached).cloned());
    let job = found.or_else(|| hub.state().job(id).cloned()).ok_or("no such job")?;
    serde_json::to_value(job).map_err(|e| e.to_string())
}

fn job(hub: &Hub, id: &str, deed: &str) -> Answered {
    let id = number(id).ok_or("not a number")?;
    hub.change(|state| {
        match deed {
            "approve" => {
                if !jobs::approve(state, &hub.outbox, id) {
                    return Err("it does not wait".to_owned());
                }
            }
            "forget" => state.job_mut(id).ok_or("no such job")?.forgotten = true,
            "release" => state.job_mut(id).ok_or("no such job")?.spec.hold = false,
            conclusion if CONCLUSIONS.contains(&conclusion) => {
                if !jobs::finish(state, &hub.outbox, id, conclusion) {
                    return Err("it is over".to_owned());
                }
            }
            _ => return Err(format!("neither a deed nor one of {CONCLUSIONS:?}")),
        }
        Ok(json!({}))
    })
}

fn cancel(hub: &Hub, id: &str, force: bool) -> Answered {
    let id = number(id).ok_or("not a number")?;
    match hub.change(|state| jobs::cancel(state, &hub.outbox, id, force)) {
        Cancel::Accepted => Ok(json!({})),
        other => Err(format!("{other:?}")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Assignment {
    job: u64,
    /// The runner's name.
    runner: String,
}

/// Gives a job to a runner, whatever their labels say.
fn assign(hub: &Hub, wanted: &Assignment) -> Answered {
    hub.change(|state| {
        let free = state.runners.iter().find(|runner| runner.name == wanted.runner && runner.job.is_none());
        let id = free.map(|runner| runner.id).ok_or("no such free runner")?;
        if jobs::start(state, &hub.outbox, wanted.job, id) {
            Ok(json!({}))
        } else {
            Err("no such job".into())
        }
    })
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Stranger {
    name: String,
    owner: String,
    repo: String,
    labels: Vec<String>,
    ephemeral: bool,
}

impl Default for Stranger {
    fn default() -> Self {
        let spec = JobSpec::default();
        Self {
            name: "mac-mini-of-somebody".into(),
            owner: spec.owner,
            repo: spec.repo,
            labels: spec.labels,
            ephemeral: true,
        }
    }
}

/// A runner from outside: online at once, no process behind it.
fn stranger(hub: &Hub, wanted: Stranger) -> Answered {
    hub.change(|state| {
        let scope = if wanted.repo.is_empty() {
            wanted.owner.clone()
        } else {
            format!("{}/{}", wanted.owner, wanted.repo)
        };
        let runner = runners::add(state, &wanted.name, &scope, wanted.labels);
        runner.online = true;
        runner.ephemeral = wanted.ephemeral;
        Ok(json!({ "id": runner.id }))
    })
}

/// GitHub loses its line to a runner.
fn drop_session(hub: &Hub, id: &str) -> Answered {
    let mut state = hub.state();
    let runner = number(id).and_then(|id| state.runner_mut(id)).ok_or("no such runner")?;
    let session = runner.session.as_ref().ok_or("it has no session")?;
    session.shutdown(Shutdown::Both).map_err(|e| e.to_string())?;
    Ok(json!({}))
}

/// An example of another event, or the body that was given.
fn send_other(hub: &Hub, event: &str, body: &[u8]) -> Answered {
    let payload = if body.is_empty() {
        payload::other(event).ok_or("no example of this event: give a body")?
    } else {
        serde_json::from_slice(body).map_err(|e| e.to_string())?
    };
    let action = payload["action"].as_str().unwrap_or_default().to_owned();
    for hook in &hub.state().settings.hooks {
        hub.outbox.post(hook, event, &action, 0, &payload, &Knob::default());
    }
    Ok(json!({}))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|e| e.to_string())
}

/// One value or a list of them.
fn many<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>, String> {
    let value: Value = read(body)?;
    let list = if value.is_array() { value } else { json!([value]) };
    serde_json::from_value(list).map_err(|e| e.to_string())
}
