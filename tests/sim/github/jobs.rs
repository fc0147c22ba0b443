//! The life of a job as GitHub leads it, with the webhook of each step.

use super::apps;
use super::outbox::Outbox;
use super::payload;
use super::session;
use super::state::{Job, JobSpec, State, Status};
use crate::clock;
use serde_json::json;
use std::time::{Duration, Instant};

/// How a cancel was received.
#[derive(Debug, PartialEq, Eq)]
pub enum Cancel {
    Accepted,
    Over,
    Unknown,
}

/// Orders one job and says its id.
pub fn create(state: &mut State, outbox: &Outbox, spec: &JobSpec) -> u64 {
    let id = state.next_id();
    let run_id = if spec.run_id == 0 { state.next_id() } else { spec.run_id };
    let mut job = new(id, JobSpec { run_id, ..spec.clone() });
    if spec.waits_for_approval {
        job.status = Status::Waiting;
        job.note("queued, with status waiting");
        announce(state, outbox, &job, "queued");
        job.note("waiting");
        announce(state, outbox, &job, "waiting");
    } else {
        job.note("queued");
        announce(state, outbox, &job, "queued");
    }
    state.jobs.push(job);
    id
}

/// A job that is queued and has no history yet.
pub fn new(id: u64, spec: JobSpec) -> Job {
    Job {
        id,
        spec,
        status: Status::Queued,
        ended_as: String::new(),
        runner_id: None,
        runner_name: None,
        created_at: clock::date(),
        started_at: None,
        completed_at: None,
        history: Vec::new(),
        leaks: Vec::new(),
        forgotten: false,
        cancel_due: None,
        end_due: None,
    }
}

/// A person approves: the job is queued (again).
pub fn approve(state: &mut State, outbox: &Outbox, id: u64) -> bool {
    step(state, outbox, id, "queued", |job| {
        let waited = job.status == Status::Waiting;
        if waited {
            job.status = Status::Queued;
            job.note("approved, queued");
        }
        waited
    })
}

/// Gives a queued job to a runner.
pub fn start(state: &mut State, outbox: &Outbox, id: u64, runner: u64) -> bool {
    let Some(runner) = state.runner_mut(runner) else { return false };
    runner.job = Some(id);
    let (runner_id, name, stranger) = (runner.id, runner.name.clone(), runner.session.is_none());
    let leaks = runner.leaks.clone();
    let started = step(state, outbox, id, "in_progress", |job| {
        job.status = Status::InProgress;
        job.started_at = Some(clock::date());
        job.note(format!("in_progress on {name}"));
        job.runner_id = Some(runner_id);
        job.runner_name = Some(name);
        job.leaks = leaks;
        job.end_due = stranger.then(|| Instant::now() + Duration::from_millis(job.spec.duration_ms));
        true
    });
    let order = state.job(id).map(|job| {
        json!({ "job": job.id, "name": job.spec.name,
        "duration_ms": job.spec.duration_ms, "conclusion": job.spec.conclusion })
    });
    if let (Some(order), Some(runner)) = (order, state.runner_mut(runner_id)) {
        session::tell(runner, &order);
    }
    started
}

/// The job is over; an ephemeral runner goes with it.
pub fn finish(state: &mut State, outbox: &Outbox, id: u64, conclusion: &str) -> bool {
    let Some(runner_id) = state.job(id).map(|job| job.runner_id) else { return false };
    if let Some(runner) = runner_id.and_then(|runner| state.runner_mut(runner))
        && runner.job == Some(id)
    {
        runner.job = None;
        if runner.ephemeral {
            session::tell(runner, &json!({ "bye": true }));
            state.runners.retain(|runner| Some(runner.id) != runner_id);
        }
    }
    step(state, outbox, id, "completed", |job| {
        let open = job.status != Status::Completed;
        if open {
            job.status = Status::Completed;
            job.ended_as = conclusion.into();
            job.completed_at = Some(clock::date());
            job.started_at.get_or_insert_with(clock::date);
            job.note(format!("completed: {conclusion}"));
        }
        open
    })
}

/// Cancels all jobs of a run; running ones are told and end a little later.
pub fn cancel(state: &mut State, outbox: &Outbox, run_id: u64, force: bool) -> Cancel {
    let jobs: Vec<u64> =
        state.jobs.iter().filter(|job| job.spec.run_id == run_id).map(|job| job.id).collect();
    if jobs.is_empty() {
        return Cancel::Unknown;
    }
    let open: Vec<u64> = jobs
        .into_iter()
        .filter(|id| state.job(*id).is_some_and(|job| job.status != Status::Completed))
        .collect();
    for id in &open {
        cancel_job(state, outbox, *id, force);
    }
    if open.is_empty() { Cancel::Over } else { Cancel::Accepted }
}

fn cancel_job(state: &mut State, outbox: &Outbox, id: u64, force: bool) {
    let grace = Duration::from_millis(state.settings.cancel_ms);
    let ignored = state.settings.ignore_cancel && !force;
    let Some(job) = state.job_mut(id) else { return };
    job.note(if force { "force-cancel asked for" } else { "cancel asked for" });
    if ignored || (job.spec.ignores_cancel && !force) {
        return;
    }
    if force || job.status != Status::InProgress {
        finish(state, outbox, id, "cancelled");
        return;
    }
    job.cancel_due = Some(Instant::now() + grace + Duration::from_secs(1));
    job.end_due = job.end_due.map(|_| Instant::now() + grace);
    job.spec.conclusion = "cancelled".into();
    if let Some(runner) = job.runner_id.and_then(|runner| state.runner_mut(runner)) {
        session::tell(runner, &json!({ "cancel_ms": grace.as_millis() }));
    }
}

