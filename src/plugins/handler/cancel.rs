//! Cancelling a run that cannot be served, and forcing it when GitHub is slow.

use std::time::{Duration, Instant};

use crate::domain::event::End;
use crate::domain::job::Job;
use crate::domain::outcome::Reason;
use crate::domain::undo::Closing;
use crate::github::GitHubError;
use crate::github::runs::{Cancel, JobAnswer, JobState};
use crate::plugins::handler::Handler;
use crate::plugins::handler::ask::place;
use crate::plugins::handler::error::github_reason;
use crate::plugins::handler::work::Work;
use crate::runtime::stop::{Stop, Urgency};

/// A job that is still queued so long after its run was cancelled is cancelled by force.
const FORCE_AFTER: Duration = Duration::from_mins(2);

/// A cancelled run that is looked at once more.
pub(super) struct FollowUp {
    due: Instant,
    job: Job,
}

impl Handler {
    /// Cancels the whole run (GitHub has no call for one job) and gives the job up.
    /// When GitHub does not answer, the job goes back uncounted.
    pub(super) fn give_up(&mut self, work: &Work, reason: &Reason, stop: &Stop) -> Closing {
        let job = &work.entry.job;
        let run = format!("{}/{}/{}/actions/runs/{}", self.options.web_url, job.owner, job.repo, job.run_id);
        let asker = self.asker_cleaning(stop);
        match self.tools.github.cancel_run(&asker, place(job), job.run_id) {
            Ok(Cancel::Accepted) => {
                log::warn!("the run is cancelled, with all its jobs: {run}");
                self.follow_ups.push(FollowUp { due: Instant::now() + FORCE_AFTER, job: job.clone() });
            }
            Ok(Cancel::AlreadyOver) | Err(GitHubError::NotFound { .. }) => {
                log::info!("the run was over already: {run}");
            }
            Err(
                error @ (GitHubError::Permission { .. }
                | GitHubError::Refused { .. }
                | GitHubError::Redirected { .. }),
            ) => {
                log::error!("failed to cancel the run {run}: failed to {error}");
                return Closing::Settle(End::Dead(format!(
                    "{reason}; and its run could not be cancelled: {error}"
                )));
            }
            Err(error) => {
                let why = github_reason(&error);
                log::warn!("the run could not be cancelled, the job goes back to the queue: {why}");
                self.held_back.job(job.id);
                return Closing::Release { counted: false, pause: Duration::ZERO };
            }
        }
        Closing::Settle(End::Dead(reason.to_string()))
    }

    /// Forces what GitHub has not cancelled in time.
    pub(super) fn follow_up(&mut self, stop: &Stop) {
        let now = Instant::now();
        let (due, later) =
            std::mem::take(&mut self.follow_ups).into_iter().partition(|f: &FollowUp| f.due <= now);
        self.follow_ups = later;
        for FollowUp { job, .. } in due {
            let asker = self.asker_once(stop, Urgency::Drain);
            let github = &self.tools.github;
            let still = github.get_job(&asker, place(&job), job.id, None);
            let waits = |state: &JobState| matches!(state, JobState::Queued | JobState::Waiting);
            if !matches!(still, Ok(JobAnswer::Now(now)) if waits(&now.state)) {
                continue;
            }
            match github.force_cancel_run(&asker, place(&job), job.run_id) {
                Ok(_) => log::warn!(
                    "job {} was still queued {FORCE_AFTER:?} after its run was cancelled: forced",
                    job.id
                ),
                Err(error) => {
                    log::warn!("job {} is still queued, and forcing failed: failed to {error}", job.id);
                }
            }
        }
    }

    /// When the next follow-up is due.
    pub(super) fn next_follow_up(&self) -> Option<Duration> {
        self.follow_ups.iter().map(|f| f.due.saturating_duration_since(Instant::now())).min()
    }
}
