//! Simulated days from a printed seed: a GitHub that gives jobs to any free runner and whose deliveries come
//! late, twice, out of order or never, and handlers that claim, prepare, give back and clean up.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anklet::domain::entry::{Entry, State};
use anklet::domain::event::{End, Event};
use anklet::domain::ids::{ClaimId, JobId, Millis, RunnerName};

use super::dice::{Dice, seed};
use super::model::{Model, acme, completed, job, owner, queued, started, waiting};

struct Handler {
    name: String,
    turn: u64,
    vm: Option<RunnerName>,
}

impl Handler {
    fn claim(&self) -> ClaimId {
        ClaimId { owner: owner(&self.name), turn: self.turn }
    }
}

struct Day {
    dice: Dice,
    model: Model,
    /// What GitHub has said and not delivered yet.
    post: Vec<Event>,
    /// Jobs that GitHub would give to a runner.
    open: BTreeSet<u64>,
    /// Runners and what they were given; strangers are made as needed.
    runners: BTreeMap<RunnerName, Option<u64>>,
    handlers: Vec<Handler>,
    next: u64,
}

impl Day {
    fn new(seed: u64) -> Day {
        let handler = |n| Handler { name: format!("h{n}"), turn: n, vm: None };
        Day {
            dice: Dice::new(seed),
            model: Model { voters: vec!["v1".into(), "v2".into()], ..Model::at(1_000) },
            post: Vec::new(),
            open: BTreeSet::new(),
            runners: BTreeMap::new(),
            handlers: (1..=3).map(handler).collect(),
            next: 10,
        }
    }

    fn hour(&mut self) {
        match self.dice.roll(10) {
            0 | 1 => self.new_job(),
            2 => self.github_gives(),
            3..=5 => self.deliver(),
            _ => self.handler_acts(),
        }
    }

    fn new_job(&mut self) {
        self.next += 1;
        self.open.insert(self.next);
        self.post.push(queued(self.next));
        if self.dice.one_in(4) {
            self.post.extend([waiting(self.next), queued(self.next)]);
        }
    }

    /// A free runner is given any open job, or one is cancelled.
    fn github_gives(&mut self) {
        let open: Vec<u64> = self.open.iter().copied().collect();
        let Some(&id) = self.dice.pick(&open) else { return };
        self.open.remove(&id);
        if self.dice.one_in(6) {
            return self.post.push(completed(id, None));
        }
        let free: Vec<RunnerName> =
            self.runners.iter().filter(|(_, given)| given.is_none()).map(|(r, _)| r.clone()).collect();
        let stranger = RunnerName(format!("stranger-{id}"));
        let runner = if self.dice.one_in(4) { &stranger } else { self.dice.pick(&free).unwrap_or(&stranger) };
        self.runners.insert(runner.clone(), Some(id));
        if !self.dice.one_in(5) {
            self.post.push(started(id, runner.clone()));
        }
        self.post.push(completed(id, Some(runner.clone())));
    }

    fn deliver(&mut self) {
        let Some(event) = self.dice.pick(&self.post).cloned() else { return };
        if !self.dice.one_in(3) {
            self.post.retain(|waits| *waits != event);
        }
        self.play(&event);
    }

    fn handler_acts(&mut self) {
        let at = self.dice.roll(self.handlers.len() as u64) as usize;
        let claim = self.handlers[at].claim();
        let held = self.model.held(&claim).cloned();
        match (held.as_ref().map(|entry| &entry.state), self.handlers[at].vm.clone()) {
            (None, vm) => self.take(at, vm),
            (Some(State::Claimed(_)), None) if self.dice.one_in(3) => self.give_back(at),
            (Some(State::Claimed(_)), None) => {
                self.next += 1;
                let vm = RunnerName(format!("anklet-vm-{}", self.next));
                self.play(&Event::Checkpoint { claim, runner: vm.clone() });
                self.runners.insert(vm.clone(), None);
                self.handlers[at].vm = Some(vm);
            }
            // Removing the runner first is the proof: one that was given a job stays.
            (Some(State::Claimed(_)), Some(vm))
                if self.dice.one_in(4) && self.runners.get(&vm) == Some(&None) =>
            {
                self.runners.remove(&vm);
                self.give_back(at);
            }
            (Some(State::Over(_)), vm) => {
                let busy = |given: &u64| *given != held.as_ref().map_or(0, |e| e.job.id.0);
                let given = vm.as_ref().and_then(|vm| self.runners.get(vm).copied().flatten());
                if !given.as_ref().is_some_and(busy) {
                    self.runners.retain(|runner, _| Some(runner) != vm.as_ref());
                    let job = held.map_or(JobId(0), |entry| entry.job.id);
                    self.end(at, &Event::Settle { claim, job, end: End::Dead("never".into()) });
                }
            }
            _ => {}
        }
    }