pub fn anything_due(state: &State) -> bool {
    let now = Instant::now();
    let lost = Duration::from_millis(state.settings.lost_runner_ms);
    state.runners.iter().any(|runner| runner.lost_at.is_some_and(|at| now >= at + lost))
        || state.jobs.iter().any(|job| ends_at(job).is_some_and(|due| now >= due))
}

/// Does all that is due.
pub fn tick(state: &mut State, outbox: &Outbox) {
    let now = Instant::now();
    let lost = Duration::from_millis(state.settings.lost_runner_ms);
    let dead: Vec<(u64, Option<u64>)> = state
        .runners
        .iter()
        .filter(|runner| runner.lost_at.is_some_and(|at| now >= at + lost))
        .map(|runner| (runner.id, runner.job))
        .collect();
    for (runner, job) in dead {
        if let Some(runner) = state.runner_mut(runner) {
            runner.lost_at = None;
        }
        if let Some(job) = job {
            let cancelled = state.job(job).is_some_and(|job| job.cancel_due.is_some());
            finish(state, outbox, job, if cancelled { "cancelled" } else { "failure" });
        }
    }
    let ended: Vec<(u64, String)> = state
        .jobs
        .iter()
        .filter(|job| ends_at(job).is_some_and(|due| now >= due))
        .map(|job| (job.id, job.spec.conclusion.clone()))
        .collect();
    for (job, conclusion) in ended {
        finish(state, outbox, job, &conclusion);
    }
}

fn ends_at(job: &Job) -> Option<Instant> {
    if job.status == Status::InProgress { job.end_due.or(job.cancel_due) } else { None }
}

/// One change of one job, and its webhook when the change took place.
fn step(
    state: &mut State,
    outbox: &Outbox,
    id: u64,
    action: &str,
    change: impl FnOnce(&mut Job) -> bool,
) -> bool {
    let Some(job) = state.job_mut(id) else { return false };
    if !change(job) {
        return false;
    }
    let job = job.clone();
    announce(state, outbox, &job, action);
    true
}

fn announce(state: &State, outbox: &Outbox, job: &Job, action: &str) {
    let own = job.spec.webhooks.get(action);
    let knob = own.or_else(|| state.settings.webhooks.get(action)).cloned().unwrap_or_default();
    for hook in state.settings.hooks.iter().filter(|hook| hook.hears(job)) {
        let mut payload = payload::workflow_job(job, action, &outbox.url);
        if hook.app != 0 {
            let Some(id) = apps::installation_of(state, hook.app, &job.spec.owner) else { continue };
            payload["installation"] = json!({ "id": id, "node_id": format!("MDIz{id}") });
        }
        outbox.post(hook, "workflow_job", action, job.id, &payload, &knob);
    }
}

#[cfg(test)]
mod tests {
    use super::super::runners;
    use super::*;

    fn world() -> (State, Outbox, u64) {
        let (mut state, outbox) = (State::default(), Outbox::new(String::new()));
        let id = create(&mut state, &outbox, &JobSpec::default());
        (state, outbox, id)
    }

    fn run_of(state: &State, id: u64) -> u64 {
        state.job(id).map_or(0, |job| job.spec.run_id)
    }

    #[test]
    fn an_ephemeral_runner_goes_with_its_job() {
        let (mut state, outbox, id) = world();
        let runner = runners::add(&mut state, "r", "veertuinc", Vec::new()).id;
        assert!(start(&mut state, &outbox, id, runner));
        assert_eq!(state.runners[0].job, Some(id));
        assert!(finish(&mut state, &outbox, id, "failure"));
        assert!(state.runners.is_empty());
        assert!(!finish(&mut state, &outbox, id, "success"), "over is over");
        assert_eq!(state.job(id).map(|job| job.ended_as.as_str()), Some("failure"));
    }

    #[test]
    fn a_run_that_is_over_cannot_be_cancelled() {
        let (mut state, outbox, id) = world();
        let run = run_of(&state, id);
        assert_eq!(cancel(&mut state, &outbox, run, false), Cancel::Accepted);
        assert_eq!(state.job(id).map(|job| job.ended_as.as_str()), Some("cancelled"));
        assert_eq!(cancel(&mut state, &outbox, run, false), Cancel::Over);
        assert_eq!(cancel(&mut state, &outbox, 1, false), Cancel::Unknown);
    }

    #[test]
    fn only_force_ends_a_run_that_ignores_its_cancel() {
        let (mut state, outbox, id) = world();
        state.settings.ignore_cancel = true;
        let run = run_of(&state, id);
        assert_eq!(cancel(&mut state, &outbox, run, false), Cancel::Accepted);
        assert_eq!(state.job(id).map(|job| job.status), Some(Status::Queued));
        cancel(&mut state, &outbox, run, true);
        assert_eq!(state.job(id).map(|job| job.status), Some(Status::Completed));
    }
}
