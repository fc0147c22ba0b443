//! Watching: until the job starts, and until it is over.

use std::time::{Duration, Instant};

use crate::domain::claim::Claim;
use crate::domain::entry::State;
use crate::domain::event::Event;
use crate::domain::outcome::Reason;
use crate::domain::undo::RunnerGone;
use crate::plugins::handler::error::{github_reason, store_reason};
use crate::plugins::handler::schedule::Asks;
use crate::plugins::handler::work::{Ran, Work};
use crate::plugins::handler::{Handler, TICK};
use crate::runtime::stop::{Stop, Urgency, Woken};
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

/// How long the runner has, and what is known of it.
pub(super) struct Patience {
    started: Instant,
    online: bool,
    next: Duration,
    /// It is over; GitHub is asked about the job before anybody draws a conclusion.
    over: bool,
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

    /// From the runner's start until GitHub gives it a job.
    pub(super) fn watch_before_start(&mut self, work: &mut Work, stop: &Stop) -> Result<(), Reason> {
        let mut asks = Asks::from_now();
        let mut patience = Patience::new(self.options.registration_timeout);
        let mut away = false;
        loop {
            match self.news(work) {
                News::Running => return Ok(()),
                News::Over if work.ran().is_some() => return Ok(()),
                News::Over => return Err(Reason::AlreadyOver),
                News::Parked => return Err(Reason::Parked),
                News::Lost => self.serve_another(work)?,
                News::Away => away = true,
                News::Waiting if away => {
                    away = false;
                    asks.hurry();
                }
                News::Waiting => (),
            }
            if asks.is_due() {
                if self.asked_before_start(work, stop)? {
                    return Ok(());
                }
                continue;
            }
            match self.check_runner(work, &mut patience, stop) {
                // The runner may be gone because its job is over, of which no delivery told.
                Err(Reason::NotOnline | Reason::NotStarted) if !patience.over => {
                    patience.over = true;
                    asks.hurry();
                    continue;
                }
                checked => checked?,
            }
            let limit = TICK.min(asks.left()).min(patience.left()).max(Duration::from_millis(10));
            match stop.before_start(&self.bell, limit) {
                Woken::Stop(_) => return Err(Reason::Stopped),
                _ => self.tick(),
            }
        }
    }

    /// Asks GitHub about the claim's job; true when it has started on our runner, whatever the store knows.
    pub(super) fn asked_before_start(&self, work: &mut Work, stop: &Stop) -> Result<bool, Reason> {
        let state = match self.ask(&work.entry.job, &self.asker_once(stop, Urgency::Drain)) {
            Ok(state) => state,
            Err(Reason::Stopped) => return Err(Reason::Stopped),
            Err(reason) => {
                log::warn!("GitHub was asked about the job in vain, and is asked again: {reason}");
                return Ok(false);
            }
        };
        let ours = Some(&work.runner());
        Ok(match state {
            Some(State::Running { runner, .. }) => Some(&runner) == ours,
            Some(State::Over(ending)) if ending.runner.as_ref() == ours => {
                work.entry.state = State::Over(ending);
                true
            }
            _ => false,
        })
    }

    /// A stranger took our job: the VM first serves another one of equal labels.
    pub(super) fn serve_another(&mut self, work: &mut Work) -> Result<(), Reason> {
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
        work.update(entry);
        let event = Event::Checkpoint { claim: id, runner: work.runner() };
        self.tools.store.apply(&event).map_err(|error| store_reason(&error))?;
        Ok(())
    }

    /// Is the runner online in time, and does it get a job in time?
    fn check_runner(&self, work: &Work, patience: &mut Patience, stop: &Stop) -> Result<(), Reason> {
        if !patience.left().is_zero() {
            return Ok(());
        }
        let limit = self.options.registration_timeout;
        let asker = self.asker_once(stop, Urgency::Drain);
        match self.tools.github.find_runner(&asker, &self.options.scope, &work.runner()) {
            Ok(Some(runner)) if runner.busy => patience.again(limit),
            Ok(Some(runner)) if runner.online && !patience.online => {
                patience.online = true;
                patience.again(limit * 2);
            }
            Ok(Some(runner)) if runner.online => return Err(Reason::NotStarted),
            Ok(_) => return Err(if patience.online { Reason::NotStarted } else { Reason::NotOnline }),
            Err(error) => match github_reason(&error) {
                Reason::Stopped => return Err(Reason::Stopped),
                _ if patience.started.elapsed() > limit * 2 => return Err(github_reason(&error)),
                reason => {
                    log::warn!("GitHub was asked about the runner in vain, and is asked again: {reason}");
                    patience.again(Duration::from_secs(10).min(limit));
                }
            },
        }
        Ok(())
    }

