//! The gate: every call of a set of credentials goes through [`Client::ask`].

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::answer::Answer;
use super::asker::Asker;
use super::backoff::pause_after;
use super::call::{Call, Calls};
use super::error::GitHubError;
use super::fetch::{FetchFault, Fetcher, Method, Outgoing};
use super::groups::Groups;
use super::health::{Health, SignIn, level, pause_after_refusal};
use super::options::{Credentials, Options, OptionsFault};
use super::pause::Pause;
use super::rate_limit::{Verdict, judge};
use super::runners::Tokens;
use crate::domain::scope::Scope;
use crate::domain::secret::Secret;
use crate::runtime::effect::{Effect, effect};
use crate::runtime::meters;

/// GitHub, signed in to with one set of credentials; shared by all plugins that use these.
#[derive(Debug)]
pub struct Client {
    fetcher: Fetcher,
    web_url: String,
    credentials: Credentials,
    pause: Pause,
    health: Health,
    calls: Calls,
    quota: Mutex<Option<Quota>>,
    pub(super) tokens: Tokens,
    pub(super) groups: Groups,
}

/// The primary limit, as the latest answer told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Calls an hour.
    pub limit: u64,
    /// Calls left.
    pub remaining: u64,
    /// When it is full again, in seconds since 1970 by GitHub's clock.
    pub reset: u64,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) call: Call,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) etag: Option<String>,
    /// JSON to send along.
    pub(super) body: Option<String>,
}

/// What one try has come to.
enum Tried {
    Answered(Answer),
    /// A limit is in force now.
    Limited,
    /// Again after this time, or else this error.
    Failed(Duration, GitHubError),
}

impl Request {
    pub(super) fn new(call: Call, method: Method, path: String) -> Request {
        Request { call, method, path, etag: None, body: None }
    }

    fn what(&self) -> String {
        let method = match self.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Delete => "DELETE",
        };
        format!("{method} {}", self.path)
    }
}

impl Client {
    /// Checks the options; connects to nothing.
    pub fn new(options: Options) -> Result<Client, OptionsFault> {
        let Credentials::Token(token) = &options.credentials;
        if token.expose().is_empty() || !token.expose().bytes().all(|b| b.is_ascii_graphic()) {
            return Err(OptionsFault::Token);
        }
        Ok(Client {
            fetcher: Fetcher::new(&options)?,
            web_url: options.web_url.trim_end_matches('/').to_owned(),
            credentials: options.credentials,
            pause: Pause::default(),
            health: Health::default(),
            calls: Calls::default(),
            quota: Mutex::default(),
            tokens: Tokens::default(),
            groups: Groups::default(),
        })
    }

    /// The URL that a runner of `scope` registers at.
    pub fn registration_url(&self, scope: &Scope) -> String {
        format!("{}/{}", self.web_url, scope.web_path())
    }

    /// Whether a job may be claimed: the credentials were not refused, or are accepted again.
    /// Asks GitHub only after a refusal, and then after 5, 10, 20 … 300 s.
    pub fn sign_in_works(&self, asker: &Asker<'_>) -> bool {
        match self.health.sign_in() {
            SignIn::Fine => true,
            SignIn::Refused => false,
            SignIn::Due => {
                let request = Request::new(Call::GetRateLimit, Method::Get, "/rate_limit".into());
                self.ask(asker, &request).is_ok()
            }
        }
    }

    /// Returns when no limit is in force, or with [`GitHubError::Limited`] when a stop wins.
    pub fn wait_while_limited(&self, asker: &Asker<'_>) -> Result<(), GitHubError> {
        self.pause.wait(asker)
    }

    /// How long a limit is still in force.
    pub fn limited_for(&self) -> Option<Duration> {
        self.pause.left()
    }

    /// How often each call went out so far, by its name.
    pub fn calls(&self) -> Vec<(&'static str, u64)> {
        self.calls.snapshot()
    }

