//! Looking at a queue from outside, for people: what waits, who holds what, who lives.
//!
//! Not a part of [`super::Store`], so that whoever only looks cannot change anything, and nothing is made where
//! there is no store.

use std::sync::Arc;

use super::shelf::Seen;
use super::{Depth, StoreError};
use crate::domain::entry::Entry;
use crate::domain::ids::{JobId, Millis};

/// One queue, to look at.
pub trait Look: Send + Sync {
    /// What stands in it; `None`: there is no store yet.
    fn look(&self, wanted: Wanted) -> Result<Option<View>, StoreError>;
}

impl<L: Look + ?Sized> Look for Arc<L> {
    fn look(&self, wanted: Wanted) -> Result<Option<View>, StoreError> {
        (**self).look(wanted)
    }
}

/// Which jobs are to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Of each state that is not over at most so many, those first that stand first in it.
    First(usize),
    /// One, whatever its state.
    Job(JobId),
}

/// A queue at one moment; where the store needs several calls, they follow one another at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// By the store's clock.
    pub now: Millis,
    /// How many there are, shown or not.
    pub depth: Depth,
    /// All handlers that have shown themselves, dead ones for a while too.
    pub cards: Vec<Seen>,
    /// All jobs that a claim holds.
    pub held: Vec<Entry>,
    /// The jobs that were wanted, eldest first.
    pub jobs: Vec<Entry>,
    /// How many of the wanted ones were left out since this version cannot read them.
    pub unreadable: usize,
}

/// The states of which jobs are shown, in the order of a job's life: a job that moves on while a store is looked at
/// piece by piece is seen twice rather than not at all.
pub const STATES: [&str; 5] = ["queued", "parked", "claimed", "running", "dead"];
