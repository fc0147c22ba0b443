//! The queue: one trait in our verbs, and the stores that implement it.
//!
//! Each verb is one atomic step and idempotent, so that a lost answer leaves nothing stranded.
//! What a step does to a job is decided by [`crate::domain::life`], never by a store.
//!
//! - [`record`] how a job is written down
//! - [`scopes`] how a scope is written down
//! - [`shelf`] the verbs over anything that finds and keeps jobs
//! - [`memo`] what plugins remember beside jobs
//! - [`look`] the queue as people see it; changes nothing
//! - [`notes`] what a handler says of itself
//! - [`bells`] who is rung when there is work
//! - [`memory`] forgets at the end of the process: for tests, and the reference for the others
//! - [`embedded`] SQLite in `state_dir`, shared by the daemons of a host
//! - [`redis`] Redis, shared by the hosts of a fleet
//! - `faulty` any of them, failing on demand: for tests

pub mod bells;
pub mod embedded;
#[cfg(any(test, feature = "kill-switch"))]
pub mod faulty;
pub mod look;
pub mod memo;
pub mod memory;
pub mod notes;
pub mod record;
pub mod redis;
pub mod scopes;
pub mod shelf;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use crate::domain::absence::Absence;
use crate::domain::claim::Claim;
use crate::domain::entry::Entry;
use crate::domain::event::{Event, Told};
use crate::domain::ids::{ClaimId, JobId, Millis, Owner};
use crate::domain::job::Job;
use crate::domain::scope::Scope;
use crate::domain::undo::Closing;

pub use memo::{Change, Memos};

/// How long a job that is over stays known.
pub const REMEMBERED: Duration = Duration::from_hours(7 * 24);

/// Where a store of this process has its time from.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// One queue of a store.
pub trait Store: Send + Sync {
    /// Plays one event of a job's life and wakes whom it concerns.
    fn apply(&self, event: &Event) -> Result<Told, StoreError>;
    /// Claims the eldest job that the asker may take. Asked twice for one claim, it gives the same job.
    fn claim(&self, ask: &Ask<'_>) -> Result<Option<Entry>, StoreError>;
    /// The job that the claim holds now; a crossing may have changed it. `None`: the claim is lost.
    fn held(&self, claim: &ClaimId) -> Result<Option<Entry>, StoreError>;
    /// All that a handler holds, for its recovery.
    fn held_by(&self, owner: &Owner) -> Result<Vec<Entry>, StoreError>;
    /// Jobs whose holder is gone (lease over, daemon dead): GitHub is to be asked about them.
    fn abandoned(&self) -> Result<Vec<Entry>, StoreError>;
    /// Whether the latest look at [`Store::abandoned`] saw a lease whose time would be over by now. Asks nobody.
    fn expects_abandoned(&self) -> bool {
        false
    }
    /// When the store last answered anybody of this process, where it knows. Asks nobody.
    fn heard(&self) -> Option<Instant> {
        None
    }
    /// Parked jobs that GitHub is to be asked about; each is given out once in ten minutes.
    fn parked_due(&self) -> Result<Vec<Entry>, StoreError>;
    /// A handler shows that it lives.
    fn seen(&self, card: &Card) -> Result<(), StoreError>;
    /// One job.
    fn entry(&self, job: JobId) -> Result<Option<Entry>, StoreError>;
    /// All jobs that are not over, eldest first.
    fn list(&self) -> Result<Vec<Entry>, StoreError>;
    /// How many jobs wait, and since when.
    fn depth(&self) -> Result<Depth, StoreError>;
    /// All memos of a topic. One that was not written for [`REMEMBERED`] may be gone.
    fn memos(&self, topic: &str) -> Result<Memos, StoreError>;
    /// Makes all of the changes or, when one of them does not fit any more ([`Change::fits`]), none: then it is false.
    fn write_memos(&self, topic: &str, changes: &[Change]) -> Result<bool, StoreError>;
    /// Forgets what has been over or dead for longer than [`REMEMBERED`]; says how many.
    fn purge(&self) -> Result<u64, StoreError>;
    /// Takes back some of the voter's words on "not here" that are old enough ([`crate::domain::life::REFUSED`]), so that
    /// he is asked anew.
    fn take_back(&self, voter: &str) -> Result<(), StoreError>;
    /// The store's clock.
    fn now(&self) -> Result<Millis, StoreError>;
    /// Rings when there may be work, or news of the owner's claim. One bell an owner.
    fn bell(&self, owner: &Owner) -> Receiver<()>;
    /// As [`Store::bell`], for an owner that looks for work by itself and wants only news of its claim: where a
    /// ring is given to one of many, none is wasted on it. In place of its bell.
    fn mailbox(&self, owner: &Owner) -> Receiver<()> {
        self.bell(owner)
    }
}

/// What a handler asks for.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// The claim to make.
    pub claim: &'a ClaimId,
    /// Whose jobs it takes.
    pub scope: &'a Scope,
    /// Its word on "not here".
    pub voter: &'a str,
    /// Jobs that it gave back and whose reason still stands.
    pub except: &'a [JobId],
    /// What it knows to be "not here".
    pub absent: &'a [Absence],
    /// Repositories (`owner/repository`) whose jobs it leaves alone, but those of which GitHub has just told.
    pub hidden: &'a [String],
    /// Only a job with the same labels as this one: for a VM whose own job was lost.
    pub like: Option<&'a Job>,
    /// How long the claim holds without being renewed.
    pub lease: Duration,
}