    /// The quota; `None` where the server speaks of none (an Enterprise Server may have no limits).
    pub fn quota(&self) -> Option<Quota> {
        *self.quota.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to `request`: 2xx, 304, 404, 409, 422 and other refusals, for the caller to read.
    pub(super) fn ask(&self, asker: &Asker<'_>, request: &Request) -> Result<Answer, GitHubError> {
        let (mut used, mut failed) = (Duration::ZERO, 0);
        loop {
            self.pause.wait(asker)?;
            if asker.is_over() {
                return Err(GitHubError::Stopped);
            }
            let sent = Instant::now();
            failed += 1;
            match self.attempt(asker, request, failed)? {
                Tried::Answered(answer) => return Ok(answer),
                Tried::Limited => failed -= 1,
                Tried::Failed(wait, error) => {
                    used += sent.elapsed() + wait;
                    if used > asker.patience() {
                        return Err(error);
                    }
                    if !asker.pause(wait) {
                        return Err(GitHubError::Stopped);
                    }
                }
            }
        }
    }

    /// The JSON of a successful answer to `request`.
    pub(super) fn ask_json<T: DeserializeOwned>(
        &self,
        asker: &Asker<'_>,
        request: &Request,
    ) -> Result<T, GitHubError> {
        let answer = self.ask(asker, request)?;
        if answer.status / 100 == 2 { parsed(request, &answer) } else { Err(self.refusal(request, &answer)) }
    }

    /// What an answer that is no success means where the call gives it no meaning of its own.
    pub(super) fn refusal(&self, request: &Request, answer: &Answer) -> GitHubError {
        match answer.status {
            404 => GitHubError::NotFound { what: request.what() },
            status => GitHubError::Refused { status, message: self.without_secrets(&answer.message()) },
        }
    }

    fn attempt(&self, asker: &Asker<'_>, request: &Request, time: u32) -> Result<Tried, GitHubError> {
        let outgoing = Outgoing {
            method: request.method,
            path: request.path.clone(),
            authorization: self.authorization(),
            etag: request.etag.clone(),
            body: request.body.clone(),
        };
        let sent = Instant::now();
        self.calls.count(request.call);
        let fetched = effect(Effect::GitHub(request.call.name()), || self.fetcher.fetch(asker, outgoing));
        let status = fetched.as_ref().map_or(0, |answer| answer.status);
        meters::GITHUB_CALLS.add(&[request.call.name(), &status.to_string()]);
        match fetched {
            Ok(answer) => self.weigh(request, answer, sent, time),
            Err(FetchFault::Network(reason)) => Ok(self.away(request.call, reason, Duration::ZERO, time)),
            Err(FetchFault::Redirected(to)) => Err(GitHubError::Redirected { to }),
            Err(FetchFault::Stopped) => Err(GitHubError::Stopped),
        }
    }

    fn weigh(
        &self,
        request: &Request,
        answer: Answer,
        sent: Instant,
        time: u32,
    ) -> Result<Tried, GitHubError> {
        let call = request.call;
        let verdict = judge(&answer);
        if !matches!(verdict, Verdict::SignIn | Verdict::Gateway { .. }) {
            self.health.answered();
            self.note_quota(&answer);
        }
        match verdict {
            Verdict::Answered => {
                self.pause.answered();
                Ok(Tried::Answered(answer))
            }
            Verdict::Limited(limit) => {
                let (wait, times) = self.pause.met(limit, sent);
                let (name, seconds) = (call.name(), wait.as_secs());
                log::log!(level(times), "GitHub limits our calls ({name}): paused for {seconds} s");
                Ok(Tried::Limited)
            }
            Verdict::Permission(needs) => {
                let needs = needs.unwrap_or_else(|| call.needs().to_owned());
                Err(GitHubError::Permission { call: call.name(), needs })
            }
            Verdict::SignIn => {
                self.health.refused(call);
                Ok(Tried::Failed(pause_after_refusal(time), GitHubError::SignInRefused))
            }
            Verdict::Gateway { reason, wait } => Ok(self.away(call, reason, wait, time)),
        }
    }

    fn away(&self, call: Call, reason: String, wait: Duration, time: u32) -> Tried {
        self.health.away(call, &reason);
        Tried::Failed(wait.max(pause_after(time)), GitHubError::Away { reason })
    }

    fn authorization(&self) -> Secret {
        let Credentials::Token(token) = &self.credentials;
        Secret::new(format!("Bearer {}", token.expose()))
    }

    fn note_quota(&self, answer: &Answer) {
        let number = |name| answer.number(name).and_then(|n| u64::try_from(n).ok());
        let told = (|| {
            let limit = number("x-ratelimit-limit")?;
            let remaining = number("x-ratelimit-remaining")?;
            Some(Quota { limit, remaining, reset: number("x-ratelimit-reset")? })
        })();
        *self.quota.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }

    fn without_secrets(&self, text: &str) -> String {
        let Credentials::Token(token) = &self.credentials;
        text.replace(token.expose(), "***")
    }
}

/// The text of a parser's error may quote the body: only its place is told.
pub(super) fn parsed<T: DeserializeOwned>(request: &Request, answer: &Answer) -> Result<T, GitHubError> {
    answer.json().map_err(|fault| {
        let (call, line, column) = (request.call.name(), fault.line(), fault.column());
        let reason =
            format!("the answer to {call} has not the documented shape (line {line}, column {column})");
        GitHubError::Away { reason }
    })
}
