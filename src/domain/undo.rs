//! The promise to undo: written to the journal before the deed, and the only source of the tickets that the
//! deeds ask for.

use std::io;
use std::time::Duration;

use super::event::End;
use super::ids::{ClaimId, JobId, RunnerId, RunnerName, VmName};
use super::job::Job;
use super::slots::VmSlot;

/// What the journal remembers of one turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The claim.
    pub claim: ClaimId,
    /// The job that it was made for.
    pub job: Job,
    /// The VM to delete.
    pub vm: VmName,
    /// Its slot.
    pub slot: usize,
    /// The runner to remove first, once one may have been registered.
    pub runner: Option<RunnerName>,
    /// GitHub's number of that runner, where it made it.
    pub runner_id: Option<RunnerId>,
    /// How the claim ends, when the store was away as it should have.
    pub verdict: Option<Closing>,
}

/// How a claim ends, and of which job that is said: a claim that has crossed meanwhile holds another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closing {
    /// The job is queued again.
    Release {
        /// `None`: whatever the claim holds.
        job: Option<JobId>,
        /// Whether the try counts.
        counted: bool,
        /// How long nobody takes it.
        pause: Duration,
    },
    /// GitHub said `waiting`.
    Park(JobId),
    /// The job is over.
    Settle(JobId, End),
}

/// Where pages are kept: a file a plugin.
pub trait Ledger: Send {
    /// Keeps the page, durably, in place of the one before.
    fn write(&mut self, page: &Page) -> io::Result<()>;
    /// Forgets it.
    fn clear(&mut self) -> io::Result<()>;
}

/// The undo log of one plugin: at most one VM at a time.
pub struct UndoLog {
    ledger: Box<dyn Ledger>,
    open: Option<(Page, Option<VmSlot>)>,
}

/// The right to clone a VM of this name.
#[derive(Debug)]
pub struct VmTicket {
    vm: VmName,
    slot: usize,
}

/// The right to register a runner of this name.
#[derive(Debug)]
pub struct RunnerTicket(RunnerName);

/// The proof that no job can run on this runner any more.
#[derive(Debug, PartialEq, Eq)]
pub struct RunnerGone(RunnerName);

/// The right to delete a VM.
#[derive(Debug)]
pub struct Deletable {
    vm: VmName,
    slot: usize,
}

impl VmTicket {
    /// The VM.
    pub fn vm(&self) -> &VmName {
        &self.vm
    }

    /// The slot that it costs.
    pub fn slot(&self) -> usize {
        self.slot
    }
}

impl RunnerTicket {
    /// The runner.
    pub fn runner(&self) -> &RunnerName {
        &self.0
    }
}

impl RunnerGone {
    /// Only GitHub's word makes this proof: its answer to a removal, or its `completed` for an ephemeral runner.
    pub fn by_github(runner: RunnerName) -> RunnerGone {
        RunnerGone(runner)
    }
}

impl Deletable {
    /// The VM.
    pub fn vm(&self) -> &VmName {
        &self.vm
    }

    /// The slot that it frees.
    pub fn slot(&self) -> usize {
        self.slot
    }
}

impl UndoLog {
    /// Over a ledger and the page that was found there.
    pub fn new(ledger: Box<dyn Ledger>, found: Option<Page>) -> UndoLog {
        UndoLog { ledger, open: found.map(|page| (page, None)) }
    }

    /// What is still to be undone.
    pub fn page(&self) -> Option<&Page> {
        self.open.as_ref().map(|(page, _)| page)
    }

    /// Promises to delete the VM that is about to be cloned; the slot is the log's from here on.
    /// Errors: the page cannot be written, or the VM of an earlier promise still has its slot.
    pub fn promise_vm(
        &mut self,
        slot: VmSlot,
        claim: &ClaimId,
        job: &Job,
        vm: VmName,
    ) -> io::Result<VmTicket> {
        if let Some((earlier, Some(_))) = &self.open {
            return Err(io::Error::other(format!("VM {} is not deleted yet", earlier.vm)));
        }
        let page = Page {
            claim: claim.clone(),
            job: job.clone(),
            vm: vm.clone(),
            slot: slot.number(),
            runner: None,
            runner_id: None,
            verdict: None,
        };
        self.ledger.write(&page)?;
        let ticket = VmTicket { vm, slot: slot.number() };
        self.open = Some((page, Some(slot)));
        Ok(ticket)
    }

