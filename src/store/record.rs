//! How a job is written down: the only serde of jobs.
//!
//! Each record says which version of this form it has.
//! A newer program reads older records; what a newer program wrote is left alone and reported as unreadable.

use std::iter::repeat;

use serde::{Deserialize, Serialize};

use super::StoreError;
use super::scopes::ScopeRecord;
use crate::domain::conclusion::Conclusion;
use crate::domain::entry::{Ending, Entry, Hold, Refusal, State};
use crate::domain::ids::{ClaimId, JobId, Millis, Owner, RunId, RunnerName};
use crate::domain::job::Job;

/// The version that this program writes.
pub const VERSION: u32 = 1;

/// `entry` as one line of JSON.
pub fn encode(entry: &Entry) -> Result<String, StoreError> {
    serde_json::to_string(&EntryRecord::from(entry)).map_err(|e| unreadable(&e.to_string()))
}

/// The entry that `text` holds.
pub fn decode(text: &str) -> Result<Entry, StoreError> {
    match serde_json::from_str::<EntryRecord>(text) {
        Ok(record) if record.v <= VERSION => Ok(record.into()),
        Ok(record) => Err(newer(record.v)),
        Err(error) => Err(match serde_json::from_str::<VersionOnly>(text) {
            Ok(VersionOnly { v }) if v > VERSION => newer(v),
            _ => unreadable(&error.to_string()),
        }),
    }
}

fn newer(version: u32) -> StoreError {
    unreadable(&format!("version {version} is newer than {VERSION}, the newest that this program knows"))
}

fn unreadable(why: &str) -> StoreError {
    StoreError::Unreadable(format!("a job's record: {why}"))
}

#[derive(Deserialize)]
struct VersionOnly {
    v: u32,
}

#[derive(Serialize, Deserialize)]
struct EntryRecord {
    v: u32,
    job: JobRecord,
    age: u64,
    state: StateRecord,
    #[serde(default)]
    attempts: u32,
    #[serde(default)]
    queued_at: u64,
    #[serde(default)]
    not_before: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    absent: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    absent_at: Vec<u64>,
}

/// A job as JSON; the journal writes it too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRecord {
    id: u64,
    run_id: u64,
    #[serde(default = "one")]
    run_attempt: u32,
    owner: String,
    repo: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    workflow_name: String,
    labels: Vec<String>,
    #[serde(default)]
    url: String,
}

/// A claim as JSON; the journal writes it too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimRecord {
    host: String,
    plugin: String,
    turn: u64,
}

