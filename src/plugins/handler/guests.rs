//! Which VMs are on the host, against what its handlers think: VMs that vanished, VMs that did not go.
//!
//! What runs is looked at once a minute, for all handlers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::anka::{Anka, Vm};
use crate::domain::ids::VmName;
use crate::domain::slots::SlotTable;
use crate::domain::undo::Deletable;
use crate::plugins::handler::Handler;
use crate::plugins::handler::muster::Muster;
use crate::plugins::handler::streak::Effort;
use crate::runtime::pace::paced;

/// How old a look may be.
const FRESH: Duration = Duration::from_mins(1);
/// More deleted VMs than this are not remembered until the next look.
const MOST: usize = 64;

/// What is known of the host's VMs. Clones share it.
#[derive(Clone, Default)]
pub struct Guests {
    seen: Arc<Mutex<Seen>>,
    /// The handlers that look are the handlers of this process.
    pub(super) muster: Muster,
}

#[derive(Default)]
struct Seen {
    /// When somebody took it upon himself to look.
    asked: Option<Instant>,
    /// The last look that showed something.
    look: Option<Look>,
    /// VMs that anka says are deleted, each with the moment, until a look shows that they are gone.
    deleted: Vec<(Instant, Deletable)>,
    /// Why the last VM that somebody wanted to make had no room, and when that was.
    full: Option<(Instant, String)>,
}

/// What a look showed.
struct Look {
    began: Instant,
    /// All VMs that run.
    names: Vec<String>,
    /// How many of them are nobody's here.
    foreign: usize,
}

impl Guests {
    /// Whether a look that began after `since`, when this VM ran, no longer shows it.
    ///
    /// Looks when the last look is a minute old; the handler that finds it so does it for all.
    /// A look that fails tells nothing.
    pub fn has_vanished(&self, anka: &Anka, slots: &SlotTable, vm: &VmName, since: Instant) -> bool {
        if self.take_duty(since) {
            self.look(anka, slots);
        }
        self.lock().look.as_ref().is_some_and(|look| look.began > since && !look.names.contains(&vm.0))
    }

    /// How many VMs run that no daemon of this user has a place for, by a look that is a minute old at most; none
    /// before the first look that worked. The first is made a minute after `since`.
    pub fn foreign(&self, anka: &Anka, slots: &SlotTable, since: Instant) -> Option<usize> {
        if self.take_duty(since) {
            self.look(anka, slots);
        }
        self.lock().look.as_ref().map(|look| look.foreign)
    }

    /// A handler has counted them: there was room for one more, or there was none.
    pub(super) fn counted(&self, full: Option<String>) {
        self.lock().full = full.map(|why| (Instant::now(), why));
    }

    /// Why there is no room for a VM, as far as a count tells that is a minute old at most.
    pub(super) fn no_room(&self) -> Option<String> {
        let full = self.lock().full.clone();
        full.filter(|(at, _)| at.elapsed() < paced(FRESH)).map(|(_, why)| why)
    }

    fn look(&self, anka: &Anka, slots: &SlotTable) {
        let (began, known) = (Instant::now(), slots.known());
        if let Ok(running) = anka.list_running() {
            self.saw(began, known, &running, slots);
        }
    }

    /// Keeps what a look that `began` then has shown, when these VMs were `known`.
    pub(super) fn saw(&self, began: Instant, mut known: Vec<VmName>, listed: &[Vm], slots: &SlotTable) {
        // A VM of ours that was made or deleted meanwhile is no stranger.
        known.extend(slots.known());
        let running = listed.iter().filter(|vm| vm.running);
        let names: Vec<String> = running.map(|vm| vm.name.clone()).collect();
        let foreign = names.iter().filter(|name| !known.iter().any(|vm| vm.0 == **name)).count();
        self.lock().look = Some(Look { began, names, foreign });
    }

    /// Takes the duty to look, so that no second handler does it too.
    fn take_duty(&self, since: Instant) -> bool {
        let mut seen = self.lock();
        let is_old = |at: Instant| at.elapsed() >= paced(FRESH);
        let due = is_old(since) && seen.asked.is_none_or(is_old);
        if due {
            seen.asked = Some(Instant::now());
        }
        due
    }

    /// Anka says that it has deleted this VM.
    fn deleted(&self, vm: Deletable) {
        let mut seen = self.lock();
        if seen.deleted.len() < MOST {
            seen.deleted.push((Instant::now(), vm));
        }
    }

    /// Of the VMs that were said to be deleted before this look `began`: how many there were, and those that it
    /// shows all the same. Both are forgotten.
    fn still_there(&self, began: Instant, listed: &[Vm]) -> (usize, Vec<Deletable>) {
        let mut seen = self.lock();
        let looked_for: Vec<_> = seen.deleted.extract_if(.., |(at, _)| *at < began).collect();
        let is_there = |(_, vm): &(Instant, Deletable)| listed.iter().any(|other| other.name == vm.vm().0);
        (looked_for.len(), looked_for.into_iter().filter(is_there).map(|(_, vm)| vm).collect())
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handler {
    /// Anka says that the VM is deleted: the next look that is made anyway shows whether that is so.
    pub(super) fn mind_deleted(&self, vm: Deletable) {
        self.tools.guests.deleted(vm);
    }

    /// Deletes again what a look that `began` then shows although anka said that it was deleted. Until a look
    /// misses it, it counts as somebody's guest.
    pub(super) fn delete_again(&self, anka: &Anka, began: Instant, listed: &[Vm]) {
        let (looked_for, left) = self.tools.guests.still_there(began, listed);
        if looked_for > 0 && left.is_empty() {
            self.streaks.worked(Effort::Vanish);
        }
        for vm in left {
            let what = format_args!(
                "VM {} is still there, although anka said that it was deleted; it counts as a guest and is deleted again",
                vm.vm()
            );
            self.streaks.failed(Effort::Vanish, what);
            if let Err(error) = anka.delete(&vm) {
                log::warn!("VM {} could not be deleted again: {error}", vm.vm());
            }
            self.mind_deleted(vm);
        }
    }
}
