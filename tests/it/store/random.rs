//! Any store against the state table: the same verbs, from a printed seed, on both; compared after each.

use std::sync::Arc;
use std::time::Duration;

use anklet::domain::absence::Absence;
use anklet::domain::entry::State;
use anklet::domain::event::{End, Event};
use anklet::domain::ids::{JobId, Millis};
use anklet::domain::life::{ASK_PARKED, REFUSED, claimable, passed_by, taken_back};
use anklet::store::faulty::{Fault, Faulty};
use anklet::store::{Ask, REMEMBERED, Store};

use super::world::{Hands, World, acme, ask, card, ids, worlds};
use crate::life::dice::{Dice, seed};
use crate::life::model::{
    Model, checkpoint, claim_id, completed, job, not_here, queued, release, started, stranger, vm, waiting,
};

const JOBS: u64 = 8;
const CLAIMS: u64 = 4;

struct Run<'w> {
    dice: Dice,
    model: Model,
    store: &'w dyn Store,
    faulty: Faulty,
    hands: &'w Hands,
}

pub fn event(dice: &mut Dice) -> Event {
    let (id, n) = (1 + dice.roll(JOBS), 1 + dice.roll(CLAIMS));
    let runner = |dice: &mut Dice| if dice.one_in(4) { stranger() } else { vm(1 + dice.roll(CLAIMS)) };
    match dice.roll(16) {
        0 | 1 => queued(id),
        2 => Event::Queued { job: job(id), waiting: true },
        3 => waiting(id),
        4 => Event::Runnable { job: JobId(id) },
        5 | 6 => started(id, runner(dice)),
        7 if dice.one_in(3) => completed(id, None),
        7 => completed(id, Some(runner(dice))),
        8 | 9 => checkpoint(n),
        10 => release(n, dice.one_in(2)),
        11 => Event::Release {
            claim: claim_id(n),
            job: None,
            counted: true,
            pause: Duration::from_millis(dice.roll(40)),
        },
        12 => not_here(n, if dice.one_in(2) { "v1" } else { "v2" }),
        13 => Event::Park { claim: claim_id(n), job: None },
        14 if dice.one_in(3) => {
            Event::Settle { claim: claim_id(n), job: JobId(id), end: End::Dead("no".into()) }
        }
        14 => Event::Renew { claim: claim_id(n), lease_until: Millis(dice.roll(1000)) },
        _ => Event::Requeue { job: JobId(id) },
    }
}

