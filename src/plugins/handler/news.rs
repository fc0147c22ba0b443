//! News of the job in hand, as the store tells them, and what they mean for its VM.

use crate::domain::claim::Claim;
use crate::domain::entry::State;
use crate::domain::event::Event;
use crate::domain::outcome::Reason;
use crate::plugins::handler::Handler;
use crate::plugins::handler::error::store_reason;
use crate::plugins::handler::work::Work;
use crate::store::Ask;

/// What the store says of the job that the claim holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Not started.
    Waiting,
    /// GitHub wants a person's approval first.
    Parked,
    /// It runs on our runner.
    Running,
    /// It is over; [`Work::ran`] tells whether our runner ran it.
    Over,
    /// The claim holds nothing any more.
    Lost,
    /// The store does not answer.
    Away,
}

impl Handler {
    /// What the store says now.
    pub(super) fn news(&self, work: &mut Work) -> News {
        let Some(claim) = work.claim.as_ref() else { return self.news_without_claim(work) };
        match self.tools.store.held(claim.id()) {
            Err(_) => News::Away,
            Ok(None) => News::Lost,
            Ok(Some(entry)) => {
                work.update(entry);
                match &work.entry.state {
                    State::Claimed(hold) if hold.park => News::Parked,
                    State::Running { .. } => News::Running,
                    State::Over(_) => News::Over,
                    _ => News::Waiting,
                }
            }
        }
    }

    /// The claim is lost, but a job may run on the VM: its own record tells when it is over.
    fn news_without_claim(&self, work: &mut Work) -> News {
        match self.tools.store.entry(work.entry.job.id) {
            Ok(Some(entry)) if matches!(entry.state, State::Over(_)) => {
                work.update(entry);
                News::Over
            }
            _ => News::Lost,
        }
    }

    /// Between the steps of a boot: whether the job is still to be started, or another one that needs this VM.
    pub(super) fn still_to_start(&self, work: &mut Work) -> Result<(), Reason> {
        let news = self.news(work);
        self.heed(work, &news)
    }

    /// What news of a job that has not started mean for its VM.
    pub(super) fn heed(&self, work: &mut Work, news: &News) -> Result<(), Reason> {
        match news {
            News::Over => Err(Reason::AlreadyOver),
            News::Parked => Err(Reason::Parked),
            News::Lost => self.serve_another(work),
            News::Waiting | News::Running | News::Away => Ok(()),
        }
    }

    /// A stranger took our job: the VM first serves another one of equal labels.
    pub(super) fn serve_another(&self, work: &mut Work) -> Result<(), Reason> {
        let Some(claim) = work.claim.take() else { return Err(Reason::Lost) };
        let id = claim.detach();
        let like = work.entry.job.clone();
        let ask = Ask {
            claim: &id,
            scope: &self.options.scope,
            voter: &self.options.voter,
            except: &[],
            like: Some(&like),
            lease: self.options.lease,
        };
        let taken = match self.tools.store.take(&ask) {
            Ok(taken) => taken,
            Err(error) => {
                // The answer may be lost, and the claim hold a job: it is ended as any other.
                work.claim = Some(Claim::granted(id));
                return Err(store_reason(&error));
            }
        };
        let Some((claim, entry)) = taken else {
            log::info!("another runner took the job, and no other job wants this VM");
            return Err(Reason::Lost);
        };
        work.claim = Some(claim);
        work.lease = self.keep_lease(&id);
        work.update(entry);
        let event = Event::Checkpoint { claim: id, runner: work.runner() };
        self.tools.store.apply(&event).map_err(|error| store_reason(&error))?;
        Ok(())
    }
}
