//! What one script has read: the shelf on which a step is played, before what has changed is written at once.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use super::card;
use super::index::{self, id_of};
use crate::domain::entry::{Entry, State};
use crate::domain::ids::{ClaimId, JobId, Millis, RunnerName};
use crate::log::seldom::Seldom;
use crate::store::shelf::{Seen, Shelf};
use crate::store::{Ask, StoreError, record};

/// A part of the queue as it was at one moment, and what a step wants to change in it.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The store's clock at that moment.
    pub now: Millis,
    /// The records that were looked for; `None`: there is no such job.
    pub texts: BTreeMap<JobId, Option<String>>,
    /// The claim that was looked for, by its name, and the id that it holds, or nothing.
    pub held: Option<(String, String)>,
    /// The runner that was looked for, as `runners` has it, and the first that are tied to it.
    pub tied: Option<(String, Vec<String>)>,
    /// The cards that were looked for.
    pub cards: Vec<Seen>,
    /// Of those, what is known of handlers whose cards only a newer program can read.
    pub strangers: Vec<Seen>,
    /// The jobs in the order in which they were given.
    pub order: Vec<JobId>,
    /// Of leases that have ended: how long until the next one does.
    pub next: Option<Duration>,
    /// What the step has put.
    pub put: BTreeMap<JobId, Entry>,
    /// The cards that the step has put.
    pub shown: Vec<Seen>,
}

impl Snapshot {
    /// The entry as the step sees it now.
    fn look(&self, job: JobId) -> Result<Option<Entry>, StoreError> {
        if let Some(entry) = self.put.get(&job) {
            return Ok(Some(entry.clone()));
        }
        let text = self.texts.get(&job).and_then(Option::as_ref);
        text.map(|text| record::decode(text).map_err(|why| of_job(job, &why))).transpose()
    }

    /// All that can be read; what a newer program wrote is left alone, and said.
    pub fn readable(&self) -> Vec<Entry> {
        let entries = self.order.iter().filter_map(|job| match self.look(*job) {
            Ok(entry) => entry,
            Err(why) => {
                warn(&format!("a job is left alone: {why}"));
                None
            }
        });
        let mut entries: Vec<Entry> = entries.collect();
        entries.sort_by_key(|entry| (entry.age, entry.job.id));
        entries
    }

    /// Cards from their texts; what a newer program wrote is left alone, and said.
    pub fn read_cards(&mut self, texts: &[String]) {
        for text in texts {
            match (card::decode(text), card::stranger(text, self.now)) {
                (Ok(seen), _) => self.cards.push(seen),
                (Err(why), Some(stranger)) => {
                    warn(&format!("no job of its queue is cancelled as \"not here\" while it lives: {why}"));
                    self.strangers.push(stranger);
                }
                (Err(why), None) => warn(&format!("a handler's word is not counted: {why}")),
            }
        }
    }

    /// All cards that were looked for, as far as they can be read.
    pub fn all_cards(&self) -> Vec<Seen> {
        self.cards.iter().chain(&self.strangers).cloned().collect()
    }
}

/// However often it is passed, it is said once a day.
fn warn(text: &str) {
    static SAID: LazyLock<Seldom> = LazyLock::new(|| Seldom::new(Duration::from_hours(24), 256));
    if SAID.due(text) {
        log::warn!("{text}");
    }
}

fn of_job(job: JobId, why: &StoreError) -> StoreError {
    match why {
        StoreError::Unreadable(why) => StoreError::Unreadable(format!("job {job}: {why}")),
        other @ StoreError::Away(_) => other.clone(),
    }
}

impl Shelf for Snapshot {
    fn get(&mut self, job: JobId) -> Result<Option<Entry>, StoreError> {
        self.look(job)
    }

    fn held(&mut self, claim: &ClaimId) -> Result<Option<Entry>, StoreError> {
        Ok(self.readable().into_iter().find(|entry| entry.held_by(claim)))
    }

    fn tied_to(&mut self, _runner: &RunnerName, besides: Option<JobId>) -> Result<Option<Entry>, StoreError> {
        let tied = self.tied.iter().flat_map(|(_, members)| members).filter_map(|member| id_of(member));
        let Some(other) = tied.into_iter().find(|id| Some(*id) != besides) else { return Ok(None) };
        Ok(self.readable().into_iter().find(|entry| entry.job.id == other))
    }

    fn eldest(
        &mut self,
        ask: &Ask<'_>,
        now: Millis,
        fits: &mut dyn FnMut(&Entry) -> bool,
    ) -> Result<Option<Entry>, StoreError> {
        let mut found = self.readable().into_iter().filter(|entry| {
            entry.state == State::Queued
                && entry.not_before <= now
                && ask.scope.takes(&entry.job.owner, &entry.job.repo)
                && ask.like.is_none_or(|like| like.same_labels(&entry.job))
        });
        Ok(found.find(|entry| fits(entry)))
    }

    fn parked_until(&mut self, now: Millis) -> Result<Vec<Entry>, StoreError> {
        let due = |entry: &Entry| matches!(entry.state, State::Parked { ask_at } if ask_at <= now);
        Ok(self.readable().into_iter().filter(due).collect())
    }

    fn cards(&mut self) -> Result<Vec<Seen>, StoreError> {
        Ok(self.all_cards())
    }

    fn put(&mut self, entry: &Entry) -> Result<(), StoreError> {
        self.put.insert(entry.job.id, entry.clone());
        if !self.order.contains(&entry.job.id) {
            self.order.push(entry.job.id);
        }
        Ok(())
    }

    fn put_card(&mut self, seen: &Seen) -> Result<(), StoreError> {
        self.shown.push(seen.clone());
        Ok(())
    }
}

/// The runner of an event, as `scene.lua` wants it.
pub fn runner_name(runner: Option<&RunnerName>) -> String {
    runner.map(index::runner).unwrap_or_default()
}
