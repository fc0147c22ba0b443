//! Where a job is found: what the sorted sets and hashes beside its record say of it.
//!
//! All of it follows from the record alone, so that whoever replaces a record knows what to take out.
//! A claim looks at the eldest job of its scope to which nobody has said "not here". The others make *classes*
//! (repository, who has said so) whose jobs can be taken by the same handlers: of each the first is looked at. So what
//! waits behind or beside costs nothing. `lua/common.lua` makes all that out of a job's *place*.

use ring::digest::{SHA256, digest};

use super::keys::claim_name;
use crate::domain::entry::{Ending, Entry, State};
use crate::domain::ids::{JobId, Millis, RunnerName};
use crate::domain::job::Job;
use crate::domain::scope::Scope;
use crate::runtime::filename::encode;

/// A member of a sorted set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Which set.
    pub set: &'static str,
    /// As the set orders it.
    pub score: u64,
    /// The job's id, or text that begins with what is looked for and ends with the id.
    pub member: String,
}

/// Where the job stands in the sorted sets at `now`.
pub fn marks(entry: &Entry, now: Millis) -> Vec<Mark> {
    let id = entry.job.id.to_string();
    let mut marks = vec![Mark { set: entry.state.word(), score: score(entry), member: id.clone() }];
    if entry.state == State::Queued {
        let paused = entry.not_before > now;
        let (set, score) = if paused { ("pauses", entry.not_before.0) } else { ("ready", 0) };
        marks.push(Mark { set, score, member: place(entry) });
    }
    for said in entry.absent.iter().filter(|_| entry.state == State::Queued) {
        let member = format!("{} {:020} {:020}", voter(&said.voter), said.at.0, entry.job.id.0);
        marks.push(Mark { set: "refused", score: 0, member });
    }
    if let State::Claimed(hold) | State::Running { hold: Some(hold), .. } = &entry.state {
        marks.push(Mark { set: "leases", score: hold.lease_until.0, member: id });
    }
    marks.extend(tie(entry));
    marks
}

/// As [`marks`], but of a record that was written at a moment unknown: a queued job may be ready or still pause.
pub fn marks_ever(entry: &Entry) -> Vec<Mark> {
    [marks(entry, Millis(0)), marks(entry, Millis(u64::MAX))].concat()
}

/// The name of the claim that holds the job.
pub fn hold(entry: &Entry) -> Option<String> {
    entry.hold().map(|hold| claim_name(&hold.claim))
}

/// A scope, as `ready` has it.
pub fn scope(scope: &Scope) -> String {
    match scope {
        Scope::Repository { owner, repo } => format!("{}/{}", lower(owner), lower(repo)),
        Scope::Organization { owner } => lower(owner),
        Scope::Enterprise { .. } => "*".to_owned(),
    }
}

/// The labels, as a place has them.
pub fn labels(job: &Job) -> String {
    short(&job.label_set().join("\n"))
}

/// A voter, as a place has it.
pub fn voter(name: &str) -> String {
    short(name)
}

/// A runner, as `runners` has it.
pub fn runner(name: &RunnerName) -> String {
    encode(&name.0)
}

/// The id at the end of a member.
pub fn id_of(member: &str) -> Option<JobId> {
    member.rsplit(' ').next()?.parse().ok().map(JobId)
}

fn place(entry: &Entry) -> String {
    let mut absent: Vec<String> = entry.absent.iter().map(|said| voter(&said.voter)).collect();
    absent.sort();
    absent.dedup();
    let absent = if absent.is_empty() { "-".to_owned() } else { absent.join(",") };
    let (owner, repo) = (lower(&entry.job.owner), lower(&entry.job.repo));
    format!("{owner}/{repo} {} {absent} {}", labels(&entry.job), order(entry))
}

/// Age and id, as text that sorts as they do.
fn order(entry: &Entry) -> String {
    format!("{:020} {:020}", entry.age.0, entry.job.id.0)
}

/// What ties a runner to the job: the claim that pays for it comes before a job that ran on it unclaimed.
fn tie(entry: &Entry) -> Option<Mark> {
    let (name, rank) = match (&entry.state, entry.hold()) {
        (_, Some(hold)) => (hold.runner.as_ref()?, 0),
        (State::Running { runner, .. }, None) => (runner, 1),
        (State::Over(ending), None) => (ending.runner.as_ref()?, 1),
        _ => return None,
    };
    Some(Mark { set: "runners", score: 0, member: format!("{} {rank} {}", runner(name), order(entry)) })
}

fn score(entry: &Entry) -> u64 {
    match &entry.state {
        State::Parked { ask_at } => ask_at.0,
        State::Over(Ending { at, .. }) | State::Dead { at, .. } => at.0,
        State::Queued | State::Claimed(_) | State::Running { .. } => entry.age.0,
    }
}

fn lower(name: &str) -> String {
    encode(&name.to_ascii_lowercase())
}

/// 64 bits are enough to tell a few thousand apart.
fn short(text: &str) -> String {
    let hex: Vec<String> =
        digest(&SHA256, text.as_bytes()).as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    hex.concat()
}
