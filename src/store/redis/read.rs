//! Asking the scripts that only read, and understanding what they give.

use std::time::{Duration, Instant};

use super::index;
use super::keys::{Keys, claim_name, owner_name};
use super::pool::Pool;
use super::script::{CLAIM, Call, FORMER, MINE, RANGE, REFUSED, SCENE, Script};
use super::snapshot::{Snapshot, runner_name};
use crate::domain::entry::Entry;
use crate::domain::event::{Event, Subject};
use crate::domain::ids::{JobId, Millis, Owner};
use crate::store::{Ask, StoreError};

/// One queue's scripts, keys and clock.
pub struct Desk {
    /// The keys.
    pub keys: Keys,
    /// The links.
    pub pool: Pool,
    /// For tests: the moment of each step.
    pub clock: Option<crate::store::Clock>,
}

/// What `claim.lua` gave.
pub struct Choice {
    /// The claim's own job, or what may be taken.
    pub snapshot: Snapshot,
    /// How many of the jobs, the first ones, may be taken for all that the script knows.
    pub sure: usize,
    /// Where to go on when none of them is taken; `None`: all that matter were seen.
    pub next: Option<u64>,
    /// When the next pause is over.
    pub pause: Option<Millis>,
}

/// How far a look for work has come.
#[derive(Debug)]
pub struct Progress {
    /// How many classes were looked at.
    pub seen: u64,
    /// Whether jobs that are "not here" are shown: perhaps all have said so.
    pub doubts: bool,
    /// How many of the eldest jobs are shown.
    pub many: usize,
    /// Jobs that turned out not to fit.
    pub except: Vec<JobId>,
}

impl Default for Progress {
    fn default() -> Progress {
        Progress { seen: 0, doubts: true, many: 1, except: Vec::new() }
    }
}

/// What goes along with a claim, for the one who waits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Errand {
    /// The hops of the token that made the handler look.
    pub token: Option<u32>,
    /// Whether the handler's waiter is to be told that it may take tokens again.
    pub poke: bool,
}

/// A letter to one's own waiter.
pub const POKE: &str = "poke";

type Texts = Vec<String>;

impl Desk {
    /// A call of `script` with the queue's keys.
    pub fn call<'a>(&'a self, script: &'static Script, args: Vec<String>) -> Call<'a> {
        let now = self.clock.as_ref().map(|clock| clock().0.to_string()).unwrap_or_default();
        let mut all = vec![now];
        all.extend(args);
        Call { script, keys: self.keys.all().iter().map(String::as_str).collect(), args: all }
    }

    /// All that an event can touch.
    pub fn scene(&self, event: &Event, end: Instant) -> Result<Snapshot, StoreError> {
        let (job, claim) = match (event, event.subject()) {
            (Event::Claim { job, claim, .. }, _) => (Some(*job), Some(claim)),
            (_, Subject::Job(job)) => (Some(job), None),
            (_, Subject::HeldBy(claim)) => (None, Some(claim)),
        };
        let cards = if matches!(event, Event::NotHere { .. }) { "*" } else { "" };
        self.read(job, claim.map(claim_name), runner_name(event.runner()), cards.to_owned(), end)
    }

    /// One job.
    pub fn of_job(&self, job: JobId, end: Instant) -> Result<Snapshot, StoreError> {
        self.read(Some(job), None, String::new(), String::new(), end)
    }

    /// What a claim holds.
    pub fn of_claim(&self, claim: String, end: Instant) -> Result<Snapshot, StoreError> {
        self.read(None, Some(claim), String::new(), String::new(), end)
    }

    /// A handler's card.
    pub fn of_card(&self, owner: &Owner, end: Instant) -> Result<Snapshot, StoreError> {
        self.read(None, None, String::new(), owner_name(owner), end)
    }

    fn read(
        &self,
        job: Option<JobId>,
        claim: Option<String>,
        runner: String,
        cards: String,
        end: Instant,
    ) -> Result<Snapshot, StoreError> {
        let args = vec![
            job.map(|job| job.to_string()).unwrap_or_default(),
            claim.clone().unwrap_or_default(),
            runner.clone(),
            cards,
        ];
        let answer = self.pool.call(&self.call(&SCENE, args), end)?;
        let (now, held, texts, tied, shown): (u64, String, Texts, Texts, Texts) = answer;
        let mut snapshot = snapshot(now, texts)?;
        snapshot.held = claim.map(|claim| (claim, held));
        snapshot.tied = Some((runner, tied)).filter(|(runner, _)| !runner.is_empty());
        snapshot.read_cards(&shown);
        Ok(snapshot)
    }

