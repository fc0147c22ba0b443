//! How a claim ends: counted, cancelled, settled, released; and what is owed while the store is away.

use std::time::Duration;

use log::Level;

use crate::domain::claim::Claim;
use crate::domain::entry::{Ending, State};
use crate::domain::event::{End, Event, Verdict};
use crate::domain::outcome::{Policy, Reason, Stands, counted_pause};
use crate::domain::undo::Closing;
use crate::plugins::handler::Handler;
use crate::plugins::handler::news::News;
use crate::plugins::handler::once::failed_try;
use crate::plugins::handler::schedule::Asks;
use crate::plugins::handler::streak::Effort;
use crate::plugins::handler::work::{Ran, Work};
use crate::runtime::meters;
use crate::runtime::stop::{Stop, Urgency};

/// The claim ends, and nothing else is said.
pub(super) const LET_GO: Closing = Closing::Release { job: None, counted: false, pause: Duration::ZERO };
/// Between tries to tell the store how a claim ended.
const STORE_AGAIN: Duration = Duration::from_secs(2);

impl Handler {
    /// The end of a turn's work: the outcome is counted once, and the claim ends.
    pub(super) fn finish(&mut self, mut work: Work, result: Result<Ran, Reason>, stop: &Stop) {
        let settled = work.closing.take().filter(|_| result != Ok(Ran::Detached));
        let Some(closing) = settled.or_else(|| self.closing(&mut work, result, stop)) else {
            log::info!("the job goes on in its VM; the next start takes it up");
            work.claim.take().map(Claim::detach);
            return;
        };
        self.failed_try = failed_try(&closing);
        self.end_claim(work, &closing, stop);
    }

    /// How the claim ends; `None`: not now.
    fn closing(&mut self, work: &mut Work, result: Result<Ran, Reason>, stop: &Stop) -> Option<Closing> {
        match self.after_all(work, result, stop) {
            Ok(Ran::Detached) => None,
            Ok(Ran::Over) => Some(self.ran_to_its_end(work)),
            Err(reason) => Some(self.did_not_run(work, &reason, stop)),
        }
    }

    /// A job that was given up may have run after all, of which no delivery told in time: then it has its end to be
    /// waited for. And a run is never cancelled for a job that a stranger runs, or that is over.
    fn after_all(
        &mut self,
        work: &mut Work,
        result: Result<Ran, Reason>,
        stop: &Stop,
    ) -> Result<Ran, Reason> {
        let Err(reason) = result else { return result };
        if self.undo.page().is_some_and(|page| page.runner.is_some()) {
            // What it says is played; where it says nothing, the reason stands.
            let _ = self.ask(&work.entry.job, &self.asker_once(stop, Urgency::Interrupt));
        }
        match self.news(work) {
            News::Running => Ok(self.watch_from(work, Asks::at_once(), stop)),
            News::Over if work.ran().is_some() => Ok(Ran::Over),
            news => {
                let gives_up = matches!(reason.policy(), Policy::Counted | Policy::Cancel);
                Err(overtaken(&news).filter(|_| gives_up).unwrap_or(reason))
            }
        }
    }

    fn ran_to_its_end(&mut self, work: &mut Work) -> Closing {
        self.held_back.clear(work.entry.job.id);
        self.count(work);
        let State::Over(ending) = &work.entry.state else {
            return LET_GO;
        };
        if work.ran().is_some() {
            log::info!("the job is over: {}", ending.conclusion);
        } else {
            log::info!("the job is over, and ran elsewhere or not at all: {}", ending.conclusion);
        }
        Closing::Settle(work.entry.job.id, End::Over(ending.conclusion.clone()))
    }

    /// The outcome of the job that the VM ran, once: as soon as it is known, whatever the clean-up takes.
    pub(super) fn count(&self, work: &mut Work) {
        if let Some(ending) = work.ran().filter(|_| !work.is_counted) {
            self.tools.cell.finished(ending.conclusion.tally(), &work.entry.job.url);
            work.is_counted = true;
        }
    }

    fn did_not_run(&mut self, work: &mut Work, reason: &Reason, stop: &Stop) -> Closing {
        self.doubted |= matches!(reason, Reason::Forbidden(_) | Reason::SignInRefused(_));
        match reason.stands() {
            Stands::Nothing => (),
            Stands::ForTheJob => self.held_back.job(work.entry.job.id),
            Stands::ForTheHost => self.held_back.host(),
        }
        match reason.policy() {
            Policy::LetGo => {
                log::info!("the job is let go: {reason}");
                LET_GO
            }
            Policy::Park => {
                log::info!("the job is parked: {reason}");
                Closing::Park(work.entry.job.id)
            }
            Policy::Uncounted => {
                self.say_uncounted(reason);
                LET_GO
            }
            Policy::Counted => self.counted(work, reason, stop),
            Policy::Cancel => self.give_up(work, Level::Warn, "the job can never run here", reason, stop),
            Policy::Vote => self.vote(work, reason, stop),
        }
    }

