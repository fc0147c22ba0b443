//! What is done between turns: parked jobs, jobs whose handler is gone, forced cancels, old records.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::domain::entry::{Entry, State};
use crate::domain::event::Event;
use crate::domain::ids::JobId;
use crate::domain::outcome::Reason;
use crate::plugins::handler::streak::Effort;
use crate::plugins::handler::{Handler, TICK};
use crate::runtime::pace::paced;
use crate::runtime::stop::{Stop, Urgency};

/// How often GitHub is asked about a job that runs though its handler is gone.
const ASK_RUNNING: Duration = Duration::from_mins(5);

/// When GitHub was asked about the jobs of handlers that are gone.
pub(super) type Asked = HashMap<JobId, Instant>;

impl Handler {
    /// At most once a tick.
    pub(super) fn chores(&mut self, stop: &Stop) {
        if self.follow_ups.next().is_some_and(|left| left.is_zero()) {
            self.follow_up(stop);
        }
        if self.chored.is_some_and(|at| at.elapsed() < paced(TICK)) {
            return;
        }
        self.chored = Some(Instant::now());
        self.held_back.tidy();
        for entry in self.tools.store.parked_due().unwrap_or_default() {
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
        match self.tools.store.purge() {
            Ok(_) => self.streaks.worked(Effort::Forget),
            Err(error) => {
                self.streaks.failed(Effort::Forget, format_args!("failed to forget old jobs: {error}"));
            }
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
    fn take_over(&self, entry: &Entry, state: Option<&State>) {
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
        log::warn!("handler {owner} is gone and its claim on job {} ends", entry.job.id);
        self.tell(&Event::Release { claim, counted: false, pause: Duration::ZERO });
    }
}
