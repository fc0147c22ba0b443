//! The host's two places for a VM and its one place for a template pull.
//!
//! The table is what one daemon knows; [`Places`] makes it hold between the daemons of a host.

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ids::VmName;

/// Apple's licence: VMs that may run on a host at a time.
pub const VMS_PER_HOST: usize = 2;

/// A lock between daemons; dropping it lets go.
pub trait Lock: Send {
    /// Writes down which VM it is held for.
    fn note(&mut self, vm: &VmName);
    /// A share for a child, so that the lock lives as long as the longer-lived of the two.
    /// `None` where locks are not files.
    fn share(&self) -> Option<OwnedFd> {
        None
    }
}

/// What holds between the daemons of one host.
pub trait Places: Send + Sync {
    /// Locks a slot. `None`: another daemon has it, or a child of a dead daemon still works for it.
    fn lock_slot(&self, slot: usize) -> Option<Box<dyn Lock>>;
    /// As [`Places::lock_slot`], for the recovery of the VM that is noted there: children do not matter.
    fn reclaim_slot(&self, slot: usize) -> Option<Box<dyn Lock>>;
    /// Locks the template pull. `None`: somebody pulls.
    fn lock_pull(&self) -> Option<Box<dyn Lock>>;
    /// The VMs noted in slots that some daemon holds.
    fn noted(&self) -> Vec<VmName>;
}

/// The host has no place for another VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom {
    /// Slots that daemons hold.
    pub slots: usize,
    /// VMs that run and belong to nobody's slot.
    pub guests: usize,
}

/// The slots of this daemon. Clones are the same table.
#[derive(Clone)]
pub struct SlotTable {
    taken: Arc<Mutex<[Option<VmName>; VMS_PER_HOST]>>,
    places: Arc<dyn Places>,
}

/// The right to have a VM; given back when it is dropped.
pub struct VmSlot {
    number: usize,
    table: SlotTable,
    /// Let go after the table's entry, by the order of dropping.
    _lock: Box<dyn Lock>,
}

/// The right to pull a template; given back when it is dropped.
pub struct PullSlot {
    lock: Box<dyn Lock>,
}

impl SlotTable {
    /// An empty table over the locks of a host.
    pub fn new(places: Arc<dyn Places>) -> SlotTable {
        SlotTable { taken: Arc::default(), places }
    }

    /// The VMs that some daemon's slot is held for.
    pub fn known(&self) -> Vec<VmName> {
        let taken = self.lock();
        taken.iter().flatten().cloned().chain(self.places.noted()).collect()
    }

    /// A slot for `vm`, if own slots, other daemons' slots and guests together leave one.
    /// `running` are the names of the VMs that run on the host now, less those that were [`SlotTable::known`]
    /// before anybody looked: one that is deleted meanwhile is no guest.
    pub fn take_vm(&self, vm: &VmName, running: &[String]) -> Result<VmSlot, NoRoom> {
        let mut taken = self.lock();
        let mut free: Vec<(usize, Box<dyn Lock>)> = (0..VMS_PER_HOST)
            .filter(|n| taken[*n].is_none())
            .filter_map(|n| Some((n, self.places.lock_slot(n)?)))
            .collect();
        let slots = VMS_PER_HOST - free.len();
        let noted = self.places.noted();
        let owned = |name: &String| noted.iter().chain(taken.iter().flatten()).any(|vm| vm.0 == *name);
        let guests = running.iter().filter(|name| !owned(name)).count();
        if slots + guests >= VMS_PER_HOST || free.is_empty() {
            return Err(NoRoom { slots, guests });
        }
        let (number, lock) = free.swap_remove(0);
        Ok(self.fill(&mut taken, number, lock, vm))
    }

    /// Whether a slot is free, guests aside: only [`SlotTable::take_vm`] is told of those.
    pub fn has_room(&self) -> bool {
        let taken = self.lock();
        (0..VMS_PER_HOST).any(|n| taken[n].is_none() && self.places.lock_slot(n).is_some())
    }

    /// The slot of a VM that a dead daemon left behind: its own number if that is free, else the other.
    pub fn retake_vm(&self, vm: &VmName, number: usize) -> Option<VmSlot> {
        let mut taken = self.lock();
        let order = [number % VMS_PER_HOST, (number + 1) % VMS_PER_HOST];
        let (number, lock) = order
            .into_iter()
            .filter(|n| taken[*n].is_none())
            .find_map(|n| Some((n, self.places.reclaim_slot(n)?)))?;
        Some(self.fill(&mut taken, number, lock, vm))
    }

    /// The one right to pull.
    pub fn take_pull(&self) -> Option<PullSlot> {
        self.places.lock_pull().map(|lock| PullSlot { lock })
    }

