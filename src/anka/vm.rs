//! The VMs of this host: list, clone, start, copy, stop, delete.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::client::{Anka, Call};
use super::envelope;
use super::error::{AnkaError, not_started};
use crate::domain::ids::VM_PREFIX;
use crate::domain::slots::VMS_PER_HOST;
use crate::domain::undo::{Deletable, VmTicket};
use crate::runtime::children;

/// A VM or template of this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vm {
    /// Anka's id; empty when absent.
    pub uuid: String,
    /// Its name; empty when absent.
    pub name: String,
    /// The current tag; a VM that was never pushed or pulled has none.
    pub tag: Option<String>,
    /// Whether it runs now. A status that we do not know does not.
    pub running: bool,
}

/// Why a VM did not start.
#[derive(Debug)]
pub enum StartFailure {
    /// So many other VMs run that the host takes no more.
    NoRoom {
        /// VMs that run, without this one.
        running: usize,
    },
    /// Anything else.
    Failed(AnkaError),
}

impl Vm {
    /// Whether the VM is of our making, by its name.
    pub fn is_ours(&self) -> bool {
        self.name.starts_with(VM_PREFIX)
    }
}

impl Anka {
    /// All VMs and templates of this host.
    pub fn list(&self) -> Result<Vec<Vm>, AnkaError> {
        self.ask(Call::of("list")).and_then(|body| read_list(body, false))
    }

    /// The VMs that run.
    pub fn list_running(&self) -> Result<Vec<Vm>, AnkaError> {
        let list = self.ask(Call::of("list").arg("-r")).and_then(|body| read_list(body, true))?;
        Ok(list.into_iter().filter(|vm| vm.running).collect())
    }

    /// Clones a template that is on this host; `tag` only where that is not the current one.
    pub fn clone_vm(&self, ticket: &VmTicket, template: &str, tag: Option<&str>) -> Result<(), AnkaError> {
        let call = Call::of("clone").opt("-t", tag).arg(template).arg(&ticket.vm().0);
        self.deed(call, ticket)
    }

    /// Starts a VM. After any failure the VMs that run are counted: no text tells that two is too many.
    pub fn start(&self, ticket: &VmTicket) -> Result<(), StartFailure> {
        let call = Call::of("start").arg(&ticket.vm().0).on_vm(ticket.slot(), ticket.vm());
        match self.ask(call.limit(self.options.start_timeout)) {
            Ok(_) => Ok(()),
            Err(AnkaError::Stopped) => Err(StartFailure::Failed(AnkaError::Stopped)),
            Err(e) => Err(self.why_not_started(ticket, e)),
        }
    }

    fn why_not_started(&self, ticket: &VmTicket, error: AnkaError) -> StartFailure {
        let others = |vms: Vec<Vm>| vms.iter().filter(|vm| vm.name != ticket.vm().0).count();
        match self.list_running().map(others) {
            Ok(running) if running >= VMS_PER_HOST => StartFailure::NoRoom { running },
            _ => StartFailure::Failed(error),
        }
    }

    /// Copies a file or folder of the host into the home folder of the guest's user, under the file's own name
    /// or, where a symbolic link leads to a file of another, under the link's.
    pub fn copy(&self, ticket: &VmTicket, host_path: &Path) -> Result<(), AnkaError> {
        let unreadable = |e| not_started(&format!("{} cannot be read", host_path.display()), e);
        let real = fs::canonicalize(host_path).map_err(unreadable)?;
        let mut target = OsString::from(format!("{}:", ticket.vm()));
        if let Some(name) = host_path.file_name().filter(|name| real.file_name() != Some(name)) {
            target.push(name);
        }
        self.deed(Call::of("cp").arg("-a").arg(real).arg(target), ticket)
    }

    /// Stops a VM the hard way. One that is not there is stopped.
    pub fn stop(&self, right: &Deletable) -> Result<(), AnkaError> {
        self.undo(Call::of("stop").arg("-f"), right)
    }

    /// Deletes a VM, running or not. One that is not there is deleted.
    pub fn delete(&self, right: &Deletable) -> Result<(), AnkaError> {
        self.undo(Call::of("delete").arg("--yes"), right)?;
        self.end_left_children(right);
        Ok(())
    }

    fn deed(&self, call: Call, ticket: &VmTicket) -> Result<(), AnkaError> {
        let call = call.on_vm(ticket.slot(), ticket.vm()).limit(self.options.command_timeout);
        self.ask(call).map(drop)
    }

    /// An error that is not "not there" is believed only when the VM is still listed: the code may be absent,
    /// and the text does not count.
    fn undo(&self, call: Call, right: &Deletable) -> Result<(), AnkaError> {
        let call = call.arg(&right.vm().0).on_vm(right.slot(), right.vm());
        let error = match self.ask(call.limit(self.options.command_timeout)) {
            Ok(_) | Err(AnkaError::NotThere(_)) => return Ok(()),
            Err(e @ (AnkaError::Failed { .. } | AnkaError::Garbage { .. })) => e,
            Err(e) => return Err(e),
        };
        match self.list() {
            Ok(list) if list.iter().all(|vm| vm.name != right.vm().0) => Ok(()),
            _ => Err(error),
        }
    }

    /// A start script that does not return was left alone while its job ran. Its VM is gone now, and its slot
    /// would be kept by it.
    fn end_left_children(&self, right: &Deletable) {
        for left in children::of_vm(&self.options.children_dir, right.vm()) {
            left.end_group();
        }
    }
}

/// An array of objects; what is none is skipped. `silent`: whether a VM without a status runs.
fn read_list(body: Value, silent: bool) -> Result<Vec<Vm>, AnkaError> {
    let read = |item: &Value| read_vm(item, silent);
    match body {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => Ok(items.iter().filter(|item| item.is_object()).map(read).collect()),
        other => Err(envelope::misshapen("list", &other)),
    }
}

fn read_vm(item: &Value, silent: bool) -> Vm {
    let text = |field: &str| item[field].as_str().unwrap_or_default().to_owned();
    let tag = Some(text("version")).filter(|tag| !tag.is_empty());
    let running = item["status"].as_str().map_or(silent, |status| status.eq_ignore_ascii_case("running"));
    Vm { uuid: text("uuid"), name: text("name"), tag, running }
}

impl fmt::Display for StartFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartFailure::NoRoom { running } => write!(f, "{running} other VMs run on this host"),
            StartFailure::Failed(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for StartFailure {}