    /// The claim's own job, else what the asker may take.
    pub fn choice(
        &self,
        ask: &Ask<'_>,
        so_far: &Progress,
        errand: Errand,
        end: Instant,
    ) -> Result<Choice, StoreError> {
        let claim = claim_name(ask.claim);
        let mut args = vec![
            claim.clone(),
            index::scope(ask.scope),
            ask.like.map(index::labels).unwrap_or_default(),
            index::voter(ask.voter),
            errand.token.map(|hops| hops.to_string()).unwrap_or_default(),
            if errand.poke { POKE.to_owned() } else { String::new() },
            so_far.seen.to_string(),
            if so_far.doubts { "doubts".to_owned() } else { String::new() },
            so_far.many.to_string(),
            if ask.absent.is_empty() { String::new() } else { "cards".to_owned() },
        ];
        args.extend(ask.except.iter().chain(&so_far.except).map(JobId::to_string));
        let mailbox = self.keys.mailbox(&ask.claim.owner);
        let mut call = self.call(&CLAIM, args);
        call.keys.push(&mailbox);
        let answer = self.pool.call(&call, end)?;
        let (now, held, texts, cards, pause, sure, next): (
            String,
            String,
            Texts,
            Texts,
            String,
            usize,
            String,
        ) = answer;
        let mut snapshot = snapshot(now.parse().unwrap_or_default(), texts)?;
        snapshot.held = Some((claim, held));
        snapshot.read_cards(&cards);
        // Redis shows large scores as powers.
        let pause = pause.parse::<f64>().ok().map(|score| Millis(score as u64));
        Ok(Choice { snapshot, sure, next: next.parse().ok(), pause })
    }

    /// Moves what programs before this form of the indexes have written, so that it is found.
    pub fn move_former(&self, end: Instant) -> Result<(), StoreError> {
        let former = self.keys.former();
        let mut call = self.call(&FORMER, Vec::new());
        call.keys.extend(former.iter().map(String::as_str));
        while self.pool.call::<u64>(&call, end)? > 0 {}
        Ok(())
    }

    /// All that a handler holds.
    pub fn all_of(&self, owner: &Owner, end: Instant) -> Result<Snapshot, StoreError> {
        let call = self.call(&MINE, vec![format!("{}#", owner_name(owner))]);
        let (now, texts): (u64, Texts) = self.pool.call(&call, end)?;
        snapshot(now, texts)
    }

    /// The first jobs that a voter has refused, the eldest words first.
    pub fn refused(&self, voter: &str, most: usize, end: Instant) -> Result<Snapshot, StoreError> {
        let call = self.call(&REFUSED, vec![index::voter(voter), most.to_string()]);
        let (now, texts): (u64, Texts) = self.pool.call(&call, end)?;
        snapshot(now, texts)
    }

    /// A page of a state's jobs by score, with their texts, and the clock. `last`: a bracket and the milliseconds
    /// before now at which the scores end; empty: no end. What cannot be read is left alone, and said.
    pub fn page(
        &self,
        state: &str,
        last: &str,
        from: usize,
        count: usize,
        end: Instant,
    ) -> Result<Snapshot, StoreError> {
        let args = vec![state.to_owned(), last.to_owned(), from.to_string(), count.to_string()];
        let (now, texts, next): (u64, Texts, String) = self.pool.call(&self.call(&RANGE, args), end)?;
        let next = next.parse().ok().map(Duration::from_millis);
        Ok(Snapshot { next, ..snapshot(now, texts)? })
    }
}

/// What is known of an entry that was read: itself, and the text that it was read from.
pub fn with_texts(snapshot: &Snapshot) -> Vec<(Entry, String)> {
    let entries = snapshot.readable().into_iter();
    let known = entries.filter_map(|entry| {
        let text = snapshot.texts.get(&entry.job.id)?.clone()?;
        Some((entry, text))
    });
    known.collect()
}

/// From id, record, id, record, …
pub fn snapshot(now: u64, texts: Texts) -> Result<Snapshot, StoreError> {
    let mut snapshot = Snapshot { now: Millis(now), ..Snapshot::default() };
    let mut texts = texts.into_iter();
    while let (Some(id), Some(text)) = (texts.next(), texts.next()) {
        let id = id.parse().map(JobId);
        let id = id.map_err(|_| StoreError::Unreadable("an index names no job's number".into()))?;
        snapshot.order.push(id);
        snapshot.texts.insert(id, Some(text).filter(|text| !text.is_empty()));
    }
    Ok(snapshot)
}
