//! What is remembered no longer.

use std::time::{Duration, Instant};

use super::plan::Plan;
use super::queue::{PAGE, Queue};
use super::read::with_texts;
use crate::domain::entry::{Entry, State};
use crate::domain::life::taken_back;
use crate::store::shelf::Shelf;
use crate::store::{REMEMBERED, StoreError};

/// Between two looks for jobs to forget.
const PURGE: Duration = Duration::from_mins(5);

impl Queue {
    /// Forgets old jobs; looks for them every five minutes, however often it is called.
    pub(super) fn forget_old(&self, end: Instant) -> Result<u64, StoreError> {
        let lately = self.times().purged.is_some_and(|at| at.elapsed() < PURGE);
        if lately && self.options.clock.is_none() {
            return Ok(0);
        }
        self.desk.move_former(end)?;
        let forgotten = ["over", "dead", "running"]
            .iter()
            .try_fold(0, |sum, state| Ok(sum + self.forget_from(state, end)?));
        self.times().purged = forgotten.is_ok().then(Instant::now);
        forgotten
    }

    /// Takes back a voter's old words: a page of them, so that a long queue is not told again and again.
    pub(super) fn take_back_old(&self, voter: &str, end: Instant) -> Result<(), StoreError> {
        let mut page = self.desk.refused(voter, PAGE, end)?;
        let now = page.now;
        for entry in page.readable().iter().filter_map(|entry| taken_back(entry, voter, now)) {
            page.put(&entry)?;
        }
        // When somebody was faster, there is another time.
        if page.put.is_empty() { Ok(()) } else { self.desk.commit(&Plan::of(&page)?, end).map(drop) }
    }

    fn forget_from(&self, state: &str, end: Instant) -> Result<u64, StoreError> {
        let last = format!("({}", REMEMBERED.as_millis());
        let mut forgotten = 0;
        let mut from = 0;
        loop {
            let page = self.desk.page(state, &last, from, PAGE, end)?;
            let size = page.order.len();
            let old: Vec<_> =
                with_texts(&page).into_iter().filter(|(entry, _)| is_forgettable(entry)).collect();
            let count = old.len();
            if count > 0 && self.desk.commit(&Plan::to_forget(&old), end)? {
                forgotten += count as u64;
                from += size - count;
            } else {
                from += size;
            }
            if size < PAGE {
                return Ok(forgotten);
            }
        }
    }
}

/// A stranger's job whose end was never told is forgotten by its age, one that a claim holds is not.
fn is_forgettable(entry: &Entry) -> bool {
    !matches!(entry.state, State::Running { hold: Some(_), .. })
}
