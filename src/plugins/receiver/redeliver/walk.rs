//! The way down a hook's list, and how it is gone on with.

use std::time::Duration;

use super::decide::{Course, Findings, Unfinished};
use crate::domain::ids::Millis;
use crate::github::hooks::Page;

/// A way down the list.
#[derive(Debug, Default)]
pub struct Walk {
    /// How far down it goes; told by its first page.
    floor: Option<Millis>,
    began: Option<Millis>,
    /// Where the next page begins; nowhere: it has not begun, or has ended.
    pub cursor: Option<String>,
    /// What it has found so far.
    pub found: Findings,
}

impl Walk {
    /// The unfinished one, or a new one.
    pub fn of(course: &Course) -> Walk {
        let Some(Unfinished { floor, began, cursor, good }) = course.unfinished.clone() else {
            return Walk::default();
        };
        let (floor, began, cursor) = (Some(floor), Some(began), Some(cursor));
        Walk { floor, began, cursor, found: Findings::from(&good) }
    }

    /// The same way once more from the top.
    #[must_use]
    pub fn again(self) -> Walk {
        Walk { floor: self.floor, ..Walk::default() }
    }

    /// Takes in a page that came at `now`, by GitHub's clock. `reach`: how far the first look of all goes back;
    /// `installation`: whose rows of an App's hook are ours.
    pub fn take(
        &mut self,
        page: &Page,
        now: Millis,
        course: &Course,
        reach: Duration,
        installation: Option<u64>,
    ) {
        self.began = self.began.or(Some(now));
        let floor = *self.floor.get_or_insert_with(|| course.floor(now, reach));
        self.found.read(&page.deliveries, floor, installation);
        let reached = page.deliveries.last().is_some_and(|last| last.at < floor);
        self.cursor = page.next.clone().filter(|_| !reached);
    }

    /// What is to be remembered of it.
    pub fn course(&self, before: &Course) -> Course {
        let began = self.began.unwrap_or_default();
        match &self.cursor {
            None => before.completed(began),
            Some(cursor) => {
                let floor = self.floor.unwrap_or_default();
                let good = self.found.at_a_later_try.clone();
                let unfinished = Unfinished { floor, began, cursor: cursor.clone(), good };
                Course { complete: before.complete, unfinished: Some(unfinished) }
            }
        }
    }
}
