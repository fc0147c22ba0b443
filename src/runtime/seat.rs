//! A plugin's thread: waits in line for the first turn, then turn, pause, turn, until the end.

use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, after, never, select};

use super::board::Cell;
use super::plugin::{Line, Plugin, Turn};
use super::status::Activity;
use super::stop::{Never, Stop, Urgency};
use super::supervisor::End;
use super::thread;
use crate::log::scope;

/// How long the first turns of others are waited for: one that is stuck must not keep the rest from working.
const LINE_LIMIT: Duration = Duration::from_mins(1);

/// What a plugin's thread has.
pub(super) struct Seat {
    plugin: Box<dyn Plugin>,
    cell: Cell,
    stop: Stop,
    before: Option<Receiver<Never>>,
    line: Line,
    once: Option<Once>,
}

/// What a seat of a run-once has: a handler's holds a token, a receiver's hears when the last token is gone.
pub(super) enum Once {
    Handler { _alive: Sender<Never> },
    Receiver { handlers_gone: Receiver<Never> },
}

impl Seat {
    /// A seat behind the one that ends `before`, and the channel that ends when this one has had its first
    /// turn.
    pub(super) fn new(
        plugin: Box<dyn Plugin>,
        cell: Cell,
        stop: Stop,
        before: Option<Receiver<Never>>,
        once: Option<Once>,
    ) -> (Seat, Receiver<Never>) {
        let (line, passed) = Line::new();
        (Seat { plugin, cell, stop, before, line, once }, passed)
    }

    /// The whole life of the thread; what the plugin holds is given back before `tell` hears of the end.
    pub(super) fn run(self, place: usize, tell: &Sender<End>) {
        let cell = self.cell.clone();
        let _scope = scope::enter(cell.identity().fields());
        let ended = thread::caught(|| self.take_turns());
        cell.set(Activity::Stopped);
        let fault = match ended {
            Ok(Ok(())) => None,
            Ok(Err(reason)) => Some(reason),
            Err(panic) => Some(format!("it panicked: {panic}")),
        };
        match &fault {
            None => log::info!("the plugin has ended"),
            Some(reason) => log::error!("the plugin is stopped, the others go on: {reason}"),
        }
        let _ = tell.send(End { kind: cell.identity().kind, place, faulty: fault.is_some() });
    }

    fn take_turns(mut self) -> Result<(), String> {
        self.wait_in_line();
        while self.stop.urgency() == Urgency::Run {
            let pause = match self.plugin.turn(&self.stop, &mut self.line) {
                Turn::Failed(reason) => return Err(reason),
                Turn::Ended => break,
                Turn::Again | Turn::Pause(_) if self.once.is_some() => break,
                Turn::Again => Duration::ZERO,
                Turn::Pause(limit) => limit,
            };
            self.line.pass();
            self.pause(pause);
        }
        self.line.pass();
        self.serve_on();
        Ok(())
    }

    fn wait_in_line(&self) {
        if let Some(before) = &self.before {
            select! {
                recv(before) -> _ => {},
                recv(self.stop.ends_at(Urgency::Drain)) -> _ => {},
                recv(after(LINE_LIMIT)) -> _ => {},
            }
        }
    }

    fn pause(&self, limit: Duration) {
        if !limit.is_zero() {
            self.stop.idle(&self.plugin.bell().unwrap_or_else(never), limit);
        }
    }

    /// In a run-once a receiver that has had its turn serves on until the handlers have ended.
    fn serve_on(&self) {
        if let Some(Once::Receiver { handlers_gone }) = &self.once {
            select! {
                recv(handlers_gone) -> _ => {},
                recv(self.stop.ends_at(Urgency::Drain)) -> _ => {},
            }
        }
    }
}
