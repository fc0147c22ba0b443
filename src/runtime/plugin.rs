//! What a plugin is to the supervisor: something that takes turns on a thread of its own.

use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::stop::{Never, Stop};

/// What follows a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The next turn, at once: there may be more to do.
    Again,
    /// The next turn after this time, or when the bell rings.
    Pause(Duration),
    /// No more turns: the plugin is done, without fault.
    Ended,
    /// No more turns: the plugin cannot go on. It is shown as stopped, and the process's exit code says so.
    Failed(String),
}

/// A plugin. Dropping it gives back what it holds: a receiver's port, a handler's journal.
pub trait Plugin: Send {
    /// One turn. A handler's is a whole job, from recovery to settling; errors that it can live with it logs.
    ///
    /// `line` is this plugin's place in the line of first turns: see [`Line::pass`].
    fn turn(&mut self, stop: &Stop, line: &mut Line) -> Turn;

    /// What ends a pause early.
    fn bell(&self) -> Option<Receiver<()>> {
        None
    }
}

/// A place in the line in which the plugins take their first turns, one after another.
///
/// It is a dropped sender, as the stop is: passing on cannot be forgotten, since the end of the turn passes
/// too.
#[derive(Debug)]
pub struct Line {
    own: Option<Sender<Never>>,
}

impl Line {
    /// Lets the next plugin begin: a handler does so once it has taken its slots, and does not keep the
    /// others waiting until its job ends. Later turns may call it as well; it does nothing then.
    pub fn pass(&mut self) {
        self.own = None;
    }

    /// A place, and the channel that ends when it is passed on.
    pub(super) fn new() -> (Line, Receiver<Never>) {
        let (own, passed) = bounded(0);
        (Line { own: Some(own) }, passed)
    }
}
