//! A thread a plugin: turn, pause, turn; and the order in which they end.
//!
//! There are two groups. On a drain the receivers go on until the last handler has ended, which needs their
//! `completed`; on an interrupt they close first. Whoever does not end in time is left behind, with what it
//! holds in its journal: nothing here joins a thread that has not said that it has ended.

use std::collections::BTreeMap;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, at, bounded, never, select, unbounded};

use super::board::Cell;
use super::plugin::Plugin;
use super::seat::{Once, Seat};
use super::signals::{self, Signal};
use super::status::{Activity, Kind};
use super::stop::{Stop, StopHandle, Urgency, stop};
use super::thread;

/// How long the receivers' closing may hold up the handlers' interrupt.
const RECEIVERS_FIRST: Duration = Duration::from_secs(1);

/// How plugins are run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Run-once: one turn each; the receivers end when the handlers have.
    pub once: bool,
    /// SIGTERM is an interrupt at once (`stop_on_term: detach`).
    pub detach_on_term: bool,
    /// How long plugins may take to end: all after an interrupt, the receivers after the last handler of a
    /// drain.
    pub patience: Duration,
}

/// How it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Plugins that ended by a fault.
    pub faults: usize,
    /// Plugins that had not ended when patience had.
    pub left_behind: usize,
}

/// All plugins of a process.
#[derive(Debug)]
pub struct Supervisor {
    options: Options,
    handlers: Group,
    receivers: Group,
    ends: Receiver<End>,
    urgency: Urgency,
    deadline: Option<Instant>,
    faults: usize,
}

/// What a plugin's thread says last.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub kind: Kind,
    pub place: usize,
    pub faulty: bool,
}

#[derive(Debug)]
struct Group {
    handle: StopHandle,
    stop: Stop,
    cells: Vec<Cell>,
    threads: BTreeMap<usize, JoinHandle<()>>,
}

impl Supervisor {
    /// Starts the plugins, in the order of the file; their first turns come one after another.
    pub fn start(plugins: Vec<(Box<dyn Plugin>, Cell)>, options: Options) -> Supervisor {
        signals::supervise();
        let (tell, ends) = unbounded();
        let (alive, handlers_gone) = bounded(0);
        let (handlers, receivers) = (Group::new(), Group::new());
        let (urgency, deadline, faults) = (Urgency::Run, None, 0);
        let mut all = Supervisor { options, handlers, receivers, ends, urgency, deadline, faults };
        let mut before = None;
        for (place, (plugin, cell)) in plugins.into_iter().enumerate() {
            let kind = cell.identity().kind;
            let once = options.once.then(|| match kind {
                Kind::Handler => Once::Handler { _alive: alive.clone() },
                Kind::Receiver | Kind::Aggregator => Once::Receiver { handlers_gone: handlers_gone.clone() },
            });
            let stop = all.group(kind).stop.clone();
            let (seat, passed) = Seat::new(plugin, cell.clone(), stop, before.take(), once);
            before = Some(passed);
            all.seat(place, &cell, seat, tell.clone());
        }
        all
    }

    /// Waits until all plugins have ended, by themselves or because `signals` said so.
    pub fn run_until_end(mut self, signals: &Receiver<Signal>) -> Ended {
        let mut signals = signals.clone();
        loop {
            self.end_receivers_when_due();
            if self.is_leaving() {
                signals::leave_soon();
            }
            if self.left() == 0 {
                break;
            }
            let deadline = self.deadline.map_or_else(never, at);
            select! {
                recv(self.ends) -> end => if let Ok(end) = end { self.note(end) },
                recv(signals) -> told => match told {
                    Ok(signal) => self.obey(signal),
                    Err(_) => signals = never(),
                },
                recv(deadline) -> _ => break,
            }
        }
        Ended { faults: self.faults, left_behind: self.left() }
    }

    fn seat(&mut self, place: usize, cell: &Cell, seat: Seat, tell: Sender<End>) {
        let name = format!("plugin:{}", cell.identity().name);
        match thread::start(name.clone(), move || seat.run(place, &tell)) {
            Ok(running) => {
                let group = self.group(cell.identity().kind);
                group.cells.push(cell.clone());
                group.threads.insert(place, running);
            }
            Err(reason) => {
                log::error!("failed to start the thread {name}, the plugin is stopped: {reason}");
                cell.set(Activity::Stopped);
                self.faults += 1;
            }
        }
    }

    fn obey(&mut self, signal: Signal) {
        let at_once = signal == Signal::Terminate && self.options.detach_on_term;
        match (signal, self.urgency) {
            (Signal::Hangup, _) => log::info!("SIGHUP does not stop the daemon; it goes on as it is"),
            (_, Urgency::Interrupt) => {}
            (_, Urgency::Run) if !at_once => self.drain(),
            _ => self.interrupt(),
        }
    }

    /// Only handlers have jobs to speak of.
    fn say(&self, of_jobs: &str) {
        let has_jobs = self.handlers.cells.iter().any(|cell| cell.identity().kind == Kind::Handler);
        log::info!("{}", if has_jobs { of_jobs } else { "stopping" });
    }

    fn drain(&mut self) {
        self.say("stopping: no new jobs, running ones are waited for; the next signal leaves them running");
        self.urgency = Urgency::Drain;
        self.handlers.cells.iter().for_each(Cell::ending);
        self.handlers.handle.drain();
    }

    fn interrupt(&mut self) {
        self.say("stopping at once: running jobs go on in their VMs, and the next start takes them up");
        self.urgency = Urgency::Interrupt;
        signals::leave_soon();
        self.deadline = Some(Instant::now() + self.options.patience);
        self.receivers.handle.interrupt();
        let closed_by = Instant::now() + RECEIVERS_FIRST;
        while !self.receivers.threads.is_empty() {
            let Ok(end) = self.ends.recv_deadline(closed_by) else { break };
            self.note(end);
        }
        self.handlers.handle.interrupt();
    }

    fn end_receivers_when_due(&mut self) {
        let handlers_gone = self.handlers.threads.is_empty();
        let due = self.urgency == Urgency::Drain && handlers_gone;
        if due && self.receivers.stop.urgency() == Urgency::Run {
            self.receivers.handle.drain();
            self.deadline = Some(Instant::now() + self.options.patience);
        }
    }

    /// Whether no job is waited for any more.
    fn is_leaving(&self) -> bool {
        match self.urgency {
            Urgency::Run => self.left() == 0,
            Urgency::Drain => !self.handlers.cells.iter().any(Cell::has_job),
            Urgency::Interrupt => true,
        }
    }

    fn note(&mut self, end: End) {
        self.faults += usize::from(end.faulty);
        if let Some(thread) = self.group(end.kind).threads.remove(&end.place) {
            // It has said its last word; only its stack is still to be given back.
            let _ = thread.join();
        }
    }

    fn group(&mut self, kind: Kind) -> &mut Group {
        match kind {
            Kind::Handler => &mut self.handlers,
            Kind::Receiver | Kind::Aggregator => &mut self.receivers,
        }
    }

    fn left(&self) -> usize {
        self.handlers.threads.len() + self.receivers.threads.len()
    }
}

impl Group {
    fn new() -> Group {
        let (handle, stop) = stop();
        Group { handle, stop, cells: Vec::new(), threads: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests;
