//! A handler's turn, step by step: from the claim to the runner's name in the store.

use std::time::Duration;

use anklet::domain::entry::Entry;
use anklet::domain::event::{Event, Verdict};
use anklet::domain::ids::RunnerName;

use super::github::Stand;
use super::handler::{End, Page, Phase, Work};
use super::queue::Verb;
use super::stage::{Done, Stage};
use super::steps::Fate;
use crate::life::model::owner;

impl Stage<'_> {
    pub(super) fn act(&mut self, at: usize, choice: u8, fate: Fate) -> Done {
        match self.handlers[at].phase.clone() {
            Phase::Idle if self.handlers[at].strays => self.release_strays(at, fate),
            Phase::Idle => self.take(at, fate),
            Phase::Recovering => self.recover(at, fate),
            Phase::Fresh => self.fresh(at, choice),
            Phase::Booting => self.tie(at, fate),
            Phase::Tied => {
                let work = self.handlers[at].work.clone().unwrap();
                self.github.register(&work.vm, &work.entry.job.labels);
                self.runners += 1;
                self.handlers[at].phase = Phase::Waiting;
                Ok(())
            }
            Phase::Waiting => self.wait(at, choice, fate),
            Phase::Running => self.watch(at, choice, fate),
            Phase::Cleaning(end) => self.clean(at, end),
            Phase::Busy => {
                self.busy(at);
                Ok(())
            }
            Phase::Deleted(end) => self.finish(at, end, fate),
            Phase::Ending(event) => self.end(at, *event, fate),
        }
    }

    fn release_strays(&mut self, at: usize, fate: Fate) -> Done {
        let own = owner(&self.handlers[at].name);
        let held = self.queue.entries().values().filter_map(Entry::hold);
        let Some(claim) = held.map(|hold| hold.claim.clone()).find(|claim| claim.owner == own) else {
            self.handlers[at].strays = false;
            return Ok(());
        };
        self.apply(Event::Release { claim, job: None, counted: false, pause: Duration::ZERO }, fate).map(drop)
    }

    fn take(&mut self, at: usize, fate: Fate) -> Done {
        if !self.handlers[at].unanswered {
            self.handlers[at].turn += 1;
        }
        let claim = self.handlers[at].claim_id();
        let came = self.verb(&Verb::Claim(claim.clone(), self.handlers[at].voter, None), fate)?;
        self.handlers[at].unanswered = came.is_none();
        // What came in between may have taken it away again.
        let Some(entry) = came.is_some().then(|| self.held(&claim)).flatten() else { return Ok(()) };
        let vm = RunnerName(format!("anklet-vm-{claim}"));
        self.handlers[at].work = Some(Work { claim: Some(claim), entry, vm, gone: false });
        self.handlers[at].phase = Phase::Fresh;
        Ok(())
    }

    fn fresh(&mut self, at: usize, choice: u8) -> Done {
        let end = match choice {
            0 => Some(End::Uncounted),
            1 => Some(End::NotHere),
            _ => None,
        };
        let work = self.handlers[at].work.clone().unwrap();
        if let Some(end) = end {
            self.handlers[at].phase = Phase::Deleted(end);
            return Ok(());
        }
        let (stand, event) = self.github.answer(work.entry.job.id.0);
        self.apply(event, Fate::Done)?;
        self.handlers[at].phase = match stand {
            Stand::Waiting => Phase::Deleted(End::Park),
            Stand::Runs(_) | Stand::Over(..) => Phase::Deleted(End::Uncounted),
            Stand::Queued => {
                let (claim, entry, vm) = (work.claim.unwrap(), work.entry, work.vm);
                self.handlers[at].page = Some(Page { claim, entry, vm, runner: false, verdict: None });
                Phase::Booting
            }
        };
        Ok(())
    }

    fn tie(&mut self, at: usize, fate: Fate) -> Done {
        if !self.still_to_start(at, fate)? {
            return Ok(());
        }
        let handler = &mut self.handlers[at];
        let work = handler.work.clone().unwrap();
        let Some(claim) = work.claim else {
            handler.phase = Phase::Cleaning(End::Uncounted);
            return Ok(());
        };
        handler.page.as_mut().unwrap().runner = true;
        let verdict = self.apply(Event::Checkpoint { claim, runner: work.vm }, fate)?;
        self.handlers[at].phase = match verdict {
            None | Some(Verdict::Lost) => Phase::Cleaning(End::Uncounted),
            Some(_) => Phase::Tied,
        };
        Ok(())
    }
}
