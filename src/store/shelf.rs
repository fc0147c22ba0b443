//! The verbs that change a queue, over anything that finds and keeps jobs.
//!
//! A [`Shelf`] is what a store must be able to do inside one atomic step; what the step means stands here and
//! in [`crate::domain::life`], once for all stores that run this program's code inside their transaction.

use std::time::Duration;

use super::{Ask, Card, StoreError};
use crate::domain::entry::{Entry, State};
use crate::domain::event::{Event, Scene, Subject, Told, Verdict};
use crate::domain::ids::{ClaimId, JobId, Millis, RunnerName};
use crate::domain::job::Job;
use crate::domain::life::{ASK_PARKED, claimable, passed_by, step};

/// One queue's jobs and cards, inside one atomic step.
///
/// Reading skips (with a warning) what a newer program wrote; only [`Shelf::get`], which was asked for that
/// very job, says so.
pub trait Shelf {
    /// One job.
    fn get(&mut self, job: JobId) -> Result<Option<Entry>, StoreError>;
    /// The job that the claim holds.
    fn held(&mut self, claim: &ClaimId) -> Result<Option<Entry>, StoreError>;
    /// What [`Event::runner`] ties to a job other than `besides`.
    fn tied_to(&mut self, runner: &RunnerName, besides: Option<JobId>) -> Result<Option<Entry>, StoreError>;
    /// The first queued job, by age and then id, of the ask's scope and labels whose pause is over at `now`
    /// and which `fits`.
    fn eldest(
        &mut self,
        ask: &Ask<'_>,
        now: Millis,
        fits: &mut dyn FnMut(&Entry) -> bool,
    ) -> Result<Option<Entry>, StoreError>;
    /// Parked jobs whose time to ask is not after `now`, eldest first.
    fn parked_until(&mut self, now: Millis) -> Result<Vec<Entry>, StoreError>;
    /// All handlers that ever showed themselves.
    fn cards(&mut self) -> Result<Vec<Seen>, StoreError>;
    /// Keeps the job in place of what was known of it.
    fn put(&mut self, entry: &Entry) -> Result<(), StoreError>;
    /// Keeps the card in place of its owner's former one.
    fn put_card(&mut self, seen: &Seen) -> Result<(), StoreError>;
}

/// A card and when it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The handler.
    pub card: Card,
    /// By the store's clock.
    pub at: Millis,
}

impl Seen {
    /// Whether the handler counts as live.
    pub fn lives(&self, now: Millis) -> bool {
        now.since(self.at) <= self.card.patience
    }
}

/// Plays one event: loads what it can touch, takes one step of the job's life, keeps what has changed.
pub fn play(shelf: &mut dyn Shelf, event: &Event, now: Millis) -> Result<Told, StoreError> {
    if let Event::Claim { job, claim, .. } = event
        && shelf.held(claim)?.is_some_and(|held| held.job.id != *job)
    {
        return Ok(Told { verdict: Verdict::Lost, wake: Vec::new(), work: false });
    }
    let before = scene(shelf, event, now)?;
    let (after, told) = step(before.clone(), event, now);
    for (was, is) in [(&before.job, &after.job), (&before.other, &after.other)] {
        if let Some(entry) = is.as_ref().filter(|_| was != is) {
            shelf.put(entry)?;
        }
    }
    Ok(told)
}

fn scene(shelf: &mut dyn Shelf, event: &Event, now: Millis) -> Result<Scene, StoreError> {
    let (job, besides) = match event.subject() {
        Subject::Job(id) => (shelf.get(id)?, Some(id)),
        Subject::HeldBy(claim) => {
            let held = shelf.held(claim)?;
            let id = held.as_ref().map(|entry| entry.job.id);
            (held, id)
        }
    };
    let other = match event.runner() {
        Some(runner) => shelf.tied_to(runner, besides)?,
        None => None,
    };
    let voters = match (event, &job) {
        (Event::NotHere { .. }, Some(entry)) => voters(&shelf.cards()?, &entry.job, now),
        _ => Vec::new(),
    };
    Ok(Scene { job, other, voters })
}

/// The voters of all live handlers that may take the job, each once.
pub fn voters(cards: &[Seen], job: &Job, now: Millis) -> Vec<String> {
    let mut voters: Vec<String> = cards
        .iter()
        .filter(|seen| seen.lives(now) && seen.card.scope.takes(&job.owner, &job.repo))
        .map(|seen| seen.card.voter.clone())
        .collect();
    voters.sort();
    voters.dedup();
    voters
}

/// How many jobs a claim passes by at most, so that the step stays short.
const MOST_PASSED: usize = 256;

/// Claims the eldest job that the asker may take, or gives the one that this claim already has. Of jobs before it whose
/// template the asker knows to be "not here" that is said on the way.
pub fn claim(shelf: &mut dyn Shelf, ask: &Ask<'_>, now: Millis) -> Result<Option<Entry>, StoreError> {
    if let Some(held) = shelf.held(ask.claim)? {
        return Ok(Some(held));
    }
    let cards = shelf.cards()?;
    let mut passed = Vec::new();
    let mut fits = |entry: &Entry| {
        let is_wanted = !ask.except.contains(&entry.job.id)
            && ask.like.is_none_or(|like| like.same_labels(&entry.job))
            && (entry.is_fresh(now) || !ask.hidden.iter().any(|name| entry.job.is_of(name)));
        if !is_wanted {
            return false;
        }
        let voters = voters(&cards, &entry.job, now);
        if !claimable(entry, ask.voter, &voters, now) {
            return false;
        }
        let is_absent = ask.absent.iter().any(|absence| absence.tells_of(entry));
        let said = is_absent.then(|| passed_by(entry, ask.voter, &voters, now)).flatten();
        let fits = said.is_none();
        passed.extend(said.filter(|_| passed.len() < MOST_PASSED));
        fits
    };
    let found = shelf.eldest(ask, now, &mut fits)?;
    for said in &passed {
        shelf.put(said)?;
    }
    let Some(found) = found else { return Ok(None) };
    let (job, claim, scope) = (found.job.id, ask.claim.clone(), ask.scope.clone());
    let event = Event::Claim { job, claim, scope, lease_until: now.plus(ask.lease) };
    play(shelf, &event, now)?;
    shelf.held(ask.claim)
}

/// Gives out the parked jobs that are due and sets when each is due again.
pub fn parked_due(shelf: &mut dyn Shelf, now: Millis) -> Result<Vec<Entry>, StoreError> {
    let due = shelf.parked_until(now)?;
    for entry in &due {
        let state = State::Parked { ask_at: now.plus(ASK_PARKED) };
        shelf.put(&Entry { state, ..entry.clone() })?;
    }
    Ok(due)
}

/// Keeps a handler's card; one that says the same and was shown a moment ago is not written again, so that a
/// handler which looks often costs no write each time.
pub fn seen(shelf: &mut dyn Shelf, card: &Card, now: Millis) -> Result<(), StoreError> {
    let fresh = (card.patience / 10).min(Duration::from_secs(10));
    let known =
        shelf.cards()?.iter().any(|old| old.card == *card && old.at <= now && now.since(old.at) < fresh);
    if known { Ok(()) } else { shelf.put_card(&Seen { card: card.clone(), at: now }) }
}
