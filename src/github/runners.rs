//! Self-hosted runners of a scope: registration, look-up, removal.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::address::segment;
use super::asker::Asker;
use super::call::Call;
use super::client::{Client, Request, one_line, parsed};
use super::error::GitHubError;
use super::fetch::Method;
use crate::domain::ids::{RunnerId, RunnerName};
use crate::domain::scope::Scope;
use crate::domain::secret::Secret;

/// A registration token is shared while it lasts this long.
const SHARED_WHILE_LEFT: Duration = Duration::from_mins(30);
const PAGE: usize = 100;
/// 10,000 runners: as many as GitHub has in a group.
const MOST_PAGES: usize = 100;

/// A runner, as GitHub knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runner {
    /// GitHub's number.
    pub id: RunnerId,
    /// Its name; ours are named after their VM.
    pub name: RunnerName,
    /// Whether it is connected.
    pub online: bool,
    /// Whether it runs a job.
    pub busy: bool,
}

/// What an attempt to remove a runner has shown.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// GitHub has no such runner any more: it can be given no job.
    Gone,
    /// It has just been given a job; its VM must stay.
    Busy,
}

/// The registration tokens in use, by scope.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<HashMap<String, SharedToken>>);

#[derive(Clone, Debug)]
struct SharedToken {
    token: Secret,
    shared_until: Instant,
}

#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(deserialize_with = "one_line")]
    token: String,
    expires_at: String,
}

#[derive(Deserialize)]
pub(super) struct RunnersAnswer {
    total_count: usize,
    runners: Vec<RunnerAnswer>,
}

#[derive(Deserialize)]
struct RunnerAnswer {
    id: u64,
    name: String,
    status: String,
    busy: bool,
}

impl Client {
    /// A token to register runners of `scope` with: one is shared while 30 minutes of it are left.
    pub fn registration_token(&self, asker: &Asker<'_>, scope: &Scope) -> Result<Secret, GitHubError> {
        if let Some(token) = self.tokens.get(scope) {
            return Ok(token);
        }
        let path = format!("{}/registration-token", runners_path(scope));
        let request = Request::new(Call::RegistrationToken, Method::Post, path);
        let answer = self.ask(asker, &request)?;
        if answer.status / 100 != 2 {
            return Err(request.refusal(&answer));
        }
        let told: TokenAnswer = parsed(&request, &answer)?;
        let token = Secret::new(told.token);
        let left = answer.until(&told.expires_at).unwrap_or_default();
        self.tokens.keep(scope, &token, left);
        Ok(token)
    }

    /// Drops the shared token of `scope`, after a runner could not register with it.
    pub fn forget_registration_token(&self, scope: &Scope) {
        self.tokens.lock().remove(&key(scope));
    }

    /// All runners of `scope`.
    pub fn runners(&self, asker: &Asker<'_>, scope: &Scope) -> Result<Vec<Runner>, GitHubError> {
        self.pages(asker, scope, "")
    }

    /// The runner of exactly this name, also where the server does not know the `name` filter.
    pub fn find_runner(
        &self,
        asker: &Asker<'_>,
        scope: &Scope,
        name: &RunnerName,
    ) -> Result<Option<Runner>, GitHubError> {
        let filter = format!("name={}&", segment(&name.0));
        let found = self.pages(asker, scope, &filter)?;
        Ok(found.into_iter().find(|runner| runner.name == *name))
    }

    /// Removes the runner `id`, called `name`. A 404 alone proves nothing (GitHub has short ones, and hides what
    /// the credentials may not see): it counts once the list, which must answer, does not have the runner either.
    pub fn remove_runner(
        &self,
        asker: &Asker<'_>,
        scope: &Scope,
        id: RunnerId,
        name: &RunnerName,
    ) -> Result<Removal, GitHubError> {
        let path = format!("{}/{id}", runners_path(scope));
        let request = Request::new(Call::RemoveRunner, Method::Delete, path);
        let answer = self.ask(asker, &request)?;
        match answer.status {
            200..=299 => Ok(Removal::Gone),
            422 => Ok(Removal::Busy),
            404 => match self.find_runner(asker, scope, name)? {
                None => Ok(Removal::Gone),
                Some(runner) if runner.busy => Ok(Removal::Busy),
                Some(_) => Err(request.refusal(&answer)),
            },
            _ => Err(request.refusal(&answer)),
        }
    }

    /// Removes the runner `name`, whose number is not known.
    pub fn remove_runner_named(
        &self,
        asker: &Asker<'_>,
        scope: &Scope,
        name: &RunnerName,
    ) -> Result<Removal, GitHubError> {
        match self.find_runner(asker, scope, name)? {
            None => Ok(Removal::Gone),
            Some(runner) => self.remove_runner(asker, scope, runner.id, name),
        }
    }

    fn pages(&self, asker: &Asker<'_>, scope: &Scope, filter: &str) -> Result<Vec<Runner>, GitHubError> {
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            let path = format!("{}?{filter}per_page={PAGE}&page={page}", runners_path(scope));
            let request = Request::new(Call::ListRunners, Method::Get, path);
            let told: RunnersAnswer = self.ask_json(asker, &request)?;
            let last = told.runners.is_empty() || all.len() + told.runners.len() >= told.total_count;
            all.extend(told.runners.into_iter().map(Runner::from));
            if last {
                break;
            }
        }
        Ok(all)
    }
}

impl From<RunnerAnswer> for Runner {
    fn from(told: RunnerAnswer) -> Runner {
        let online = told.status == "online";
        Runner { id: RunnerId(told.id), name: RunnerName(told.name), online, busy: told.busy }
    }
}

impl Tokens {
    fn get(&self, scope: &Scope) -> Option<Secret> {
        let tokens = self.lock();
        let shared = tokens.get(&key(scope))?;
        (shared.shared_until > Instant::now()).then(|| shared.token.clone())
    }

    fn keep(&self, scope: &Scope, token: &Secret, left: Duration) {
        let shared_until = Instant::now() + left.saturating_sub(SHARED_WHILE_LEFT);
        self.lock().insert(key(scope), SharedToken { token: token.clone(), shared_until });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, SharedToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Two scopes of one key are one place to GitHub.
fn key(scope: &Scope) -> String {
    runners_path(scope).to_ascii_lowercase()
}

pub(super) fn runners_path(scope: &Scope) -> String {
    let place = match scope {
        Scope::Repository { owner, repo } => format!("repos/{}/{}", segment(owner), segment(repo)),
        Scope::Organization { owner } => format!("orgs/{}", segment(owner)),
        Scope::Enterprise { slug } => format!("enterprises/{}", segment(slug)),
    };
    format!("/{place}/actions/runners")
}
