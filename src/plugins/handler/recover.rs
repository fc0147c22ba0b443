//! After a crash, a detach or a reboot: the same functions as on the normal way, begun in the middle.

use std::time::{Duration, Instant};

use crate::domain::claim::Claim;
use crate::domain::entry::{Entry, State};
use crate::domain::event::End;
use crate::domain::ids::Millis;
use crate::domain::outcome::Reason;
use crate::domain::undo::{Closing, Page, RunnerGone};
use crate::plugins::handler::Handler;
use crate::plugins::handler::schedule::Asks;
use crate::plugins::handler::streak::Effort;
use crate::plugins::handler::work::{Ran, Work};
use crate::runtime::children::{self, Left};
use crate::runtime::plugin::Line;
use crate::runtime::status::Activity;
use crate::runtime::stop::{Stop, Urgency};
use crate::store::StoreError;

/// How long children that outlived the daemon may go on.
const CHILDREN: Duration = Duration::from_secs(10);
/// Tries to have the slot of a VM again, and the pause between them.
const SLOT_TRIES: u32 = 20;
const SLOT_AGAIN: Duration = Duration::from_millis(50);
/// Between looks at a store that is away.
const STORE_AGAIN: Duration = Duration::from_secs(2);

impl Handler {
    /// Finishes what the last daemon left: the journal's page first, then claims that never got one.
    /// False when a stop came before it was done.
    pub(super) fn recover(&mut self, line: &mut Line, stop: &Stop) -> bool {
        if let Some(page) = self.undo.page().cloned() {
            log::info!("an earlier daemon left VM {} of job {} in the journal", page.vm, page.job.id);
            self.take_back_slot(&page, stop);
            line.pass();
            if !self.recover_page(&page, stop) {
                return false;
            }
        }
        line.pass();
        self.release_strays(stop)
    }

    /// Whoever looks at the notes of the places holds each for an instant: so it is tried for a while.
    fn take_back_slot(&mut self, page: &Page, stop: &Stop) {
        for _ in 0..SLOT_TRIES {
            let slot = self.tools.slots.retake_vm(&page.vm, page.slot);
            if slot.is_some() {
                return self.undo.retake(slot);
            }
            if !stop.pause(Urgency::Interrupt, SLOT_AGAIN) {
                break;
            }
        }
        log::warn!(
            "both places of this host are taken: VM {} counts as a guest until it is deleted",
            page.vm
        );
    }

    pub(super) fn recover_page(&mut self, page: &Page, stop: &Stop) -> bool {
        let Ok(held) = self.reclaim(page, stop) else { return false };
        let (claim, entry) = match held {
            Some((claim, entry)) => (Some(claim), entry),
            None => (None, Entry::new(page.job.clone(), State::Queued, Millis(0))),
        };
        let mut work = Work::new(claim, entry, page.vm.clone());
        work.has_vm = true;
        if let Some(runner) = &page.runner {
            work.runner.clone_from(runner);
        }
        work.running_since = Some(Instant::now());
        work.closing.clone_from(&page.verdict);
        let result = self.judge(&mut work, page, stop);
        let result = self.clean_up(&mut work, result, stop);
        self.finish(work, result, stop);
        self.undo.page().is_none()
    }

    /// What became of the job meanwhile.
    fn judge(&mut self, work: &mut Work, page: &Page, stop: &Stop) -> Result<Ran, Reason> {
        let left = self.children(page, stop);
        if page.runner.is_none() || page.verdict.is_some() {
            end(work, &left);
            if let Some(Closing::Settle(_, End::Over(_))) = page.verdict {
                // Which runner it was on the page does not say; what GitHub says of it is played.
                let _ = self.ask(&page.job, &self.asker_once(stop, Urgency::Drain));
            }
            return Err(Reason::Crashed);
        }
        if let State::Over(_) = work.entry.state {
            end(work, &left);
            return Ok(over(work));
        }
        match self.ask(&work.entry.job.clone(), &self.asker(stop, Urgency::Drain)) {
            Ok(Some(State::Over(ending))) => {
                end(work, &left);
                work.entry.state = State::Over(ending);
                return Ok(over(work));
            }
            Ok(Some(State::Running { runner, .. })) if runner == work.runner() => {
                return Ok(self.adopt(work, stop));
            }
            Err(Reason::Stopped) => return Err(Reason::Stopped),
            Err(reason) => self.streaks.failed_because(
                Effort::AskJob,
                &reason,
                format_args!("GitHub was asked in vain what became of the job: {reason}"),
            ),
            Ok(_) => (),
        }
        if matches!(&work.entry.state, State::Running { runner, .. } if *runner == work.runner()) {
            return Ok(self.adopt(work, stop));
        }
        end(work, &left);
        Err(Reason::Crashed)
    }

    fn adopt(&mut self, work: &mut Work, stop: &Stop) -> Ran {
        log::info!("the job still runs in its VM and is watched on");
        self.tools.cell.board().vm_runs(&work.vm);
        self.tools.cell.set(Activity::InProgress);
        self.watch_from(work, Asks::at_once(), stop)
    }

    /// The claim again, if it is still ours; waits for a store that is away.
    fn reclaim(&self, page: &Page, stop: &Stop) -> Result<Option<(Claim, Entry)>, Reason> {
        loop {
            match self.tools.store.reclaim(&page.claim) {
                Ok(held) => {
                    self.streaks.worked(Effort::Recover);
                    return Ok(held);
                }
                Err(error) => self.recovery_waits(&error),
            }
            if !stop.pause(Urgency::Drain, STORE_AGAIN) {
                return Err(Reason::Stopped);
            }
        }
    }

    /// Claims of ours without a page: the daemon died between the claim and the promise.
    fn release_strays(&mut self, stop: &Stop) -> bool {
        loop {
            match self.tools.store.held_by(&self.options.owner) {
                Ok(entries) => {
                    let mut all = true;
                    for claim in entries.iter().filter_map(|entry| Some(entry.hold()?.claim.clone())) {
                        let closing = Closing::Release { job: None, counted: false, pause: Duration::ZERO };
                        all &= self.tools.store.end(Claim::granted(claim), &closing).is_ok();
                    }
                    if all {
                        self.streaks.worked(Effort::Recover);
                        return true;
                    }
                }
                Err(error) => self.recovery_waits(&error),
            }
            if !stop.pause(Urgency::Drain, STORE_AGAIN) {
                return false;
            }
        }
    }

    fn recovery_waits(&self, error: &StoreError) {
        self.streaks.failed(Effort::Recover, format_args!("the recovery waits for the store: {error}"));
    }

    /// The children that outlived the daemon, after they had time to end by themselves.
    fn children(&self, page: &Page, stop: &Stop) -> Vec<Left> {
        let mut left = children::of_vm(self.tools.anka.children_dir(), &page.vm);
        let until = Instant::now() + CHILDREN;
        left.retain(|child| {
            let limit = until.saturating_duration_since(Instant::now());
            !child.wait(limit, stop.ends_at(Urgency::Interrupt))
        });
        left
    }
}

/// Ends what works on a VM that is about to be deleted.
fn end(work: &mut Work, left: &[Left]) {
    if !left.is_empty() {
        work.cut_short = Some(Instant::now());
    }
    for child in left {
        log::warn!("anka {} of the dead daemon does not end and is ended", child.call);
        if !child.end_group() {
            log::error!("anka {} of the dead daemon cannot be ended; end it by hand", child.call);
        }
    }
}

fn over(work: &mut Work) -> Ran {
    if work.is_proven_over() {
        work.gone = Some(RunnerGone::by_github(work.runner()));
    }
    Ran::Over
}
