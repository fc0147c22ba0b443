//! The verbs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use super::keys::{Keys, claim_name};
use super::options::Options;
use super::plan::Plan;
use super::pool::{Pool, VERB};
use super::read::{Desk, Errand, Progress};
use super::script::{DEPTH, NOW};
use super::seat::Seat;
use super::seeds::Seeds;
use super::snapshot::Snapshot;
use super::view::{Counts, depth};
use super::wait::{self, Waiter};
use super::write::until_done;
use crate::domain::entry::Entry;
use crate::domain::event::{Event, Told};
use crate::domain::ids::{ClaimId, JobId, Millis, Owner};
use crate::runtime::effect::{Effect, effect};
use crate::store::shelf::{self, Shelf};
use crate::store::{Ask, Card, Change, Depth, Memos, Store, StoreError};

/// How many jobs are read at once, so that Redis serves others in between.
pub const PAGE: usize = 500;
/// How often a claim looks past jobs that turned out not to fit, and at how many at a time then.
const MISFITS: u32 = 64;
const MANY: usize = 256;
/// How long a claim goes on saying of jobs that they are "not here" before it lets others look.
const PASSING: Duration = Duration::from_secs(1);

/// One queue.
pub struct Queue {
    waiters: Mutex<HashMap<Owner, Waiter>>,
    times: Mutex<Times>,
    pub(super) desk: Arc<Desk>,
    pub(super) options: Arc<Options>,
}

impl Queue {
    pub(super) fn new(options: &Arc<Options>, seeds: &Arc<Seeds>, name: &str) -> Queue {
        let pool = Pool::new(Arc::clone(options), Arc::clone(seeds));
        let desk = Desk { keys: Keys::new(name), pool, clock: options.clock.clone() };
        Queue {
            waiters: Mutex::default(),
            times: Mutex::default(),
            desk: Arc::new(desk),
            options: Arc::clone(options),
        }
    }

    fn try_claim(&self, ask: &Ask<'_>, errand: Errand, end: Instant) -> Result<Option<Claimed>, StoreError> {
        let mut so_far = Progress::default();
        let mut misfits = 0;
        let enough = Instant::now() + PASSING;
        while misfits < MISFITS {
            let choice = self.desk.choice(ask, &so_far, errand, end)?;
            let mut found = choice.snapshot;
            let now = found.now;
            let was_held = found.held.as_ref().is_some_and(|(_, held)| !held.is_empty());
            if let Some(entry) = shelf::claim(&mut found, ask, now)? {
                let entry = Claimed::Job(Box::new(entry));
                let mut plan = Plan::of(&found)?;
                plan.pass(errand.token);
                return Ok((was_held || self.desk.commit(&plan, end)?).then_some(entry));
            }
            if !found.put.is_empty() {
                let is_enough = Instant::now() > enough;
                let mut plan = Plan::of(&found)?;
                plan.pass(errand.token.filter(|_| is_enough));
                if !self.desk.commit(&plan, end)? {
                    return Ok(None);
                }
                if is_enough {
                    return Ok(Some(Claimed::Nothing { pause: Some(Duration::ZERO) }));
                }
                so_far.many = MANY;
            } else if let Some(next) = choice.next {
                so_far.seen = next;
            } else if found.order.is_empty() || was_held {
                let pause = choice.pause.map(|due| due.since(now));
                return Ok(Some(Claimed::Nothing { pause }));
            } else {
                misfits += 1;
                found.order.truncate(choice.sure);
                so_far.except.append(&mut found.order);
                (so_far.doubts, so_far.many) = (false, MANY);
            }
        }
        Ok(Some(Claimed::Nothing { pause: None }))
    }

    fn sit(&self, owner: &Owner, wants_work: bool) -> Receiver<()> {
        // The former one parts from its thread before the next one listens.
        let former = self.lock().remove(owner);
        wait::part(former);
        let (waiter, bell) = wait::start(&self.desk, owner, wants_work, &self.options);
        self.lock().insert(owner.clone(), waiter);
        bell
    }

    fn seat(&self, owner: &Owner) -> Option<Arc<Seat>> {
        self.lock().get(owner).map(|waiter| Arc::clone(&waiter.seat))
    }

    pub(super) fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Owner, Waiter>> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first `most` jobs in a state, page by page.
    pub(super) fn all_in(
        &self,
        state: &str,
        last: &str,
        most: usize,
        end: Instant,
    ) -> Result<Snapshot, StoreError> {
        let mut all = Snapshot::default();
        loop {
            let size = PAGE.min(most - all.order.len());
            let page = self.desk.page(state, last, all.order.len(), size, end)?;
            let found = page.order.len();
            (all.now, all.next) = (page.now, page.next);
            all.texts.extend(page.texts);
            all.order.extend(page.order);
            if found < PAGE || all.order.len() >= most {
                return Ok(all);
            }
        }
    }
}

/// When what is done.
#[derive(Default)]
pub struct Times {
    /// When the next lease ends that the latest look has seen.
    pub next_lease: Option<Instant>,
    /// When old jobs were forgotten last.
    pub purged: Option<Instant>,
}

impl Drop for Queue {
    fn drop(&mut self) {
        let waiters = std::mem::take(&mut *self.lock());
        wait::part(waiters.into_values());
    }
}