    /// Another job, for the VM that is left over where there is one.
    fn take(&mut self, at: usize, vm: Option<RunnerName>) {
        self.handlers[at].turn += 10;
        let claim = self.handlers[at].claim();
        let queued: Vec<JobId> =
            self.model.entries.values().filter(|e| e.state == State::Queued).map(|e| e.job.id).collect();
        let Some(&job) = self.dice.pick(&queued) else { return };
        self.play(&Event::Claim { job, claim: claim.clone(), scope: acme(), lease_until: Millis(0) });
        if let Some(runner) = vm {
            self.play(&Event::Checkpoint { claim, runner });
        }
    }

    fn give_back(&mut self, at: usize) {
        let claim = self.handlers[at].claim();
        let event = match self.dice.roll(5) {
            0 => Event::NotHere { claim: claim.clone(), voter: format!("v{}", self.dice.roll(3)) },
            1 => Event::Park { claim: claim.clone(), job: None },
            n => Event::Release { claim: claim.clone(), job: None, counted: n == 2, pause: Duration::ZERO },
        };
        self.end(at, &event);
        self.play(&Event::Release { claim, job: None, counted: false, pause: Duration::ZERO });
    }

    fn end(&mut self, at: usize, event: &Event) {
        self.play(event);
        self.handlers[at].vm = None;
    }

    fn play(&mut self, event: &Event) {
        let before = self.model.clone();
        self.model.play(event);
        judge(&before, &self.model, event);
    }
}

/// What holds after every step.
fn judge(before: &Model, after: &Model, event: &Event) {
    let say = || format!("{event:?}\nbefore {:#?}\nafter {:#?}", before.entries, after.entries);
    for (id, was) in &before.entries {
        let is = after.entries.get(id).unwrap_or_else(|| panic!("lost {id}: {}", say()));
        assert_eq!((is.age, &is.job), (was.age, &was.job), "{}", say());
        assert!(was.state.word() != "over" || is.state.word() == "over", "over stays over: {}", say());
        assert!(is.attempts >= was.attempts, "{}", say());
    }
    let holds: Vec<&ClaimId> = after.entries.values().filter_map(Entry::hold).map(|h| &h.claim).collect();
    let claims: BTreeSet<&ClaimId> = holds.iter().copied().collect();
    assert_eq!(holds.len(), claims.len(), "a claim holds one job at most: {}", say());
    for entry in after.entries.values() {
        // Words of the state that carry no claim cannot be written with one; a runner's own job is its claim's.
        let State::Running { runner, hold } = &entry.state else { continue };
        assert!(hold.as_ref().is_none_or(|hold| hold.runner.as_ref() == Some(runner)), "{}", say());
        let waits_elsewhere = after.entries.values().any(
            |other| matches!(&other.state, State::Claimed(hold) if hold.runner.as_ref() == Some(runner)),
        );
        assert!(!(hold.is_none() && waits_elsewhere), "a claim waits for a runner that is taken: {}", say());
    }
}

#[test]
fn sixty_days() {
    let seed = seed();
    for day in 0..60 {
        let mut day = Day::new(seed.wrapping_add(day));
        for _ in 0..400 {
            day.hour();
        }
        // Evening: GitHub decides on everything and every delivery arrives.
        while !day.open.is_empty() {
            day.github_gives();
        }
        for event in std::mem::take(&mut day.post) {
            day.play(&event);
        }
        for entry in day.model.entries.values() {
            assert_eq!(entry.state.word(), "over", "{entry:#?}");
        }
        assert_eq!(
            day.model.entries.len(),
            day.model.entries.values().filter(|e| e.job == job(e.job.id.0)).count()
        );
    }
}
