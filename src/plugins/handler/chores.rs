//! What is done between turns: parked jobs, jobs whose handler is gone, forced cancels, old records.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::domain::entry::{Entry, State};
use crate::domain::event::Event;
use crate::domain::ids::{ClaimId, JobId};
use crate::domain::outcome::Reason;
use crate::plugins::handler::streak::Effort;
use crate::plugins::handler::{Handler, TICK};
use crate::runtime::pace::paced;
use crate::runtime::stop::{Stop, Urgency};

/// How often GitHub is asked about a job that runs though its handler is gone.
const ASK_RUNNING: Duration = Duration::from_mins(5);
/// How often GitHub is asked about jobs that run and that no handler watches, and about how many at most.
const ASK_UNWATCHED: Duration = Duration::from_hours(1);
const MOST_UNWATCHED: usize = 50;

/// When GitHub was asked about the jobs of handlers that are gone.
pub(super) type Asked = HashMap<JobId, Instant>;

impl Handler {
    /// At most once a tick, and when a lease may have ended.
    pub(super) fn chores(&mut self, stop: &Stop) {
        if self.follow_ups.next().is_some_and(|left| left.is_zero()) {
            self.follow_up(stop);
        }
        let lately = self.chored.is_some_and(|at| at.elapsed() < paced(TICK));
        if lately && !self.tools.store.expects_abandoned() {
            return;
        }
        self.chored = Some(Instant::now());
        self.held_back.tidy();
        let scarce = self.tools.github.is_scarce();
        // Of the last tenth of GitHub's quota these get nothing.
        for entry in self.tools.store.parked_due().unwrap_or_default().into_iter().filter(|_| !scarce) {
            // What failed is said, and asked again at the next tick.
            let _ = self.ask_between_turns(&entry, stop);
        }
        self.taken_over.retain(|_, at| at.elapsed() < paced(ASK_RUNNING));
        for entry in self.tools.store.abandoned().unwrap_or_default() {
            let own = entry.hold().is_some_and(|hold| hold.claim.owner == self.options.owner);
            if own || self.taken_over.contains_key(&entry.job.id) {
                continue;
            }
            if let Ok(state) = self.ask_between_turns(&entry, stop) {
                self.taken_over.insert(entry.job.id, Instant::now());
                self.take_over(&entry, state.as_ref());
            }
        }
        if !scarce {
            self.ask_about_unwatched(stop);
        }
        match self.tools.store.purge() {
            Ok(_) => self.streaks.worked(Effort::Forget),
            Err(error) => {
                self.streaks.failed(Effort::Forget, format_args!("failed to forget old jobs: {error}"));
            }
        }
    }

    /// Jobs that run without a claim: a stranger's, or one whose handler's journal was lost. Only a delivery tells
    /// of their end, and it may be lost for good.
    fn ask_about_unwatched(&mut self, stop: &Stop) {
        if self.asked_unwatched.is_some_and(|at| at.elapsed() < paced(ASK_UNWATCHED)) {
            return;
        }
        let Ok(jobs) = self.tools.store.list() else { return };
        self.asked_unwatched = Some(Instant::now());
        let unwatched = |entry: &&Entry| matches!(entry.state, State::Running { hold: None, .. });
        let ours = |entry: &&Entry| self.options.scope.takes(&entry.job.owner, &entry.job.repo);
        for entry in jobs.iter().filter(unwatched).filter(ours).take(MOST_UNWATCHED) {
            // What failed is said, and asked again in an hour.
            let _ = self.ask_between_turns(entry, stop);
        }
    }

    /// What GitHub says, which the store has then heard.
    fn ask_between_turns(&self, entry: &Entry, stop: &Stop) -> Result<Option<State>, Reason> {
        let asked = self.ask(&entry.job, &self.asker_once(stop, Urgency::Drain));
        asked.inspect_err(|reason| {
            let what = format_args!("GitHub was asked in vain about job {}: {reason}", entry.job.id);
            self.streaks.failed_because(Effort::AskJob, reason, what);
        })
    }

    /// A job whose handler is gone: one that runs goes on in the old handler's name, another is queued again,
    /// uncounted; of one that is over, the claim ends.
    pub(super) fn take_over(&self, entry: &Entry, state: Option<&State>) {
        let Some(hold) = entry.hold() else { return };
        let (claim, owner) = (hold.claim.clone(), &hold.claim.owner);
        let runs = match state {
            Some(state) => matches!(state, State::Running { .. }),
            None => matches!(entry.state, State::Running { .. }),
        };
        if runs {
            log::info!("handler {owner} is gone; its job {} runs on and is asked about again", entry.job.id);
            // By the store's clock; a store that is away is asked again at the next tick.
            if let Ok(now) = self.tools.store.now() {
                self.tell(&Event::Renew { claim, lease_until: now.plus(ASK_RUNNING) });
            }
            return;
        }
        if !matches!(state, Some(State::Over(_))) && !self.is_still_abandoned(&claim) {
            log::info!("handler {owner} is back and keeps its claim on job {}", entry.job.id);
            return;
        }
        log::warn!("handler {owner} is gone and its claim on job {} ends", entry.job.id);
        self.tell(&Event::Release { claim, job: None, counted: false, pause: Duration::ZERO });
    }

    /// While GitHub was asked its handler may have shown that it lives. In doubt it does.
    fn is_still_abandoned(&self, claim: &ClaimId) -> bool {
        let abandoned = self.tools.store.abandoned();
        abandoned.is_ok_and(|entries| entries.iter().any(|entry| entry.held_by(claim)))
    }
}
