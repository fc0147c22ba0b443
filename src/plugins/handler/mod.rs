//! A handler: takes a job, gives it a VM of its own, watches, and leaves the host clean.
//!
//! One turn, as [`Handler::turn`] reads: recover, drain check, claim, drive, clean up, settle.

mod absences; // what was "not here" a moment ago
mod ask; // asking GitHub about a job
mod boot; // ticket → VM that runs
mod cancel; // runs that cannot be served
mod chores; // between turns
mod clean; // newest first, past failures
mod drive; // the straight line
mod error; // adapters' errors → reasons
mod finish; // how a claim ends
mod group; // the runner group
mod guests; // which VMs run on the host
pub mod journal; // the undo log's file
mod just_in_time; // a runner that GitHub makes by one call
mod limit; // held up by GitHub in the middle of a job
mod muster; // who has shown himself
mod news; // what the store tells of the job in hand
mod note; // what people are told of the handler
mod once; // the tries of a run-once
mod options; // what a handler is made of
mod page; // its serde
mod place; // slot and template
mod recover; // the same way, begun in the middle
mod release; // the runner's version, resolved on the host
mod runner; // VM → runner that has its job
mod schedule; // when to ask, what to leave alone
mod streak; // failures in a row
mod trouble; // a store that was away for others
mod watch; // until it starts, until it is over
mod work; // what a turn has in hand

use std::cell::RefCell;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use crate::domain::ids::{ClaimId, VmName};
use crate::domain::undo::UndoLog;
use crate::github::{Asker, GRACE, Watcher};
use crate::runtime::board::Cell;
use crate::runtime::pace::paced;
use crate::runtime::plugin::{Line, Plugin, Turn};
use crate::runtime::random;
use crate::runtime::status::Activity;
use crate::runtime::stop::{Stop, Urgency};
use crate::store::{Ask, Card, Note};

pub use guests::Guests;
pub use options::{Options, Tools};

/// The longest wait: the handler shows that it lives, and looks for what no bell tells.
const TICK: Duration = Duration::from_secs(30);
/// How often the drain file is looked at, at least.
const DRAIN_LOOK: Duration = Duration::from_secs(5);
/// While all slots are taken.
const NO_SLOT: Duration = Duration::from_secs(1);

/// A handler plugin.
pub struct Handler {
    options: Options,
    tools: Tools,
    undo: UndoLog,
    bell: Receiver<()>,
    recovered: bool,
    looked: Option<Instant>,
    seen: Option<Instant>,
    /// Until it is seen for the first time.
    newcomer: Option<muster::Newcomer>,
    chored: Option<Instant>,
    taken_over: chores::Asked,
    asked_unwatched: Option<Instant>,
    etags: RefCell<ask::Etag>,
    missing: RefCell<ask::Missing>,
    hidden: RefCell<ask::Hidden>,
    absences: absences::Absences,
    took_back: Option<Instant>,
    failed_try: Option<once::FailedTry>,
    release: Option<release::Release>,
    held_back: schedule::HeldBack,
    follow_ups: cancel::FollowUps,
    streaks: streak::Streaks,
    group: group::Known,
    /// The number of a look whose answer was lost: the next one asks for the same claim, which it may hold.
    unanswered: Option<u64>,
    /// GitHub has refused something: before the next VM it is asked whether it would again.
    doubted: bool,
    said: note::Said,
    limited: limit::Limited,
}

