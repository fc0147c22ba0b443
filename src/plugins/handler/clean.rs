//! Cleaning up: newest first, every step, past failures. It takes no stop; an interrupt only shortens its patience.

use std::time::Duration;

use crate::domain::ids::RunnerName;
use crate::domain::outcome::Reason;
use crate::domain::undo::{Deletable, RunnerGone};
use crate::github::GRACE;
use crate::github::runners::Removal;
use crate::plugins::handler::Handler;
use crate::plugins::handler::error::github_reason;
use crate::plugins::handler::schedule::Asks;
use crate::plugins::handler::streak::Effort;
use crate::plugins::handler::work::{Ran, Work};
use crate::runtime::meters;
use crate::runtime::pace::paced;
use crate::runtime::stop::{Stop, Urgency, breathe};

/// Pauses between tries to delete a VM. After them it is tried each minute.
const AGAIN: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(15), Duration::from_mins(1)];

/// How long a registration that was cut short in the VM may still reach GitHub.
const SETTLES: Duration = Duration::from_secs(2);

impl Handler {
    /// Removes the runner, then the VM. Turns back to watching when the runner has just been given a job.
    pub(super) fn clean_up(
        &mut self,
        work: &mut Work,
        mut result: Result<Ran, Reason>,
        stop: &Stop,
    ) -> Result<Ran, Reason> {
        while result != Ok(Ran::Detached) && self.undo.page().is_some() {
            if result == Ok(Ran::Over) && work.is_proven_over() {
                self.count(work);
            }
            let timer = meters::CLEAN_UP.timer();
            let Some(asks) = self.remove_runner(work, stop) else {
                let late = self.removed_runner(work);
                self.delete_vm(work, &result, stop);
                if !work.has_vm {
                    self.remove_late_runner(late, stop);
                    timer.done();
                }
                break;
            };
            if let Some(ran) = self.watch_until_free(work, asks, stop) {
                // Whatever was settled before.
                work.closing = None;
                result = Ok(ran);
            }
        }
        result
    }

    /// `None`: no job can run on the runner any more. Only GitHub's word proves it: while there is none, the VM
    /// stays, and this is when to look again.
    fn remove_runner(&mut self, work: &mut Work, stop: &Stop) -> Option<Asks> {
        let runner = self.undo.page().and_then(|page| page.runner.clone())?;
        if work.gone.is_some() {
            return None;
        }
        let asker = self.asker_cleaning(stop);
        let (github, scope) = (&self.tools.github, &self.options.scope);
        let number = self.undo.page().and_then(|page| page.runner_id);
        let removed = match (number, work.cut_short.take()) {
            (Some(id), _) => github.remove_runner(&asker, scope, id, &runner),
            (None, None) => github.remove_runner_named(&asker, scope, &runner),
            (None, Some(at)) => match github.find_runner(&asker, scope, &runner) {
                Ok(Some(found)) => github.remove_runner(&asker, scope, found.id, &runner),
                Ok(None) => {
                    // One that is not listed yet may be a moment later, and be given a job.
                    breathe(SETTLES.saturating_sub(at.elapsed()));
                    github.remove_runner_named(&asker, scope, &runner)
                }
                Err(error) => Err(error),
            },
        };
        match removed {
            Ok(Removal::Gone) => {
                self.streaks.worked(Effort::RemoveRunner);
                work.gone = Some(RunnerGone::by_github(runner));
                None
            }
            Ok(Removal::Busy) => {
                self.streaks.worked(Effort::RemoveRunner);
                work.in_vain = 0;
                log::info!("the runner has just been given a job: back to watching");
                Some(Asks::from_now())
            }
            Err(error) => {
                let reason = github_reason(&error);
                let what = "the VM stays until GitHub says that no job runs on its runner";
                self.streaks.failed_because(Effort::RemoveRunner, &reason, format_args!("{what}: {reason}"));
                work.in_vain += 1;
                Some(Asks::after(work.in_vain))
            }
        }
    }

    /// The runner that no job ran on, as far as is known: GitHub said that it was gone, or not there. One whose number is
    /// known is gone for good.
    fn removed_runner(&self, work: &Work) -> Option<RunnerName> {
        let page = self.undo.page().filter(|page| page.runner_id.is_none() && work.ran().is_none())?;
        page.runner.clone()
    }

    /// A script that was cut short goes on in the guest, and may have registered the runner after GitHub was asked.
    /// Once the VM is gone nobody can any more.
    fn remove_late_runner(&mut self, runner: Option<RunnerName>, stop: &Stop) {
        let Some(runner) = runner else { return };
        let asker = self.asker_once(stop, Urgency::Interrupt).with_grace(GRACE);
        match self.tools.github.remove_runner_named(&asker, &self.options.scope, &runner) {
            Ok(Removal::Gone) => (),
            Ok(Removal::Busy) => log::warn!("a job was given to the runner at the last moment, and is lost"),
            Err(error) => {
                let reason = github_reason(&error);
                log::warn!("failed to see whether the runner registered at the last moment: {reason}");
            }
        }
    }

    /// Deletes the VM, however often it takes; on an interrupt the rest is the journal's.
    fn delete_vm(&mut self, work: &mut Work, result: &Result<Ran, Reason>, stop: &Stop) {
        let Some(deletable) = self.undo.deletable(work.gone.as_ref()) else { return };
        for round in 0.. {
            let Err(error) = self.tools.anka.delete(&deletable) else {
                self.vm_is_gone(work, deletable);
                return;
            };
            let what = format_args!(
                "the VM could not be deleted, keeps its slot, and is tried again (if that does not help, delete it by hand): {error}"
            );
            self.streaks.failed(Effort::Delete, what);
            if round + 1 >= AGAIN.len() {
                // The job must not wait for a VM that does not go: its claim ends now, the VM stays ours to delete.
                self.end_claim_early(work, result, stop);
            }
            if !stop.pause(Urgency::Interrupt, paced(AGAIN[round.min(AGAIN.len() - 1)])) {
                return;
            }
        }
    }

    fn vm_is_gone(&mut self, work: &mut Work, deletable: Deletable) {
        work.has_vm = false;
        self.streaks.worked(Effort::Delete);
        self.undo.vm_gone(&deletable);
        self.tools.cell.board().vm_gone(deletable.vm());
        self.mind_deleted(deletable);
        log::info!("the VM is deleted");
    }
}
