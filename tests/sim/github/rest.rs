//! GitHub's REST API, at `/` and at `/api/v3`: who may call, the limits' headers, and which call it is.

use super::apps::{self, Caller};
use super::http::{Answer, Reply, Request, json};
use super::hub::Hub;
use super::jobs::{self, Cancel};
use super::rules::{Rule, message};
use super::state::{Job, State};
use super::{downloads, hooks, runners, shape};
use crate::{clock, secret};
use serde_json::{Value, json};
use std::thread;
use std::time::Duration;

/// Where a call looks: `repos/OWNER/REPO`, `orgs/OWNER`, `enterprises/SLUG`.
pub struct Scope<'a> {
    pub owner: &'a str,
    pub repo: Option<&'a str>,
    enterprise: bool,
}

impl Scope<'_> {
    /// As a runner's registration writes it.
    pub fn name(&self) -> String {
        match self.repo {
            Some(repo) => format!("{}/{repo}", self.owner),
            None if self.enterprise => format!("enterprises/{}", self.owner),
            None => self.owner.to_owned(),
        }
    }
}

pub fn answer(hub: &Hub, request: &Request) -> Reply {
    let token = request.header("authorization").and_then(|value| value.split_once(' ')).map_or("", |it| it.1);
    let reply = ruled(hub, request, token);
    let status = if let Reply::Send(answer) = &reply { answer.status } else { 0 };
    hub.log(&request.method, &request.path, status, token);
    reply
}

/// The answer, or what a rule makes of it.
fn ruled(hub: &Hub, request: &Request, token: &str) -> Reply {
    let (rule, outage) = {
        let mut state = hub.state();
        *state.calls.entry(endpoint(request)).or_default() += 1;
        state.rate_used += 1;
        (Rule::take(&mut state, request), state.settings.outage)
    };
    if outage {
        return Reply::Close;
    }
    let Some(rule) = rule else { return Reply::Send(proper(hub, request, token)) };
    thread::sleep(Duration::from_millis(rule.delay_ms));
    let done = rule.after.then(|| proper(hub, request, token));
    match rule.answer() {
        Some(Reply::Send(answer)) => Reply::Send(dated(hub, answer)),
        Some(other) => other,
        None => Reply::Send(done.unwrap_or_else(|| proper(hub, request, token))),
    }
}

fn proper(hub: &Hub, request: &Request, token: &str) -> Answer {
    let path = request.path.strip_prefix("/api/v3").unwrap_or(&request.path);
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let caller = Caller::of(&hub.state(), token);
    let answer = match caller {
        _ if downloads::is_public(&parts) => called(hub, request, &parts),
        Err(refusal) => return dated(hub, refusal),
        Ok(caller) => {
            let answer = match apps::answer(hub, request, &parts, &caller) {
                Some(answer) => answer,
                None => caller.may(request, &parts).err().unwrap_or_else(|| called(hub, request, &parts)),
            };
            with_scopes(&hub.state(), &caller, answer)
        }
    };
    let answer = with_limits(&hub.state(), answer);
    dated(hub, answer)
}

fn called(hub: &Hub, request: &Request, parts: &[&str]) -> Answer {
    match (request.method.as_str(), parts) {
        ("GET", ["rate_limit"]) => ok(&rate_limit(&hub.state())),
        ("GET", ["user"]) => ok(&apps::user()),
        (_, ["repos", owner, repo, rest @ ..]) => {
            scoped(hub, request, &Scope { owner, repo: Some(repo), enterprise: false }, rest)
        }
        (_, ["orgs", owner, rest @ ..]) => {
            scoped(hub, request, &Scope { owner, repo: None, enterprise: false }, rest)
        }
        (_, ["enterprises", owner, rest @ ..]) => {
            scoped(hub, request, &Scope { owner, repo: None, enterprise: true }, rest)
        }
        _ => not_found(),
    }
}

