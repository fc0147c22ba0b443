//! Asking GitHub about a job, and telling the store what it says.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::domain::conclusion::Conclusion;
use crate::domain::entry::{Ending, Entry, State};
use crate::domain::event::Event;
use crate::domain::ids::{JobId, Millis};
use crate::domain::job::Job;
use crate::domain::outcome::Reason;
use crate::github::Asker;
use crate::github::runs::{JobAnswer, JobNow, JobState, Repository};
use crate::plugins::handler::Handler;
use crate::plugins::handler::error::github_reason;
use crate::plugins::handler::schedule::Pause;
use crate::plugins::handler::streak::Effort;
use crate::runtime::pace::paced;

/// The latest answer about the job in hand that had an ETag.
#[derive(Default)]
pub(super) struct Etag(Option<(JobId, String, JobState)>);

impl Etag {
    fn of(&self, job: JobId) -> Option<(String, JobState)> {
        let (_, etag, state) = self.0.as_ref().filter(|(id, ..)| *id == job)?;
        Some((etag.clone(), state.clone()))
    }

    fn keep(&mut self, job: JobId, now: JobNow) {
        self.0 = now.etag.map(|etag| (job, etag, now.state));
    }
}

/// The conclusion of a job that GitHub has deleted.
const DELETED: &str = "deleted";
/// GitHub has short 404s: this long one has to last before it is believed.
pub(super) const BELIEVED: Duration = Duration::from_secs(15);
/// More jobs that GitHub does not know are not remembered.
const MOST_MISSING: usize = 64;

/// Jobs that GitHub did not know when it was asked last, and since when.
#[derive(Default)]
pub(super) struct Missing(HashMap<JobId, Instant>);

impl Missing {
    /// How long GitHub has not known the job, as far as it was asked.
    fn again(&mut self, job: JobId) -> Duration {
        if self.0.len() >= MOST_MISSING && !self.0.contains_key(&job) {
            self.0.clear();
        }
        self.0.entry(job).or_insert_with(Instant::now).elapsed()
    }
}

/// Repositories that GitHub does not show, and until when nobody asks again.
#[derive(Default)]
pub(super) struct Hidden(HashMap<String, Pause>);

impl Hidden {
    /// GitHub does not show the job. Many jobs of its repository may wait: each would be asked about.
    fn met(&mut self, job: &Job, why: String) -> Reason {
        if self.0.len() >= MOST_MISSING {
            self.0.clear();
        }
        let before = self.0.get(&full_name(job)).copied();
        self.0.insert(full_name(job), Pause::after(before));
        Reason::Unreadable(why)
    }

    /// Those of which nobody asks now.
    pub fn now(&self) -> Vec<String> {
        self.0.iter().filter(|(_, pause)| pause.lasts()).map(|(name, _)| name.clone()).collect()
    }
}

fn full_name(job: &Job) -> String {
    format!("{}/{}", job.owner, job.repo).to_ascii_lowercase()
}

/// Whether this is the end of a job that GitHub has deleted: nothing is known of its runner then.
pub(super) fn is_deleted(conclusion: &Conclusion) -> bool {
    matches!(conclusion, Conclusion::Unknown(word) if word == DELETED)
}

impl Handler {
    /// Asks GitHub about the job and plays its answer, again where it is the one before. `None`: it tells nothing.
    ///
    /// The answer is also returned as the state that it means, so that a job's end is seen while the store is away.
    pub(super) fn ask(&self, job: &Job, asker: &Asker<'_>) -> Result<Option<State>, Reason> {
        let known = self.etags.borrow().of(job.id);
        let answer = self.tools.github.get_job(
            asker,
            place(job),
            job.id,
            known.as_ref().map(|(etag, _)| etag.as_str()),
        );
        let answer = answer.map_err(|error| match github_reason(&error) {
            Reason::Forbidden(why) => self.hidden.borrow_mut().met(job, why),
            reason => reason,
        })?;
        if answer != JobAnswer::NotFound {
            self.streaks.worked(Effort::AskJob);
            self.missing.borrow_mut().0.remove(&job.id);
            self.hidden.borrow_mut().0.remove(&full_name(job));
        }
        let now = match answer {
            JobAnswer::NotFound => return self.not_found(job, asker),
            JobAnswer::NotModified => known.map(|(_, state)| state),
            JobAnswer::Now(now) => {
                self.etags.borrow_mut().keep(job.id, now.clone());
                Some(now.state)
            }
        };
        let Some(now) = now else { return Ok(None) };
        // Also what is unchanged: the store may have heard otherwise meanwhile, or have been away.
        if let Some(event) = event(job, &now) {
            self.tell(&event);
        }
        Ok(state(&now))
    }

