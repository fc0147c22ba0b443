//! Gives queued jobs to free runners: any runner whose labels are a superset, the eldest job first.

use super::jobs;
use super::outbox::Outbox;
use super::state::{Job, Pick, Runner, State, Status};

/// Gives out all that can be given out.
pub fn assign(state: &mut State, outbox: &Outbox) {
    if state.settings.hold_jobs || state.settings.outage {
        return;
    }
    while let Some((job, runner)) = next(state) {
        jobs::start(state, outbox, job, runner);
    }
}

fn next(state: &State) -> Option<(u64, u64)> {
    let mut open: Vec<&Job> =
        state.jobs.iter().filter(|job| job.status == Status::Queued && !job.spec.hold).collect();
    open.sort_by_key(|job| job.id);
    open.into_iter().find_map(|job| {
        let free: Vec<&Runner> = state.runners.iter().filter(|runner| is_free_for(runner, job)).collect();
        if !job.spec.cross.is_empty() && free.len() < still_to_cross(state, job) {
            return None;
        }
        let newest = !job.spec.cross.is_empty() || state.settings.pick == Pick::Newest;
        let chosen = if newest { free.last() } else { free.first() };
        chosen.map(|runner| (job.id, runner.id))
    })
}

fn is_free_for(runner: &Runner, job: &Job) -> bool {
    runner.online && runner.job.is_none() && runner.serves(job) && runner.has_all(&job.spec.labels)
}

/// How many jobs of the word wait; once the first of them is out, the rest follows as runners are free.
fn still_to_cross(state: &State, job: &Job) -> usize {
    let same = || state.jobs.iter().filter(|other| other.spec.cross == job.spec.cross);
    if same().any(|other| other.runner_id.is_some()) {
        return 1;
    }
    same().filter(|other| other.status == Status::Queued).count()
}