    fn fill(
        &self,
        taken: &mut [Option<VmName>; VMS_PER_HOST],
        number: usize,
        mut lock: Box<dyn Lock>,
        vm: &VmName,
    ) -> VmSlot {
        lock.note(vm);
        taken[number] = Some(vm.clone());
        VmSlot { number, table: self.clone(), _lock: lock }
    }

    fn lock(&self) -> MutexGuard<'_, [Option<VmName>; VMS_PER_HOST]> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl VmSlot {
    /// Which of the places it is.
    pub fn number(&self) -> usize {
        self.number
    }
}

impl PullSlot {
    /// What the pulling child inherits, so that nobody else pulls while it lives.
    pub fn share(&self) -> Option<OwnedFd> {
        self.lock.share()
    }
}

impl Drop for VmSlot {
    fn drop(&mut self) {
        self.table.lock()[self.number] = None;
    }
}

impl fmt::Debug for VmSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VmSlot({})", self.number)
    }
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no place for another VM: {} slots taken, {} other VMs running", self.slots, self.guests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Locks of two "daemons" in one process.
    #[derive(Default)]
    struct Shared {
        held: Mutex<Vec<(usize, Option<VmName>)>>,
    }
    struct OneLock(Arc<Shared>, usize);
    struct Locks(Arc<Shared>);
    const PULL: usize = 9;

    impl Lock for OneLock {
        fn note(&mut self, vm: &VmName) {
            for held in self.0.held.lock().unwrap().iter_mut().filter(|h| h.0 == self.1) {
                held.1 = Some(vm.clone());
            }
        }
    }
    impl Drop for OneLock {
        fn drop(&mut self) {
            self.0.held.lock().unwrap().retain(|h| h.0 != self.1);
        }
    }
    impl Places for Locks {
        fn lock_slot(&self, slot: usize) -> Option<Box<dyn Lock>> {
            let mut held = self.0.held.lock().unwrap();
            if held.iter().any(|h| h.0 == slot) {
                return None;
            }
            held.push((slot, None));
            Some(Box::new(OneLock(self.0.clone(), slot)))
        }
        fn reclaim_slot(&self, slot: usize) -> Option<Box<dyn Lock>> {
            self.lock_slot(slot)
        }
        fn lock_pull(&self) -> Option<Box<dyn Lock>> {
            self.lock_slot(PULL)
        }
        fn noted(&self) -> Vec<VmName> {
            self.0.held.lock().unwrap().iter().filter_map(|h| h.1.clone()).collect()
        }
    }

    fn two_daemons() -> (SlotTable, SlotTable) {
        let shared = Arc::new(Shared::default());
        let table = || SlotTable::new(Arc::new(Locks(shared.clone())));
        (table(), table())
    }
    fn vm(n: u8) -> VmName {
        VmName(format!("anklet-vm-{n}"))
    }

    #[test]
    fn two_vms_and_no_third_also_between_daemons() {
        let (a, b) = two_daemons();
        let first = a.take_vm(&vm(1), &[]).unwrap();
        let _second = b.take_vm(&vm(2), &["anklet-vm-1".into()]).unwrap();
        let running = ["anklet-vm-1".into(), "anklet-vm-2".into()];
        assert_eq!(a.take_vm(&vm(3), &running).unwrap_err(), NoRoom { slots: 2, guests: 0 });
        drop(first);
        assert_eq!(a.take_vm(&vm(3), &running).unwrap_err(), NoRoom { slots: 1, guests: 1 });
        assert!(a.take_vm(&vm(3), &running[1..]).is_ok());
    }

    #[test]
    fn guests_count_and_one_pulls() {
        let (a, b) = two_daemons();
        let _first = a.take_vm(&vm(1), &["somebody's".into()]).unwrap();
        assert!(b.take_vm(&vm(2), &["somebody's".into(), "anklet-vm-1".into()]).is_err());
        let pull = a.take_pull().unwrap();
        assert!(b.take_pull().is_none());
        drop(pull);
        assert!(b.take_pull().is_some());
    }

    #[test]
    fn what_is_known_is_every_daemon_s() {
        let (a, b) = two_daemons();
        let (first, _second) = (a.take_vm(&vm(1), &[]).unwrap(), b.take_vm(&vm(2), &[]).unwrap());
        let known = a.known();
        assert!(known.contains(&vm(1)) && known.contains(&vm(2)));
        drop(first);
        assert!(!a.known().contains(&vm(1)));
    }

    #[test]
    fn a_left_behind_vm_gets_its_slot_again() {
        let (a, b) = two_daemons();
        let _other = b.take_vm(&vm(2), &[]).unwrap();
        assert_eq!(a.retake_vm(&vm(1), 0).unwrap().number(), 1);
    }
}
