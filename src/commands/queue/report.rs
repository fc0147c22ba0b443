//! What is told of queues: the shape of the JSON, which `help` describes and scripts rely on.
//! Fields may be added; none changes its name or type.

use serde::{Serialize, Serializer};

use crate::app::views::Queue;
use crate::domain::ids::Millis;
use crate::runtime::clock;

/// All that was asked for.
#[derive(Debug, Serialize)]
pub struct Report {
    /// A queue each.
    pub queues: Vec<QueueReport>,
}

/// One queue.
#[derive(Debug, Serialize)]
pub struct QueueReport {
    /// Its name.
    pub queue: String,
    /// `embedded` or `redis`.
    pub store: &'static str,
    /// The file, or `HOST:PORT/DATABASE`.
    pub place: String,
    /// False while there is no store: nothing was ever queued.
    pub exists: bool,
    /// Why the store cannot be read now.
    pub error: Option<String>,
    /// The store's clock.
    pub now: Option<Moment>,
    /// How many jobs there are, shown or not.
    pub counts: Counts,
    /// How many of them are not shown, by the limit.
    pub not_shown: u64,
    /// How many of them are not shown since this version cannot read them.
    pub unreadable: usize,
    /// Why the one that was asked for cannot be read.
    pub unreadable_because: Option<String>,
    /// Live ones first.
    pub handlers: Vec<Handler>,
    /// By state, then by age.
    pub jobs: Vec<Job>,
}

/// Jobs by state.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Counts {
    pub queued: u64,
    pub parked: u64,
    pub claimed: u64,
    pub running: u64,
    pub dead: u64,
}

/// Who a handler is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Who {
    /// The plugin's name.
    pub plugin: String,
    /// The host's own name; empty when it is not known.
    pub host_name: String,
    /// The host's id, from its `state_dir`.
    pub host: String,
}

/// A handler that has shown itself.
#[derive(Debug, Serialize)]
pub struct Handler {
    #[serde(flatten)]
    pub who: Who,
    /// Whose jobs it takes: `OWNER`, `OWNER/REPO` or `enterprises/SLUG`.
    pub scope: String,
    /// Whether it was seen lately enough to count.
    pub live: bool,
    pub seen_at: Moment,
    /// The jobs that it holds.
    pub jobs: Vec<u64>,
    /// Why it takes no job at all, as far as it has said.
    pub takes_nothing_because: Option<String>,
}

/// One job.
#[derive(Debug, Serialize)]
pub struct Job {
    pub id: u64,
    /// `queued`, `parked`, `claimed`, `running`, `dead`; with `show` also `over`.
    pub state: &'static str,
    pub repository: String,
    pub name: String,
    pub workflow_name: String,
    pub labels: Vec<String>,
    pub url: String,
    pub run_id: u64,
    pub run_attempt: u32,
    /// Since when it is known; its age decides whose turn it is.
    pub stored_at: Moment,
    /// The same in seconds until now.
    pub age_seconds: u64,
    /// Tries of ours that have failed and counted.
    pub failed_attempts: u32,
    /// The try that it waits for, is in or has ended in: one more.
    pub attempt: u32,
    /// Nobody takes it before.
    pub not_before: Option<Moment>,
    /// When GitHub is asked whether it still waits for an approval.
    pub ask_at: Option<Moment>,
    /// Who has it.
    pub held_by: Option<Holder>,
    /// The runner that GitHub says it runs or ran on, ours or a stranger's.
    pub runner: Option<String>,
    /// GitHub's word, once it is over.
    pub conclusion: Option<String>,
    /// Why it was given up.
    pub reason: Option<String>,
    /// Since when it is over or dead.
    pub ended_at: Option<Moment>,
    /// For a queued or parked one: every live handler, and why it has not taken it.
    pub not_taken_by: Vec<NotTaken>,
}

/// Who holds a job.
#[derive(Debug, Serialize)]
pub struct Holder {
    #[serde(flatten)]
    pub who: Who,
    /// Whether the handler was seen lately.
    pub live: bool,
    /// The runner that it has made for the job, once there is one.
    pub runner: Option<String>,
    /// Why the handler cannot go on now, as far as it has said.
    pub held_up_because: Option<String>,
    /// When the claim ends unless it is renewed; none where a claim lives as long as its daemon.
    pub lease_until: Option<Moment>,
}

/// Why a handler has not taken a job.
#[derive(Debug, Serialize)]
pub struct NotTaken {
    #[serde(flatten)]
    pub who: Who,
    /// `parked`, `scope`, `not_here`, `gave_back`, `pause`, `busy`, `host`, `silent` or `free`.
    pub why: &'static str,
    /// The same for people.
    pub text: String,
    pub seen_at: Moment,
}

/// A moment; RFC 3339 in the JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub Millis);

impl Moment {
    /// RFC 3339 in whole seconds.
    pub fn text(self) -> String {
        clock::text_in_seconds(clock::at(self.0))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl QueueReport {
    /// Nothing is known of it yet.
    pub fn of(queue: &Queue) -> QueueReport {
        QueueReport {
            queue: queue.name.clone(),
            store: queue.store,
            place: queue.place.clone(),
            exists: true,
            error: None,
            now: None,
            counts: Counts::default(),
            not_shown: 0,
            unreadable: 0,
            unreadable_because: None,
            handlers: Vec::new(),
            jobs: Vec::new(),
        }
    }
}

impl Counts {
    /// Of this state.
    pub fn of(&self, state: &str) -> u64 {
        match state {
            "queued" => self.queued,
            "parked" => self.parked,
            "claimed" => self.claimed,
            "running" => self.running,
            "dead" => self.dead,
            _ => 0,
        }
    }
}
