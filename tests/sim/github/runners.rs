//! Runners: tokens to register one, the runner's own registration, and the calls that list and remove them.

use super::http::{Answer, Request, json};
use super::hub::Hub;
use super::rest::{Scope, not_found, number, ok};
use super::rules::message;
use super::state::{RegistrationToken, Runner, State};
use super::{session, shape};
use crate::{clock, secret};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const DEFAULT_GROUP: u64 = 1;

pub fn answer(hub: &Hub, request: &Request, scope: &Scope<'_>, rest: &[&str]) -> Answer {
    match (request.method.as_str(), rest) {
        ("POST", ["runners", "registration-token" | "remove-token"]) => token(hub, scope),
        ("POST", ["runners", "generate-jitconfig"]) => just_in_time(hub, request, scope),
        ("GET", ["runners"]) => list(hub, request, scope),
        ("GET", ["runners", id]) => {
            let state = hub.state();
            found(&state, scope, id).map_or_else(not_found, |runner| ok(&shape::runner(runner)))
        }
        ("DELETE", ["runners", id]) => hub.change(|state| remove(state, scope, id)),
        ("GET", ["runner-groups"]) if scope.repo.is_none() => groups(&hub.state(), &hub.url, &scope.name()),
        _ => not_found(),
    }
}

fn token(hub: &Hub, scope: &Scope<'_>) -> Answer {
    let token = format!("AAB{}", secret::random_hex(13).to_uppercase());
    let mut state = hub.state();
    let seconds = state.settings.registration_seconds;
    state.registration_tokens.push(RegistrationToken {
        token: token.clone(),
        scope: scope.name(),
        expires: Instant::now() + Duration::from_secs(seconds),
    });
    json(201, &json!({ "token": token, "expires_at": clock::far_date_in(seconds.cast_signed()) }))
}

fn list(hub: &Hub, request: &Request, scope: &Scope<'_>) -> Answer {
    let asked = |name: &str, default: usize| {
        request.asked(name).and_then(|text| text.parse().ok()).unwrap_or(default).max(1)
    };
    let (per_page, page) = (asked("per_page", 30).min(100), asked("page", 1));
    let state = hub.state();
    let name = request.asked("name");
    let matching: Vec<&Runner> = state
        .runners
        .iter()
        .filter(|runner| runner.scope.eq_ignore_ascii_case(&scope.name()))
        .filter(|runner| name.is_none_or(|name| runner.name == name))
        .collect();
    let shown: Vec<Value> = matching
        .iter()
        .skip((page - 1) * per_page)
        .take(per_page)
        .map(|runner| shape::runner(runner))
        .collect();
    let answer = ok(&json!({ "total_count": matching.len(), "runners": shown }));
    if page * per_page >= matching.len() {
        return answer;
    }
    let filter = name.map(|name| format!("&name={name}")).unwrap_or_default();
    let next = format!("{}{}?per_page={per_page}&page={}{filter}", hub.url, request.path, page + 1);
    let last = format!(
        "{}{}?per_page={per_page}&page={}{filter}",
        hub.url,
        request.path,
        matching.len().div_ceil(per_page)
    );
    answer.with("Link", format!("<{next}>; rel=\"next\", <{last}>; rel=\"last\""))
}

/// A runner with a job cannot be removed; any other goes, and its process with it.
fn remove(state: &mut State, scope: &Scope<'_>, id: &str) -> Answer {
    let Some((id, name, busy)) =
        found(state, scope, id).map(|runner| (runner.id, runner.name.clone(), runner.job.is_some()))
    else {
        return not_found();
    };
    if busy {
        return message(422, &format!("Runner \"{name}\" is currently running a job and cannot be deleted."));
    }
    if let Some(runner) = state.runner_mut(id) {
        session::tell(runner, &json!({ "deleted": true }));
    }
    state.runners.retain(|runner| runner.id != id);
    Answer { status: 204, ..Answer::default() }
}

fn found<'s>(state: &'s State, scope: &Scope<'_>, id: &str) -> Option<&'s Runner> {
    let id = number(id)?;
    state.runners.iter().find(|runner| runner.id == id && runner.scope.eq_ignore_ascii_case(&scope.name()))
}

fn groups(state: &State, url: &str, scope: &str) -> Answer {
    let names = std::iter::once("Default").chain(state.settings.groups.iter().map(String::as_str));
    let groups: Vec<Value> = names
        .zip(DEFAULT_GROUP..)
        .map(|(name, id)| {
            json!({
                "id": id, "name": name, "visibility": "all", "default": id == DEFAULT_GROUP,
                "runners_url": format!("{url}/orgs/{scope}/actions/runner-groups/{id}/runners"),
                "inherited": false, "allows_public_repositories": true,
            })
        })
        .collect();
    ok(&json!({ "total_count": groups.len(), "runner_groups": groups }))
}

