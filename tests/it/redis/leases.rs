//! A claim lives as long as its daemon, and not much longer.

use std::time::{Duration, Instant};

use anklet::domain::event::{Event, Verdict};
use anklet::store::redis::Options;
use anklet::store::{Ask, Store};

use crate::life::model::{checkpoint, claim_id, owner, queued, release, started, vm};
use crate::store::world::{acme, ask, claimed, ids};
use crate::support::redis::{new_queue, shared, store};
use crate::support::{eventually, pause};

const LEASE: Duration = Duration::from_secs(3);

fn take(store: &dyn Store, n: u64) -> Option<u64> {
    claimed(store, &Ask { lease: LEASE, ..ask(&claim_id(n), &acme()) })
}

#[test]
fn a_claim_lives_as_long_as_its_daemon() {
    let name = new_queue();
    let options = || Options { lease: LEASE, ..shared().options() };
    let (host, other) = (store(options()).queue(&name), store(options()).queue(&name));
    let bell = host.bell(&owner("h1"));
    host.apply(&queued(1)).unwrap();
    assert_eq!(take(&*host, 1), Some(1));
    let begun = Instant::now();
    while begun.elapsed() < LEASE * 2 {
        assert_eq!(ids(&other.abandoned().unwrap()), [0; 0], "after {:?}", begun.elapsed());
        pause(50);
    }
    drop((host, bell));
    let gone = Instant::now();
    eventually("the lease runs out", LEASE * 2, || ids(&other.abandoned().unwrap()) == [1]);
    assert!(gone.elapsed() > LEASE / 2, "{:?}", gone.elapsed());
    // It comes back before anybody has asked GitHub: the claim is its own, and lives on.
    let host = store(options()).queue(&name);
    let _bell = host.bell(&owner("h1"));
    assert_eq!(host.held(&claim_id(1)).unwrap().unwrap().job.id.0, 1);
    eventually("it is renewed", LEASE, || ids(&other.abandoned().unwrap()) == [0; 0]);
}

#[test]
fn who_comes_back_late_finds_his_claim_gone() {
    let name = new_queue();
    let options = || Options { lease: LEASE, ..shared().options() };
    let (host, other) = (store(options()).queue(&name), store(options()).queue(&name));
    // No bell: nothing renews, as when the host is frozen.
    host.apply(&queued(1)).unwrap();
    assert_eq!(take(&*host, 1), Some(1));
    eventually("the lease runs out", LEASE * 2, || ids(&other.abandoned().unwrap()) == [1]);
    other.apply(&release(1, false)).unwrap();
    assert_eq!(take(&*other, 2), Some(1));
    assert_eq!(host.apply(&checkpoint(1)).unwrap().verdict, Verdict::Lost, "it starts no runner");
    assert_eq!(host.apply(&release(1, true)).unwrap().verdict, Verdict::Lost);
    assert_eq!(host.held(&claim_id(1)).unwrap(), None);
    assert_eq!(other.held(&claim_id(2)).unwrap().unwrap().attempts, 0);
}

#[test]
fn a_job_that_runs_is_extended_in_its_hosts_name() {
    let name = new_queue();
    let host = store(shared().options()).queue(&name);
    host.apply(&queued(1)).unwrap();
    assert_eq!(take(&*host, 1), Some(1));
    host.apply(&checkpoint(1)).unwrap();
    host.apply(&started(1, vm(1))).unwrap();
    eventually("the lease runs out", LEASE * 2, || ids(&host.abandoned().unwrap()) == [1]);
    let lease_until = host.now().unwrap().plus(Duration::from_mins(5));
    host.apply(&Event::Renew { claim: claim_id(1), lease_until }).unwrap();
    assert_eq!(ids(&host.abandoned().unwrap()), [0; 0]);
    // Its own daemon does not make it shorter again.
    let _bell = host.bell(&owner("h1"));
    pause(300);
    let entry = host.held(&claim_id(1)).unwrap().unwrap();
    assert_eq!(entry.hold().unwrap().lease_until, lease_until);
}

#[test]
fn the_end_of_a_lease_is_foreseen() {
    let name = new_queue();
    let (host, other) = (store(shared().options()).queue(&name), store(shared().options()).queue(&name));
    host.apply(&queued(1)).unwrap();
    assert_eq!(take(&*host, 1), Some(1));
    let begun = Instant::now();
    assert!(!other.expects_abandoned(), "it has not looked yet");
    assert_eq!(ids(&other.abandoned().unwrap()), [0; 0]);
    eventually("it is time to look", LEASE * 2, || other.expects_abandoned());
    assert!(begun.elapsed() > LEASE / 2, "{:?}", begun.elapsed());
    assert_eq!(ids(&other.abandoned().unwrap()), [1]);
    assert!(!other.expects_abandoned(), "one that has ended is no reason to hurry again");
}
