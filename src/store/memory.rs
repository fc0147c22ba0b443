//! A queue in memory: gone at the end of the process. For tests, and the reference for the other stores.
//!
//! Holders are gone when their lease is over, as in a store that hosts share.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crossbeam_channel::Receiver;

use super::bells::Bells;
use super::look::{Look, STATES, View, Wanted};
use super::shelf::{self, Seen, Shelf};
use super::{Ask, Card, Change, Clock, Depth, Memos, REMEMBERED, Store, StoreError};
use crate::domain::entry::{Ending, Entry, State};
use crate::domain::event::{Event, Told};
use crate::domain::ids::{ClaimId, JobId, Millis, Owner, RunnerName};
use crate::domain::life::taken_back;

/// One queue.
pub struct Memory {
    jobs: Mutex<Jobs>,
    memos: Mutex<BTreeMap<String, Memos>>,
    bells: Bells,
    clock: Clock,
}

#[derive(Default)]
struct Jobs {
    entries: BTreeMap<JobId, Entry>,
    cards: BTreeMap<Owner, Seen>,
}

impl Memory {
    /// An empty queue.
    pub fn new(clock: Clock) -> Memory {
        Memory { jobs: Mutex::default(), memos: Mutex::default(), bells: Bells::default(), clock }
    }

    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn select(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        by_age(self.lock().entries.values().filter(|entry| wanted(entry)))
    }
}

impl Store for Memory {
    fn apply(&self, event: &Event) -> Result<Told, StoreError> {
        let told = shelf::play(&mut *self.lock(), event, (self.clock)())?;
        self.bells.tell("", &told);
        Ok(told)
    }

    fn claim(&self, ask: &Ask<'_>) -> Result<Option<Entry>, StoreError> {
        shelf::claim(&mut *self.lock(), ask, (self.clock)())
    }

    fn held(&self, claim: &ClaimId) -> Result<Option<Entry>, StoreError> {
        self.lock().held(claim)
    }

    fn held_by(&self, owner: &Owner) -> Result<Vec<Entry>, StoreError> {
        Ok(self.select(|entry| entry.hold().is_some_and(|hold| hold.claim.owner == *owner)))
    }

    fn abandoned(&self) -> Result<Vec<Entry>, StoreError> {
        let now = (self.clock)();
        Ok(self.select(|entry| match &entry.state {
            State::Claimed(hold) | State::Running { hold: Some(hold), .. } => hold.lease_until < now,
            _ => false,
        }))
    }

    fn parked_due(&self) -> Result<Vec<Entry>, StoreError> {
        shelf::parked_due(&mut *self.lock(), (self.clock)())
    }

    fn seen(&self, card: &Card) -> Result<(), StoreError> {
        shelf::seen(&mut *self.lock(), card, (self.clock)())
    }

    fn entry(&self, job: JobId) -> Result<Option<Entry>, StoreError> {
        self.lock().get(job)
    }

    fn list(&self) -> Result<Vec<Entry>, StoreError> {
        Ok(self.select(|entry| !matches!(entry.state, State::Over(_))))
    }

    fn depth(&self) -> Result<Depth, StoreError> {
        let now = (self.clock)();
        let mut depth = Depth::default();
        for entry in self.lock().entries.values() {
            match entry.state {
                State::Queued => {
                    depth.queued += 1;
                    depth.eldest = depth.eldest.max(now.since(entry.age));
                }
                State::Parked { .. } => depth.parked += 1,
                State::Claimed(_) => depth.claimed += 1,
                State::Running { .. } => depth.running += 1,
                State::Dead { .. } => depth.dead += 1,
                State::Over(_) => {}
            }
        }
        Ok(depth)
    }

    fn memos(&self, topic: &str) -> Result<Memos, StoreError> {
        let topics = self.memos.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(topics.get(topic).cloned().unwrap_or_default())
    }

    fn write_memos(&self, topic: &str, changes: &[Change]) -> Result<bool, StoreError> {
        let mut topics = self.memos.lock().unwrap_or_else(PoisonError::into_inner);
        let memos = topics.entry(topic.to_owned()).or_default();
        if changes.iter().any(|change| !change.fits(memos.get(&change.name).map(String::as_str))) {
            return Ok(false);
        }
        for Change { name, after, .. } in changes {
            match after {
                Some(text) => memos.insert(name.clone(), text.clone()),
                None => memos.remove(name),
            };
        }
        Ok(true)
    }

