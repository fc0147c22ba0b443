//! The stop: two urgencies, three waits, and the only places of the daemon that sleep.
//!
//! A stop is a dropped sender: it cannot be missed or sent twice.
//! [`Stop`] is what everybody listens to, [`StopHandle`] what one place decides with.

use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, after, bounded, never, select};

/// A channel that never carries a message: it only ends.
pub enum Never {}

/// How urgent it is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Go on.
    Run,
    /// Claim nothing more; what has not started is given back; running jobs are waited for.
    Drain,
    /// End now; running jobs are detached.
    Interrupt,
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The bell rang: something may have changed.
    Bell,
    /// The time is up.
    Time,
    /// What was waited for beside the bell has ended.
    Ended,
    /// This wait heeds the urgency that is now in force.
    Stop(Urgency),
}

/// What listeners hold.
#[derive(Clone, Debug)]
pub struct Stop {
    drain: Receiver<Never>,
    interrupt: Receiver<Never>,
}

/// What the one place that decides holds. Dropping it interrupts.
#[derive(Debug)]
pub struct StopHandle {
    drain: Option<Sender<Never>>,
    interrupt: Option<Sender<Never>>,
}

/// A handle and its listeners' side.
pub fn stop() -> (StopHandle, Stop) {
    let (drain_tx, drain) = bounded(0);
    let (interrupt_tx, interrupt) = bounded(0);
    (StopHandle { drain: Some(drain_tx), interrupt: Some(interrupt_tx) }, Stop { drain, interrupt })
}

impl StopHandle {
    /// First signal.
    pub fn drain(&mut self) {
        self.drain = None;
    }

    /// Second signal; implies the first.
    pub fn interrupt(&mut self) {
        self.drain = None;
        self.interrupt = None;
    }
}

impl Stop {
    /// A stop that never comes.
    pub fn unheard() -> Stop {
        Stop { drain: never(), interrupt: never() }
    }

    /// What is in force now.
    pub fn urgency(&self) -> Urgency {
        if ended(&self.interrupt) {
            Urgency::Interrupt
        } else if ended(&self.drain) {
            Urgency::Drain
        } else {
            Urgency::Run
        }
    }

    /// Between turns: woken by work, drain, interrupt.
    pub fn idle(&self, bell: &Receiver<()>, limit: Duration) -> Woken {
        self.wait(&self.drain, bell, limit)
    }

    /// From the claim to the job's start: woken by work's news, drain, interrupt.
    pub fn before_start(&self, bell: &Receiver<()>, limit: Duration) -> Woken {
        self.wait(&self.drain, bell, limit)
    }

    /// While the job runs: woken by its end and by interrupt only, so that a drain kills no running job.
    pub fn running(&self, bell: &Receiver<()>, limit: Duration) -> Woken {
        self.wait(&self.interrupt, bell, limit)
    }

    /// As [`Stop::before_start`], beside something that ends: a child.
    pub fn before_start_beside(&self, bell: &Receiver<()>, end: &Receiver<()>, limit: Duration) -> Woken {
        if ended(&self.drain) {
            return Woken::Stop(self.urgency());
        }
        select! {
            recv(self.drain) -> _ => Woken::Stop(self.urgency()),
            recv(end) -> _ => Woken::Ended,
            recv(bell) -> rung => match rung {
                Ok(()) => Woken::Bell,
                Err(_) => self.before_start_beside(&never(), end, limit),
            },
            recv(after(limit)) -> _ => Woken::Time,
        }
    }

    /// Sleeps for `limit`; false when the urgency became at least `heeded`.
    pub fn pause(&self, heeded: Urgency, limit: Duration) -> bool {
        self.wait(self.ends_at(heeded), &never(), limit) == Woken::Time
    }

    /// Waits for something to end; false when it has not by `limit`, or when the urgency became at least `heeded`.
    pub fn ends_within(&self, heeded: Urgency, end: &Receiver<()>, limit: Duration) -> bool {
        self.wait(self.ends_at(heeded), end, limit) == Woken::Bell
    }

    /// A channel that ends when the urgency becomes at least `heeded`: an arm for somebody's `select!`.
    pub fn ends_at(&self, heeded: Urgency) -> &Receiver<Never> {
        if heeded == Urgency::Interrupt { &self.interrupt } else { &self.drain }
    }

    fn wait(&self, heeded: &Receiver<Never>, bell: &Receiver<()>, limit: Duration) -> Woken {
        if ended(heeded) {
            return Woken::Stop(self.urgency());
        }
        select! {
            recv(heeded) -> _ => Woken::Stop(self.urgency()),
            recv(bell) -> rung => if rung.is_ok() { Woken::Bell } else { self.wait(heeded, &never(), limit) },
            recv(after(limit)) -> _ => Woken::Time,
        }
    }
}

fn ended(channel: &Receiver<Never>) -> bool {
    matches!(channel.try_recv(), Err(crossbeam_channel::TryRecvError::Disconnected))
}

/// A pause that nothing may shorten: short, and for what cannot be stopped anyway.
#[expect(clippy::disallowed_methods, reason = "the one room that sleeps")]
pub fn breathe(limit: Duration) {
    std::thread::sleep(limit);
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn a_drain_wakes_idle_and_before_start_but_not_running() {
        let (mut handle, stop) = stop();
        assert_eq!(stop.urgency(), Urgency::Run);
        handle.drain();
        assert_eq!(stop.idle(&never(), LONG), Woken::Stop(Urgency::Drain));
        assert_eq!(stop.before_start(&never(), LONG), Woken::Stop(Urgency::Drain));
        assert_eq!(stop.running(&never(), Duration::from_millis(5)), Woken::Time);
    }

    #[test]
    fn an_interrupt_wakes_all_and_so_does_a_lost_handle() {
        let (handle, stop) = stop();
        drop(handle);
        assert_eq!(stop.running(&never(), LONG), Woken::Stop(Urgency::Interrupt));
        assert!(!stop.pause(Urgency::Interrupt, LONG));
    }

    #[test]
    fn a_bell_wakes_and_a_lost_bell_is_only_silence() {
        let (_handle, stop) = stop();
        let (tx, bell) = bounded(1);
        tx.send(()).unwrap();
        assert_eq!(stop.idle(&bell, LONG), Woken::Bell);
        drop(tx);
        assert_eq!(stop.idle(&bell, Duration::from_millis(5)), Woken::Time);
        assert_eq!(stop.before_start_beside(&bell, &never(), Duration::from_millis(5)), Woken::Time);
    }
}
