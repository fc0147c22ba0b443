//! Cancelling a run that cannot be served, and forcing it when GitHub is slow.

use std::time::{Duration, Instant};

use log::Level;

use crate::domain::entry::State;
use crate::domain::event::End;
use crate::domain::job::Job;
use crate::domain::outcome::Reason;
use crate::domain::undo::Closing;
use crate::github::runs::{Cancel, JobAnswer, JobState};
use crate::github::{Asker, GitHubError};
use crate::plugins::handler::Handler;
use crate::plugins::handler::ask::{BELIEVED, place};
use crate::plugins::handler::error::github_reason;
use crate::plugins::handler::streak::Effort;
use crate::plugins::handler::work::Work;
use crate::runtime::pace::paced;
use crate::runtime::stop::{Stop, Urgency};

/// A job that is still queued so long after its run was cancelled is cancelled by force.
const FORCE_AFTER: Duration = Duration::from_mins(2);

/// Between tries to do so.
const FORCE_AGAIN: Duration = Duration::from_mins(1);

/// Between tries to cancel a run that GitHub does not know.
const CANCEL_AGAIN: Duration = Duration::from_secs(5);

/// Cancelled runs that are looked at once more, each with its time.
#[derive(Default)]
pub(super) struct FollowUps(Vec<(Instant, Job)>);

impl FollowUps {
    /// This job's run was cancelled at `now`, or is said to be over.
    fn add(&mut self, job: Job, now: Instant) {
        self.0.push((now + paced(FORCE_AFTER), job));
    }

    /// It could not be looked at, or not be forced.
    fn again(&mut self, job: Job, now: Instant) {
        self.0.push((now + paced(FORCE_AGAIN), job));
    }

    /// Takes out what is due at `now`.
    fn due(&mut self, now: Instant) -> Vec<Job> {
        self.0.extract_if(.., |(due, _)| *due <= now).map(|(_, job)| job).collect()
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Duration> {
        self.0.iter().map(|(due, _)| due.saturating_duration_since(Instant::now())).min()
    }
}

impl Handler {
    /// Cancels the whole run (GitHub has no call for one job), gives the job up, and then says what came of both:
    /// `what` has happened, at this `level`, for this reason.
    /// When GitHub does not answer, the job goes back uncounted.
    pub(super) fn give_up(
        &mut self,
        work: &Work,
        level: Level,
        what: &str,
        reason: &Reason,
        stop: &Stop,
    ) -> Closing {
        let job = &work.entry.job;
        let run = format!("{}/{}/{}/actions/runs/{}", self.options.web_url, job.owner, job.repo, job.run_id);
        let asker = self.asker_cleaning(stop);
        let cancelled = self.cancel_run(job, &asker, stop);
        if !matches!(cancelled, Err(GitHubError::Away { .. } | GitHubError::SignInRefused)) {
            self.streaks.worked(Effort::Cancel);
        }
        match cancelled {
            Ok(Cancel::Accepted) => {
                log::log!(level, "{what}: {reason}; its run is cancelled, with all its jobs: {run}");
                self.follow_ups.add(job.clone(), Instant::now());
            }
            Ok(Cancel::AlreadyOver) => {
                log::info!("{what}: {reason}; the run was over already: {run}");
                self.follow_ups.add(job.clone(), Instant::now());
            }
            Err(
                error @ (GitHubError::Permission { .. }
                | GitHubError::NotFound { .. }
                | GitHubError::Refused { .. }
                | GitHubError::Redirected { .. }
                | GitHubError::RedirectedTooOften { .. }),
            ) => {
                log::error!("{what}: {reason}; failed to cancel the run {run}: failed to {error}");
                let reason = format!("{reason}; and its run could not be cancelled: failed to {error}");
                return Closing::Settle(job.id, End::Dead(reason));
            }
            Err(error) => {
                let why = github_reason(&error);
                self.streaks.failed_because(
                    Effort::Cancel,
                    &why,
                    format_args!(
                        "{what}: {reason}; the run {run} could not be cancelled, the job goes back to the queue: {why}"
                    ),
                );
                self.held_back.job(job.id);
                return Closing::Release { job: None, counted: false, pause: Duration::ZERO };
            }
        }
        Closing::Settle(job.id, End::Dead(reason.to_string()))
    }

    /// A 404 means that the run is over only when its job is. Else it is tried again: it may be for a moment only.
    fn cancel_run(&self, job: &Job, asker: &Asker<'_>, stop: &Stop) -> Result<Cancel, GitHubError> {
        let begun = Instant::now();
        loop {
            let told = self.tools.github.cancel_run(asker, place(job), job.run_id);
            if !matches!(told, Err(GitHubError::NotFound { .. })) {
                return told;
            }
            if let Ok(Some(State::Over(_))) = self.ask(job, asker) {
                return Ok(Cancel::AlreadyOver);
            }
            if begun.elapsed() > paced(BELIEVED) {
                return told;
            }
            if !stop.pause(Urgency::Interrupt, paced(CANCEL_AGAIN)) {
                return Err(GitHubError::Stopped);
            }
        }
    }

    /// Forces what GitHub has not cancelled in time.
    pub(super) fn follow_up(&mut self, stop: &Stop) {
        for job in self.follow_ups.due(Instant::now()) {
            match self.force_if_it_waits(&job, &self.asker_once(stop, Urgency::Drain)) {
                Ok(()) => self.streaks.worked(Effort::Force),
                Err(GitHubError::Stopped | GitHubError::Limited) => {
                    self.follow_ups.again(job, Instant::now());
                }
                Err(error @ (GitHubError::Away { .. } | GitHubError::SignInRefused)) => {
                    let what = format_args!("job {} is to be cancelled by force: failed to {error}", job.id);
                    self.streaks.failed_because(Effort::Force, &github_reason(&error), what);
                    self.follow_ups.again(job, Instant::now());
                }
                Err(error) => log::error!("failed to cancel job {} by force: failed to {error}", job.id),
            }
        }
    }

    fn force_if_it_waits(&self, job: &Job, asker: &Asker<'_>) -> Result<(), GitHubError> {
        match self.tools.github.get_job(asker, place(job), job.id, None)? {
            JobAnswer::Now(now) if matches!(now.state, JobState::Queued | JobState::Waiting) => (),
            _ => return Ok(()),
        }
        self.tools.github.force_cancel_run(asker, place(job), job.run_id)?;
        log::warn!("job {} was still queued {FORCE_AFTER:?} after its run was cancelled: forced", job.id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{JobId, RunId};

    #[test]
    fn a_cancelled_run_is_looked_at_once_after_two_minutes() {
        let job = Job {
            id: JobId(1),
            run_id: RunId(2),
            run_attempt: 1,
            owner: "acme".into(),
            repo: "app".into(),
            name: String::new(),
            workflow_name: String::new(),
            labels: Vec::new(),
            url: String::new(),
        };
        let (mut follow_ups, now) = (FollowUps::default(), Instant::now());
        assert_eq!(follow_ups.next(), None);
        follow_ups.add(job.clone(), now);
        assert!(follow_ups.next().is_some_and(|left| left > Duration::from_secs(115)));
        assert_eq!(follow_ups.due(now + Duration::from_secs(119)), []);
        assert_eq!(follow_ups.due(now + Duration::from_mins(2)), [job]);
        assert_eq!(follow_ups.due(now + Duration::from_mins(3)), []);
    }
}