impl Plugin for Handler {
    fn turn(&mut self, stop: &Stop, line: &mut Line) -> Turn {
        self.tools.cell.set(Activity::Idle);
        if !self.options.retired {
            self.tick();
        }
        if !self.recovered {
            self.recovered = self.recover(line, stop);
        }
        match (self.recovered, self.options.retired) {
            (true, false) => (),
            (true, true) => return Turn::Ended,
            (false, _) => {
                self.said.why = Some("it still cleans up what an earlier run has left".into());
                return Turn::Pause(NO_SLOT);
            }
        }
        self.chores(stop);
        let wait = self.reason_to_wait(stop);
        match wait.as_ref().and_then(|(_, why)| why.clone()) {
            // What was wrong with the host stands until a look has shown otherwise.
            None if self.held_back.host_stands() => (),
            why => self.said.why = why,
        }
        if self.seen.is_some_and(|at| at.elapsed() < paced(TICK)) {
            self.tick();
        }
        if let Some((pause, _)) = wait {
            return Turn::Pause(pause);
        }
        let claimed = self.claim();
        line.pass();
        let Some(work) = claimed else {
            if self.unanswered.is_none() {
                self.said.why = None;
            }
            return Turn::Pause(self.next_look());
        };
        self.work_on(work, stop);
        while let Some(work) = self.next_try(stop) {
            self.work_on(work, stop);
        }
        Turn::Again
    }

    fn bell(&self) -> Option<Receiver<()>> {
        self.options.sleep_interval.is_none().then(|| self.bell.clone())
    }
}

impl Handler {
    /// A handler over its open journal.
    pub fn new(options: Options, tools: Tools, undo: UndoLog) -> Handler {
        let bell = match options.sleep_interval {
            Some(_) => tools.store.mailbox(&options.owner),
            None => tools.store.bell(&options.owner),
        };
        let newcomer = (!options.retired).then(|| tools.guests.muster.newcomer());
        Handler {
            options,
            tools,
            undo,
            bell,
            recovered: false,
            looked: None,
            seen: None,
            newcomer,
            chored: None,
            taken_over: chores::Asked::default(),
            asked_unwatched: None,
            etags: RefCell::default(),
            missing: RefCell::default(),
            hidden: RefCell::default(),
            absences: absences::Absences::default(),
            took_back: None,
            failed_try: None,
            held_back: schedule::HeldBack::default(),
            follow_ups: cancel::FollowUps::default(),
            release: None,
            streaks: streak::Streaks::default(),
            group: group::Known::default(),
            unanswered: None,
            doubted: false,
            said: note::Said::default(),
            limited: limit::Limited::default(),
        }
    }

    /// From now on it only finishes what its journal holds; whether that is anything.
    pub fn retire(&mut self) -> bool {
        self.options.retired = true;
        self.newcomer = None;
        self.undo.page().is_some()
    }

    fn work_on(&mut self, mut work: work::Work, stop: &Stop) {
        self.tools.cell.set(Activity::Running);
        let result = self.drive(&mut work, stop);
        let result = self.clean_up(&mut work, result, stop);
        if let Err(reason) = &result {
            self.said.given_back(work.entry.job.id, reason);
        }
        self.finish(work, result, stop);
        self.tools.cell.set(Activity::Idle);
    }

    /// Why nothing is claimed now: the pause until the next look, and the reason unless it is the handler's own rhythm.
    fn reason_to_wait(&mut self, stop: &Stop) -> Option<(Duration, Option<String>)> {
        let because = |pause, why: &str| Some((pause, Some(why.to_owned())));
        let draining = self.options.drain_file.as_ref().is_some_and(|file| file.exists());
        self.tools.cell.draining(draining);
        if draining {
            return because(paced(DRAIN_LOOK), "draining: its host has a drain file");
        }
        if !self.tools.github.sign_in_works(&self.asker_once(stop, Urgency::Drain)) {
            return because(paced(DRAIN_LOOK), "GitHub refuses its sign-in");
        }
        let limited = self.tools.github.limited_for();
        self.tools.cell.limit_paused(limited.is_some());
        if let Some(left) = limited {
            return because(left.max(self.held_back.host_left()).min(DRAIN_LOOK), "GitHub limits its calls");
        }
        let left = self.held_back.host_left();
        if !left.is_zero() {
            return because(left.min(DRAIN_LOOK), &self.host_reason());
        }
        if !self.tools.slots.has_room() {
            return because(NO_SLOT, "both places of its host are taken");
        }
        if !self.has_group(stop) {
            return because(paced(DRAIN_LOOK), "its runner group is not at GitHub");
        }
        let since_look = self.looked.map(|at| at.elapsed());
        let interval = self.options.sleep_interval.unwrap_or_default();
        let early = since_look.and_then(|since| interval.checked_sub(since)).filter(|left| !left.is_zero());
        early.map(|left| (left.min(DRAIN_LOOK), None))
    }