    fn purge(&self) -> Result<u64, StoreError> {
        let now = (self.clock)();
        let mut jobs = self.lock();
        let before = jobs.entries.len();
        jobs.entries.retain(|_, entry| !forgettable(entry, now));
        Ok((before - jobs.entries.len()) as u64)
    }

    fn take_back(&self, voter: &str) -> Result<(), StoreError> {
        let now = (self.clock)();
        for entry in self.lock().entries.values_mut() {
            if let Some(anew) = taken_back(entry, voter, now) {
                *entry = anew;
            }
        }
        Ok(())
    }

    fn now(&self) -> Result<Millis, StoreError> {
        Ok((self.clock)())
    }

    fn bell(&self, owner: &Owner) -> Receiver<()> {
        self.bells.hang("", owner)
    }
}

impl Look for Memory {
    fn look(&self, wanted: Wanted) -> Result<Option<View>, StoreError> {
        let jobs = match wanted {
            Wanted::Job(job) => self.entry(job)?.into_iter().collect(),
            Wanted::First(most) => {
                let open = self.list()?;
                let first = |state| open.iter().filter(move |entry| entry.state.word() == state).take(most);
                by_age(STATES.into_iter().flat_map(first))
            }
        };
        let (depth, held) = (self.depth()?, self.select(|entry| entry.hold().is_some()));
        let cards = self.lock().cards()?;
        Ok(Some(View { now: (self.clock)(), depth, cards, held, jobs, unreadable: 0 }))
    }
}

/// A stranger's job whose end was never told is forgotten by its age.
fn forgettable(entry: &Entry, now: Millis) -> bool {
    let since = match &entry.state {
        State::Over(Ending { at, .. }) | State::Dead { at, .. } => *at,
        State::Running { hold: None, .. } => entry.age,
        _ => return false,
    };
    now.since(since) > REMEMBERED
}

impl Shelf for Jobs {
    fn get(&mut self, job: JobId) -> Result<Option<Entry>, StoreError> {
        Ok(self.entries.get(&job).cloned())
    }

    fn held(&mut self, claim: &ClaimId) -> Result<Option<Entry>, StoreError> {
        Ok(self.entries.values().find(|entry| entry.held_by(claim)).cloned())
    }

    fn tied_to(&mut self, runner: &RunnerName, besides: Option<JobId>) -> Result<Option<Entry>, StoreError> {
        let others = by_age(self.entries.values().filter(|entry| Some(entry.job.id) != besides));
        let payer = others.iter().find(|entry| entry.pays_for(runner));
        let unclaimed = || others.iter().find(|entry| entry.hold().is_none() && entry.ran_on(runner));
        Ok(payer.or_else(unclaimed).cloned())
    }

    fn eldest(
        &mut self,
        ask: &Ask<'_>,
        now: Millis,
        fits: &mut dyn FnMut(&Entry) -> bool,
    ) -> Result<Option<Entry>, StoreError> {
        let candidates = by_age(self.entries.values().filter(|entry| {
            entry.state == State::Queued
                && entry.not_before <= now
                && ask.scope.takes(&entry.job.owner, &entry.job.repo)
                && ask.like.is_none_or(|like| like.same_labels(&entry.job))
        }));
        Ok(candidates.into_iter().find(|entry| fits(entry)))
    }

    fn parked_until(&mut self, now: Millis) -> Result<Vec<Entry>, StoreError> {
        let due = |entry: &&Entry| matches!(entry.state, State::Parked { ask_at } if ask_at <= now);
        Ok(by_age(self.entries.values().filter(due)))
    }

    fn cards(&mut self) -> Result<Vec<Seen>, StoreError> {
        Ok(self.cards.values().cloned().collect())
    }

    fn put(&mut self, entry: &Entry) -> Result<(), StoreError> {
        self.entries.insert(entry.job.id, entry.clone());
        Ok(())
    }

    fn put_card(&mut self, seen: &Seen) -> Result<(), StoreError> {
        self.cards.insert(seen.card.owner.clone(), seen.clone());
        Ok(())
    }
}

fn by_age<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = entries.cloned().collect();
    entries.sort_by_key(|entry| (entry.age, entry.job.id));
    entries
}
