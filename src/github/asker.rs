//! On whose behalf a call is made: how long it may be tried, which stop ends it, who hears of a limit.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, select};

use crate::runtime::stop::{Stop, Urgency, breathe};

/// How long clean-up goes on after an interrupt.
pub const GRACE: Duration = Duration::from_secs(10);

/// Hears that a limit of GitHub holds the asker up (the plugin's status becomes `limit_paused`).
pub trait Watcher {
    /// The wait begins, or goes on, as is said every few seconds: it lasts `left` from now.
    fn paused(&self, left: Duration);
    /// The wait is over, or was given up.
    fn resumed(&self);
}

impl Watcher for () {
    fn paused(&self, _left: Duration) {}
    fn resumed(&self) {}
}

/// A caller's patience. Made anew for each part of a job, used by one thread.
pub struct Asker<'a> {
    stop: &'a Stop,
    heeds: Urgency,
    patience: Duration,
    grace: Duration,
    watcher: &'a dyn Watcher,
    stopped_at: Cell<Option<Instant>>,
}

impl<'a> Asker<'a> {
    /// Gives up as soon as the urgency is `heeds`.
    /// A refused sign-in, 5xx and network faults are tried again for `patience` (zero: once); limits do not count.
    pub fn new(stop: &'a Stop, heeds: Urgency, patience: Duration, watcher: &'a dyn Watcher) -> Asker<'a> {
        Asker { stop, heeds, patience, grace: Duration::ZERO, watcher, stopped_at: Cell::new(None) }
    }

    /// For clean-up: goes on for `grace` in all after the stop was noticed.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Asker<'a> {
        Asker { grace, ..self }
    }

    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    pub(super) fn watcher(&self) -> &dyn Watcher {
        self.watcher
    }

    /// Whether the stop has won.
    pub(super) fn is_over(&self) -> bool {
        self.stop.urgency() >= self.heeds && self.grace_left().is_zero()
    }

    /// Waits for `wait`; false as soon as the stop wins.
    pub(super) fn pause(&self, wait: Duration) -> bool {
        self.pause_some(wait, wait)
    }

    /// Waits for `part` of `whole`; false as soon as the stop wins, which asks for the whole.
    pub(super) fn pause_some(&self, part: Duration, whole: Duration) -> bool {
        let until = Instant::now() + whole;
        if self.stop.pause(self.heeds, part) {
            return true;
        }
        let left = until.saturating_duration_since(Instant::now());
        let wins = left > self.grace_left();
        if !wins {
            breathe(left.saturating_sub(whole.saturating_sub(part)));
        }
        !wins
    }

    /// The one message of `from`; `None` when the stop wins, or when nobody will send it.
    pub(super) fn receive<T>(&self, from: &Receiver<T>) -> Option<T> {
        select! {
            recv(from) -> told => told.ok(),
            recv(self.stop.ends_at(self.heeds)) -> _ => from.recv_timeout(self.grace_left()).ok(),
        }
    }

    /// Counted from the first time that the stop was noticed.
    fn grace_left(&self) -> Duration {
        let noticed = self.stopped_at.get().unwrap_or_else(Instant::now);
        self.stopped_at.set(Some(noticed));
        self.grace.saturating_sub(noticed.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::stop::stop;

    const LONG: Duration = Duration::from_mins(1);
    const SHORT: Duration = Duration::from_millis(20);

    #[test]
    fn a_stop_ends_a_pause_and_a_grace_is_spent_once() {
        let (mut handle, stop) = stop();
        let running = Asker::new(&stop, Urgency::Interrupt, LONG, &());
        let before = Asker::new(&stop, Urgency::Drain, LONG, &());
        let cleaning = Asker::new(&stop, Urgency::Interrupt, LONG, &()).with_grace(SHORT * 4);
        handle.drain();
        assert!(before.is_over() && !before.pause(LONG));
        assert!(!running.is_over() && running.pause(SHORT));
        handle.interrupt();
        assert!(running.is_over() && !running.pause(SHORT));
        assert!(!cleaning.is_over() && !cleaning.pause(LONG), "longer than the grace: at once");
        assert!(!cleaning.pause_some(SHORT, LONG), "so is a part of it");
        assert!(cleaning.pause(SHORT));
        assert!(!cleaning.pause(SHORT * 4), "the rest of the grace is shorter");
        breathe(SHORT * 4);
        assert!(cleaning.is_over());
    }
}
