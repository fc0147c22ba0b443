//! The queue as the state table alone plays it.

use std::collections::BTreeMap;
use std::time::Duration;

use anklet::domain::entry::Entry;
use anklet::domain::event::{Event, Verdict};
use anklet::domain::ids::{ClaimId, JobId, Millis};
use anklet::domain::job::Job;
use anklet::domain::life::claimable;

use crate::life::model::{Model, acme};

/// How long a claim holds unless it is renewed.
pub const LEASE: Duration = Duration::from_secs(3);
/// The hosts' words on "not here".
pub const VOTERS: [&str; 2] = ["v1", "v2"];

/// A verb that changes the queue.
#[derive(Clone, Debug)]
pub enum Verb {
    Apply(Event),
    /// For this claim; its voter; only with labels like this job's.
    Claim(ClaimId, &'static str, Option<Job>),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    Of(Verdict),
    Got(Option<JobId>),
}

/// A queue, and the truth about it.
pub trait Queue {
    /// Carries a verb out. `during` happens between its reading and its writing.
    fn play(&mut self, verb: &Verb, during: Option<&Event>) -> Result<Came, String>;
    /// All jobs.
    fn entries(&self) -> &BTreeMap<JobId, Entry>;
    /// Its clock.
    fn now(&self) -> Millis;
    fn pass(&mut self, time: Duration);
}

/// The state table alone.
#[derive(Clone)]
pub struct Table(pub Model);

impl Table {
    pub fn at(now: u64) -> Table {
        Table(Model { voters: VOTERS.map(str::to_owned).to_vec(), ..Model::at(now) })
    }

    /// One verb at this moment.
    pub fn play_at(&mut self, verb: &Verb, now: Millis) -> Came {
        // The model's own clock takes a step with each event.
        self.0.now = Millis(now.0 - 1);
        let came = match verb {
            Verb::Apply(event) => Came::Of(self.0.play(event).verdict),
            Verb::Claim(claim, voter, like) => Came::Got(self.claim(claim, voter, like.as_ref(), now)),
        };
        self.0.now = now;
        came
    }

    fn claim(&mut self, claim: &ClaimId, voter: &str, like: Option<&Job>, now: Millis) -> Option<JobId> {
        if let Some(held) = self.0.held(claim) {
            return Some(held.job.id);
        }
        let fits = |entry: &&Entry| {
            claimable(entry, voter, &self.0.voters, now)
                && like.is_none_or(|like| like.same_labels(&entry.job))
        };
        let eldest = self.0.entries.values().filter(fits).min_by_key(|entry| (entry.age, entry.job.id));
        let job = eldest?.job.id;
        let event = Event::Claim { job, claim: claim.clone(), scope: acme(), lease_until: now.plus(LEASE) };
        self.0.play(&event);
        Some(job)
    }
}

impl Queue for Table {
    fn play(&mut self, verb: &Verb, during: Option<&Event>) -> Result<Came, String> {
        let now = self.0.now.plus(Duration::from_millis(1));
        if let Some(event) = during {
            self.play_at(&Verb::Apply(event.clone()), now);
        }
        Ok(self.play_at(verb, now))
    }

    fn entries(&self) -> &BTreeMap<JobId, Entry> {
        &self.0.entries
    }

    fn now(&self) -> Millis {
        self.0.now
    }

    fn pass(&mut self, time: Duration) {
        self.0.now = self.0.now.plus(time);
    }
}
