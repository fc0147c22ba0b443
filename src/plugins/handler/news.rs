//! News of the job in hand, as the store tells them, and what they mean for its VM.

use crate::domain::claim::Claim;
use crate::domain::entry::{Entry, State};
use crate::domain::event::Event;
use crate::domain::ids::RunnerName;
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

    /// The claim is lost, but a job may run on the VM: its own record tells of it.
    fn news_without_claim(&self, work: &mut Work) -> News {
        let Ok(known) = self.tools.store.entry(work.entry.job.id) else { return News::Away };
        let ours = work.runner();
        let on_our_runner =
            known.clone().filter(|entry| entry.ran_on(&ours)).or_else(|| self.running_on(&ours));
        match (on_our_runner, known) {
            (Some(entry), _) => {
                let over = matches!(entry.state, State::Over(_));
                work.update(entry);
                if over { News::Over } else { News::Running }
            }
            (None, Some(entry)) if matches!(entry.state, State::Over(_)) => {
                work.update(entry);
                News::Over
            }
            _ => News::Lost,
        }
    }

    /// A job that no claim holds and that GitHub gave to our runner.
    fn running_on(&self, runner: &RunnerName) -> Option<Entry> {
        self.tools.store.list().ok()?.into_iter().find(|entry| entry.hold().is_none() && entry.ran_on(runner))
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
            absent: &[],
            hidden: &[],
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
            if let Some(entry) = self.running_on(&work.runner()) {
                log::info!("another runner took the job, and ours runs job {} already", entry.job.id);
                work.update(entry);
                return Ok(());
            }
            log::info!("another runner took the job, and no other job wants this VM");
            return Err(Reason::Lost);
        };
        work.claim = Some(claim);
        work.update(entry);
        let event = Event::Checkpoint { claim: id, runner: work.runner() };
        self.tools.store.apply(&event).map_err(|error| store_reason(&error))?;
        Ok(())
    }
}