impl Run<'_> {
    fn step(&mut self) {
        match self.dice.roll(10) {
            0..=5 => self.event(),
            6 | 7 => self.claim(),
            8 => self.parked_due(),
            _ if self.dice.one_in(8) => self.week(),
            _ if self.dice.one_in(4) => self.take_back(),
            _ => {
                let time = Duration::from_millis(self.dice.roll(50));
                self.pass(time);
            }
        }
        self.compare();
    }

    fn pass(&mut self, time: Duration) {
        self.model.now = self.model.now.plus(time);
        self.hands.set(self.model.now);
    }

    fn event(&mut self) {
        let event = event(&mut self.dice);
        let told = self.model.play(&event);
        self.hands.set(self.model.now);
        if self.dice.one_in(3) {
            self.faulty.fail(1, Fault::After);
            assert!(self.faulty.apply(&event).is_err());
            self.faulty.apply(&event).unwrap();
        } else {
            assert_eq!(self.store.apply(&event).unwrap(), told, "{event:?}");
        }
    }

    fn claim(&mut self) {
        let (one, voter) =
            (claim_id(1 + self.dice.roll(CLAIMS)), if self.dice.one_in(2) { "v1" } else { "v2" });
        let (except, like) = ([JobId(1 + self.dice.roll(JOBS))], job(1));
        let scope = acme();
        let like = Some(&like).filter(|_| self.dice.one_in(4));
        let request = job(1).vm_request().unwrap();
        let absent = [Absence { request, at: Millis(self.model.now.0.saturating_sub(self.dice.roll(60))) }];
        let absent = if self.dice.one_in(4) && like.is_none() { &absent[..] } else { &[] };
        let asked = Ask { voter, except: &except, absent, like, ..ask(&one, &scope) };
        let want = self.model_claim(&asked);
        self.hands.set(self.model.now);
        for _ in 0..=self.dice.roll(2) {
            let got = self.store.claim(&asked).unwrap();
            assert_eq!(got.map(|entry| entry.job.id), want, "{asked:?}");
        }
    }

    fn model_claim(&mut self, ask: &Ask<'_>) -> Option<JobId> {
        if let Some(held) = self.model.held(ask.claim) {
            return Some(held.job.id);
        }
        let at = self.model.now.plus(Duration::from_millis(1));
        let mut takeable: Vec<_> = self
            .model
            .entries
            .values()
            .filter(|entry| {
                claimable(entry, ask.voter, &self.model.voters, at)
                    && !ask.except.contains(&entry.job.id)
                    && ask.like.is_none_or(|like| like.same_labels(&entry.job))
            })
            .map(|entry| (entry.age, entry.job.id))
            .collect();
        takeable.sort();
        let job = takeable.into_iter().map(|(_, job)| job).find(|job| {
            let entry = &self.model.entries[job];
            let is_absent = ask.absent.iter().any(|absence| absence.tells_of(entry));
            let said = passed_by(entry, ask.voter, &self.model.voters, at).filter(|_| is_absent);
            let passes = said.is_some();
            self.model.entries.extend(said.map(|said| (*job, said)));
            !passes
        });
        let Some(job) = job else {
            self.model.now = at;
            return None;
        };
        let (claim, scope) = (ask.claim.clone(), ask.scope.clone());
        self.model.play(&Event::Claim { job, claim, scope, lease_until: at.plus(ask.lease) });
        Some(job)
    }

    fn parked_due(&mut self) {
        if self.dice.one_in(3) {
            self.pass(ASK_PARKED);
        }
        let now = self.model.now;
        let mut due = Vec::new();
        for entry in self.model.entries.values_mut() {
            if let State::Parked { ask_at } = &mut entry.state
                && *ask_at <= now
            {
                *ask_at = now.plus(ASK_PARKED);
                due.push((entry.age, entry.job.id.0));
            }
        }
        due.sort_unstable();
        let due: Vec<u64> = due.into_iter().map(|(_, id)| id).collect();
        assert_eq!(ids(&self.store.parked_due().unwrap()), due);
    }

    fn take_back(&mut self) {
        if self.dice.one_in(2) {
            self.pass(REFUSED);
        }
        let (voter, now) = (if self.dice.one_in(2) { "v1" } else { "v2" }, self.model.now);
        for entry in self.model.entries.values_mut() {
            *entry = taken_back(entry, voter, now).unwrap_or_else(|| entry.clone());
        }
        self.store.take_back(voter).unwrap();
    }

    fn week(&mut self) {
        self.pass(REMEMBERED);
        let (now, before) = (self.model.now, self.model.entries.len());
        self.model.entries.retain(|_, entry| {
            let since = match &entry.state {
                State::Over(ending) => ending.at,
                State::Dead { at, .. } => *at,
                State::Running { hold: None, .. } => entry.age,
                _ => return true,
            };
            now.since(since) <= REMEMBERED
        });
        assert_eq!(self.store.purge().unwrap(), (before - self.model.entries.len()) as u64);
    }

    fn compare(&self) {
        for id in 1..=JOBS {
            let is = self.store.entry(JobId(id)).unwrap();
            assert_eq!(is.as_ref(), self.model.entries.get(&JobId(id)), "job {id}");
        }
        for n in 1..=CLAIMS {
            let is = self.store.held(&claim_id(n)).unwrap();
            assert_eq!(is.as_ref(), self.model.held(&claim_id(n)), "claim {n}");
        }
        let mut open: Vec<_> = self.model.entries.values().filter(|e| e.state.word() != "over").collect();
        open.sort_by_key(|entry| (entry.age, entry.job.id));
        assert_eq!(self.store.list().unwrap().iter().collect::<Vec<_>>(), open);
        let count = |word| self.model.entries.values().filter(|e| e.state.word() == word).count() as u64;
        let depth = self.store.depth().unwrap();
        assert_eq!(
            (depth.queued, depth.claimed, depth.dead),
            (count("queued"), count("claimed"), count("dead"))
        );
    }
}

fn run(world: &World, seed: u64) {
    let mut model = Model::at(world.hands.now().0);
    model.voters = vec!["v1".into(), "v2".into()];
    for (plugin, voter) in [("h1", "v1"), ("h2", "v2"), ("h3", "v2")] {
        world.store.seen(&card(plugin, voter, REMEMBERED * 1000)).unwrap();
    }
    let faulty = Faulty::new(Arc::clone(&world.store));
    let mut run = Run { dice: Dice::new(seed), model, store: &*world.store, faulty, hands: &world.hands };
    (0..300).for_each(|_| run.step());
}

#[test]
fn every_store_does_what_the_state_table_says() {
    let seed = seed();
    for round in 0..10 {
        for world in worlds() {
            println!("{} round {round}", world.name);
            run(&world, seed.wrapping_add(round));
        }
    }
}
