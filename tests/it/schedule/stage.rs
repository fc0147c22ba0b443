//! GitHub, handlers and the queue together: plays a schedule, and then a quiet evening in which all must end.

use std::time::Duration;

use anklet::domain::entry::{Entry, State};
use anklet::domain::event::{Event, Verdict};
use anklet::domain::ids::ClaimId;

use super::github::{GitHub, Stand};
use super::handler::{Handler, Phase};
use super::queue::{Came, LEASE, Queue, VOTERS, Verb};
use super::rules::{Counted, judge};
use super::steps::{Fate, Step};
use crate::life::model::owner;

/// Rounds of the evening; far more than it ever takes.
const EVENING: usize = 400;

pub struct Stage<'q> {
    pub github: GitHub,
    pub queue: &'q mut dyn Queue,
    pub handlers: Vec<Handler>,
    pub(super) counted: Counted,
    /// Runners that were registered.
    pub runners: u64,
}

/// Or which rule is broken.
pub type Done = Result<(), String>;

impl<'q> Stage<'q> {
    pub fn new(queue: &'q mut dyn Queue) -> Stage<'q> {
        let handlers = [("a1", 0), ("a2", 0), ("b1", 1)].map(|(name, host)| Handler::new(name, VOTERS[host]));
        let (github, counted) = (GitHub::default(), Counted::default());
        Stage { github, queue, handlers: handlers.into(), counted, runners: 0 }
    }

    /// All steps, then the evening.
    pub fn day(&mut self, schedule: &[Step]) -> Done {
        for (at, step) in schedule.iter().enumerate() {
            self.step(*step).map_err(|why| format!("step {at}, {step:?}: {why}"))?;
        }
        self.evening()
    }

    pub(super) fn step(&mut self, step: Step) -> Done {
        let before = self.queue.entries().clone();
        let whose = |number: u8| usize::from(number) % 3;
        match step {
            Step::Order { waits, large } => self.github.order(waits, large),
            Step::Approve(which) => self.github.approve(which),
            Step::Cancel(which) => self.github.cancel(which),
            Step::Give(which, to) => self.github.give(which, to),
            Step::Finish(which) => self.github.finish(which),
            Step::Deliver { which, again } => {
                if let Some(event) = self.github.delivery(which, again) {
                    self.verb(&Verb::Apply(event), Fate::Done)?;
                }
            }
            Step::Pass(millis) => self.queue.pass(Duration::from_millis(millis.into())),
            Step::Act { handler, choice, fate } => self.act(whose(handler), choice, fate)?,
            Step::Crash(handler) => self.crash(whose(handler)),
            Step::Renew(handler) => self.renew(whose(handler))?,
            Step::AskAbandoned(handler) => self.ask_abandoned(whose(handler))?,
            Step::AskParked => self.ask_parked()?,
            Step::TakeOver(handler, fate) => self.take_over(whose(handler), fate)?,
        }
        judge(&before, self.queue.entries(), &self.github)
    }

    /// Everything is delivered, nobody dies, no answer is lost: every job ends, and nothing is left.
    fn evening(&mut self) -> Done {
        for round in 0..EVENING {
            let quiet = |handler: &Handler| {
                let idle = handler.work.is_none() && handler.page.is_none();
                idle && !handler.strays && !handler.unanswered
            };
            let over = self.github.those(|stand| !matches!(stand, Stand::Over(..))).is_empty();
            let known = self.queue.entries().values().filter(|e| matches!(e.state, State::Over(_))).count();
            if over && known == self.github.jobs.len() && self.handlers.iter().all(quiet) {
                return self.nothing_is_left();
            }
            let all = |stage: &mut Self, step: fn(u8) -> Step| {
                (0..3).try_for_each(|handler| stage.step(step(handler)))
            };
            while let Some(event) = self.github.delivery(round as u8, false) {
                self.verb(&Verb::Apply(event), Fate::Done)?;
            }
            self.github.approve(0);
            self.github.give_all();
            if round % 3 == 2 {
                self.github.finish(0);
            }
            all(self, |handler| Step::Act { handler, choice: 11, fate: Fate::Done })?;
            all(self, Step::Renew)?;
            all(self, Step::AskAbandoned)?;
            self.step(Step::AskParked)?;
            all(self, |handler| Step::TakeOver(handler, Fate::Done))?;
            self.step(Step::Pass(900))?;
        }
        let phases: Vec<_> = self.handlers.iter().map(|h| (&h.phase, &h.work, &h.page)).collect();
        Err(format!("it never ends: {phases:?}\n{:?}\n{:?}", self.queue.entries(), self.github.jobs))
    }

    fn nothing_is_left(&self) -> Done {
        let held: Vec<&Entry> = self.queue.entries().values().filter(|e| e.hold().is_some()).collect();
        let runners = self.github.runners();
        if held.is_empty() && runners.is_empty() {
            return Ok(());
        }
        Err(format!("left behind: {held:?} {runners:?}"))
    }

    /// `None`: no answer.
    pub(super) fn verb(&mut self, verb: &Verb, fate: Fate) -> Result<Option<Came>, String> {
        let during = match fate {
            Fate::Away => return Ok(None),
            Fate::During(which) => self.github.delivery(which, true),
            Fate::Done | Fate::Lost => None,
        };
        let came = self.queue.play(verb, during.as_ref())?;
        Ok(Some(came).filter(|_| fate != Fate::Lost))
    }

    pub(super) fn apply(&mut self, event: Event, fate: Fate) -> Result<Option<Verdict>, String> {
        Ok(match self.verb(&Verb::Apply(event), fate)? {
            Some(Came::Of(verdict)) => Some(verdict),
            _ => None,
        })
    }

    pub(super) fn held(&self, claim: &ClaimId) -> Option<Entry> {
        self.queue.entries().values().find(|entry| entry.held_by(claim)).cloned()
    }

    fn crash(&mut self, at: usize) {
        let handler = &self.handlers[at];
        if let (Phase::Tied, Some(work)) = (&handler.phase, &handler.work) {
            // The guest's script goes on by itself.
            let (vm, labels) = (work.vm.clone(), work.entry.job.labels.clone());
            self.github.register(&vm, &labels);
            self.runners += 1;
        }
        self.handlers[at].die();
    }

    fn renew(&mut self, at: usize) -> Done {
        let (owner, until) = (owner(&self.handlers[at].name), self.queue.now().plus(LEASE));
        let held: Vec<ClaimId> = self
            .queue
            .entries()
            .values()
            .filter(|entry| !matches!(entry.state, State::Over(_)))
            .filter_map(Entry::hold)
            .filter(|hold| hold.claim.owner == owner && hold.lease_until < until)
            .map(|hold| hold.claim.clone())
            .collect();
        for claim in held {
            self.apply(Event::Renew { claim, lease_until: until }, Fate::Done)?;
        }
        Ok(())
    }

    fn ask_abandoned(&mut self, at: usize) -> Done {
        let (own, now) = (owner(&self.handlers[at].name), self.queue.now());
        let gone = self.queue.entries().values().find(|entry| {
            let hold = entry.hold().filter(|_| !matches!(entry.state, State::Over(_)));
            hold.is_some_and(|hold| hold.claim.owner != own && hold.lease_until < now)
        });
        let Some((id, claim)) = gone.and_then(|e| Some((e.job.id.0, e.hold()?.claim.clone()))) else {
            return Ok(());
        };
        let (stand, event) = self.github.answer(id);
        self.apply(event, Fate::Done)?;
        self.handlers[at].asked = Some((claim, matches!(stand, Stand::Runs(_))));
        Ok(())
    }

    fn ask_parked(&mut self) -> Done {
        let parked = |entry: &&Entry| matches!(entry.state, State::Parked { .. });
        let parked: Vec<u64> = self.queue.entries().values().filter(parked).map(|e| e.job.id.0).collect();
        for id in parked {
            let (_, event) = self.github.answer(id);
            self.apply(event, Fate::Done)?;
        }
        Ok(())
    }

    /// Much may have happened since GitHub was asked.
    fn take_over(&mut self, at: usize, fate: Fate) -> Done {
        let Some((claim, runs)) = self.handlers[at].asked.clone() else { return Ok(()) };
        let event = if runs {
            Event::Renew { claim, lease_until: self.queue.now().plus(LEASE * 4) }
        } else {
            Event::Release { claim, job: None, counted: false, pause: Duration::ZERO }
        };
        if self.apply(event, fate)?.is_some() {
            self.handlers[at].asked = None;
        }
        Ok(())
    }
}
