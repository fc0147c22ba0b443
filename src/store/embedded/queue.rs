//! The verbs: what changes something is a step at the desk, what only looks goes through the glass.

use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::Backend;
use super::desk::Step;
use super::pulse;
use super::sheet::{PORTION, Sheet};
use crate::domain::absence::Absence;
use crate::domain::entry::Entry;
use crate::domain::event::{Event, Told};
use crate::domain::ids::{ClaimId, JobId, Millis, Owner};
use crate::domain::job::Job;
use crate::domain::scope::Scope;
use crate::runtime::effect::{Effect, effect};
use crate::store::shelf::{self, Shelf};
use crate::store::{Ask, Card, Change, Depth, Memos, Store, StoreError};

/// One queue of the store.
pub struct Queue {
    backend: Arc<Backend>,
    name: Arc<str>,
}

impl Queue {
    pub(super) fn new(backend: Arc<Backend>, name: &str) -> Queue {
        Queue { backend, name: name.into() }
    }

    fn step<T: Send + 'static>(
        &self,
        verb: &'static str,
        step: impl FnOnce(&mut Step<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        effect(Effect::Store(verb), || self.backend.desk.ask(&self.name, step))
    }

    fn look<T>(
        &self,
        verb: &'static str,
        look: impl FnOnce(&mut Sheet<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        effect(Effect::Store(verb), || self.backend.glass.look(&self.name, look))
    }

    fn clock(&self) -> Millis {
        (self.backend.options.clock)()
    }
}

impl Store for Queue {
    fn apply(&self, event: &Event) -> Result<Told, StoreError> {
        let event = event.clone();
        self.step(event.word(), move |step| {
            let told = shelf::play(&mut step.sheet, &event, step.now)?;
            step.told = Some(told.clone());
            Ok(told)
        })
    }

    fn claim(&self, ask: &Ask<'_>) -> Result<Option<Entry>, StoreError> {
        let asked = Asked::from(ask);
        self.step("claim", move |step| shelf::claim(&mut step.sheet, &asked.ask(), step.now))
    }

    fn held(&self, claim: &ClaimId) -> Result<Option<Entry>, StoreError> {
        self.look("held", |sheet| sheet.held(claim))
    }

    fn held_by(&self, owner: &Owner) -> Result<Vec<Entry>, StoreError> {
        self.look("held by", |sheet| sheet.held_by(owner))
    }

    fn abandoned(&self) -> Result<Vec<Entry>, StoreError> {
        let (claimed, cards) = self.look("abandoned", |sheet| Ok((sheet.claimed()?, sheet.cards()?)))?;
        let Backend { bells, options, .. } = &*self.backend;
        Ok(pulse::abandoned(claimed, &cards, bells, &options.locks_dir, self.clock()))
    }

    fn parked_due(&self) -> Result<Vec<Entry>, StoreError> {
        self.step("parked due", |step| shelf::parked_due(&mut step.sheet, step.now))
    }

    fn seen(&self, card: &Card) -> Result<(), StoreError> {
        let card = card.clone();
        self.step("seen", move |step| shelf::seen(&mut step.sheet, &card, step.now))
    }

    fn entry(&self, job: JobId) -> Result<Option<Entry>, StoreError> {
        self.look("entry", |sheet| sheet.get(job))
    }

    fn list(&self) -> Result<Vec<Entry>, StoreError> {
        self.look("list", |sheet| sheet.open_jobs())
    }

    fn depth(&self) -> Result<Depth, StoreError> {
        let now = self.clock();
        self.look("depth", |sheet| sheet.depth(now))
    }

    // Read by the writer, which makes the table where it is not there.
    fn memos(&self, topic: &str) -> Result<Memos, StoreError> {
        let topic = topic.to_owned();
        self.step("memos", move |step| step.sheet.memos(&topic))
    }

    fn write_memos(&self, topic: &str, changes: &[Change]) -> Result<bool, StoreError> {
        let (topic, changes) = (topic.to_owned(), changes.to_vec());
        self.step("write memos", move |step| step.sheet.write_memos(&topic, &changes, step.now))
    }

    fn purge(&self) -> Result<u64, StoreError> {
        let desk = &self.backend.desk;
        effect(Effect::Store("purge"), || {
            let mut all = 0;
            loop {
                let some = desk.ask(&self.name, |step| step.sheet.purge(step.now))?;
                all += some;
                if some < PORTION {
                    desk.ask(&self.name, |step| step.sheet.purge_memos(step.now))?;
                    return Ok(all);
                }
            }
        })
    }

    fn take_back(&self, voter: &str) -> Result<(), StoreError> {
        let voter = voter.to_owned();
        self.step("take back", move |step| step.sheet.take_back(&voter, step.now))
    }

    fn now(&self) -> Result<Millis, StoreError> {
        Ok(self.clock())
    }

    fn bell(&self, owner: &Owner) -> Receiver<()> {
        self.backend.bells.hang(&self.name, owner)
    }
}

/// An [`Ask`] that can be handed to another thread.
struct Asked {
    claim: ClaimId,
    scope: Scope,
    voter: String,
    except: Vec<JobId>,
    absent: Vec<Absence>,
    hidden: Vec<String>,
    like: Option<Job>,
    lease: std::time::Duration,
}

impl From<&Ask<'_>> for Asked {
    fn from(ask: &Ask<'_>) -> Asked {
        Asked {
            claim: ask.claim.clone(),
            scope: ask.scope.clone(),
            voter: ask.voter.to_owned(),
            except: ask.except.to_vec(),
            absent: ask.absent.to_vec(),
            hidden: ask.hidden.to_vec(),
            like: ask.like.cloned(),
            lease: ask.lease,
        }
    }
}

impl Asked {
    fn ask(&self) -> Ask<'_> {
        let Asked { claim, scope, voter, except, absent, hidden, like, lease } = self;
        Ask { claim, scope, voter, except, absent, hidden, like: like.as_ref(), lease: *lease }
    }
}
