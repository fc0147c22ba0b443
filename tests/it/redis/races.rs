//! Many at once: no job is held twice, none is lost, ten equal deliveries are one job.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anklet::domain::conclusion::Conclusion;
use anklet::domain::event::{End, Event, Verdict};
use anklet::domain::ids::{ClaimId, JobId};
use anklet::store::Store;

use crate::life::model::{job, owner, queued};
use crate::store::world::{acme, ask, claimed};
use crate::support::redis::{new_queue, shared, shared_cluster, store};

/// The same queue as hosts see it, each over connections of its own.
fn hosts(count: usize) -> Vec<Vec<Arc<dyn Store>>> {
    [shared().options(), shared_cluster().options(0)]
        .into_iter()
        .map(|options| {
            let name = new_queue();
            (0..count).map(|_| store(options.clone()).queue(&name)).collect()
        })
        .collect()
}

#[test]
fn ten_equal_deliveries_are_one_job() {
    for hosts in hosts(10) {
        for id in 1..=20 {
            let stored = Mutex::new(0);
            std::thread::scope(|scope| {
                for host in &hosts {
                    scope.spawn(|| {
                        if host.apply(&queued(id)).unwrap().verdict == Verdict::Stored {
                            *stored.lock().unwrap() += 1;
                        }
                    });
                }
            });
            assert_eq!(*stored.lock().unwrap(), 1);
        }
        assert_eq!(hosts[0].depth().unwrap().queued, 20);
    }
}

#[test]
fn each_of_400_jobs_is_claimed_once_while_more_arrive() {
    const JOBS: u64 = 400;
    for hosts in hosts(9) {
        let taken = Mutex::new(Vec::new());
        let begun = Instant::now();
        std::thread::scope(|scope| {
            let (deliveries, handlers) = hosts.split_first().unwrap();
            scope.spawn(|| (1..=JOBS).for_each(|id| drop(deliveries.apply(&queued(id)).unwrap())));
            for (n, handler) in handlers.iter().enumerate() {
                let taken = &taken;
                scope.spawn(move || {
                    let mut turn = 0;
                    while taken.lock().unwrap().len() < JOBS as usize {
                        assert!(begun.elapsed() < Duration::from_mins(1));
                        turn += 1;
                        let claim = ClaimId { owner: owner(&format!("h{n}")), turn };
                        let Some(id) = claimed(&**handler, &ask(&claim, &acme())) else { continue };
                        taken.lock().unwrap().push(id);
                        let end = End::Over(Conclusion::Success);
                        handler.apply(&Event::Settle { claim, job: JobId(id), end }).unwrap();
                    }
                });
            }
        });
        let taken = taken.into_inner().unwrap();
        assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), JOBS as usize);
        assert_eq!(taken.len(), JOBS as usize, "a job was taken twice");
        assert_eq!(hosts[0].list().unwrap(), []);
        println!("{JOBS} jobs taken by 8 handlers in {:?}", begun.elapsed());
    }
}

#[test]
fn a_crossing_of_many_runners_loses_no_claim() {
    const CLAIMS: u64 = 12;
    for hosts in hosts(6) {
        let claim = |n: u64| ClaimId { owner: owner(&format!("h{n}")), turn: n };
        let runner = |n: u64| anklet::domain::ids::RunnerName(format!("anklet-vm-{n}"));
        for n in 1..=CLAIMS {
            hosts[0].apply(&queued(n)).unwrap();
            assert_eq!(claimed(&*hosts[0], &ask(&claim(n), &acme())), Some(n));
            hosts[0].apply(&Event::Checkpoint { claim: claim(n), runner: runner(n) }).unwrap();
        }
        // Each runner is given the job of the next one, and all is told at once, by different hosts.
        std::thread::scope(|scope| {
            for n in 1..=CLAIMS {
                let host = &hosts[n as usize % hosts.len()];
                scope.spawn(move || {
                    let started = Event::Started { job: job(n % CLAIMS + 1), runner: runner(n) };
                    host.apply(&started).unwrap();
                });
            }
        });
        for n in 1..=CLAIMS {
            let entry = hosts[0].held(&claim(n)).unwrap().expect("every claim holds a job");
            assert_eq!(entry.job.id.0, n % CLAIMS + 1);
            assert_eq!(entry.state.word(), "running");
        }
    }
}

/// A runner's name is noted while its first job is told of: whichever comes first, the claim follows the runner.
#[test]
fn a_runner_that_is_tied_in_between_is_seen() {
    for hosts in hosts(2) {
        for round in 1..=60 {
            let (own, found) = (round * 2, round * 2 + 1);
            let claim = ClaimId { owner: owner("h1"), turn: round };
            let runner = anklet::domain::ids::RunnerName(format!("anklet-vm-{round}"));
            hosts[0].apply(&queued(own)).unwrap();
            assert_eq!(claimed(&*hosts[0], &ask(&claim, &acme())), Some(own));
            let checkpoint = Event::Checkpoint { claim: claim.clone(), runner: runner.clone() };
            let started = Event::Started { job: job(found), runner };
            std::thread::scope(|scope| {
                scope.spawn(|| hosts[0].apply(&checkpoint).unwrap());
                scope.spawn(|| hosts[1].apply(&started).unwrap());
            });
            assert_eq!(
                hosts[0].held(&claim).unwrap().map(|entry| entry.job.id.0),
                Some(found),
                "round {round}"
            );
            assert_eq!(crate::store::world::word(&*hosts[0], own), "queued");
            hosts[0]
                .apply(&Event::Settle { claim, job: JobId(found), end: End::Over(Conclusion::Success) })
                .unwrap();
            hosts[0].apply(&crate::life::model::completed(own, None)).unwrap();
        }
    }
}

/// A claim that is asked for twice, over two connections, has one job.
#[test]
fn one_claim_asked_for_twice_at_once_has_one_job() {
    for hosts in hosts(2) {
        for round in 1..=60 {
            let (a, b) = (round * 2, round * 2 + 1);
            let claim = ClaimId { owner: owner("h1"), turn: round };
            hosts[0].apply(&queued(a)).unwrap();
            hosts[0].apply(&queued(b)).unwrap();
            let lease_until = hosts[0].now().unwrap().plus(Duration::from_mins(1));
            let named = Event::Claim { job: JobId(b), claim: claim.clone(), scope: acme(), lease_until };
            std::thread::scope(|scope| {
                scope.spawn(|| claimed(&*hosts[0], &ask(&claim, &acme())).unwrap());
                scope.spawn(|| hosts[1].apply(&named).unwrap());
            });
            let held = hosts[0].list().unwrap().iter().filter(|entry| entry.held_by(&claim)).count();
            assert_eq!(held, 1, "round {round}");
            let job = hosts[0].held(&claim).unwrap().unwrap().job.id;
            hosts[0].apply(&Event::Settle { claim, job, end: End::Over(Conclusion::Success) }).unwrap();
            for id in [a, b] {
                hosts[0].apply(&crate::life::model::completed(id, None)).unwrap();
            }
            assert_eq!(hosts[0].list().unwrap(), []);
        }
    }
}
