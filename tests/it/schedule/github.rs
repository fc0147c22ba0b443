//! What GitHub knows, and what it has not told yet. It starts a job once, on one runner.

use std::collections::{BTreeMap, BTreeSet};

use anklet::domain::conclusion::Conclusion;
use anklet::domain::event::Event;
use anklet::domain::ids::{JobId, RunnerName};
use anklet::domain::job::Job;

use crate::life::model::job;

/// Where a job stands, by GitHub's own word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    Waiting,
    Queued,
    Runs(RunnerName),
    Over(Conclusion, Option<RunnerName>),
}

/// A runner of ours that is registered.
struct Runner {
    labels: BTreeSet<String>,
    given: Option<u64>,
}

/// One delivery; it may arrive more than once.
struct Delivery {
    event: Event,
    arrived: bool,
}

#[derive(Default)]
pub struct GitHub {
    pub jobs: BTreeMap<u64, (Job, Stand)>,
    runners: BTreeMap<RunnerName, Runner>,
    post: Vec<Delivery>,
    strangers: u64,
}

fn nth<T: Copy>(all: &[T], n: u8) -> Option<T> {
    all.get(usize::from(n) % all.len().max(1)).copied()
}

impl GitHub {
    pub fn order(&mut self, waits: bool, large: bool) {
        let id = self.jobs.len() as u64 + 1;
        let mut new = job(id);
        if large {
            new.labels.push("large".into());
        }
        self.tell(Event::Queued { job: new.clone(), waiting: waits });
        if waits {
            self.tell(Event::Waiting { job: JobId(id) });
        }
        self.jobs.insert(id, (new, if waits { Stand::Waiting } else { Stand::Queued }));
    }

    pub fn approve(&mut self, which: u8) {
        if let Some(id) = nth(&self.those(|stand| *stand == Stand::Waiting), which) {
            let (job, stand) = self.jobs.get_mut(&id).unwrap();
            *stand = Stand::Queued;
            let job = job.clone();
            self.tell(Event::Queued { job, waiting: false });
        }
    }

    pub fn cancel(&mut self, which: u8) {
        let open = self.those(|stand| matches!(stand, Stand::Waiting | Stand::Queued));
        if let Some(id) = nth(&open, which) {
            self.end(id, Conclusion::Cancelled, None);
        }
    }

    /// Cancels the run of one job, as a handler does that gives it up.
    pub fn cancel_job(&mut self, id: u64) {
        if matches!(self.jobs[&id].1, Stand::Waiting | Stand::Queued) {
            self.end(id, Conclusion::Cancelled, None);
        }
    }

    pub fn give(&mut self, which: u8, to: u8) {
        let Some(id) = nth(&self.those(|stand| *stand == Stand::Queued), which) else { return };
        let wanted: BTreeSet<String> = self.jobs[&id].0.labels.iter().cloned().collect();
        let free: Vec<&RunnerName> = self
            .runners
            .iter()
            .filter(|(_, runner)| runner.given.is_none() && runner.labels.is_superset(&wanted))
            .map(|(name, _)| name)
            .collect();
        // Strangers are rare, but there.
        let chosen = if to >= 240 { None } else { nth(&free, to).cloned() };
        if chosen.is_none() && !to.is_multiple_of(8) {
            return;
        }
        self.strangers += u64::from(chosen.is_none());
        let runner = chosen.unwrap_or_else(|| RunnerName(format!("stranger-{}", self.strangers)));
        self.start(id, runner);
    }

    /// Gives every queued job away that a runner of ours is free for.
    pub fn give_all(&mut self) {
        for id in self.those(|stand| *stand == Stand::Queued) {
            let wanted: BTreeSet<String> = self.jobs[&id].0.labels.iter().cloned().collect();
            let mut fit =
                self.runners.iter().filter(|(_, r)| r.given.is_none() && r.labels.is_superset(&wanted));
            if let Some(name) = fit.next().map(|(name, _)| name.clone()) {
                self.start(id, name);
            }
        }
    }

    fn start(&mut self, id: u64, runner: RunnerName) {
        if let Some(ours) = self.runners.get_mut(&runner) {
            ours.given = Some(id);
        }
        let (job, stand) = self.jobs.get_mut(&id).unwrap();
        *stand = Stand::Runs(runner.clone());
        let job = job.clone();
        self.tell(Event::Started { job, runner });
    }

    pub fn finish(&mut self, which: u8) {
        let running = self.those(|stand| matches!(stand, Stand::Runs(_)));
        let Some(id) = nth(&running, which) else { return };
        let Stand::Runs(runner) = self.jobs[&id].1.clone() else { return };
        self.end(id, Conclusion::Success, Some(runner));
    }

    fn end(&mut self, id: u64, conclusion: Conclusion, runner: Option<RunnerName>) {
        if let Some(runner) = &runner {
            // An ephemeral one goes with its job.
            self.runners.remove(runner);
        }
        let (job, stand) = self.jobs.get_mut(&id).unwrap();
        *stand = Stand::Over(conclusion.clone(), runner.clone());
        let job = job.clone();
        self.tell(Event::Completed { job, runner, conclusion });
    }

    pub fn register(&mut self, name: &RunnerName, labels: &[String]) {
        let labels = labels.iter().cloned().collect();
        self.runners.insert(name.clone(), Runner { labels, given: None });
    }

    /// Whether it is gone: one that has a job stays.
    pub fn remove(&mut self, name: &RunnerName) -> bool {
        let busy = self.runners.get(name).is_some_and(|runner| runner.given.is_some());
        if !busy {
            self.runners.remove(name);
        }
        !busy
    }

    /// The job that runs on it.
    pub fn runs_on(&self, name: &RunnerName) -> Option<u64> {
        self.runners.get(name).and_then(|runner| runner.given)
    }

    pub fn is_registered(&self, name: &RunnerName) -> bool {
        self.runners.contains_key(name)
    }

    pub fn runners(&self) -> Vec<&RunnerName> {
        self.runners.keys().collect()
    }

    /// What GitHub answers about a job.
    pub fn answer(&self, id: u64) -> (Stand, Event) {
        let (job, stand) = self.jobs[&id].clone();
        let event = match &stand {
            Stand::Waiting => Event::Waiting { job: job.id },
            Stand::Queued => Event::Runnable { job: job.id },
            Stand::Runs(runner) => Event::Started { job, runner: runner.clone() },
            Stand::Over(conclusion, runner) => {
                Event::Completed { job, runner: runner.clone(), conclusion: conclusion.clone() }
            }
        };
        (stand, event)
    }

    /// A delivery that has not arrived, or any of them again.
    pub fn delivery(&mut self, which: u8, again: bool) -> Option<Event> {
        let fit: Vec<usize> = (0..self.post.len()).filter(|at| again || !self.post[*at].arrived).collect();
        let at = nth(&fit, which)?;
        self.post[at].arrived = true;
        Some(self.post[at].event.clone())
    }

    /// Whether every delivery has arrived.
    pub fn has_told_all(&self) -> bool {
        self.post.iter().all(|delivery| delivery.arrived)
    }

    pub fn those(&self, fit: impl Fn(&Stand) -> bool) -> Vec<u64> {
        self.jobs.iter().filter(|(_, (_, stand))| fit(stand)).map(|(id, _)| *id).collect()
    }

    fn tell(&mut self, event: Event) {
        self.post.push(Delivery { event, arrived: false });
    }
}
