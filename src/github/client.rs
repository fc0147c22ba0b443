//! The gate: every call of a set of credentials goes through [`Client::ask`].

use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::answer::Answer;
use super::app::{App, Skew};
use super::asker::Asker;
use super::attempt::Setback;
use super::call::{Call, Calls};
use super::error::GitHubError;
use super::fetch::{Fetcher, Method};
use super::groups::Groups;
use super::health::{Health, SignIn};
use super::options::{Credentials, Options, OptionsFault};
use super::pause::Pause;
use super::quota::{Budget, Quota};
use super::refusal::Refusal;
use super::runners::Tokens;
use crate::domain::scope::Scope;
use crate::domain::secret::Secret;

pub(super) use super::request::{Request, Sign, one_line, parsed};

/// GitHub, signed in to with one set of credentials; shared by all plugins that use these.
#[derive(Debug)]
pub struct Client {
    web_url: String,
    pub(super) fetcher: Fetcher,
    pub(super) signer: Signer,
    pub(super) skew: Skew,
    pub(super) pause: Pause,
    pub(super) health: Health,
    pub(super) calls: Calls,
    pub(super) budget: Budget,
    pub(super) tokens: Tokens,
    pub(super) groups: Groups,
}

/// How calls are signed.
#[derive(Debug)]
pub(super) enum Signer {
    Token(Secret),
    App(App),
}

impl Client {
    /// Checks the options; connects to nothing.
    pub fn new(options: Options) -> Result<Client, OptionsFault> {
        let by_app = matches!(options.credentials, Credentials::App(_));
        Ok(Client {
            web_url: options.web_url.trim_end_matches('/').to_owned(),
            fetcher: Fetcher::new(&options)?,
            signer: Signer::new(options.credentials)?,
            skew: Skew::default(),
            pause: Pause::default(),
            health: Health::default(),
            calls: Calls::new(by_app),
            budget: Budget::default(),
            tokens: Tokens::default(),
            groups: Groups::default(),
        })
    }

    /// The URL that a runner of `scope` registers at.
    pub fn registration_url(&self, scope: &Scope) -> String {
        format!("{}/{}", self.web_url, scope.web_path())
    }

    /// Whether a job may be claimed: the credentials were not refused, or are accepted again.
    /// Asks GitHub only after a refusal, and then after 5, 10, 20 … 300 s, and once for an App, which has to sign in.
    pub fn sign_in_works(&self, asker: &Asker<'_>) -> bool {
        match self.health.sign_in() {
            SignIn::Fine => self.app_signs_in(asker),
            SignIn::Refused => false,
            SignIn::Due => {
                let request = Request::new(Call::GetRateLimit, Method::Get, "/rate_limit".into());
                self.ask(asker, &request).is_ok()
            }
        }
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
        self.budget.quota()
    }

    /// Less than a tenth of the quota is left: what can wait is not asked until there is more.
    pub fn is_scarce(&self) -> bool {
        self.budget.is_scarce()
    }

    /// Why GitHub does not sign us in, when it did not at last.
    pub fn why_refused(&self) -> Option<Refusal> {
        self.health.why_refused()
    }

    /// The answer to `request`: 2xx, 304, 404, 409, 422 and other refusals, for the caller to read.
    pub(super) fn ask(&self, asker: &Asker<'_>, request: &Request) -> Result<Answer, GitHubError> {
        self.trying(asker, |failed| self.attempt(asker, request, failed))
    }

    /// Tries until there is an answer, the asker's patience is at its end, or its stop wins; limits are waited out.
    pub(super) fn trying<T>(
        &self,
        asker: &Asker<'_>,
        mut attempt: impl FnMut(u32) -> Result<T, Setback>,
    ) -> Result<T, GitHubError> {
        let (mut used, mut failed) = (Duration::ZERO, 0);
        loop {
            self.pause.wait(asker)?;
            if asker.is_over() {
                return Err(GitHubError::Stopped);
            }
            let sent = Instant::now();
            failed += 1;
            match attempt(failed) {
                Ok(answer) => return Ok(answer),
                Err(Setback::Final(error)) => return Err(error),
                Err(Setback::Limited) => failed -= 1,
                Err(Setback::Later(wait, error)) => {
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
        if answer.status / 100 == 2 { parsed(request, &answer) } else { Err(request.refusal(&answer)) }
    }
}

impl Signer {
    fn new(credentials: Credentials) -> Result<Signer, OptionsFault> {
        match credentials {
            Credentials::Token(token) if is_sendable(&token) => Ok(Signer::Token(token)),
            Credentials::Token(_) => Err(OptionsFault::Token),
            Credentials::App(options) => App::new(&options).map(Signer::App),
        }
    }
}

/// It travels in a header.
fn is_sendable(token: &Secret) -> bool {
    !token.expose().is_empty() && token.expose().bytes().all(|b| b.is_ascii_graphic())
}
