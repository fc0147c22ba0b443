//! From what a store shows to what is told.

use std::collections::HashMap;

use super::report::{Counts, Handler, Holder, Job, Moment, NotTaken, QueueReport, Who};
use super::why::{Hand, not_taken, takes_nothing};
use crate::domain::entry::{Ending, Entry, Hold, State};
use crate::domain::ids::{JobId, Millis, Owner};
use crate::store::Card;
use crate::store::look::{View, Wanted};
use crate::store::shelf::Seen;

/// In this order jobs are shown.
pub const ORDER: [&str; 5] = ["running", "claimed", "queued", "parked", "dead"];

/// Tells what was seen.
pub fn fill(report: &mut QueueReport, view: &View, wanted: Wanted) {
    let hands = hands(view);
    let scene = Scene { now: view.now, hands: &hands, leases: report.store != "embedded" };
    report.now = Some(Moment(view.now));
    report.counts = Counts {
        queued: view.depth.queued,
        parked: view.depth.parked,
        claimed: view.depth.claimed,
        running: view.depth.running,
        dead: view.depth.dead,
    };
    report.unreadable = view.unreadable;
    report.handlers = hands.iter().map(|hand| handler(hand, view.now)).collect();
    report.jobs = view.jobs.iter().map(|entry| scene.job(entry)).collect();
    report.jobs.sort_by_key(|job| ORDER.iter().position(|state| *state == job.state));
    if let Wanted::First(_) = wanted {
        let all: u64 = ORDER.iter().map(|state| report.counts.of(state)).sum();
        report.not_shown = all.saturating_sub((report.jobs.len() + view.unreadable) as u64);
    }
}

/// All handlers, live ones first, by host and plugin.
fn hands(view: &View) -> Vec<Hand<'_>> {
    let mut held: HashMap<&Owner, Vec<JobId>> = HashMap::new();
    for entry in &view.held {
        if let Some(hold) = entry.hold() {
            held.entry(&hold.claim.owner).or_default().push(entry.job.id);
        }
    }
    let hand = |seen: &'_ Seen| {
        let Card { owner, note, .. } = &seen.card;
        let who =
            Who { plugin: owner.plugin.clone(), host_name: note.host_name.clone(), host: owner.host.clone() };
        (who, held.get(owner).cloned().unwrap_or_default())
    };
    let with = |seen| {
        let (who, jobs) = hand(seen);
        Hand { seen, who, jobs }
    };
    let mut hands: Vec<Hand<'_>> = view.cards.iter().map(with).collect();
    hands.sort_by_key(|hand| (!hand.seen.lives(view.now), hand.who.host_name.clone(), hand.who.clone()));
    hands
}

fn handler(hand: &Hand<'_>, now: Millis) -> Handler {
    Handler {
        who: hand.who.clone(),
        scope: hand.seen.card.scope.to_string(),
        live: hand.seen.lives(now),
        seen_at: Moment(hand.seen.at),
        jobs: hand.jobs.iter().map(|job| job.0).collect(),
        takes_nothing_because: takes_nothing(&hand.seen.card).map(str::to_owned),
    }
}

/// What jobs are told against.
struct Scene<'v> {
    now: Millis,
    hands: &'v [Hand<'v>],
    /// Whether claims end by time.
    leases: bool,
}

impl Scene<'_> {
    fn job(&self, entry: &Entry) -> Job {
        let job = &entry.job;
        let mut told = Job {
            id: job.id.0,
            state: entry.state.word(),
            repository: format!("{}/{}", job.owner, job.repo),
            name: job.name.clone(),
            workflow_name: job.workflow_name.clone(),
            labels: job.labels.clone(),
            url: job.url.clone(),
            run_id: job.run_id.0,
            run_attempt: job.run_attempt,
            stored_at: Moment(entry.age),
            age_seconds: self.now.since(entry.age).as_secs(),
            failed_attempts: entry.attempts,
            attempt: entry.attempts + 1,
            not_before: None,
            ask_at: None,
            held_by: entry.hold().map(|hold| self.holder(hold)),
            runner: None,
            conclusion: None,
            reason: None,
            ended_at: None,
            not_taken_by: Vec::new(),
        };
        match &entry.state {
            State::Queued => {
                told.not_before = Some(entry.not_before).filter(|until| *until > self.now).map(Moment);
                told.not_taken_by = self.not_taken_by(entry);
            }
            State::Parked { ask_at } => {
                told.ask_at = Some(Moment(*ask_at));
                told.not_taken_by = self.not_taken_by(entry);
            }
            State::Claimed(_) => {}
            State::Running { runner, .. } => told.runner = Some(runner.0.clone()),
            State::Over(Ending { conclusion, runner, at, .. }) => {
                told.conclusion = Some(conclusion.as_text().to_owned());
                told.runner = runner.as_ref().map(|runner| runner.0.clone());
                told.ended_at = Some(Moment(*at));
            }
            State::Dead { reason, at } => {
                told.reason = Some(reason.clone());
                told.ended_at = Some(Moment(*at));
            }
        }
        told
    }

    fn holder(&self, hold: &Hold) -> Holder {
        let owner = &hold.claim.owner;
        let hand = self.hands.iter().find(|hand| hand.seen.card.owner == *owner);
        let unknown =
            || Who { plugin: owner.plugin.clone(), host_name: String::new(), host: owner.host.clone() };
        Holder {
            who: hand.map_or_else(unknown, |hand| hand.who.clone()),
            live: hand.is_some_and(|hand| hand.seen.lives(self.now)),
            runner: hold.runner.as_ref().map(|runner| runner.0.clone()),
            held_up_because: hand.and_then(|hand| hand.seen.card.note.held_up.clone()),
            lease_until: Some(Moment(hold.lease_until)).filter(|_| self.leases),
        }
    }

    fn not_taken_by(&self, entry: &Entry) -> Vec<NotTaken> {
        let live = self.hands.iter().filter(|hand| hand.seen.lives(self.now));
        live.map(|hand| {
            let (why, text) = not_taken(entry, hand, self.now);
            NotTaken { who: hand.who.clone(), why, text, seen_at: Moment(hand.seen.at) }
        })
        .collect()
    }
}
