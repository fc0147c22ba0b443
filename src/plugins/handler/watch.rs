//! Watching: until the job starts, and until it is over.

use std::time::{Duration, Instant};

use crate::domain::entry::State;
use crate::domain::outcome::Reason;
use crate::domain::undo::RunnerGone;
use crate::github::Asker;
use crate::plugins::handler::Handler;
use crate::plugins::handler::error::github_reason;
use crate::plugins::handler::news::News;
use crate::plugins::handler::schedule::Asks;
use crate::plugins::handler::streak::Effort;
use crate::plugins::handler::trouble::Trouble;
use crate::plugins::handler::work::{Ran, Work};
use crate::runtime::stop::{Stop, Urgency, Woken};

/// How long the runner has, and what is known of it.
pub(super) struct Patience {
    started: Instant,
    online: bool,
    next: Duration,
    /// It is over; GitHub is asked about the job before anybody draws a conclusion.
    over: bool,
}

impl Handler {
    /// From the runner's start until GitHub gives it a job.
    pub(super) fn watch_before_start(&mut self, work: &mut Work, stop: &Stop) -> Result<(), Reason> {
        let mut asks = Asks::from_now();
        let mut patience = Patience::new(self.options.registration_timeout);
        let mut away = false;
        loop {
            match self.news(work) {
                News::Running => return Ok(()),
                News::Over if work.ran().is_some() => return Ok(()),
                news @ (News::Over | News::Parked | News::Lost) => self.heed(work, &news)?,
                News::Away => away = true,
                News::Waiting if away => {
                    away = false;
                    asks.hurry();
                }
                News::Waiting => (),
            }
            if asks.is_due(|| self.tools.github.is_scarce()) {
                if self.asked_before_start(work, &mut asks, stop)? {
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
            let limit =
                work.longest_wait().min(asks.left()).min(patience.left()).max(Duration::from_millis(10));
            match stop.before_start(&self.bell, limit) {
                Woken::Stop(_) => return Err(Reason::Stopped),
                _ => self.tick(),
            }
        }
    }

    /// Asks GitHub about the claim's job; true when it has started on our runner, whatever the store knows.
    pub(super) fn asked_before_start(
        &self,
        work: &mut Work,
        asks: &mut Asks,
        stop: &Stop,
    ) -> Result<bool, Reason> {
        let Some(state) = self.answer(work, asks, &self.asker_once(stop, Urgency::Drain))? else {
            return Ok(false);
        };
        let ours = Some(&work.runner());
        Ok(match state {
            State::Running { runner, .. } => Some(&runner) == ours,
            State::Over(ending) if ending.runner.as_ref() == ours => {
                work.entry.state = State::Over(ending);
                true
            }
            _ => false,
        })
    }

    /// GitHub's answer about the job in hand. An ask in vain is said, and made again soon; only a stop is an error.
    fn answer(&self, work: &Work, asks: &mut Asks, asker: &Asker<'_>) -> Result<Option<State>, Reason> {
        let answer = self.ask(&work.entry.job, asker);
        asks.answered(answer.is_ok());
        answer.or_else(|reason| match reason {
            Reason::Stopped => Err(Reason::Stopped),
            reason => {
                let what = "GitHub was asked about the job in vain, and is asked again";
                self.streaks.failed_because(Effort::AskJob, &reason, format_args!("{what}: {reason}"));
                Ok(None)
            }
        })
    }

    /// Is the runner online in time, and does it get a job in time?
    fn check_runner(&self, work: &Work, patience: &mut Patience, stop: &Stop) -> Result<(), Reason> {
        if !patience.left().is_zero() {
            return Ok(());
        }
        let limit = self.options.registration_timeout;
        let asker = self.asker_once(stop, Urgency::Drain);
        let found = self.tools.github.find_runner(&asker, &self.options.scope, &work.runner());
        if found.is_ok() {
            self.streaks.worked(Effort::AskRunner);
        }
        match found {
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
                    self.asked_about_runner_in_vain(&reason);
                    patience.again(Duration::from_secs(10).min(limit));
                }
            },
        }
        Ok(())
    }

    fn asked_about_runner_in_vain(&self, reason: &Reason) {
        let what = "GitHub was asked about the runner in vain, and is asked again";
        self.streaks.failed_because(Effort::AskRunner, reason, format_args!("{what}: {reason}"));
    }

    /// Until the job is over, or the daemon ends. Nothing but GitHub's word ends this wait.
    pub(super) fn watch_running(&mut self, work: &mut Work, stop: &Stop) -> Ran {
        self.watch_from(work, Asks::from_now(), stop)
    }

    /// As [`Handler::watch_running`], with the first look at GitHub when `asks` says.
    pub(super) fn watch_from(&mut self, work: &mut Work, mut asks: Asks, stop: &Stop) -> Ran {
        let (mut away, mut trouble) = (false, Trouble::new());
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
            if trouble.is_over() {
                asks.hurry();
            }
            if asks.is_due(|| self.tools.github.is_scarce()) && self.asked_running(work, &mut asks, stop) {
                break;
            }
            let limit = work.longest_wait().min(asks.left()).min(trouble.longest_wait());
            let limit = limit.max(Duration::from_millis(10));
            match stop.running(&self.bell, limit) {
                Woken::Stop(_) => return Ran::Detached,
                _ => self.tick(),
            }
            if self.vm_has_vanished(work) {
                asks.hurry();
            }
        }
        if work.is_proven_over() {
            work.gone = Some(RunnerGone::by_github(work.runner()));
        }
        Ran::Over
    }

    /// Whether the VM has gone in the middle of its job: said once, and GitHub has the verdict.
    fn vm_has_vanished(&self, work: &mut Work) -> bool {
        let Some(since) = work.running_since else { return false };
        let vanished = self.tools.guests.has_vanished(&self.tools.anka, &self.tools.slots, &work.vm, since);
        if vanished {
            work.running_since = None;
            log::warn!("the VM is gone in the middle of its job; GitHub has the verdict");
        }
        vanished
    }

    /// Asks GitHub; true when the job is over.
    fn asked_running(&self, work: &mut Work, asks: &mut Asks, stop: &Stop) -> bool {
        match self.answer(work, asks, &self.asker_once(stop, Urgency::Interrupt)) {
            Ok(Some(State::Over(ending))) => {
                work.entry.state = State::Over(ending);
                true
            }
            _ => false,
        }
    }

    /// The runner could not be removed: it has a job, or GitHub does not say. Until a job of it is over (or the
    /// daemon ends), or until it may be tried again, which is `None`.
    pub(super) fn watch_until_free(&mut self, work: &mut Work, mut asks: Asks, stop: &Stop) -> Option<Ran> {
        loop {
            match self.news(work) {
                News::Running => return Some(self.watch_running(work, stop)),
                News::Over if work.is_proven_over() => {
                    work.gone = Some(RunnerGone::by_github(work.runner()));
                    return Some(Ran::Over);
                }
                _ => (),
            }
            if asks.is_due(|| self.tools.github.is_scarce()) {
                let asker = self.asker_once(stop, Urgency::Interrupt);
                let found = self.tools.github.find_runner(&asker, &self.options.scope, &work.runner());
                asks.answered(found.is_ok());
                match found {
                    Ok(runner) => {
                        self.streaks.worked(Effort::AskRunner);
                        if runner.is_none_or(|runner| !runner.busy) {
                            return None;
                        }
                    }
                    Err(error) => self.asked_about_runner_in_vain(&github_reason(&error)),
                }
            }
            match stop
                .running(&self.bell, work.longest_wait().min(asks.left()).max(Duration::from_millis(10)))
            {
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
