//! One try of a call: signed, sent, weighed.

use std::time::{Duration, Instant};

use super::answer::Answer;
use super::app::App;
use super::asker::Asker;
use super::backoff::pause_after;
use super::call::Call;
use super::client::{Client, Request, Sign, Signer};
use super::error::GitHubError;
use super::fetch::{FetchFault, Outgoing};
use super::health::{level, pause_after_refusal};
use super::rate_limit::{Verdict, judge};
use super::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::runtime::effect::{Effect, effect};
use crate::runtime::meters;

/// Why a try has no answer for the caller to read.
#[derive(Debug)]
pub(super) enum Setback {
    /// A limit is in force now.
    Limited,
    /// Again after this time, or else this error.
    Later(Duration, GitHubError),
    /// No further try.
    Final(GitHubError),
}

impl From<GitHubError> for Setback {
    fn from(error: GitHubError) -> Setback {
        Setback::Final(error)
    }
}

impl Client {
    /// The answer to the try number `failed` (1 is the first). A refused signature is made anew once, where it can be.
    pub(super) fn attempt(
        &self,
        asker: &Asker<'_>,
        request: &Request,
        failed: u32,
    ) -> Result<Answer, Setback> {
        let signature = self.sign(asker, request, failed)?;
        let sent = Instant::now();
        let answer = self.send(asker, request, &signature, failed)?;
        if judge(&answer) != Verdict::SignIn || !self.can_sign_anew(request.sign, &signature, &answer) {
            return self.weigh(request, answer, sent, failed);
        }
        let signature = self.sign(asker, request, failed)?;
        let sent = Instant::now();
        let answer = self.send(asker, request, &signature, failed)?;
        self.weigh(request, answer, sent, failed)
    }

    /// GitHub does not sign us in: said, and to be tried again at its pace.
    pub(super) fn refused(&self, refusal: &Refusal, failed: u32) -> Setback {
        self.health.refused(refusal);
        Setback::Later(pause_after_refusal(failed), GitHubError::SignInRefused)
    }

    fn sign(&self, asker: &Asker<'_>, request: &Request, failed: u32) -> Result<Secret, Setback> {
        match (&self.signer, request.sign) {
            (Signer::Token(token), Sign::Installation) => Ok(token.clone()),
            (Signer::App(app), Sign::Installation) => self.installation_token(asker, app, failed),
            (Signer::App(app), Sign::App) => app.own_token(&self.skew).ok_or_else(|| {
                let reason = "this host gives no random numbers to sign with".into();
                Setback::Later(pause_after(failed), GitHubError::Away { reason })
            }),
            (Signer::Token(_), Sign::App) => {
                let needs = "the App itself to sign in, with app_id and private_key".into();
                Err(Setback::Final(GitHubError::Permission { call: request.call.name(), needs }))
            }
        }
    }

    /// After a 401: an installation's token is renewed once; an App's own is made by GitHub's clock, if that is news.
    fn can_sign_anew(&self, sign: Sign, signature: &Secret, answer: &Answer) -> bool {
        match (&self.signer, sign) {
            (Signer::Token(_), _) => false,
            (Signer::App(app), Sign::Installation) => {
                app.forget(signature);
                true
            }
            (Signer::App(_), Sign::App) => self.note_clock(answer),
        }
    }

    fn send(
        &self,
        asker: &Asker<'_>,
        request: &Request,
        signature: &Secret,
        failed: u32,
    ) -> Result<Answer, Setback> {
        let outgoing = Outgoing {
            method: request.method,
            path: request.path.clone(),
            authorization: Secret::new(format!("Bearer {}", signature.expose())),
            etag: request.etag.clone(),
            body: request.body.clone(),
        };
        let name = request.call.name();
        self.calls.count(request.call);
        let fetched = effect(Effect::GitHub(name), || self.fetcher.fetch(asker, outgoing));
        let status = fetched.as_ref().map_or(0, |answer| answer.status);
        meters::GITHUB_CALLS.add(&[name, &status.to_string()]);
        let hidden = fetched.map(|mut answer| {
            if answer.status >= 400 {
                answer.hide(signature.expose());
            }
            answer
        });
        hidden.map_err(|fault| match fault {
            FetchFault::Network(reason) => self.away(request.call, reason, Duration::ZERO, failed),
            FetchFault::Redirected(to) => Setback::Final(GitHubError::Redirected { to }),
            FetchFault::RedirectedTooOften(to) => Setback::Final(GitHubError::RedirectedTooOften { to }),
            FetchFault::Stopped => Setback::Final(GitHubError::Stopped),
        })
    }

    fn weigh(
        &self,
        request: &Request,
        answer: Answer,
        sent: Instant,
        failed: u32,
    ) -> Result<Answer, Setback> {
        let call = request.call;
        match judge(&answer) {
            Verdict::Gateway { reason, wait } => Err(self.away(call, reason, wait, failed)),
            Verdict::SignIn => Err(self.refused(&self.refusal_of(request.sign, &answer), failed)),
            Verdict::Permission(needs) => {
                if let Some(app) = self.app().filter(|_| is_suspended(&answer)) {
                    return Err(self.refused(&Refusal::Suspended { app: app.id }, failed));
                }
                self.note(request, &answer);
                let needs = with_words(needs.unwrap_or_else(|| call.needs().to_owned()), &answer);
                Err(Setback::Final(GitHubError::Permission { call: call.name(), needs }))
            }
            Verdict::Limited(limit) => {
                self.note(request, &answer);
                let (wait, times) = self.pause.met(limit, sent);
                let (name, seconds) = (call.name(), wait.as_secs());
                log::log!(level(times), "GitHub limits our calls ({name}): paused for {seconds} s");
                Err(Setback::Limited)
            }
            Verdict::Answered => {
                self.note(request, &answer);
                self.pause.answered();
                Ok(answer)
            }
        }
    }

    /// What an answer of GitHub's own tells beside its contents. The App's own calls count against another quota.
    fn note(&self, request: &Request, answer: &Answer) {
        self.note_clock(answer);
        self.health.answered(request.sign, answer.status);
        if request.sign == Sign::Installation {
            self.budget.note(answer);
        }
    }

    fn note_clock(&self, answer: &Answer) -> bool {
        self.app().is_some() && answer.date().is_some_and(|date| self.skew.note(date.unix_timestamp()))
    }

    fn refusal_of(&self, sign: Sign, answer: &Answer) -> Refusal {
        match (&self.signer, sign) {
            (Signer::Token(_), _) => Refusal::Token,
            (Signer::App(app), Sign::App) => Refusal::Key { app: app.id, said: answer.message() },
            (Signer::App(app), Sign::Installation) => Refusal::Installation { app: app.id },
        }
    }

    pub(super) fn app(&self) -> Option<&App> {
        match &self.signer {
            Signer::App(app) => Some(app),
            Signer::Token(_) => None,
        }
    }

    fn away(&self, call: Call, reason: String, wait: Duration, failed: u32) -> Setback {
        self.health.away(call, &reason);
        Setback::Later(wait.max(pause_after(failed)), GitHubError::Away { reason })
    }
}

/// What is needed, and GitHub's own words: an address that is not allowed, say, is in no header.
fn with_words(needs: String, answer: &Answer) -> String {
    match answer.message() {
        said if said.is_empty() => needs,
        said => format!("{needs}; GitHub says {said:?}"),
    }
}

fn is_suspended(answer: &Answer) -> bool {
    answer.message().to_ascii_lowercase().contains("suspended")
}
