//! What can be seen from outside: GitHub's state, the daemon's JSON log, the simulated Anka's calls.
//!
//! Each look turns them into moments of jobs, which are noted and shown in the order of their times.

use super::cast::Part;
use super::record::Record;
use super::screen::Screen;
use super::sources::{Moment, Sources, What};
use crate::stage::Stage;
use crate::stage::interrupt::Interrupt;
use crate::stage::when;
use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

const LOOK: Duration = Duration::from_millis(40);
/// A line that one source wrote first may be read from another one later.
const SORTED_WITHIN: Duration = Duration::from_millis(120);

pub struct Watch {
    pub stage: Stage,
    pub screen: Screen,
    pub interrupt: Interrupt,
    pub seen: Seen,
    sources: Sources,
    pending: Vec<Moment>,
    begun: OffsetDateTime,
}

/// What has been seen so far.
#[derive(Default)]
pub struct Seen {
    pub jobs: BTreeMap<u64, Record>,
    /// Our runners that are online without a job.
    pub online: BTreeSet<String>,
    /// VMs that were deleted.
    deleted: BTreeSet<String>,
    /// The job that each VM holds now.
    held: BTreeMap<String, u64>,
    /// What a runner could see of the daemon's secrets.
    pub leaks: BTreeSet<String>,
}

impl Watch {
    pub fn of(stage: Stage, screen: Screen, interrupt: Interrupt) -> Self {
        let sources = Sources::of(&stage);
        let seen = Seen::default();
        Self { stage, screen, interrupt, seen, sources, pending: Vec::new(), begun: when::now() }
    }

    /// Orders a job of the cast; its id.
    pub fn order(&mut self, name: &str) -> Result<u64, String> {
        let part = Part::named(name).ok_or_else(|| format!("no job {name} in the cast"))?;
        let made = self.stage.github.post("jobs", &part.order())?;
        let id = made["ids"][0].as_u64().ok_or("GitHub gave no job id")?;
        let run_id = made["run_ids"][0].as_u64().ok_or("GitHub gave no run id")?;
        let job = self.seen.job(id);
        (job.name, job.run_id) = (name.into(), run_id);
        Ok(id)
    }

    /// A person cancels the job's run.
    pub fn cancel(&mut self, name: &str) -> Result<(), String> {
        let job = self.seen.named(name).ok_or_else(|| format!("{name} was not ordered"))?;
        let (job, run_id) = (job.id, job.run_id);
        self.note(Moment { at: when::now(), job, what: What::Cancelled { by_anklet: false } });
        self.stage.github.post(&format!("runs/{run_id}/cancel"), &serde_json::json!({}))?;
        Ok(())
    }

    /// The job's id, and the runner that was made for the other job.
    pub fn crossed(&self, job: &str, other: &str) -> Result<(u64, String), String> {
        let job = self.seen.named(job).ok_or_else(|| format!("{job} was not ordered"))?;
        let claim = self.seen.named(other).and_then(|other| other.claims.last());
        let (vm, _) = claim.ok_or_else(|| format!("{other} has no VM"))?;
        Ok((job.id, vm.clone()))
    }

    /// Looks until it is so.
    pub fn until(
        &mut self,
        what: &str,
        within: Duration,
        is_so: impl Fn(&Seen) -> bool,
    ) -> Result<(), String> {
        let end = Instant::now() + within;
        loop {
            self.look()?;
            if is_so(&self.seen) {
                return Ok(());
            }
            if self.interrupt.presses() > 0 {
                return Err("you stopped it".into());
            }
            if let Some(status) = self.stage.daemon.ended() {
                return Err(format!("anklet ended by itself ({status}): {}", self.stage.daemon.output()));
            }
            if Instant::now() > end {
                return Err(format!("waited {} s in vain until {what}", within.as_secs()));
            }
            thread::sleep(LOOK);
        }
    }

    /// One look at everything.
    pub fn look(&mut self) -> Result<(), String> {
        let (moments, now) = self.sources.look(&self.stage)?;
        for moment in moments {
            self.note(moment);
        }
        self.seen.online = now.online;
        self.seen.leaks.extend(now.leaks);
        for (id, name) in now.names {
            self.seen.job(id).name = name;
        }
        self.show(when::now() - SORTED_WITHIN);
        Ok(())
    }

    /// Shows what waits to be sorted.
    pub fn show_all(&mut self) {
        self.show(when::now() + SORTED_WITHIN);
    }

    fn note(&mut self, moment: Moment) {
        self.seen.note(&moment);
        self.pending.push(moment);
    }

    fn show(&mut self, until: OffsetDateTime) {
        self.pending.sort_by_key(|moment| moment.at);
        let shown = self.pending.partition_point(|moment| moment.at <= until);
        for moment in self.pending.drain(..shown) {
            let name = self.seen.jobs.get(&moment.job).map_or("", |job| &job.name);
            self.screen.moved(moment.at - self.begun, name, &moment.what);
        }
    }
}

impl Seen {
    pub fn named(&self, name: &str) -> Option<&Record> {
        self.jobs.values().find(|job| job.name == name)
    }

    pub fn all(&self, is_so: impl Fn(Sight<'_>) -> bool) -> bool {
        self.jobs.values().all(|job| is_so(Sight { job, seen: self }))
    }

    pub fn runs(&self, name: &str) -> bool {
        self.named(name).is_some_and(|job| job.ran_on.is_some())
    }

    /// Whether GitHub's `queued` has been answered.
    pub fn is_delivered(&self, name: &str) -> bool {
        self.named(name).is_some_and(|job| !job.answers.is_empty())
    }

    fn job(&mut self, id: u64) -> &mut Record {
        self.jobs.entry(id).or_insert_with(|| Record { id, ..Record::default() })
    }

    fn note(&mut self, moment: &Moment) {
        match &moment.what {
            What::Delivered { status, .. } => self.job(moment.job).answers.push(*status),
            What::Claimed { vm, plugin } => {
                self.held.insert(vm.clone(), moment.job);
                self.job(moment.job).claims.push((vm.clone(), plugin.clone()));
            }
            What::Crossed { vm, .. } => {
                self.held.insert(vm.clone(), moment.job);
            }
            What::Running { runner } => self.job(moment.job).ran_on = Some(runner.clone()),
            What::Cancelled { by_anklet } => self.job(moment.job).cancelled_by_anklet |= by_anklet,
            What::Done { conclusion } => self.job(moment.job).conclusion.clone_from(conclusion),
            What::Cleaned { vm } => {
                self.deleted.insert(vm.clone());
            }
            What::Started { .. } | What::Pulling(_) | What::Said { .. } => {}
        }
    }
}

/// One job among all that was seen.
pub struct Sight<'s> {
    job: &'s Record,
    seen: &'s Seen,
}

impl Sight<'_> {
    pub fn is_over(&self) -> bool {
        self.job.is_over()
    }

    /// Over, and the VM that it ran on is gone.
    pub fn is_settled(&self) -> bool {
        self.job.is_over() && self.job.vm().is_none_or(|vm| self.seen.deleted.contains(vm))
    }
}
