//! Whose claims are abandoned: by lease where stores are shared by hosts, by the daemon's lock file here.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use anklet::domain::event::Event;
use anklet::domain::ids::{ClaimId, Millis, Owner};
use anklet::store::Store;
use anklet::store::memory::Memory;

use super::world::{Folder, Hands, START, acme, card, ids, open};
use crate::life::model::{checkpoint, claim, claim_id, completed, owner, queued, started, stranger, vm};

#[test]
fn by_lease() {
    let hands = Hands::at(START);
    let store: Arc<dyn Store> = Arc::new(Memory::new(hands.clock()));
    for n in 1..=3 {
        store.apply(&queued(n)).unwrap();
        let lease_until = Millis(START + 60_000 + n);
        let (job, claim) = (anklet::domain::ids::JobId(n), claim_id(n));
        let event = Event::Claim { job, claim, scope: acme(), lease_until };
        store.apply(&event).unwrap();
    }
    hands.pass(Duration::from_millis(60_002));
    assert_eq!(ids(&store.abandoned().unwrap()), [1]);
    let renewed = Event::Renew { claim: claim_id(1), lease_until: Millis(START + 120_000) };
    store.apply(&renewed).unwrap();
    hands.pass(Duration::from_millis(1));
    assert_eq!(ids(&store.abandoned().unwrap()), [2]);
    store.apply(&started(2, stranger())).unwrap();
    assert_eq!(ids(&store.abandoned().unwrap()), [0; 0]);
}

/// Four claims: `h1` is this process's own, `h2` to `h4` belong to other daemons.
fn embedded(folder: &Folder, hands: &Hands) -> Arc<dyn Store> {
    let store = open(folder.path(), hands).queue("acme");
    for n in 1..=4 {
        for event in [queued(n), claim(n, n), checkpoint(n)] {
            store.apply(&event).unwrap();
        }
    }
    store.apply(&started(3, vm(3))).unwrap();
    std::fs::create_dir_all(folder.path().join("locks")).unwrap();
    store
}

fn lock(folder: &Folder, plugin: &str) -> File {
    let file = File::create(folder.path().join("locks").join(format!("{plugin}.lock"))).unwrap();
    file.lock().unwrap();
    file
}

#[test]
fn a_claim_dies_with_its_daemons_lock() {
    let (folder, hands) = (Folder::new(), Hands::at(START));
    let store = embedded(&folder, &hands);
    assert_eq!(ids(&store.abandoned().unwrap()), [0; 0], "nobody here knows which host this is");
    let _bell = store.bell(&owner("h1"));
    let (two, three) = (lock(&folder, "h2"), lock(&folder, "h3"));
    assert_eq!(ids(&store.abandoned().unwrap()), [4], "h4 has no lock file at all");
    hands.pass(Duration::from_hours(24));
    assert_eq!(ids(&store.abandoned().unwrap()), [4], "a lease of the past changes nothing");
    drop(two);
    assert_eq!(ids(&store.abandoned().unwrap()), [2, 4]);
    drop(three);
    assert_eq!(ids(&store.abandoned().unwrap()), [2, 3, 4], "running ones too");
    store.apply(&completed(3, Some(vm(3)))).unwrap();
    assert_eq!(ids(&store.abandoned().unwrap()), [2, 4], "what is over needs nobody's question");
    let mut again = lock(&folder, "h2");
    assert_eq!(ids(&store.abandoned().unwrap()), [4]);
    // Looking does not keep the lock.
    again = {
        drop(again);
        lock(&folder, "h2")
    };
    drop(again);
}

#[test]
fn who_was_just_seen_is_not_judged() {
    let (folder, hands) = (Folder::new(), Hands::at(START));
    let store = embedded(&folder, &hands);
    let _bell = store.bell(&owner("h1"));
    store.seen(&card("h2", "v", Duration::from_secs(90))).unwrap();
    hands.pass(Duration::from_secs(59));
    assert_eq!(ids(&store.abandoned().unwrap()), [3, 4]);
    hands.pass(Duration::from_secs(1));
    assert_eq!(ids(&store.abandoned().unwrap()), [2, 3, 4]);
}

#[test]
fn other_hosts_are_not_judged_and_names_are_encoded() {
    let (folder, hands) = (Folder::new(), Hands::at(START));
    let store = embedded(&folder, &hands);
    let _bell = store.bell(&owner("h1"));
    let foreign = ClaimId { owner: Owner { host: "elsewhere".into(), plugin: "h9".into() }, turn: 9 };
    let odd = ClaimId { owner: owner("a/b c"), turn: 9 };
    for (id, claim) in [(8, foreign), (9, odd)] {
        store.apply(&queued(id)).unwrap();
        let job = anklet::domain::ids::JobId(id);
        store.apply(&Event::Claim { job, claim, scope: acme(), lease_until: Millis(0) }).unwrap();
    }
    let held = lock(&folder, "a%2Fb%20c");
    assert_eq!(ids(&store.abandoned().unwrap()), [2, 3, 4]);
    drop(held);
    assert_eq!(ids(&store.abandoned().unwrap()), [2, 3, 4, 9]);
}
