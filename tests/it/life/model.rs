//! A queue as small as it can be: a map of entries, and one call of the state table an event.

use std::collections::BTreeMap;
use std::time::Duration;

use anklet::domain::conclusion::Conclusion;
use anklet::domain::entry::{Entry, Hold, State};
use anklet::domain::event::{Event, Scene, Subject, Told};
use anklet::domain::ids::{ClaimId, JobId, Millis, Owner, RunId, RunnerName};
use anklet::domain::job::Job;
use anklet::domain::life::step;
use anklet::domain::scope::Scope;

/// Jobs by id, and the voters that are live.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    pub entries: BTreeMap<JobId, Entry>,
    pub voters: Vec<String>,
    pub now: Millis,
}

impl Model {
    pub fn at(now: u64) -> Model {
        Model { now: Millis(now), ..Model::default() }
    }

    pub fn with(entry: Entry) -> Model {
        let mut model = Model::at(1_000_000);
        model.entries.insert(entry.job.id, entry);
        model
    }

    /// One event, a millisecond after the last.
    pub fn play(&mut self, event: &Event) -> Told {
        self.now = self.now.plus(Duration::from_millis(1));
        let job = match event.subject() {
            Subject::Job(id) => self.entries.get(&id),
            Subject::HeldBy(claim) => self.held(claim),
        };
        let besides = job.map(|entry| entry.job.id);
        let other = event.runner().and_then(|runner| self.tied_to(runner, besides));
        let scene = Scene { job: job.cloned(), other: other.cloned(), voters: self.voters.clone() };
        let (after, told) = step(scene, event, self.now);
        for entry in after.job.into_iter().chain(after.other) {
            self.entries.insert(entry.job.id, entry);
        }
        told
    }

    pub fn all(&mut self, events: &[Event]) {
        for event in events {
            self.play(event);
        }
    }

    pub fn state(&self, id: u64) -> &State {
        &self.entries[&JobId(id)].state
    }

    pub fn hold(&self, id: u64) -> Option<&Hold> {
        self.entries[&JobId(id)].hold()
    }

    pub fn word(&self, id: u64) -> &'static str {
        self.state(id).word()
    }

    pub fn held(&self, claim: &ClaimId) -> Option<&Entry> {
        self.entries.values().find(|entry| entry.held_by(claim))
    }

    /// Which job the claim holds.
    pub fn holds(&self, claim: &ClaimId) -> Option<u64> {
        self.held(claim).map(|entry| entry.job.id.0)
    }

    fn tied_to(&self, runner: &RunnerName, besides: Option<JobId>) -> Option<&Entry> {
        let mut others: Vec<&Entry> =
            self.entries.values().filter(|entry| Some(entry.job.id) != besides).collect();
        others.sort_by_key(|entry| (entry.age, entry.job.id));
        let payer = others.iter().find(|entry| entry.pays_for(runner));
        payer.or_else(|| others.iter().find(|e| e.hold().is_none() && e.ran_on(runner))).copied()
    }
}

pub fn job(id: u64) -> Job {
    Job {
        id: JobId(id),
        run_id: RunId(id + 1000),
        run_attempt: 1,
        owner: "Acme".into(),
        repo: "App".into(),
        name: format!("job {id}"),
        workflow_name: "ci".into(),
        labels: vec!["self-hosted".into(), "anka-template:t".into()],
        url: format!("https://github.com/Acme/App/actions/runs/1/job/{id}"),
    }
}

pub fn owner(plugin: &str) -> Owner {
    Owner { host: "host".into(), plugin: plugin.into() }
}

/// All jobs of the owner that [`job`] names.
pub fn acme() -> Scope {
    Scope::Organization { owner: "acme".into() }
}

/// The claim of handler `h<n>`, of its turn `n`.
pub fn claim_id(n: u64) -> ClaimId {
    ClaimId { owner: owner(&format!("h{n}")), turn: n }
}

/// The runner of handler `h<n>`.
pub fn vm(n: u64) -> RunnerName {
    RunnerName(format!("anklet-vm-{n}"))
}

pub fn stranger() -> RunnerName {
    RunnerName("somebody-else".into())
}

pub fn queued(id: u64) -> Event {
    Event::Queued { job: job(id), waiting: false }
}

pub fn waiting(id: u64) -> Event {
    Event::Waiting { job: JobId(id) }
}

pub fn started(id: u64, runner: RunnerName) -> Event {
    Event::Started { job: job(id), runner }
}

pub fn completed(id: u64, runner: Option<RunnerName>) -> Event {
    let conclusion = if runner.is_some() { Conclusion::Success } else { Conclusion::Cancelled };
    Event::Completed { job: job(id), runner, conclusion }
}

pub fn claim(id: u64, n: u64) -> Event {
    Event::Claim { job: JobId(id), claim: claim_id(n), scope: acme(), lease_until: Millis(9_000_000) }
}

pub fn checkpoint(n: u64) -> Event {
    Event::Checkpoint { claim: claim_id(n), runner: vm(n) }
}

pub fn release(n: u64, counted: bool) -> Event {
    Event::Release { claim: claim_id(n), job: None, counted, pause: Duration::ZERO }
}

pub fn not_here(n: u64, voter: &str) -> Event {
    Event::NotHere { claim: claim_id(n), voter: voter.into() }
}

/// Job `id` claimed by handler `n`, whose VM is there.
pub fn ready(model: &mut Model, id: u64, n: u64) {
    model.all(&[queued(id), claim(id, n), checkpoint(n)]);
}