    fn counted(&mut self, work: &Work, reason: &Reason, stop: &Stop) -> Closing {
        meters::ATTEMPTS.add(&[reason.word()]);
        let tries = work.entry.attempts + 1;
        let most = self.options.job_retry_attempts;
        if tries < most {
            log::warn!("try {tries} of {most} failed, the job goes back to the queue: {reason}");
            let job = Some(work.entry.job.id);
            return Closing::Release { job, counted: true, pause: counted_pause(tries) };
        }
        let what = format!("try {tries} of {most} failed, the job is given up");
        self.give_up(work, Level::Error, &what, reason, stop)
    }

    /// "Not here": the run is cancelled when every live handler that may take the job has said so.
    fn vote(&mut self, work: &mut Work, reason: &Reason, stop: &Stop) -> Closing {
        let Some(claim) = work.claim.as_ref() else { return LET_GO };
        // Until then the store does not know who else may have it.
        let all_begun = self.tools.guests.muster.wait(stop);
        let voter = self.options.voter.clone();
        match self.tools.store.apply(&Event::NotHere { claim: claim.id().clone(), voter }) {
            Ok(told) if told.verdict == Verdict::Unanimous && !all_begun => {
                self.held_back.job(work.entry.job.id);
                log::info!("the job waits until all handlers have begun: {reason}");
                LET_GO
            }
            Ok(told) if told.verdict == Verdict::Unanimous => {
                self.streaks.worked(Effort::Vote);
                self.give_up(work, Level::Warn, "no host has what the job asks for", reason, stop)
            }
            // It has started elsewhere or is over: nobody votes any more, and the claim ends as any other.
            Ok(told) if told.verdict == Verdict::Known => LET_GO,
            Ok(_) => {
                self.streaks.worked(Effort::Vote);
                log::info!("the job is left to other hosts: {reason}");
                work.claim.take().map(Claim::detach);
                LET_GO
            }
            Err(error) => {
                let what = format_args!("failed to say that the template is not here: {error}");
                self.streaks.failed(Effort::Vote, what);
                LET_GO
            }
        }
    }

    /// Tells the store how the claim ended, however often it takes. While the store is away that is owed, in the
    /// journal.
    fn end_claim(&mut self, mut work: Work, closing: &Closing, stop: &Stop) {
        while !self.told_end(&mut work, closing) {
            if !stop.pause(Urgency::Drain, STORE_AGAIN) {
                work.claim.take().map(Claim::detach);
                return;
            }
        }
        // A VM that could not be deleted keeps its page.
        if !work.has_vm {
            self.close_page();
        }
    }

    /// For a VM that does not go: how the claim ends is settled, and told, before the VM is gone.
    pub(super) fn end_claim_early(&mut self, work: &mut Work, result: &Result<Ran, Reason>, stop: &Stop) {
        let settled = work.closing.take();
        work.closing = settled.or_else(|| self.closing(work, result.clone(), stop));
        if let Some(closing) = work.closing.clone() {
            self.told_end(work, &closing);
        }
    }

    /// Whether the store knows how the claim ended; if not, that is owed.
    fn told_end(&mut self, work: &mut Work, closing: &Closing) -> bool {
        let Some(claim) = work.claim.take() else { return true };
        self.tell_unheard(work);
        let Err((claim, error)) = self.tools.store.end(claim, closing) else {
            self.streaks.worked(Effort::EndClaim);
            return true;
        };
        let what = format_args!("the end of the claim is owed until the store is back: {error}");
        self.streaks.failed(Effort::EndClaim, what);
        if self.undo.page().is_none_or(|page| page.verdict.as_ref() != Some(closing)) {
            match self.undo.owe(claim.id(), &work.entry.job, &work.vm, closing.clone()) {
                Ok(()) => self.streaks.worked(Effort::Journal),
                Err(error) => {
                    let what = format_args!("failed to write to the journal what is owed: {error}");
                    self.streaks.failed(Effort::Journal, what);
                }
            }
        }
        work.claim = Some(claim);
        false
    }

    /// GitHub's word on the job's end, which came while the store was away: it names the runner, by which the store
    /// finds a claim that has crossed. A store that is still away is told again.
    fn tell_unheard(&self, work: &Work) {
        if let State::Over(Ending { conclusion, runner: Some(runner), hold: None, .. }) = &work.entry.state {
            let (job, runner) = (work.entry.job.clone(), Some(runner.clone()));
            let _ = self.tools.store.apply(&Event::Completed { job, runner, conclusion: conclusion.clone() });
        }
    }

    pub(super) fn close_page(&mut self) {
        match self.undo.close() {
            Ok(()) => self.streaks.worked(Effort::Journal),
            Err(error) => self.streaks.failed(
                Effort::Journal,
                format_args!("failed to close the journal's page, the next start reads it again: {error}"),
            ),
        }
    }

    fn say_uncounted(&self, reason: &Reason) {
        let what = format_args!("the job goes back to the queue: {reason}");
        match reason {
            Reason::Stopped | Reason::NoSlot | Reason::NoRoom(_) | Reason::PullTaken | Reason::Crashed => {
                log::info!("{what}");
            }
            _ => self.streaks.failed_because(Effort::start(reason), reason, what),
        }
    }
}

/// Why a job was not to be run any more, if that is so.
fn overtaken(news: &News) -> Option<Reason> {
    match news {
        News::Over => Some(Reason::AlreadyOver),
        News::Parked => Some(Reason::Parked),
        News::Lost => Some(Reason::Lost),
        News::Waiting | News::Running | News::Away => None,
    }
}