    /// Plays an event; a store that is away hears of it at the next asking.
    pub(super) fn tell(&self, event: &Event) {
        match self.tools.store.apply(event) {
            Ok(_) => self.streaks.worked(Effort::Note),
            Err(error) => self
                .streaks
                .failed(Effort::Note, format_args!("failed to note what GitHub says of the job: {error}")),
        }
    }

    /// 404: the job is over only when the repository itself still answers, and when it lasts.
    fn not_found(&self, job: &Job, asker: &Asker<'_>) -> Result<Option<State>, Reason> {
        match self.tools.github.repository_answers(asker, place(job)) {
            Ok(true) if self.missing.borrow_mut().again(job.id) < paced(BELIEVED) => Err(Reason::Unknown(
                format!("GitHub answers 404 for job {}, perhaps for a moment only", job.id),
            )),
            Ok(true) => {
                let conclusion = Conclusion::Unknown(DELETED.into());
                log::warn!("GitHub no longer knows the job: it counts as over");
                self.tell(&Event::Completed {
                    job: job.clone(),
                    runner: None,
                    conclusion: conclusion.clone(),
                });
                Ok(Some(State::Over(Ending { conclusion, runner: None, at: Millis(0), hold: None })))
            }
            Ok(false) => {
                let why = format!(
                    "GitHub answers 404 for {}/{} and its jobs: renamed, deleted, or not readable with these credentials",
                    job.owner, job.repo
                );
                Err(self.hidden.borrow_mut().met(job, why))
            }
            Err(error) => Err(github_reason(&error)),
        }
    }

    /// Before a VM is spent: is the job still to be run? Not asked while a fresh delivery said so.
    pub(super) fn still_wanted(&self, entry: &Entry, asker: &Asker<'_>) -> Result<(), Reason> {
        let now = self.tools.store.now().map_err(|error| Reason::StoreAway(error.to_string()))?;
        if entry.is_fresh(now) {
            return Ok(());
        }
        match self.ask(&entry.job, asker)? {
            Some(State::Parked { .. }) => Err(Reason::Parked),
            Some(State::Over(_)) => Err(Reason::AlreadyOver),
            Some(State::Running { .. }) => Err(Reason::Lost),
            _ => Ok(()),
        }
    }
}

/// Where the job's repository is.
pub(super) fn place(job: &Job) -> Repository<'_> {
    Repository { owner: &job.owner, repo: &job.repo }
}

fn event(job: &Job, state: &JobState) -> Option<Event> {
    Some(match state {
        JobState::Queued => Event::Runnable { job: job.id },
        JobState::Waiting => Event::Waiting { job: job.id },
        JobState::InProgress { runner } => Event::Started { job: job.clone(), runner: runner.clone()? },
        JobState::Completed { runner, conclusion } => {
            Event::Completed { job: job.clone(), runner: runner.clone(), conclusion: conclusion.clone() }
        }
    })
}

/// `None` where it tells nothing: a job just taken, whose runner is not named yet.
fn state(state: &JobState) -> Option<State> {
    Some(match state {
        JobState::Queued => State::Queued,
        JobState::Waiting => State::Parked { ask_at: Millis(0) },
        JobState::InProgress { runner } => State::Running { runner: runner.clone()?, hold: None },
        JobState::Completed { runner, conclusion } => State::Over(Ending {
            conclusion: conclusion.clone(),
            runner: runner.clone(),
            at: Millis(0),
            hold: None,
        }),
    })
}