    /// Promises to remove the runner that is about to be registered.
    pub fn promise_runner(&mut self, ticket: &VmTicket) -> io::Result<RunnerTicket> {
        self.promise_named(ticket.vm.runner())
    }

    /// The same for another name, once GitHub has said that the runner promised before is gone.
    pub fn promise_other_runner(&mut self, gone: &RunnerGone, name: RunnerName) -> io::Result<RunnerTicket> {
        if self.page().is_none_or(|page| page.runner.as_ref() != Some(&gone.0)) {
            return Err(io::Error::other(format!("runner {} is not the one that was promised", gone.0)));
        }
        self.promise_named(name)
    }

    /// GitHub has made the runner that was promised, under this number.
    pub fn runner_made(&mut self, id: RunnerId) -> io::Result<()> {
        self.change(|page| page.runner_id = Some(id))
    }

    fn promise_named(&mut self, runner: RunnerName) -> io::Result<RunnerTicket> {
        self.change(|page| (page.runner, page.runner_id) = (Some(runner.clone()), None))?;
        Ok(RunnerTicket(runner))
    }

    /// After a restart: the slot that the VM still needs.
    pub fn retake(&mut self, slot: Option<VmSlot>) {
        if let Some(open) = self.open.as_mut() {
            open.1 = slot;
        }
    }

    /// The right to delete the VM: at once when no runner was promised, else for the proof that it is gone.
    pub fn deletable(&self, gone: Option<&RunnerGone>) -> Option<Deletable> {
        let page = self.page()?;
        let proven = page.runner.is_none() || page.runner.as_ref() == gone.map(|g| &g.0);
        proven.then(|| Deletable { vm: page.vm.clone(), slot: self.slot(page) })
    }

    /// The VM is gone, and so its slot is free. The page stays until the claim has ended.
    pub fn vm_gone(&mut self, _deleted: &Deletable) {
        if let Some(open) = self.open.as_mut() {
            open.1 = None;
        }
    }

    /// Writes down how the claim ends, for a store that is away. A claim that had no VM gets a page for it, whose
    /// VM never was.
    pub fn owe(&mut self, claim: &ClaimId, job: &Job, vm: &VmName, closing: Closing) -> io::Result<()> {
        if self.open.is_some() {
            return self.change(|page| {
                // It is said of this job, whatever the VM was made for.
                page.job = job.clone();
                page.verdict = Some(closing);
            });
        }
        let (claim, job, vm) = (claim.clone(), job.clone(), vm.clone());
        let page = Page { claim, job, vm, slot: 0, runner: None, runner_id: None, verdict: Some(closing) };
        self.ledger.write(&page)?;
        self.open = Some((page, None));
        Ok(())
    }

    /// The claim has ended: nothing is owed any more.
    pub fn close(&mut self) -> io::Result<()> {
        if self.open.is_none() {
            return Ok(());
        }
        self.ledger.clear()?;
        self.open = None;
        Ok(())
    }

    /// The slot that is held: after a restart perhaps another than the page says.
    fn slot(&self, page: &Page) -> usize {
        let held = self.open.as_ref().and_then(|(_, slot)| slot.as_ref());
        held.map_or(page.slot, VmSlot::number)
    }