    /// Takes the eldest job that this host may take now.
    fn claim(&mut self) -> Option<work::Work> {
        self.looked = Some(Instant::now());
        self.take_back();
        let turn = self.unanswered.take().unwrap_or_else(random::number);
        let id = ClaimId { owner: self.options.owner.clone(), turn };
        let (except, absent) = (self.held_back.jobs(), self.absences.all());
        let hidden = self.hidden.borrow().now();
        let ask = Ask {
            claim: &id,
            scope: &self.options.scope,
            voter: &self.options.voter,
            except: &except,
            absent: &absent,
            hidden: &hidden,
            like: None,
            lease: self.options.lease,
        };
        match self.tools.store.take(&ask) {
            Ok(taken) => {
                self.streaks.worked(streak::Effort::Look);
                let (claim, entry) = taken?;
                let work = work::Work::new(Some(claim), entry, VmName::from_random(random::bytes()));
                log::info!("handling the job");
                Some(work)
            }
            Err(error) => {
                self.unanswered = Some(turn);
                self.streaks.failed(
                    streak::Effort::Look,
                    format_args!("failed to look for work, and tries again: {error}"),
                );
                self.held_back.host();
                None
            }
        }
    }

    /// How long to wait for the bell.
    fn next_look(&self) -> Duration {
        let interval = self.options.sleep_interval.unwrap_or(DRAIN_LOOK);
        [Some(paced(DRAIN_LOOK)), Some(interval), self.held_back.next(), self.follow_ups.next()]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(DRAIN_LOOK)
            .max(Duration::from_millis(10))
    }

    /// Shows that the handler lives, at most once a tick; sooner when what it says of itself has changed.
    fn tick(&mut self) {
        let note = self.note();
        let pause = if note == self.said.shown { paced(TICK) } else { paced(DRAIN_LOOK) };
        if self.seen.is_some_and(|at| at.elapsed() < pause) {
            return;
        }
        let card = self.card(note);
        if self.tools.store.seen(&card).is_ok() {
            self.seen = Some(Instant::now());
            self.newcomer = None;
            self.said.shown = card.note;
        }
    }

    fn card(&self, note: Note) -> Card {
        let interval = self.options.sleep_interval.unwrap_or_default().max(TICK);
        Card {
            owner: self.options.owner.clone(),
            scope: self.options.scope.clone(),
            voter: self.options.voter.clone(),
            patience: interval * 3,
            note,
        }
    }

    /// For calls in the middle of a job: tried for as long as a runner may take to come online.
    fn asker<'a>(&'a self, stop: &'a Stop, heeds: Urgency) -> Asker<'a> {
        Asker::new(stop, heeds, self.options.registration_timeout, self)
    }

    /// For looks that are made again anyway: one try.
    fn asker_once<'a>(&'a self, stop: &'a Stop, heeds: Urgency) -> Asker<'a> {
        Asker::new(stop, heeds, Duration::ZERO, self)
    }

    /// For clean-up: a drain does not shorten it, an interrupt leaves it ten seconds.
    fn asker_cleaning<'a>(&'a self, stop: &'a Stop) -> Asker<'a> {
        self.asker(stop, Urgency::Interrupt).with_grace(GRACE)
    }
}

impl Watcher for Cell {
    fn paused(&self, _left: Duration) {
        self.limit_paused(true);
    }

    fn resumed(&self) {
        self.limit_paused(false);
    }
}

#[cfg(test)]
mod tests;
