//! Leases by the server's own clock.

use std::time::Duration;

use anklet::domain::event::{Event, Verdict};
use anklet::store::{Ask, Store};

use crate::life::model::{checkpoint, claim_id, queued, release, started, vm};
use crate::store::world::{acme, ask, claimed, ids};
use crate::support::eventually;
use crate::support::redis::{new_queue, shared, store};

const LEASE: Duration = Duration::from_secs(3);

fn take(store: &dyn Store, n: u64) -> Option<u64> {
    claimed(store, &Ask { lease: LEASE, ..ask(&claim_id(n), &acme()) })
}

#[test]
fn who_comes_back_late_finds_his_claim_gone() {
    let name = new_queue();
    let options = || shared().options();
    let (host, other) = (store(options()).queue(&name), store(options()).queue(&name));
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
}
