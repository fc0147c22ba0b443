//! What is remembered no longer.

use std::time::{Duration, Instant};

use super::plan::Plan;
use super::queue::{PAGE, Queue};
use super::read::with_texts;
use crate::domain::entry::{Entry, State};
use crate::domain::life::{REFUSED, asked_anew};
use crate::store::shelf::Shelf;
use crate::store::{REMEMBERED, StoreError};

/// Between two looks for jobs to forget.
const PURGE: Duration = Duration::from_mins(2);

impl Queue {
    /// Forgets old jobs; looks for them every few minutes, however often it is called.
    pub(super) fn forget_old(&self, end: Instant) -> Result<u64, StoreError> {
        let lately = self.times().purged.is_some_and(|at| at.elapsed() < PURGE);
        if lately && self.options.clock.is_none() {
            return Ok(0);
        }
        self.desk.move_former(end)?;
        let forgotten = ["over", "dead", "running"]
            .iter()
            .try_fold(0, |sum, state| Ok(sum + self.forget_from(state, end)?));
        self.ask_anew(end)?;
        self.times().purged = forgotten.is_ok().then(Instant::now);
        forgotten
    }

    /// Asks anew what was refused long ago.
    fn ask_anew(&self, end: Instant) -> Result<(), StoreError> {
        let last = format!("[{}", REFUSED.as_millis());
        loop {
            let mut page = self.desk.page("refused", &last, 0, PAGE, end)?;
            let now = page.now;
            for entry in page.readable().iter().filter_map(|entry| asked_anew(entry, now)) {
                page.put(&entry)?;
            }
            if page.put.is_empty() || !self.desk.commit(&Plan::of(&page)?, end)? {
                return Ok(());
            }
        }
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
