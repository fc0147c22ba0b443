//! From a ticket to a VM that runs and has the scripts.

use std::io;
use std::time::Instant;

use crate::anka::StartFailure;
use crate::domain::outcome::Reason;
use crate::domain::slots::VmSlot;
use crate::domain::undo::VmTicket;
use crate::plugins::handler::Handler;
use crate::plugins::handler::error::anka_reason;
use crate::plugins::handler::place::Source;
use crate::plugins::handler::work::Work;
use crate::runtime::meters;
use crate::runtime::stop::Stop;

impl Handler {
    /// The promise to delete the VM, in the journal before there is one.
    pub(super) fn promise_vm(&mut self, work: &mut Work, slot: VmSlot) -> Result<VmTicket, Reason> {
        let Some(claim) = work.claim.as_ref() else { return Err(Reason::Lost) };
        let promised = self.undo.promise_vm(slot, claim.id(), &work.entry.job, work.vm.clone());
        let ticket = promised.map_err(|error| journal_reason(&error))?;
        work.has_vm = true;
        Ok(ticket)
    }

    /// Clone, start, copy the scripts in.
    pub(super) fn boot(
        &mut self,
        work: &mut Work,
        ticket: &VmTicket,
        source: &Source,
        stop: &Stop,
    ) -> Result<(), Reason> {
        let anka = self.anka(stop);
        log::info!("cloning the VM");
        let timer = meters::VM_BOOT.timer();
        let cloned = anka.clone_vm(ticket, &source.template, source.tag.as_deref());
        cloned.map_err(|error| anka_reason(&error, Reason::CloneFailed))?;
        self.still_to_start(work)?;
        match anka.start(ticket) {
            Ok(()) => (),
            Err(full @ StartFailure::NoRoom { .. }) => return Err(Reason::NoRoom(full.to_string())),
            Err(StartFailure::Failed(error)) => return Err(anka_reason(&error, Reason::StartFailed)),
        }
        timer.done();
        work.running_since = Some(Instant::now());
        self.tools.cell.board().vm_runs(ticket.vm());
        log::info!("the VM runs");
        for script in self.tools.scripts.paths() {
            anka.copy(ticket, script).map_err(|error| anka_reason(&error, Reason::CopyFailed))?;
        }
        Ok(())
    }
}

pub(super) fn journal_reason(error: &io::Error) -> Reason {
    Reason::JournalFailed(error.to_string())
}
