//! Deliveries that were lost: found in GitHub's list, and asked for again, since GitHub never does so by itself.
//!
//! - [`decide`] what to ask for: pure functions
//! - [`walk`] the way down GitHub's list
//! - [`memory`] what is remembered of a hook, in the store
//! - [`look`] one look
//!
//! The looks are the receiver's turns, on the plugin's own thread: no delivery is answered later because of one.

mod decide;
mod look;
mod memory;
mod say;
#[cfg(test)]
mod tests;
mod walk;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::outage::Outage;
use crate::github::hooks::Hook;
use crate::github::{Asker, Client, GitHubError};
use crate::runtime::board::Cell;
use crate::runtime::stop::{Stop, Urgency};
use crate::store::Store;

use look::{LookFault, Looker, Seen};
use say::Voice;

/// After a delivery was refused because the store was away: GitHub needs a moment to write that down.
const LAG: Duration = Duration::from_secs(2);
/// Where one after another is refused: a look is not put off for longer.
const LONGEST_LAG: Duration = Duration::from_secs(10);
/// Between two glances whether GitHub limits our calls.
const GLANCE: Duration = Duration::from_secs(5);
/// Between two looks whether a store that was away is back.
const PROBE: Duration = Duration::from_secs(3);
/// Half of the pause after a first fault of GitHub; it doubles up to the interval.
const AFTER_A_FAULT: Duration = Duration::from_secs(15);
/// While the sign-in is refused: when GitHub is asked again, its client says.
const REFUSED: Duration = Duration::from_secs(5);

/// A receiver's redelivery.
pub struct Options {
    /// GitHub.
    pub github: Arc<Client>,
    /// Whose deliveries.
    pub hook: Hook,
    /// Of an App's hook: the installation whose deliveries are ours.
    pub installation: Option<u64>,
    /// How far back the first look goes.
    pub reach: Duration,
    /// Pause between looks.
    pub interval: Duration,
    /// Shows that a limit of GitHub is waited for.
    pub cell: Cell,
}

/// When to look.
pub(super) struct Redelivery {
    looker: Looker,
    interval: Duration,
    outage: Arc<Outage>,
    /// The next look by the clock.
    next: Instant,
    /// When the last look began, whatever came of it: one that was broken off is soon followed by another.
    looked: Option<Instant>,
    voice: Voice,
}

impl Redelivery {
    /// The first look is due at once.
    pub fn new(options: Options, store: Arc<dyn Store>, outage: Arc<Outage>) -> Redelivery {
        let Options { github, hook, installation, reach, interval, cell } = options;
        let voice = Voice::new(&hook);
        let looker = Looker { github, store, hook, installation, reach, cell };
        Redelivery { looker, interval, outage, next: Instant::now(), looked: None, voice }
    }

    /// Looks, if it is time. Says how long until the next look, and what this one has come to, if it came to its end.
    pub fn turn(&mut self, stop: &Stop) -> (Duration, Option<Seen>) {
        let left = self.due().saturating_duration_since(Instant::now());
        if !left.is_zero() {
            // A limit that another plugin has met holds this one up as well.
            self.looker.cell.limit_paused(self.looker.github.limited_for().is_some());
            return (left.min(GLANCE), None);
        }
        let began = Instant::now();
        self.looked = Some(began);
        let seen = self.look(stop).inspect_err(|fault| self.voice.failed(fault));
        self.next = match &seen {
            Ok(seen) => {
                self.voice.worked(seen);
                began + self.interval
            }
            Err(fault) => Instant::now() + self.pause_after(fault).min(self.interval),
        };
        (self.due().saturating_duration_since(Instant::now()).min(GLANCE), seen.ok())
    }

    fn pause_after(&self, fault: &LookFault) -> Duration {
        match fault {
            LookFault::Store(_) => PROBE,
            LookFault::GitHub(GitHubError::SignInRefused) => REFUSED,
            LookFault::GitHub(GitHubError::Away { .. }) => AFTER_A_FAULT * (1 << self.voice.faults().min(10)),
            LookFault::GitHub(_) => self.interval,
        }
    }

    fn look(&mut self, stop: &Stop) -> Result<Seen, LookFault> {
        let asker = Asker::new(stop, Urgency::Drain, Duration::ZERO, &self.looker.cell);
        if !self.looker.github.sign_in_works(&asker) {
            return Err(GitHubError::SignInRefused.into());
        }
        if self.looker.hook == Hook::App && self.looker.installation.is_none() {
            self.looker.installation = self.looker.github.installation_id(&asker)?;
        }
        self.looker.look(stop)
    }

    /// By the clock; but a little after a delivery was refused, neither before that nor much later.
    fn due(&self) -> Instant {
        let refused = self.outage.last_refusal().map(|at| at + LAG);
        let owed = refused.filter(|at| self.looked.is_none_or(|looked| looked < *at));
        owed.map_or(self.next, |owed| owed.min(self.next + LONGEST_LAG))
    }
}