    /// Until the job is over, or the daemon ends. Nothing but GitHub's word ends this wait.
    pub(super) fn watch_running(&mut self, work: &mut Work, stop: &Stop) -> Ran {
        self.watch_from(work, Asks::from_now(), stop)
    }

    /// As [`Handler::watch_running`], with the first look at GitHub when `asks` says.
    pub(super) fn watch_from(&mut self, work: &mut Work, mut asks: Asks, stop: &Stop) -> Ran {
        let mut away = false;
        loop {
            match self.news(work) {
                News::Over => break,
                News::Away => away = true,
                _ if away => {
                    away = false;
                    asks.hurry();
                }
                _ => (),
            }
            if asks.is_due() && self.asked_running(work, stop) {
                break;
            }
            let limit = TICK.min(asks.left()).max(Duration::from_millis(10));
            match stop.running(&self.bell, limit) {
                Woken::Stop(_) => return Ran::Detached,
                _ => self.tick(),
            }
            if self.vm_has_vanished(work) {
                asks.hurry();
            }
        }
        if work.ran().is_some() {
            work.gone = Some(RunnerGone::by_github(work.runner()));
        }
        Ran::Over
    }

    /// Whether the VM has gone in the middle of its job: said once, and GitHub has the verdict.
    fn vm_has_vanished(&self, work: &mut Work) -> bool {
        let Some(since) = work.running_since else { return false };
        let vanished = self.tools.guests.has_vanished(&self.tools.anka, &work.vm, since);
        if vanished {
            work.running_since = None;
            log::warn!("the VM is gone in the middle of its job; GitHub has the verdict");
        }
        vanished
    }

    /// Asks GitHub; true when the job is over.
    fn asked_running(&self, work: &mut Work, stop: &Stop) -> bool {
        match self.ask(&work.entry.job, &self.asker_once(stop, Urgency::Interrupt)) {
            Ok(Some(State::Over(ending))) => {
                work.entry.state = State::Over(ending);
                true
            }
            Ok(_) | Err(Reason::Stopped) => false,
            Err(reason) => {
                log::warn!("GitHub was asked about the job in vain, and is asked again: {reason}");
                false
            }
        }
    }

    /// The runner could not be removed: it has a job, or GitHub does not say. Until a job of it is over (or the
    /// daemon ends), or until it may be tried again, which is `None`.
    pub(super) fn watch_until_free(&mut self, work: &mut Work, mut asks: Asks, stop: &Stop) -> Option<Ran> {
        loop {
            match self.news(work) {
                News::Running => return Some(self.watch_running(work, stop)),
                News::Over if work.ran().is_some() => {
                    work.gone = Some(RunnerGone::by_github(work.runner()));
                    return Some(Ran::Over);
                }
                _ => (),
            }
            if asks.is_due() {
                let asker = self.asker_once(stop, Urgency::Interrupt);
                let found = self.tools.github.find_runner(&asker, &self.options.scope, &work.runner());
                if found.is_ok_and(|runner| runner.is_none_or(|runner| !runner.busy)) {
                    return None;
                }
            }
            match stop.running(&self.bell, TICK.min(asks.left()).max(Duration::from_millis(10))) {
                Woken::Stop(_) => return Some(Ran::Detached),
                _ => self.tick(),
            }
        }
    }
}

impl Patience {
    fn new(limit: Duration) -> Patience {
        Patience { started: Instant::now(), online: false, next: limit, over: false }
    }

    fn left(&self) -> Duration {
        self.next.saturating_sub(self.started.elapsed())
    }

    fn again(&mut self, after: Duration) {
        self.next = self.started.elapsed() + after;
    }
}