/// What a claim came to.
enum Claimed {
    Job(Box<Entry>),
    Nothing { pause: Option<Duration> },
}

/// Until when a verb may take from now.
pub fn soon() -> Instant {
    Instant::now() + VERB
}

impl Store for Queue {
    fn apply(&self, event: &Event) -> Result<Told, StoreError> {
        effect(Effect::Store(event.word()), || self.desk.play(event))
    }

    fn claim(&self, ask: &Ask<'_>) -> Result<Option<Entry>, StoreError> {
        let seat = self.seat(&ask.claim.owner);
        let errand = seat.as_ref().map(|seat| seat.looks()).unwrap_or_default();
        let claimed = effect(Effect::Store("claim"), || until_done(|end| self.try_claim(ask, errand, end)));
        match (&claimed, &seat) {
            (Ok(Claimed::Nothing { pause }), Some(seat)) => seat.found_nothing(*pause),
            (_, Some(seat)) => seat.is_busy(),
            (_, None) => {}
        }
        Ok(match claimed? {
            Claimed::Job(entry) => Some(*entry),
            Claimed::Nothing { .. } => None,
        })
    }

    fn held(&self, claim: &ClaimId) -> Result<Option<Entry>, StoreError> {
        effect(Effect::Store("held"), || self.desk.of_claim(claim_name(claim), soon())?.held(claim))
    }

    fn held_by(&self, owner: &Owner) -> Result<Vec<Entry>, StoreError> {
        effect(Effect::Store("held by"), || Ok(self.desk.all_of(owner, soon())?.readable()))
    }

    fn abandoned(&self) -> Result<Vec<Entry>, StoreError> {
        effect(Effect::Store("abandoned"), || {
            let found = self.all_in("leases", "(0", usize::MAX, soon())?;
            self.times().next_lease = found.next.and_then(|left| Instant::now().checked_add(left));
            Ok(found.readable())
        })
    }

    fn expects_abandoned(&self) -> bool {
        self.times().next_lease.is_some_and(|end| end <= Instant::now())
    }

    fn heard(&self) -> Option<Instant> {
        self.desk.pool.heard()
    }

    fn parked_due(&self) -> Result<Vec<Entry>, StoreError> {
        effect(Effect::Store("parked due"), || {
            until_done(|end| {
                let mut due = self.desk.page("parked", "[0", 0, PAGE, end)?;
                let now = due.now;
                let given = shelf::parked_due(&mut due, now)?;
                if given.is_empty() {
                    return Ok(Some(given));
                }
                Ok(self.desk.commit(&Plan::of(&due)?, end)?.then_some(given))
            })
        })
    }

    fn seen(&self, card: &Card) -> Result<(), StoreError> {
        effect(Effect::Store("seen"), || {
            let end = soon();
            let mut known = self.desk.of_card(&card.owner, end)?;
            let now = known.now;
            shelf::seen(&mut known, card, now)?;
            let plan = Plan::of(&known)?;
            if plan.is_empty() { Ok(()) } else { self.desk.commit(&plan, end).map(drop) }
        })
    }

    fn entry(&self, job: JobId) -> Result<Option<Entry>, StoreError> {
        effect(Effect::Store("entry"), || self.desk.of_job(job, soon())?.get(job))
    }

    fn list(&self) -> Result<Vec<Entry>, StoreError> {
        effect(Effect::Store("list"), || {
            let mut all = Snapshot::default();
            for state in ["queued", "parked", "claimed", "running", "dead"] {
                let some = self.all_in(state, "", usize::MAX, soon())?;
                all.order.extend(some.order.iter().filter(|job| !all.texts.contains_key(job)));
                all.texts.extend(some.texts);
            }
            Ok(all.readable())
        })
    }

    fn depth(&self) -> Result<Depth, StoreError> {
        effect(Effect::Store("depth"), || {
            let call = self.desk.call(&DEPTH, Vec::new());
            let (now, counts, eldest): (u64, Counts, String) = self.desk.pool.call(&call, soon())?;
            Ok(depth(Millis(now), counts, &eldest))
        })
    }

    fn memos(&self, topic: &str) -> Result<Memos, StoreError> {
        effect(Effect::Store("memos"), || self.desk.memos(topic, soon()))
    }

    fn write_memos(&self, topic: &str, changes: &[Change]) -> Result<bool, StoreError> {
        effect(Effect::Store("write memos"), || self.desk.write_memos(topic, changes, soon()))
    }

    fn purge(&self) -> Result<u64, StoreError> {
        effect(Effect::Store("purge"), || self.forget_old(soon()))
    }

    fn take_back(&self, voter: &str) -> Result<(), StoreError> {
        effect(Effect::Store("take back"), || self.take_back_old(voter, soon()))
    }

    fn now(&self) -> Result<Millis, StoreError> {
        effect(Effect::Store("now"), || {
            self.desk.pool.call(&self.desk.call(&NOW, Vec::new()), soon()).map(Millis)
        })
    }

    fn bell(&self, owner: &Owner) -> Receiver<()> {
        self.sit(owner, true)
    }

    fn mailbox(&self, owner: &Owner) -> Receiver<()> {
        self.sit(owner, false)
    }
}
