//! Jobs and runs: what GitHub itself says of them, and cancelling.

use serde::Deserialize;

use super::address::segment;
use super::asker::Asker;
use super::call::Call;
use super::client::{Client, Request, parsed};
use super::error::GitHubError;
use super::fetch::Method;
use crate::domain::conclusion::Conclusion;
use crate::domain::ids::{JobId, RunId, RunnerName};

/// A repository, by the two parts of its full name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repository<'a> {
    /// User or organization.
    pub owner: &'a str,
    /// Repository, without the owner.
    pub repo: &'a str,
}

/// What GitHub says of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobAnswer {
    /// Its state now.
    Now(JobNow),
    /// Nothing has changed since the answer with the ETag that was sent.
    NotModified,
    /// 404: see [`Client::repository_answers`].
    NotFound,
}

/// A job's state at GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobNow {
    /// The state.
    pub state: JobState,
    /// To be sent with the next look: an unchanged job costs no quota.
    pub etag: Option<String>,
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Any runner with its labels may take it.
    Queued,
    /// For a person's approval, or for other jobs (`waiting`, `pending`, `requested`).
    Waiting,
    /// Taken by a runner.
    InProgress {
        /// Which; absent for moments after it was taken.
        runner: Option<RunnerName>,
    },
    /// Over.
    Completed {
        /// Which ran it, if one did.
        runner: Option<RunnerName>,
        /// How it ended.
        conclusion: Conclusion,
    },
}

/// What GitHub says of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunNow {
    /// Whether it is over.
    pub completed: bool,
    /// How it ended, once it has.
    pub conclusion: Option<Conclusion>,
    /// Where a person sees it.
    pub url: String,
}

/// What came of a cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancel {
    /// GitHub will end the run, in its time.
    Accepted,
    /// 409: the run is over.
    AlreadyOver,
}

#[derive(Deserialize)]
struct JobText {
    id: Option<u64>,
    status: String,
    conclusion: Option<String>,
    runner_name: Option<String>,
}

#[derive(Deserialize)]
struct RunText {
    status: Option<String>,
    conclusion: Option<String>,
    #[serde(default)]
    html_url: String,
}

impl Client {
    /// A job's state; with the `etag` of an earlier answer, only if it has changed.
    pub fn get_job(
        &self,
        asker: &Asker<'_>,
        at: Repository<'_>,
        id: JobId,
        etag: Option<&str>,
    ) -> Result<JobAnswer, GitHubError> {
        let path = format!("{}/actions/jobs/{id}", at.path());
        let mut request = Request::new(Call::GetJob, Method::Get, path);
        request.etag = etag.map(str::to_owned);
        let answer = self.ask(asker, &request)?;
        match answer.status {
            200 => {
                let told: JobText = parsed(&request, &answer)?;
                if told.id.is_some_and(|told| told != id.0) {
                    return Err(GitHubError::Away {
                        reason: "the answer about a job is about another one".into(),
                    });
                }
                let state = state_of(told)?;
                Ok(JobAnswer::Now(JobNow { state, etag: answer.header("etag").map(str::to_owned) }))
            }
            304 => Ok(JobAnswer::NotModified),
            404 => Ok(JobAnswer::NotFound),
            _ => Err(request.refusal(&answer)),
        }
    }

    /// Whether the repository itself is there to be seen: then a job's 404 means that the job is gone.
    pub fn repository_answers(&self, asker: &Asker<'_>, at: Repository<'_>) -> Result<bool, GitHubError> {
        let request = Request::new(Call::GetRepository, Method::Get, at.path());
        let answer = self.ask(asker, &request)?;
        match answer.status {
            200 => Ok(true),
            404 => Ok(false),
            _ => Err(request.refusal(&answer)),
        }
    }

    /// A run's state.
    pub fn get_run(&self, asker: &Asker<'_>, at: Repository<'_>, id: RunId) -> Result<RunNow, GitHubError> {
        let path = format!("{}/actions/runs/{id}", at.path());
        let told: RunText = self.ask_json(asker, &Request::new(Call::GetRun, Method::Get, path))?;
        let conclusion = told.conclusion.as_deref().map(Conclusion::from_text);
        Ok(RunNow { completed: told.status.as_deref() == Some("completed"), conclusion, url: told.html_url })
    }

    /// Asks GitHub to cancel the whole run: it has no call for one job.
    pub fn cancel_run(
        &self,
        asker: &Asker<'_>,
        at: Repository<'_>,
        id: RunId,
    ) -> Result<Cancel, GitHubError> {
        self.cancel(asker, Call::CancelRun, format!("{}/actions/runs/{id}/cancel", at.path()))
    }

    /// As [`Client::cancel_run`], past conditions like `always()`; for a run that does not follow.
    pub fn force_cancel_run(
        &self,
        asker: &Asker<'_>,
        at: Repository<'_>,
        id: RunId,
    ) -> Result<Cancel, GitHubError> {
        self.cancel(asker, Call::ForceCancelRun, format!("{}/actions/runs/{id}/force-cancel", at.path()))
    }

    fn cancel(&self, asker: &Asker<'_>, call: Call, path: String) -> Result<Cancel, GitHubError> {
        let request = Request::new(call, Method::Post, path);
        let answer = self.ask(asker, &request)?;
        match answer.status {
            200..=299 => Ok(Cancel::Accepted),
            409 => Ok(Cancel::AlreadyOver),
            _ => Err(request.refusal(&answer)),
        }
    }
}

impl Repository<'_> {
    fn path(self) -> String {
        format!("/repos/{}/{}", segment(self.owner), segment(self.repo))
    }
}

fn state_of(told: JobText) -> Result<JobState, GitHubError> {
    let runner = told.runner_name.filter(|name| !name.is_empty()).map(RunnerName);
    match told.status.as_str() {
        "queued" => Ok(JobState::Queued),
        "waiting" | "pending" | "requested" => Ok(JobState::Waiting),
        "in_progress" => Ok(JobState::InProgress { runner }),
        "completed" => {
            let conclusion = Conclusion::from_text(told.conclusion.as_deref().unwrap_or_default());
            Ok(JobState::Completed { runner, conclusion })
        }
        _ => Err(GitHubError::Away { reason: "a job's status is a word that is not known".into() }),
    }
}
