//! What a store remembers of one job.

use std::time::Duration;

use super::conclusion::Conclusion;
use super::ids::{ClaimId, Millis, RunnerName};
use super::job::Job;
use super::scope::Scope;

/// A handler's right to a job, as the job's record carries it.
///
/// A claim holds one job and a job is held by one claim, so that the two are one record and cannot disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Whose, and of which turn.
    pub claim: ClaimId,
    /// Whose jobs it may hold: its handler's. None in a record from before claims carried it.
    pub scope: Option<Scope>,
    /// The runner that the claim pays for, once there is one.
    pub runner: Option<RunnerName>,
    /// GitHub said `waiting` meanwhile: the job is parked once the handler has let go.
    pub park: bool,
    /// When the lease runs out; meaningful where the store is shared by hosts.
    pub lease_until: Millis,
}

/// Where a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Waits for a handler.
    Queued,
    /// Not runnable until GitHub says so.
    Parked {
        /// When GitHub is asked next.
        ask_at: Millis,
    },
    /// A handler prepares a VM.
    Claimed(Hold),
    /// GitHub says started.
    Running {
        /// By this runner: ours, or a stranger's.
        runner: RunnerName,
        /// The claim whose runner it is; none for a stranger's.
        hold: Option<Hold>,
    },
    /// GitHub says completed. Remembered for a while, so that late deliveries are known.
    Over(Ending),
    /// Given up; shown to people.
    Dead {
        /// Why, for people.
        reason: String,
        /// Since when.
        at: Millis,
    },
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// GitHub's word.
    pub conclusion: Conclusion,
    /// Who ran it; none when it was cancelled before it started.
    pub runner: Option<RunnerName>,
    /// When we learned it.
    pub at: Millis,
    /// The claim, until its handler has cleaned up.
    pub hold: Option<Hold>,
}

/// A delivery younger than this that said `queued` saves the question to GitHub.
const FRESH: Duration = Duration::from_secs(30);

/// A job and its life so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What never changes.
    pub job: Job,
    /// When it was first stored, by the store's clock; kept for life.
    pub age: Millis,
    /// Where it stands.
    pub state: State,
    /// Tries that counted.
    pub attempts: u32,
    /// When GitHub last said `queued`; zero when it must be asked before a VM is spent.
    pub queued_at: Millis,
    /// Nobody takes it before this moment.
    pub not_before: Millis,
    /// Who has said that his host and registry have no such template.
    pub absent: Vec<Refusal>,
}

/// A voter's word on "not here".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Whose.
    pub voter: String,
    /// When he said so last.
    pub at: Millis,
}

impl Entry {
    /// A job seen for the first time.
    pub fn new(job: Job, state: State, now: Millis) -> Entry {
        Entry {
            job,
            age: now,
            state,
            attempts: 0,
            queued_at: Millis(0),
            not_before: Millis(0),
            absent: Vec::new(),
        }
    }

    /// Whether GitHub said `queued` so lately that it need not be asked.
    pub fn is_fresh(&self, now: Millis) -> bool {
        now.since(self.queued_at) < FRESH
    }

    /// Whether the voter's word is "not here".
    pub fn refused_by(&self, voter: &str) -> bool {
        self.absent.iter().any(|refusal| refusal.voter == voter)
    }

    /// The claim on it.
    pub fn hold(&self) -> Option<&Hold> {
        match &self.state {
            State::Claimed(hold) => Some(hold),
            State::Running { hold, .. } | State::Over(Ending { hold, .. }) => hold.as_ref(),
            State::Queued | State::Parked { .. } | State::Dead { .. } => None,
        }
    }

    /// The claim on it, to be changed in place.
    pub fn hold_mut(&mut self) -> Option<&mut Hold> {
        match &mut self.state {
            State::Claimed(hold) => Some(hold),
            State::Running { hold, .. } | State::Over(Ending { hold, .. }) => hold.as_mut(),
            State::Queued | State::Parked { .. } | State::Dead { .. } => None,
        }
    }

    /// Whether `claim` holds it.
    pub fn held_by(&self, claim: &ClaimId) -> bool {
        self.hold().is_some_and(|hold| hold.claim == *claim)
    }

    /// Whether GitHub says that it runs, or ran, on `runner`.
    pub fn ran_on(&self, runner: &RunnerName) -> bool {
        match &self.state {
            State::Running { runner: r, .. } | State::Over(Ending { runner: Some(r), .. }) => r == runner,
            _ => false,
        }
    }

    /// Whether the claim on it pays for `runner`.
    pub fn pays_for(&self, runner: &RunnerName) -> bool {
        self.hold().is_some_and(|hold| hold.runner.as_ref() == Some(runner))
    }
}

impl State {
    /// One word, for people and for the store's index.
    pub fn word(&self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Parked { .. } => "parked",
            State::Claimed(_) => "claimed",
            State::Running { .. } => "running",
            State::Over(_) => "over",
            State::Dead { .. } => "dead",
        }
    }
}