/// What a runner says of itself when it registers.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Registration {
    url: String,
    token: String,
    name: String,
    labels: Vec<String>,
    group: String,
    ephemeral: bool,
    replace: bool,
    version: String,
}

/// `config.sh`: a wrong or stale token is 404 here, as at GitHub.
pub fn register(hub: &Hub, body: &[u8]) -> Answer {
    let Ok(wanted) = serde_json::from_slice::<Registration>(body) else { return message(400, "Bad request") };
    let scope = scope_of(&wanted.url);
    hub.change(|state| {
        let good = |token: &RegistrationToken| {
            token.token == wanted.token
                && token.scope.eq_ignore_ascii_case(&scope)
                && token.expires > Instant::now()
        };
        if !state.registration_tokens.iter().any(good) {
            return not_found();
        }
        let group = match group_id(state, &wanted.group, &scope) {
            Ok(group) => group,
            Err(why) => return message(400, &why),
        };
        if deprecated(state, &wanted.version) {
            return message(403, "Runner version is deprecated and cannot register");
        }
        let same = |runner: &Runner| runner.name == wanted.name && runner.scope.eq_ignore_ascii_case(&scope);
        if state.runners.iter().any(same) && !wanted.replace {
            return message(409, "A runner exists with the same name");
        }
        state.runners.retain(|runner| !same(runner));
        let runner = add(state, &wanted.name, &scope, wanted.labels.clone());
        runner.ephemeral = wanted.ephemeral;
        runner.group_id = group;
        runner.version.clone_from(&wanted.version);
        json(200, &json!({ "id": runner.id, "secret": runner.secret }))
    })
}

/// A new runner, offline.
pub fn add<'s>(state: &'s mut State, name: &str, scope: &str, labels: Vec<String>) -> &'s mut Runner {
    let id = state.next_id();
    let at = state.runners.len();
    state.runners.push(Runner {
        id,
        name: name.into(),
        scope: scope.into(),
        labels,
        group_id: DEFAULT_GROUP,
        ephemeral: true,
        version: "2.330.0".into(),
        online: false,
        job: None,
        leaks: Vec::new(),
        secret: secret::random_hex(16),
        session: None,
        lost_at: None,
    });
    &mut state.runners[at]
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct JitWish {
    name: String,
    runner_group_id: u64,
    labels: Vec<String>,
}

fn just_in_time(hub: &Hub, request: &Request, scope: &Scope<'_>) -> Answer {
    let Ok(wish) = serde_json::from_slice::<JitWish>(&request.body) else {
        return message(422, "Invalid body");
    };
    if wish.name.is_empty() || wish.runner_group_id == 0 || wish.labels.is_empty() {
        return message(422, "name, runner_group_id and labels are required");
    }
    let scope = scope.name();
    hub.change(|state| {
        if state.runners.iter().any(|runner| runner.name == wish.name && runner.scope == scope) {
            return message(409, "Already exists - A runner with the name already exists");
        }
        let runner = add(state, &wish.name, &scope, wish.labels.clone());
        runner.group_id = wish.runner_group_id;
        let host = hub.url.trim_start_matches("http://");
        let config = format!("c2lt{}0x{}", runner.secret, secret::hex(host.as_bytes()));
        json(201, &json!({ "runner": shape::runner(runner), "encoded_jit_config": config }))
    })
}

/// A repository has no groups: a runner that names one is refused there.
fn group_id(state: &State, group: &str, scope: &str) -> Result<u64, String> {
    if group.is_empty() || group.eq_ignore_ascii_case("default") {
        return Ok(DEFAULT_GROUP);
    }
    if scope.contains('/') && !scope.starts_with("enterprises/") {
        return Err("a repository has no runner groups".into());
    }
    let place = state.settings.groups.iter().position(|name| name.eq_ignore_ascii_case(group));
    place.map(|at| at as u64 + DEFAULT_GROUP + 1).ok_or_else(|| format!("no runner group {group}"))
}

pub fn deprecated(state: &State, version: &str) -> bool {
    let parts = |text: &str| -> Vec<u32> { text.split('.').map(|part| part.parse().unwrap_or(0)).collect() };
    state.settings.min_runner_version.as_ref().is_some_and(|least| parts(version) < parts(least))
}

/// `http://HOST/OWNER[/REPO]` → `OWNER[/REPO]`.
fn scope_of(url: &str) -> String {
    let path = url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    path.trim_matches('/').to_owned()
}
