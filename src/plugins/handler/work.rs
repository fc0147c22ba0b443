//! What one turn has in hand: a claim, the job that it holds, the VM that it pays for.

use std::time::{Duration, Instant};

use crate::domain::claim::Claim;
use crate::domain::entry::{Ending, Entry, State};
use crate::domain::ids::{RunnerName, VmName};
use crate::domain::undo::{Closing, RunnerGone};
use crate::log::Field;
use crate::log::scope::{self, Scope};
use crate::plugins::fields;
use crate::plugins::handler::TICK;
use crate::plugins::handler::ask::is_deleted;
use crate::runtime::pace::paced;

/// Between two looks of a VM that no claim pays for any more.
const WITHOUT_BELL: Duration = Duration::from_millis(500);

/// One turn's work.
pub(super) struct Work {
    /// The right to the job; `None` once it is lost.
    pub claim: Option<Claim>,
    /// The job, as far as is known. A crossing changes it.
    pub entry: Entry,
    /// The VM's name.
    pub vm: VmName,
    /// Its runner's: the VM's, unless GitHub may have made one of that name whose answer was lost.
    pub runner: RunnerName,
    /// How the claim is to end, once that is settled: before the VM is gone, where that takes too long.
    pub closing: Option<Closing>,
    /// How often in a row GitHub was asked in vain to remove the runner.
    pub in_vain: u32,
    /// The proof that no job can run on the runner any more.
    pub gone: Option<RunnerGone>,
    /// Whether the VM may be there: from just before the clone to the end of the delete.
    pub has_vm: bool,
    /// When the scripts that register the runner were ended in the middle: what they began in the VM may go on.
    pub cut_short: Option<Instant>,
    /// Whether the metrics have its outcome.
    pub is_counted: bool,
    /// Since when the VM is known to run, until it is seen to have gone.
    pub running_since: Option<Instant>,
    scope: Option<Scope>,
}

/// How a job's time on its VM ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ran {
    /// The job that the VM ran is over.
    Over,
    /// The daemon ends; the job goes on.
    Detached,
}

impl Work {
    /// The work on a claimed job.
    pub fn new(claim: Option<Claim>, entry: Entry, vm: VmName) -> Work {
        let runner = vm.runner();
        let mut work = Work {
            claim,
            entry,
            runner,
            vm,
            closing: None,
            in_vain: 0,
            gone: None,
            has_vm: false,
            cut_short: None,
            is_counted: false,
            running_since: None,
            scope: None,
        };
        work.enter();
        work
    }

    /// How long to wait for the bell: nobody rings it for a VM without a claim.
    pub fn longest_wait(&self) -> Duration {
        if self.claim.is_some() { paced(TICK) } else { WITHOUT_BELL }
    }

    /// Our runner's name.
    pub fn runner(&self) -> RunnerName {
        self.runner.clone()
    }

    /// Takes over what the store says of the job that the claim holds. A crossing is said.
    pub fn update(&mut self, entry: Entry) {
        let crossed = entry.job.id != self.entry.job.id;
        if crossed {
            log::info!(
                "the VM's runner and job {} have crossed: the claim now holds job {}",
                self.entry.job.id,
                entry.job.id
            );
        }
        self.entry = entry;
        if crossed {
            self.enter();
        }
    }

    /// From here on, this thread's log lines name the job and the VM.
    fn enter(&mut self) {
        self.scope = None;
        self.scope = Some(scope::enter(fields::of(&self.entry.job).with(Field::VmName, self.vm.0.as_str())));
    }

    /// Whether GitHub itself has said that our runner's job is over, and so that the runner is gone. That GitHub knows
    /// the job no longer says nothing of its runner.
    pub fn is_proven_over(&self) -> bool {
        self.ran().is_some_and(|ending| !is_deleted(&ending.conclusion))
    }

    /// How the job ended, if it ended on our runner.
    pub fn ran(&self) -> Option<&Ending> {
        match &self.entry.state {
            State::Over(ending) if ending.runner.as_ref() == Some(&self.runner()) => Some(ending),
            _ => None,
        }
    }
}
