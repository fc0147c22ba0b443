//! What can happen to a job, and what is told of it.

use std::time::Duration;

use super::conclusion::Conclusion;
use super::entry::Entry;
use super::ids::{ClaimId, JobId, Millis, Owner, RunnerName};
use super::job::Job;
use super::scope::Scope;

/// What happens to a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Delivery `queued`. `waiting`: its status says that a person must approve first.
    Queued {
        /// What the delivery says of it.
        job: Job,
        /// Whether GitHub must be asked before a VM is spent.
        waiting: bool,
    },
    /// Delivery `waiting`, or GitHub's answer `waiting`, `pending`, `requested`.
    Waiting {
        /// Which job.
        job: JobId,
    },
    /// GitHub's answer `queued` about a parked job.
    Runnable {
        /// Which job.
        job: JobId,
    },
    /// Delivery or answer `in_progress`.
    Started {
        /// What is said of it.
        job: Job,
        /// Who runs it.
        runner: RunnerName,
    },
    /// Delivery or answer `completed`.
    Completed {
        /// What is said of it.
        job: Job,
        /// Who ran it, if anybody.
        runner: Option<RunnerName>,
        /// GitHub's word.
        conclusion: Conclusion,
    },
    /// A handler takes it.
    Claim {
        /// Which job.
        job: JobId,
        /// For whom.
        claim: ClaimId,
        /// Whose jobs its handler takes.
        scope: Scope,
        /// Until when, where leases count.
        lease_until: Millis,
    },
    /// The claim now pays for this runner.
    Checkpoint {
        /// Whose.
        claim: ClaimId,
        /// The runner about to be registered.
        runner: RunnerName,
    },
    /// The claim goes on.
    Renew {
        /// Whose.
        claim: ClaimId,
        /// Until when.
        lease_until: Millis,
    },
    /// The claim ends and the job is queued again.
    Release {
        /// Whose.
        claim: ClaimId,
        /// Of which job the rest is said: a claim that has crossed holds another one. `None`: whatever it holds.
        job: Option<JobId>,
        /// Whether the try counts.
        counted: bool,
        /// How long nobody takes it.
        pause: Duration,
    },
    /// This voter's host and registry have no such template.
    NotHere {
        /// Whose.
        claim: ClaimId,
        /// Who says so.
        voter: String,
    },
    /// The claim ends because GitHub said `waiting`.
    Park {
        /// Whose.
        claim: ClaimId,
        /// As in [`Event::Release`].
        job: Option<JobId>,
    },
    /// The claim ends and the job is over. Where it holds another job by now, that one is queued again.
    Settle {
        /// Whose.
        claim: ClaimId,
        /// Of which job that is said.
        job: JobId,
        /// How.
        end: End,
    },
    /// A person puts it back.
    Requeue {
        /// Which job.
        job: JobId,
    },
}

/// How a handler settles a job whose end no delivery has told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// GitHub, asked, says so.
    Over(Conclusion),
    /// Given up, with the reason for people.
    Dead(String),
}

/// What an event can touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// The job that the event names, or that its claim holds.
    pub job: Option<Entry>,
    /// Another job that the event's runner ties to it: see [`Event::runner`].
    pub other: Option<Entry>,
    /// The voters of all live handlers that may take the job.
    pub voters: Vec<String>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Something new is stored.
    Stored,
    /// Nothing to do: it was known.
    Known,
    /// Nothing of ours.
    Ignored,
    /// The claim is not, or no longer, the asker's.
    Lost,
    /// All live voters have said "not here"; the claim stays, for the cancel.
    Unanimous,
}

/// What came of it, and who should hear of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What came of it.
    pub verdict: Verdict,
    /// Handlers whose claim was touched.
    pub wake: Vec<Owner>,
    /// Whether a job became free to take.
    pub work: bool,
}

/// Which job an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// This one.
    Job(JobId),
    /// The one that this claim holds.
    HeldBy(&'a ClaimId),
}

impl Event {
    /// One word, for logs and the list of effects.
    pub fn word(&self) -> &'static str {
        match self {
            Event::Queued { .. } => "queued",
            Event::Waiting { .. } => "waiting",
            Event::Runnable { .. } => "runnable",
            Event::Started { .. } => "started",
            Event::Completed { .. } => "completed",
            Event::Claim { .. } => "claim",
            Event::Checkpoint { .. } => "checkpoint",
            Event::Renew { .. } => "renew",
            Event::Release { .. } => "release",
            Event::NotHere { .. } => "not here",
            Event::Park { .. } => "park",
            Event::Settle { .. } => "settle",
            Event::Requeue { .. } => "requeue",
        }
    }

    /// What to load as [`Scene::job`].
    pub fn subject(&self) -> Subject<'_> {
        match self {
            Event::Queued { job, .. } | Event::Started { job, .. } | Event::Completed { job, .. } => {
                Subject::Job(job.id)
            }
            Event::Waiting { job }
            | Event::Runnable { job }
            | Event::Claim { job, .. }
            | Event::Requeue { job } => Subject::Job(*job),
            Event::Checkpoint { claim, .. }
            | Event::Renew { claim, .. }
            | Event::Release { claim, .. }
            | Event::NotHere { claim, .. }
            | Event::Park { claim, .. }
            | Event::Settle { claim, .. } => Subject::HeldBy(claim),
        }
    }

    /// The runner that decides what to load as [`Scene::other`]: among the jobs other than [`Scene::job`] the
    /// one whose claim pays for it, else the one that runs or ran on it and has no claim; the eldest of several.
    pub fn runner(&self) -> Option<&RunnerName> {
        match self {
            Event::Started { runner, .. } | Event::Checkpoint { runner, .. } => Some(runner),
            Event::Completed { runner, .. } => runner.as_ref(),
            _ => None,
        }
    }
}