#[derive(Serialize, Deserialize)]
struct HoldRecord {
    claim: ClaimRecord,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<ScopeRecord>,
    runner: Option<String>,
    #[serde(default)]
    park: bool,
    #[serde(default)]
    lease_until: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StateRecord {
    Queued,
    Parked { ask_at: u64 },
    Claimed(HoldRecord),
    Running { runner: String, hold: Option<HoldRecord> },
    Over { conclusion: String, runner: Option<String>, at: u64, hold: Option<HoldRecord> },
    Dead { reason: String, at: u64 },
}

fn one() -> u32 {
    1
}

impl From<&Entry> for EntryRecord {
    fn from(entry: &Entry) -> EntryRecord {
        EntryRecord {
            v: VERSION,
            job: JobRecord::from(&entry.job),
            age: entry.age.0,
            state: StateRecord::from(&entry.state),
            attempts: entry.attempts,
            queued_at: entry.queued_at.0,
            not_before: entry.not_before.0,
            absent: entry.absent.iter().map(|said| said.voter.clone()).collect(),
            absent_at: entry.absent.iter().map(|said| said.at.0).collect(),
        }
    }
}

impl From<EntryRecord> for Entry {
    fn from(record: EntryRecord) -> Entry {
        Entry {
            job: record.job.into(),
            age: Millis(record.age),
            state: record.state.into(),
            attempts: record.attempts,
            queued_at: Millis(record.queued_at),
            not_before: Millis(record.not_before),
            absent: record
                .absent
                .into_iter()
                .zip(record.absent_at.into_iter().chain(repeat(0)))
                .map(|(voter, at)| Refusal { voter, at: Millis(at) })
                .collect(),
        }
    }
}

impl From<&Job> for JobRecord {
    fn from(job: &Job) -> JobRecord {
        JobRecord {
            id: job.id.0,
            run_id: job.run_id.0,
            run_attempt: job.run_attempt,
            owner: job.owner.clone(),
            repo: job.repo.clone(),
            name: job.name.clone(),
            workflow_name: job.workflow_name.clone(),
            labels: job.labels.clone(),
            url: job.url.clone(),
        }
    }
}

impl From<JobRecord> for Job {
    fn from(record: JobRecord) -> Job {
        Job {
            id: JobId(record.id),
            run_id: RunId(record.run_id),
            run_attempt: record.run_attempt,
            owner: record.owner,
            repo: record.repo,
            name: record.name,
            workflow_name: record.workflow_name,
            labels: record.labels,
            url: record.url,
        }
    }
}

impl From<&ClaimId> for ClaimRecord {
    fn from(claim: &ClaimId) -> ClaimRecord {
        ClaimRecord { host: claim.owner.host.clone(), plugin: claim.owner.plugin.clone(), turn: claim.turn }
    }
}

impl From<ClaimRecord> for ClaimId {
    fn from(record: ClaimRecord) -> ClaimId {
        ClaimId { owner: Owner { host: record.host, plugin: record.plugin }, turn: record.turn }
    }
}

impl From<&Hold> for HoldRecord {
    fn from(hold: &Hold) -> HoldRecord {
        HoldRecord {
            claim: ClaimRecord::from(&hold.claim),
            scope: hold.scope.clone().map(Into::into),
            runner: hold.runner.as_ref().map(|r| r.0.clone()),
            park: hold.park,
            lease_until: hold.lease_until.0,
        }
    }
}

impl From<HoldRecord> for Hold {
    fn from(record: HoldRecord) -> Hold {
        Hold {
            claim: record.claim.into(),
            scope: record.scope.map(Into::into),
            runner: record.runner.map(RunnerName),
            park: record.park,
            lease_until: Millis(record.lease_until),
        }
    }
}

impl From<&State> for StateRecord {
    fn from(state: &State) -> StateRecord {
        match state {
            State::Queued => StateRecord::Queued,
            State::Parked { ask_at } => StateRecord::Parked { ask_at: ask_at.0 },
            State::Claimed(hold) => StateRecord::Claimed(hold.into()),
            State::Running { runner, hold } => {
                StateRecord::Running { runner: runner.0.clone(), hold: hold.as_ref().map(Into::into) }
            }
            State::Over(ending) => StateRecord::Over {
                conclusion: ending.conclusion.as_text().to_owned(),
                runner: ending.runner.as_ref().map(|r| r.0.clone()),
                at: ending.at.0,
                hold: ending.hold.as_ref().map(Into::into),
            },
            State::Dead { reason, at } => StateRecord::Dead { reason: reason.clone(), at: at.0 },
        }
    }
}

impl From<StateRecord> for State {
    fn from(record: StateRecord) -> State {
        match record {
            StateRecord::Queued => State::Queued,
            StateRecord::Parked { ask_at } => State::Parked { ask_at: Millis(ask_at) },
            StateRecord::Claimed(hold) => State::Claimed(hold.into()),
            StateRecord::Running { runner, hold } => {
                State::Running { runner: RunnerName(runner), hold: hold.map(Into::into) }
            }
            StateRecord::Over { conclusion, runner, at, hold } => State::Over(Ending {
                conclusion: Conclusion::from_text(&conclusion),
                runner: runner.map(RunnerName),
                at: Millis(at),
                hold: hold.map(Into::into),
            }),
            StateRecord::Dead { reason, at } => State::Dead { reason, at: Millis(at) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::scope::Scope;

    fn claimed() -> Entry {
        let text = r#"{"v":1,"job":{"id":7,"run_id":8,"run_attempt":2,"owner":"Acme","repo":"App","name":"build",
            "workflow_name":"ci","labels":["anka-template:t"],"url":"https://u"},"age":1000,
            "state":{"claimed":{"claim":{"host":"h","plugin":"p","turn":18446744073709551615},
            "runner":"anklet-vm-1","park":true,"lease_until":5}},
            "attempts":3,"queued_at":1001,"not_before":1002,"absent":["v"]}"#;
        decode(text).unwrap()
    }

    /// A change that breaks this needs a new [`VERSION`] and must go on reading what stands here.
    #[test]
    fn version_1_is_read_and_written_as_ever() {
        let entry = claimed();
        let hold = entry.hold().unwrap();
        assert_eq!((hold.claim.turn, hold.park, hold.lease_until), (u64::MAX, true, Millis(5)));
        assert_eq!((entry.job.id, entry.job.run_attempt, entry.attempts), (JobId(7), 2, 3));
        assert_eq!(
            (entry.age, entry.queued_at, entry.not_before),
            (Millis(1000), Millis(1001), Millis(1002))
        );
        let states = [
            (r#""queued""#, State::Queued),
            (r#"{"parked":{"ask_at":9}}"#, State::Parked { ask_at: Millis(9) }),
            (
                r#"{"running":{"runner":"r","hold":null}}"#,
                State::Running { runner: RunnerName("r".into()), hold: None },
            ),
            (
                r#"{"over":{"conclusion":"odd","runner":null,"at":4,"hold":null}}"#,
                State::Over(Ending {
                    conclusion: Conclusion::Unknown("odd".into()),
                    runner: None,
                    at: Millis(4),
                    hold: None,
                }),
            ),
            (r#"{"dead":{"reason":"no","at":4}}"#, State::Dead { reason: "no".into(), at: Millis(4) }),
        ];
        for (text, state) in states {
            let written = encode(&Entry { state: state.clone(), ..entry.clone() }).unwrap();
            assert!(written.contains(&format!(r#""state":{text}"#)), "{written}");
            assert_eq!(decode(&written).unwrap().state, state);
        }
        assert_eq!(decode(&encode(&entry).unwrap()), Ok(entry.clone()));
        let scoped = encode(&entry)
            .unwrap()
            .replace(r#""runner":"anklet"#, r#""scope":{"organization":{"owner":"a"}},"runner":"anklet"#);
        let scope = Some(Scope::Organization { owner: "a".into() });
        assert_eq!(decode(&scoped).unwrap().hold().and_then(|hold| hold.scope.clone()), scope);
        assert_eq!(encode(&decode(&scoped).unwrap()), Ok(scoped));
    }

    #[test]
    fn what_is_newer_or_broken_says_so() {
        let newer = encode(&claimed()).unwrap().replace("\"v\":1", "\"v\":2");
        for (text, want) in [
            (newer.as_str(), "version 2 is newer"),
            (r#"{"v":3,"job":"otherwise"}"#, "version 3 is newer"),
            (r#"{"v":1}"#, "missing field"),
            ("", "EOF"),
        ] {
            let error = decode(text).unwrap_err().to_string();
            assert!(error.contains(want), "{text}: {error}");
        }
    }
}