fn scoped(hub: &Hub, request: &Request, scope: &Scope<'_>, rest: &[&str]) -> Answer {
    let method = request.method.as_str();
    if let Some(answer) = downloads::answer(hub, method, scope, rest) {
        return answer;
    }
    match (method, scope.repo, rest) {
        (_, _, ["actions", "runners" | "runner-groups", ..]) => {
            runners::answer(hub, request, scope, &rest[1..])
        }
        (_, _, ["hooks", rest @ ..]) => hooks::answer(hub, request, rest),
        ("GET", Some(repo), []) => ok(&shape::repository(scope.owner, repo)),
        ("GET", Some(repo), ["actions", "jobs", id]) => with_etag(request, job(hub, scope.owner, repo, id)),
        ("GET", Some(_), ["actions", "runs", id]) => number(id)
            .and_then(|id| shape::run(&hub.state(), id, &hub.url))
            .map_or_else(not_found, |run| ok(&run)),
        ("GET", Some(repo), ["actions", "runs", id, "jobs"]) => run_jobs(hub, scope.owner, repo, id),
        ("POST", Some(_), ["actions", "runs", id, "cancel"]) => cancel(hub, id, false),
        ("POST", Some(_), ["actions", "runs", id, "force-cancel"]) => cancel(hub, id, true),
        _ => not_found(),
    }
}

fn job(hub: &Hub, owner: &str, repo: &str, id: &str) -> Answer {
    let state = hub.state();
    number(id)
        .and_then(|id| state.job(id))
        .filter(|job| !job.forgotten && job.is_at(owner, repo))
        .map_or_else(not_found, |job| ok(&shape::job(job, &hub.url)))
}

fn run_jobs(hub: &Hub, owner: &str, repo: &str, id: &str) -> Answer {
    let state = hub.state();
    let of_run = |job: &&Job| Some(job.spec.run_id) == number(id) && !job.forgotten && job.is_at(owner, repo);
    let jobs: Vec<Value> = state.jobs.iter().filter(of_run).map(|job| shape::job(job, &hub.url)).collect();
    if jobs.is_empty() { not_found() } else { ok(&json!({ "total_count": jobs.len(), "jobs": jobs })) }
}

fn cancel(hub: &Hub, id: &str, force: bool) -> Answer {
    let done = number(id)
        .map_or(Cancel::Unknown, |id| hub.change(|state| jobs::cancel(state, &hub.outbox, id, force)));
    match done {
        Cancel::Accepted => json(202, &json!({})),
        Cancel::Over => message(409, "Cannot cancel a workflow run that is completed"),
        Cancel::Unknown => not_found(),
    }
}

/// 304 to who has the newest already, as `ETag` tells.
fn with_etag(request: &Request, answer: Answer) -> Answer {
    let tag = format!("W/\"{}\"", secret::sha256(&answer.body));
    if answer.status == 200 && request.header("if-none-match") == Some(&tag) {
        return Answer { status: 304, ..Answer::default() }.with("ETag", tag);
    }
    answer.with("ETag", tag)
}

fn rate_limit(state: &State) -> Value {
    let core = json!({
        "limit": state.settings.rate_limit, "used": state.rate_used,
        "remaining": state.settings.rate_limit.saturating_sub(state.rate_used),
        "reset": clock::epoch_seconds() + state.settings.rate_reset_seconds,
    });
    json!({ "resources": { "core": core, "search": core }, "rate": core })
}

fn with_scopes(state: &State, caller: &Caller, answer: Answer) -> Answer {
    match (caller, &state.settings.token_scopes) {
        (Caller::Person, Some(scopes)) => answer.with("X-OAuth-Scopes", scopes.clone()),
        _ => answer,
    }
}

fn with_limits(state: &State, answer: Answer) -> Answer {
    let rate = &rate_limit(state)["rate"];
    answer
        .with("X-RateLimit-Limit", rate["limit"].to_string())
        .with("X-RateLimit-Remaining", rate["remaining"].to_string())
        .with("X-RateLimit-Used", rate["used"].to_string())
        .with("X-RateLimit-Reset", rate["reset"].to_string())
        .with("X-RateLimit-Resource", "core")
}

fn dated(hub: &Hub, answer: Answer) -> Answer {
    let ahead = hub.state().settings.clock_ahead;
    answer
        .with("Date", clock::http_date_in(ahead))
        .with("Server", "GitHub.com")
        .with("X-GitHub-Request-Id", "SIM:1")
}

pub fn ok(body: &Value) -> Answer {
    json(200, body)
}

pub fn not_found() -> Answer {
    message(404, "Not Found")
}

pub fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}

/// Method and path, numbers left out: what calls are counted by.
fn endpoint(request: &Request) -> String {
    let path = request.path.strip_prefix("/api/v3").unwrap_or(&request.path);
    let parts: Vec<&str> =
        path.split('/').map(|part| if number(part).is_some() { "{n}" } else { part }).collect();
    format!("{} {}", request.method, parts.join("/"))
}
