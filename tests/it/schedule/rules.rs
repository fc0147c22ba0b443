//! What holds after every step.

use std::collections::{BTreeMap, BTreeSet};

use anklet::domain::entry::{Entry, State};
use anklet::domain::ids::{ClaimId, JobId};

use super::github::{GitHub, Stand};

/// Who counted which job's end.
#[derive(Default)]
pub struct Counted(BTreeMap<u64, (usize, u32)>);

impl Counted {
    /// Handler `at` counts the job as run by its VM, in its `life`th life. Only after a death it may count again: its
    /// totals begin anew.
    pub fn add(&mut self, job: u64, at: usize, life: u32) -> Result<(), String> {
        match self.0.insert(job, (at, life)) {
            Some((other, before)) if other != at || before == life => {
                Err(format!("job {job} is counted twice: by handler {other} and by {at}"))
            }
            _ => Ok(()),
        }
    }
}

/// What a step must not do to the jobs, whoever took it.
pub fn judge(
    before: &BTreeMap<JobId, Entry>,
    after: &BTreeMap<JobId, Entry>,
    github: &GitHub,
) -> Result<(), String> {
    for (id, was) in before {
        let is = after.get(id).ok_or_else(|| format!("job {id} is lost"))?;
        if (is.age, &is.job) != (was.age, &was.job) || is.attempts < was.attempts {
            return Err(format!("{is:?} was {was:?}"));
        }
        // A job that has started is never given to anybody again: it would be run twice.
        if started(was) && !started(is) {
            return Err(format!("job {id} was {} and is {}", was.state.word(), is.state.word()));
        }
    }
    let claims: Vec<&ClaimId> = after.values().filter_map(Entry::hold).map(|hold| &hold.claim).collect();
    if claims.len() != claims.iter().collect::<BTreeSet<_>>().len() {
        return Err("a claim holds two jobs".into());
    }
    for entry in after.values() {
        one_runner(entry, after, github)?;
    }
    Ok(())
}

fn started(entry: &Entry) -> bool {
    matches!(entry.state, State::Running { .. } | State::Over(_))
}

/// A job that runs, runs where GitHub says; who pays for that runner waits for no other job.
fn one_runner(entry: &Entry, all: &BTreeMap<JobId, Entry>, github: &GitHub) -> Result<(), String> {
    let State::Running { runner, hold } = &entry.state else { return Ok(()) };
    match &github.jobs[&entry.job.id.0].1 {
        Stand::Runs(real) | Stand::Over(_, Some(real)) if real == runner => {}
        stand => return Err(format!("{entry:?}, and GitHub says {stand:?}")),
    }
    if hold.as_ref().is_some_and(|hold| hold.runner.as_ref() != Some(runner)) {
        return Err(format!("{entry:?} is paid for by the wrong claim"));
    }
    let payer = all
        .values()
        .find(|other| matches!(&other.state, State::Claimed(hold) if hold.runner.as_ref() == Some(runner)));
    match payer {
        Some(other) => Err(format!("job {} waits for the runner of job {}", other.job.id, entry.job.id)),
        None => Ok(()),
    }
}
