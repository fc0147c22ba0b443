//! Whole jobs, one after another: how soon the daemon acts, and what it calls.

use super::stopped;
use crate::stage::Stage;
use crate::stage::calls::{AnkaCall, RestCall};
use crate::stage::interrupt::Interrupt;
use crate::stage::tail::Tail;
use crate::stage::when;
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

const LOOK: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(20);
/// After the VM is gone the claim ends and the handler looks for work again.
const BREATH: Duration = Duration::from_millis(30);
const JOB_MS: u64 = 100;

/// What one job showed.
pub struct Timed {
    /// From GitHub's having the answer to its `queued`, to the start of `anka clone`.
    pub accepted_to_clone_ms: f64,
    /// From GitHub's having the answer to its `completed`, to the start of `anka delete`.
    pub completed_to_delete_ms: f64,
    pub anka_processes: usize,
    pub github_calls: usize,
}

/// Runs so many jobs; the first one, which finds everything cold, is not among them.
pub fn measured(stage: &Stage, jobs: usize, interrupt: &Interrupt) -> Result<Vec<Timed>, String> {
    let mut logs =
        Logs { anka: Tail::of(stage.folder.anka().join("calls.log")), rest: Tail::of(stage.github.calls()) };
    one(stage, &mut logs)?;
    (0..jobs)
        .map(|_| {
            stopped(interrupt)?;
            one(stage, &mut logs)
        })
        .collect()
}

struct Logs {
    anka: Tail,
    rest: Tail,
}

fn one(stage: &Stage, logs: &mut Logs) -> Result<Timed, String> {
    logs.anka.lines();
    logs.rest.lines();
    let made = stage.github.post("jobs", &order())?;
    let id = made["ids"][0].as_u64().ok_or("GitHub gave no job id")?;
    let done = stage.github.get(&format!("jobs/{id}?until=completed&within_ms={}", PATIENCE.as_millis()))?;
    let vm = done["runner_name"].as_str().ok_or("a job of the bench did not run")?.to_owned();
    let mut calls: Vec<AnkaCall> = Vec::new();
    let end = Instant::now() + PATIENCE;
    while !calls.iter().any(|call| call.verb == "delete" && call.last == vm && call.ended == Some(0)) {
        calls.extend(logs.anka.lines().iter().filter_map(|line| AnkaCall::read(line)));
        if Instant::now() > end {
            return Err(format!("the VM of job {id} is not deleted; see {}", stage.folder.log().display()));
        }
        thread::sleep(LOOK);
    }
    thread::sleep(BREATH);
    let answered = |action| answered(stage, id, action);
    let begun = |verb| begun(&calls, verb, &vm);
    Ok(Timed {
        accepted_to_clone_ms: between(answered("queued")?, begun("clone")?),
        completed_to_delete_ms: between(answered("completed")?, begun("delete")?),
        anka_processes: calls.iter().filter(|call| call.ended.is_none()).count(),
        github_calls: logs.rest.lines().iter().filter_map(|line| RestCall::read(line)).count(),
    })
}

fn order() -> Value {
    let labels = ["self-hosted", "anka-template:macos-15", "anka-template-tag:v1"];
    json!({ "name": "bench", "labels": labels, "duration_ms": JOB_MS })
}

/// When GitHub had the answer to a delivery.
fn answered(stage: &Stage, job: u64, action: &str) -> Result<OffsetDateTime, String> {
    let deliveries = stage.github.get("deliveries")?;
    let all = deliveries.as_array().map(Vec::as_slice).unwrap_or_default();
    let one = all.iter().find(|one| one["job"] == job && one["action"] == action);
    one.and_then(|one| when::read(one["answered_at"].as_str()?))
        .ok_or_else(|| format!("job {job} has no delivery of {action}"))
}

fn begun(calls: &[AnkaCall], verb: &str, vm: &str) -> Result<OffsetDateTime, String> {
    let call = calls.iter().find(|call| call.verb == verb && call.last == vm && call.ended.is_none());
    call.map(|call| call.at).ok_or_else(|| format!("no anka {verb} of {vm}"))
}

/// Milliseconds; what began before the answer arrived took none.
fn between(from: OffsetDateTime, to: OffsetDateTime) -> f64 {
    ((to - from).as_seconds_f64() * 1000.0).max(0.0)
}
