//! Any store, failing on demand: for tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::Receiver;

use super::{Ask, Card, Change, Depth, Memos, Store, StoreError};
use crate::domain::entry::Entry;
use crate::domain::event::{Event, Told};
use crate::domain::ids::{ClaimId, JobId, Millis, Owner};

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not done.
    Before,
    /// It is done, and the answer is lost.
    After,
}

/// A store whose calls fail as planned.
pub struct Faulty {
    inner: Arc<dyn Store>,
    plan: Mutex<Plan>,
}

#[derive(Default)]
struct Plan {
    calls: u64,
    faults: BTreeMap<u64, Fault>,
    away: bool,
}

impl Faulty {
    /// A store that behaves until it is told otherwise.
    pub fn new(inner: Arc<dyn Store>) -> Faulty {
        Faulty { inner, plan: Mutex::default() }
    }

    /// The `nth` call from now fails; the next one is the first.
    pub fn fail(&self, nth: u64, fault: Fault) {
        self.plan(|plan| plan.faults.insert(plan.calls + nth, fault));
    }

    /// Whether every call fails from now on, undone.
    pub fn away(&self, away: bool) {
        self.plan(|plan| plan.away = away);
    }

    /// How many calls there were.
    pub fn calls(&self) -> u64 {
        self.plan(|plan| plan.calls)
    }

    fn plan<T>(&self, change: impl FnOnce(&mut Plan) -> T) -> T {
        change(&mut self.plan.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn call<T>(&self, verb: impl FnOnce(&dyn Store) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let fault = self.plan(|plan| {
            plan.calls += 1;
            let planned = plan.faults.remove(&plan.calls);
            if plan.away { Some(Fault::Before) } else { planned }
        });
        let failed = || Err(StoreError::Away("by order of a test".into()));
        match fault {
            None => verb(&*self.inner),
            Some(Fault::Before) => failed(),
            Some(Fault::After) => verb(&*self.inner).and_then(|_| failed()),
        }
    }
}

impl Store for Faulty {
    fn apply(&self, event: &Event) -> Result<Told, StoreError> {
        self.call(|store| store.apply(event))
    }

    fn claim(&self, ask: &Ask<'_>) -> Result<Option<Entry>, StoreError> {
        self.call(|store| store.claim(ask))
    }

    fn held(&self, claim: &ClaimId) -> Result<Option<Entry>, StoreError> {
        self.call(|store| store.held(claim))
    }

    fn held_by(&self, owner: &Owner) -> Result<Vec<Entry>, StoreError> {
        self.call(|store| store.held_by(owner))
    }

    fn abandoned(&self) -> Result<Vec<Entry>, StoreError> {
        self.call(|store| store.abandoned())
    }

    fn parked_due(&self) -> Result<Vec<Entry>, StoreError> {
        self.call(|store| store.parked_due())
    }

    fn seen(&self, card: &Card) -> Result<(), StoreError> {
        self.call(|store| store.seen(card))
    }

    fn entry(&self, job: JobId) -> Result<Option<Entry>, StoreError> {
        self.call(|store| store.entry(job))
    }

    fn list(&self) -> Result<Vec<Entry>, StoreError> {
        self.call(|store| store.list())
    }

    fn depth(&self) -> Result<Depth, StoreError> {
        self.call(|store| store.depth())
    }

    fn memos(&self, topic: &str) -> Result<Memos, StoreError> {
        self.call(|store| store.memos(topic))
    }

    fn write_memos(&self, topic: &str, changes: &[Change]) -> Result<bool, StoreError> {
        self.call(|store| store.write_memos(topic, changes))
    }

    fn take_back(&self, voter: &str) -> Result<(), StoreError> {
        self.call(|store| store.take_back(voter))
    }

    fn purge(&self) -> Result<u64, StoreError> {
        self.call(|store| store.purge())
    }

    fn now(&self) -> Result<Millis, StoreError> {
        self.call(|store| store.now())
    }

    fn bell(&self, owner: &Owner) -> Receiver<()> {
        self.inner.bell(owner)
    }

    fn mailbox(&self, owner: &Owner) -> Receiver<()> {
        self.inner.mailbox(owner)
    }
}
