//! A run-once drives its job to the end: a try that failed is followed by the next.

use std::time::Duration;

use crate::domain::claim::Claim;
use crate::domain::event::{Event, Verdict};
use crate::domain::ids::{ClaimId, JobId, VmName};
use crate::domain::life::claimable;
use crate::domain::undo::Closing;
use crate::plugins::handler::Handler;
use crate::plugins::handler::finish::LET_GO;
use crate::plugins::handler::work::Work;
use crate::runtime::pace::paced;
use crate::runtime::random;
use crate::runtime::stop::{Stop, Urgency};
use crate::store::StoreError;

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
        self.take_again(job).unwrap_or_else(|error| {
            log::error!("the next try cannot begin, the job is left to others: {error}");
            None
        })
    }

    fn take_again(&self, job: JobId) -> Result<Option<Work>, StoreError> {
        let (store, scope) = (&self.tools.store, self.options.scope.clone());
        let now = store.now()?;
        let known = store.entry(job)?;
        if !known.is_some_and(|entry| claimable(&entry, &self.options.voter, &[], now)) {
            return Ok(None);
        }
        let id = ClaimId { owner: self.options.owner.clone(), turn: random::number() };
        let lease_until = now.plus(self.options.lease);
        let told = store.apply(&Event::Claim { job, claim: id.clone(), scope, lease_until })?;
        if told.verdict != Verdict::Stored {
            return Ok(None);
        }
        let taken = store.reclaim(&id).inspect_err(|_| {
            // What it does not hear of ends with the lease.
            let _ = store.end(Claim::granted(id.clone()), &LET_GO);
        })?;
        Ok(taken.map(|(claim, entry)| Work::new(Some(claim), entry, VmName::from_random(random::bytes()))))
    }
}
