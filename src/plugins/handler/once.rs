//! A run-once drives its job to the end: a try that failed is followed by the next.

use std::time::Duration;

use crate::domain::event::{Event, Verdict};
use crate::domain::ids::{ClaimId, JobId, VmName};
use crate::domain::undo::Closing;
use crate::plugins::handler::Handler;
use crate::plugins::handler::work::Work;
use crate::runtime::pace::paced;
use crate::runtime::random;
use crate::runtime::stop::{Stop, Urgency};

/// The job of a failed try, and how long nobody takes it.
pub(super) type FailedTry = (JobId, Duration);

/// What the end of a claim leaves to do.
pub(super) fn failed_try(closing: &Closing) -> Option<FailedTry> {
    match closing {
        Closing::Release { job: Some(job), counted: true, pause } => Some((*job, *pause)),
        _ => None,
    }
}

impl Handler {
    /// The next try, unless somebody else makes it.
    pub(super) fn next_try(&mut self, stop: &Stop) -> Option<Work> {
        let (job, pause) = self.failed_try.take().filter(|_| self.options.once)?;
        if !stop.pause(Urgency::Drain, paced(pause)) {
            return None;
        }
        let (store, scope) = (&self.tools.store, self.options.scope.clone());
        let claim = ClaimId { owner: self.options.owner.clone(), turn: random::number() };
        let lease_until = store.now().ok()?.plus(self.options.lease);
        let told = store.apply(&Event::Claim { job, claim: claim.clone(), scope, lease_until }).ok()?;
        if told.verdict != Verdict::Stored {
            return None;
        }
        let (claim, entry) = store.reclaim(&claim).ok()??;
        Some(Work::new(Some(claim), entry, VmName::from_random(random::bytes())))
    }
}
