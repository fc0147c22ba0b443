//! A limit of GitHub's that holds the handler up, maybe for an hour, in the middle of a job: the handler's card says so,
//! and that it lives.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::github::Watcher;
use crate::plugins::handler::{Handler, TICK};
use crate::runtime::pace::paced;
use crate::store::Note;

/// When the card last said so; none: it does not.
pub(super) type Limited = Cell<Option<Instant>>;

impl Watcher for Handler {
    fn paused(&self, left: Duration) {
        self.tools.cell.paused(left);
        if self.limited.get().is_some_and(|at| at.elapsed() < paced(TICK)) {
            return;
        }
        let held_up = Some("GitHub limits its calls".to_owned());
        if self.show(Note { held_up, ..self.note() }) {
            self.limited.set(Some(Instant::now()));
        }
    }

    fn resumed(&self) {
        self.tools.cell.resumed();
        if self.limited.take().is_some() {
            self.show(self.note());
        }
    }
}

impl Handler {
    fn show(&self, note: Note) -> bool {
        self.tools.store.seen(&self.card(note)).is_ok()
    }
}