    fn change(&mut self, change: impl FnOnce(&mut Page)) -> io::Result<()> {
        let Some((page, _)) = self.open.as_mut() else {
            return Err(io::Error::other("no VM is promised"));
        };
        let mut next = page.clone();
        change(&mut next);
        self.ledger.write(&next)?;
        *page = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::domain::ids::{JobId, Owner, RunId};
    use crate::domain::slots::{Lock, Places, SlotTable};

    struct Free;
    struct NoLock;
    impl Lock for NoLock {
        fn note(&mut self, _vm: &VmName) {}
    }
    impl Places for Free {
        fn lock_slot(&self, _slot: usize) -> Option<Box<dyn Lock>> {
            Some(Box::new(NoLock))
        }
        fn reclaim_slot(&self, slot: usize) -> Option<Box<dyn Lock>> {
            self.lock_slot(slot)
        }
        fn lock_pull(&self) -> Option<Box<dyn Lock>> {
            self.lock_slot(0)
        }
        fn noted(&self) -> Vec<VmName> {
            Vec::new()
        }
    }

    /// A ledger in memory, which may be broken.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<(Option<Page>, bool)>>);
    impl Ledger for Paper {
        fn write(&mut self, page: &Page) -> io::Result<()> {
            let mut paper = self.0.lock().unwrap();
            if paper.1 {
                return Err(io::Error::other("broken"));
            }
            paper.0 = Some(page.clone());
            Ok(())
        }
        fn clear(&mut self) -> io::Result<()> {
            self.0.lock().unwrap().0 = None;
            Ok(())
        }
    }

    fn job() -> Job {
        Job {
            id: JobId(1),
            run_id: RunId(2),
            run_attempt: 1,
            owner: "o".into(),
            repo: "r".into(),
            name: String::new(),
            workflow_name: String::new(),
            labels: Vec::new(),
            url: String::new(),
        }
    }

    fn promised() -> (Paper, SlotTable, UndoLog, VmTicket) {
        let (paper, table) = (Paper::default(), SlotTable::new(Arc::new(Free)));
        let vm = VmName("anklet-vm-1".into());
        let claim = ClaimId { owner: Owner { host: "h".into(), plugin: "p".into() }, turn: 7 };
        let mut log = UndoLog::new(Box::new(paper.clone()), None);
        let slot = table.take_vm(&vm, &[]).unwrap();
        let ticket = log.promise_vm(slot, &claim, &job(), vm).unwrap();
        (paper, table, log, ticket)
    }

    #[test]
    fn the_promise_is_on_paper_before_there_is_a_ticket() {
        let (paper, table, mut log, ticket) = promised();
        assert_eq!(paper.0.lock().unwrap().0.as_ref().map(|p| &p.vm), Some(ticket.vm()));
        paper.0.lock().unwrap().1 = true;
        assert!(log.promise_runner(&ticket).is_err());
        assert_eq!(log.page().unwrap().runner, None, "a promise that is not on paper was not made");
        let vm = VmName("anklet-vm-2".into());
        let slot = table.take_vm(&vm, &[]).unwrap();
        let mut other = UndoLog::new(Box::new(paper), None);
        assert!(other.promise_vm(slot, &log.page().unwrap().claim.clone(), &job(), vm).is_err());
    }

    #[test]
    fn a_vm_with_a_runner_is_deleted_only_for_the_proof() {
        let (_, _, mut log, ticket) = promised();
        assert!(log.deletable(None).is_some());
        let runner = log.promise_runner(&ticket).unwrap();
        assert!(log.deletable(None).is_none());
        assert!(log.deletable(Some(&RunnerGone::by_github(RunnerName("another".into())))).is_none());
        assert!(log.deletable(Some(&RunnerGone::by_github(runner.runner().clone()))).is_some());
    }

    #[test]
    fn a_second_promise_does_not_free_the_slot_of_a_vm_that_may_still_run() {
        let (paper, table, mut log, first) = promised();
        let (claim, vm) = (log.page().unwrap().claim.clone(), VmName("anklet-vm-2".into()));
        let slot = table.take_vm(&vm, &[]).unwrap();
        assert!(log.promise_vm(slot, &claim, &job(), vm.clone()).is_err());
        assert_eq!(paper.0.lock().unwrap().0.as_ref().map(|p| &p.vm), Some(first.vm()));
        assert_eq!(table.known(), [first.vm().clone()]);
        log.vm_gone(&log.deletable(None).unwrap());
        let slot = table.take_vm(&vm, &[]).unwrap();
        assert!(log.promise_vm(slot, &claim, &job(), vm).is_ok());
    }

    #[test]
    fn the_slot_is_the_logs_until_the_vm_is_gone() {
        let (paper, table, mut log, _) = promised();
        let others: Vec<String> = vec!["guest".into()];
        let third = VmName("anklet-vm-3".into());
        assert!(table.take_vm(&third, &others).is_err());
        let deletable = log.deletable(None).unwrap();
        log.vm_gone(&deletable);
        assert!(table.take_vm(&third, &others).is_ok());
        assert!(paper.0.lock().unwrap().0.is_some(), "the claim is still owed");
        log.close().unwrap();
        assert!(paper.0.lock().unwrap().0.is_none());
    }
}
