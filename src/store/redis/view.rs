//! The queue as people see it: read only.

use std::time::Duration;

use super::queue::{Queue, soon};
use super::read::snapshot;
use super::script::VIEW;
use super::snapshot::Snapshot;
use crate::domain::entry::Entry;
use crate::domain::ids::Millis;
use crate::store::look::{Look, STATES, View, Wanted};
use crate::store::shelf::Shelf;
use crate::store::{Depth, StoreError};

impl Look for Queue {
    fn look(&self, wanted: Wanted) -> Result<Option<View>, StoreError> {
        let job = match wanted {
            Wanted::Job(job) => job.to_string(),
            Wanted::First(_) => String::new(),
        };
        let call = self.desk.call(&VIEW, vec![job]);
        let (now, counts, eldest, cards, texts): (u64, Counts, String, Vec<String>, Vec<String>) =
            self.desk.pool.call(&call, soon())?;
        let mut found = snapshot(now, texts)?;
        found.read_cards(&cards);
        let (jobs, unreadable) = match wanted {
            Wanted::Job(job) => (found.get(job)?.into_iter().collect(), 0),
            Wanted::First(most) => self.first(most)?,
        };
        let cards = found.all_cards();
        let held = found.readable().into_iter().filter(|entry| entry.hold().is_some()).collect();
        let depth = depth(found.now, counts, &eldest);
        Ok(Some(View { now: found.now, depth, cards, held, jobs, unreadable }))
    }
}

/// How many are queued, parked, claimed, running, dead.
pub type Counts = [u64; 5];

/// From what `depth.lua` and `view.lua` give.
pub fn depth(now: Millis, counts: Counts, eldest: &str) -> Depth {
    let [queued, parked, claimed, running, dead] = counts;
    // Redis shows large scores as powers.
    let eldest = eldest.parse().map_or(Duration::ZERO, |age: f64| now.since(Millis(age as u64)));
    Depth { queued, parked, claimed, running, dead, eldest }
}

impl Queue {
    /// Jobs of each state, and how many of them cannot be read.
    fn first(&self, most: usize) -> Result<(Vec<Entry>, usize), StoreError> {
        let mut all = Snapshot::default();
        for state in STATES {
            let some = self.all_in(state, "", most, soon())?;
            all.order.extend(some.order.iter().filter(|job| !all.texts.contains_key(job)));
            all.texts.extend(some.texts);
        }
        let jobs = all.readable();
        let unreadable = all.order.len() - jobs.len();
        Ok((jobs, unreadable))
    }
}