/// A handler that lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Which.
    pub owner: Owner,
    /// Whose jobs it takes.
    pub scope: Scope,
    /// Host and registry: handlers that share both share their word on "not here".
    pub voter: String,
    /// It counts as live for this long after it was seen.
    pub patience: Duration,
    /// What people are told of it.
    pub note: Note,
}

/// What a handler says of itself, for people: nothing is decided by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// Its host's own name; empty when that has none.
    pub host_name: String,
    /// Why it takes nothing now.
    pub why: Option<String>,
    /// Why it cannot go on with its job now.
    pub held_up: Option<String>,
    /// Jobs that it gave back and leaves alone for a while, and why.
    pub aside: Vec<(JobId, String)>,
}

/// What waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Jobs that wait for a handler.
    pub queued: u64,
    /// Jobs that wait for a person.
    pub parked: u64,
    /// Jobs that a handler prepares a VM for.
    pub claimed: u64,
    /// Jobs that run.
    pub running: u64,
    /// Jobs that were given up.
    pub dead: u64,
    /// How long the eldest queued job has waited.
    pub eldest: Duration,
}

/// A verb did not work. Whether it was done is open: every verb may be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The store does not answer: it may be back later.
    Away(String),
    /// The store answers, but with something that this version cannot use.
    Unreadable(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Away(why) => write!(f, "the store is away: {why}"),
            StoreError::Unreadable(why) => write!(f, "the store holds what this version cannot read: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl dyn Store {
    /// Claims a job and gives the right to it.
    pub fn take(&self, ask: &Ask<'_>) -> Result<Option<(Claim, Entry)>, StoreError> {
        Ok(self.claim(ask)?.map(|entry| (Claim::granted(ask.claim.clone()), entry)))
    }

    /// The right again, after a restart. `None`: no longer ours.
    pub fn reclaim(&self, claim: &ClaimId) -> Result<Option<(Claim, Entry)>, StoreError> {
        Ok(self.held(claim)?.map(|entry| (Claim::granted(claim.clone()), entry)))
    }

    /// Ends a claim; hands it back when the store is away. A claim that was lost meanwhile has ended too.
    pub fn end(&self, claim: Claim, closing: &Closing) -> Result<(), (Claim, StoreError)> {
        let id = claim.id().clone();
        let event = match closing {
            Closing::Release { job, counted, pause } => {
                Event::Release { claim: id, job: *job, counted: *counted, pause: *pause }
            }
            Closing::Park(job) => Event::Park { claim: id, job: Some(*job) },
            Closing::Settle(job, end) => Event::Settle { claim: id, job: *job, end: end.clone() },
        };
        match self.apply(&event) {
            Ok(_) => {
                claim.detach();
                Ok(())
            }
            Err(error) => Err((claim, error)),
        }
    }
}
