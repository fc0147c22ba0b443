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

#[cfg(test)]
mod tests {
    use super::super::runners;
    use super::super::state::JobSpec;
    use super::*;

    fn ordered(state: &mut State, outbox: &Outbox, labels: &[&str], cross: &str) -> u64 {
        let labels = labels.iter().map(ToString::to_string).collect();
        jobs::create(state, outbox, &JobSpec { labels, cross: cross.into(), ..JobSpec::default() })
    }

    fn online(state: &mut State, name: &str, labels: &[&str]) {
        let labels = labels.iter().map(ToString::to_string).collect();
        runners::add(state, name, "veertuinc/anklet", labels).online = true;
    }

    fn runner_of(state: &State, job: u64) -> Option<&str> {
        state.job(job).and_then(|job| job.runner_name.as_deref())
    }

    #[test]
    fn the_eldest_job_whose_labels_are_a_subset_goes_first() {
        let (mut state, outbox) = (State::default(), Outbox::new(String::new()));
        let other = ordered(&mut state, &outbox, &["self-hosted", "linux"], "");
        let eldest = ordered(&mut state, &outbox, &["SELF-HOSTED"], "");
        let wanted = ordered(&mut state, &outbox, &["self-hosted", "anka-template:m"], "");
        online(&mut state, "r1", &["self-hosted", "anka-template:m"]);
        assign(&mut state, &outbox);
        assert_eq!([other, eldest, wanted].map(|job| runner_of(&state, job)), [None, Some("r1"), None]);
    }

    #[test]
    fn jobs_that_are_to_cross_wait_for_each_other() {
        let (mut state, outbox) = (State::default(), Outbox::new(String::new()));
        let (a, b) = (ordered(&mut state, &outbox, &["m"], "x"), ordered(&mut state, &outbox, &["m"], "x"));
        online(&mut state, "for-a", &["m"]);
        assign(&mut state, &outbox);
        assert_eq!(runner_of(&state, a), None);
        online(&mut state, "for-b", &["m"]);
        assign(&mut state, &outbox);
        assert_eq!((runner_of(&state, a), runner_of(&state, b)), (Some("for-b"), Some("for-a")));
    }
}
