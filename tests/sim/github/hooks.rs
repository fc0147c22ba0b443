//! The hook's deliveries as GitHub lists them, looks one up, and sends one again.

use super::http::{Answer, Request, json};
use super::hub::Hub;
use super::outbox::Delivery;
use super::rest::{not_found, number, ok};
use super::rules::message;
use super::state::Hook;
use serde_json::{Value, json};

pub fn answer(hub: &Hub, request: &Request, rest: &[&str]) -> Answer {
    match rest.split_first().and_then(|(id, rest)| Some((found(hub, id)?, rest))) {
        Some((hook, rest)) => asked(hub, request, &hook, rest),
        None => not_found(),
    }
}

/// The App's own hook, which has no number in its address.
pub fn of_app(hub: &Hub, request: &Request, app: u64, rest: &[&str]) -> Answer {
    let hook = hub.state().settings.hooks.iter().find(|hook| hook.app == app).cloned();
    let Some(hook) = hook else { return not_found() };
    if rest == ["config"] && request.method == "GET" {
        return ok(&described(&hook, &hub.url)["config"]);
    }
    asked(hub, request, &hook, rest)
}

fn asked(hub: &Hub, request: &Request, hook: &Hook, rest: &[&str]) -> Answer {
    match (request.method.as_str(), rest) {
        ("GET", []) => ok(&described(hook, &hub.url)),
        ("GET", ["deliveries"]) => list(hub, request, hook),
        ("GET", ["deliveries", id]) => {
            delivery(hub, hook, id).map_or_else(not_found, |one| ok(&in_full(&one)))
        }
        ("POST", ["deliveries", id, "attempts"]) => match delivery(hub, hook, id) {
            Some(one) => {
                let delay = hub.state().settings.redeliver_ms;
                hub.outbox.redeliver(one.id, delay);
                json(202, &json!({}))
            }
            None => not_found(),
        },
        _ => not_found(),
    }
}

fn found(hub: &Hub, id: &str) -> Option<Hook> {
    let id = number(id)?;
    hub.state().settings.hooks.iter().find(|hook| hook.id == id && hook.app == 0).cloned()
}

fn delivery(hub: &Hub, hook: &Hook, id: &str) -> Option<Delivery> {
    let id = number(id)?;
    hub.outbox.tried().into_iter().find(|one| one.id == id && one.hook_id == hook.id)
}

/// Newest first, a page at a time; the cursor is the id of the first one to show, as good as any text to a client.
fn list(hub: &Hub, request: &Request, hook: &Hook) -> Answer {
    let per_page = request.asked("per_page").and_then(|text| text.parse().ok()).unwrap_or(30).clamp(1, 100);
    let wanted = |one: &Delivery| match request.asked("status") {
        Some("success") => one.is_good(),
        Some("failure") => !one.is_good(),
        _ => true,
    };
    let mut all: Vec<Delivery> = hub.outbox.tried();
    all.retain(|one| one.hook_id == hook.id && wanted(one));
    all.sort_by(|a, b| (&b.answered_at, b.id).cmp(&(&a.answered_at, a.id)));
    let first = match request.asked("cursor") {
        None => Some(0),
        Some(cursor) => {
            cursor.strip_prefix("v1_").and_then(number).and_then(|id| all.iter().position(|one| one.id == id))
        }
    };
    let Some(first) = first else { return message(422, "Invalid cursor") };
    let shown: Vec<Value> = all.iter().skip(first).take(per_page).map(brief).collect();
    let answer = ok(&shown.into());
    match all.get(first + per_page) {
        Some(next) => {
            let next = format!("{}{}?per_page={per_page}&cursor=v1_{}", hub.url, request.path, next.id);
            answer.with("Link", format!("<{next}>; rel=\"next\""))
        }
        None => answer,
    }
}

fn brief(one: &Delivery) -> Value {
    json!({
        "id": one.id, "guid": one.guid, "delivered_at": one.answered_at, "redelivery": one.redelivery,
        "duration": one.duration, "status": one.status, "status_code": one.status_code, "event": one.event,
        "action": if one.action.is_empty() { Value::Null } else { json!(one.action) },
        "installation_id": one.installation_id, "repository_id": 186_853_002, "throttled_at": null,
    })
}

fn in_full(one: &Delivery) -> Value {
    let mut full = brief(one);
    full["url"] = json!(one.hook.url);
    full["request"] = json!({
        "headers": { "X-GitHub-Event": one.event, "X-GitHub-Delivery": one.guid },
        "payload": one.payload(),
    });
    full["response"] = json!({ "headers": {}, "payload": one.answer });
    full
}

fn described(hook: &Hook, url: &str) -> Value {
    let this = format!("{url}/hooks/{}", hook.id);
    let events = if hook.events.is_empty() { vec!["workflow_job".to_owned()] } else { hook.events.clone() };
    let content_type = if hook.content_type.is_empty() { "json" } else { &hook.content_type };
    json!({
        "type": "Repository", "id": hook.id, "name": "web", "active": !hook.inactive, "events": events,
        "config": { "url": hook.url, "content_type": content_type, "insecure_ssl": "0" },
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "url": this,
        "test_url": format!("{this}/test"), "ping_url": format!("{this}/pings"),
        "deliveries_url": format!("{this}/deliveries"),
        "last_response": { "code": null, "status": "unused", "message": null },
    })
}
