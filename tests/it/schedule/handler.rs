//! One handler as the daemon has it, cut into steps: between any two of them anything may happen.

use anklet::domain::entry::Entry;
use anklet::domain::event::Event;
use anklet::domain::ids::{ClaimId, RunnerName};

use crate::life::model::owner;

/// Why a job does not run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It has run, or is over.
    Over,
    /// Given back, and the try does not count.
    Uncounted,
    /// Given back, and the try counts.
    Counted,
    /// A person must approve first.
    Park,
    /// No such template here.
    NotHere,
    /// The last try has failed: the run is cancelled.
    GiveUp,
}

/// Where a handler is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    Idle,
    /// The journal has a page of an earlier life.
    Recovering,
    /// It has a claim, and nothing else.
    Fresh,
    /// The page is written, the VM boots.
    Booting,
    /// The store knows the runner's name; its scripts run.
    Tied,
    /// The runner waits for a job.
    Waiting,
    Running,
    /// The runner is to be removed, and then the VM.
    Cleaning(End),
    /// The runner could not be removed: it has a job.
    Busy,
    /// The VM is gone.
    Deleted(End),
    /// The store is to be told.
    Ending(Box<Event>),
}

/// The journal's page: it outlives the daemon.
#[derive(Clone, Debug)]
pub struct Page {
    pub claim: ClaimId,
    pub entry: Entry,
    pub vm: RunnerName,
    pub runner: bool,
    pub verdict: Option<Event>,
}

/// What a turn has in hand.
#[derive(Clone, Debug)]
pub struct Work {
    pub claim: Option<ClaimId>,
    pub entry: Entry,
    pub vm: RunnerName,
    pub gone: bool,
}

pub struct Handler {
    pub name: String,
    pub voter: &'static str,
    pub turn: u64,
    pub life: u32,
    /// Claims without a page may be left from an earlier life.
    pub strays: bool,
    /// A claim was asked for, and the answer was lost.
    pub unanswered: bool,
    pub phase: Phase,
    pub page: Option<Page>,
    pub work: Option<Work>,
    /// A job whose handler is gone, as GitHub has been asked about it.
    pub asked: Option<(ClaimId, bool)>,
}

impl Handler {
    pub fn new(name: &str, voter: &'static str) -> Handler {
        Handler {
            name: name.into(),
            voter,
            turn: 0,
            life: 0,
            strays: false,
            unanswered: false,
            phase: Phase::Idle,
            page: None,
            work: None,
            asked: None,
        }
    }

    pub fn claim_id(&self) -> ClaimId {
        ClaimId { owner: owner(&self.name), turn: self.turn }
    }

    /// All but the page is gone.
    pub fn die(&mut self) {
        self.life += 1;
        self.strays = true;
        self.unanswered = false;
        self.work = None;
        self.asked = None;
        // Numbers of turns are never used again.
        self.turn += 1;
        self.phase = if self.page.is_some() { Phase::Recovering } else { Phase::Idle };
    }

    pub fn runner(&self) -> Option<RunnerName> {
        self.work.as_ref().map(|work| work.vm.clone())
    }
}
