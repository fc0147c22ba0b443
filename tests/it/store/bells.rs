//! Who is woken: within a process, and between two.

use std::time::{Duration, Instant};

use anklet::domain::event::Event;
use anklet::domain::ids::RunnerName;
use crossbeam_channel::Receiver;

use super::world::{Folder, Hands, START, open, worlds};
use crate::life::model::{checkpoint, claim, claim_id, completed, owner, queued, release, vm};

fn rang(bell: &Receiver<()>) -> bool {
    bell.recv_timeout(Duration::from_millis(40)).is_ok()
}

#[test]
fn work_rings_all_and_news_of_a_claim_its_owner() {
    // A store that hosts share wakes one for each job: see `redis::waiting`.
    for world in worlds().into_iter().filter(|world| !world.is_shared()) {
        let bells = [world.store.bell(&owner("h1")), world.store.bell(&owner("h2"))];
        let rung = |event: &Event| {
            world.store.apply(event).unwrap();
            (rang(&bells[0]), rang(&bells[1]))
        };
        assert_eq!((rang(&bells[0]), rang(&bells[1])), (true, true), "{}: a new bell rings", world.name);
        assert_eq!(rung(&queued(1)), (true, true), "{}", world.name);
        assert_eq!(rung(&queued(1)), (false, false), "known");
        assert_eq!(rung(&claim(1, 1)), (false, false));
        assert_eq!(rung(&checkpoint(1)), (false, false));
        assert_eq!(rung(&completed(1, Some(vm(1)))), (true, false), "{}: its job is over", world.name);
        assert_eq!(rung(&claim(1, 2)), (false, false));
        world.store.apply(&queued(2)).unwrap();
        world.store.apply(&claim(2, 2)).unwrap();
        assert_eq!((rang(&bells[0]), rang(&bells[1])), (true, true));
        assert_eq!(rung(&release(2, false)), (true, true), "{}: free again", world.name);
    }
}

#[test]
fn queues_do_not_hear_of_each_other() {
    let folder = Folder::new();
    let store = open(folder.path(), &Hands::at(START));
    let (here, there) = (store.queue("here"), store.queue("there"));
    let bell = there.bell(&owner("h1"));
    assert!(rang(&bell));
    here.apply(&queued(1)).unwrap();
    assert!(!rang(&bell));
    assert_eq!((there.list().unwrap().len(), here.list().unwrap().len()), (0, 1));
    there.apply(&queued(1)).unwrap();
    assert!(rang(&bell));
}

#[test]
fn another_daemon_is_rung_at_once() {
    let (folder, hands) = (Folder::new(), Hands::at(START));
    let (receiver, handler) = (open(folder.path(), &hands), open(folder.path(), &hands));
    let (deliveries, jobs) = (receiver.queue("acme"), handler.queue("acme"));
    let bell = jobs.bell(&owner("h1"));
    assert!(rang(&bell));
    let mut took: Vec<Duration> = (1..=21)
        .map(|id| {
            let begun = Instant::now();
            deliveries.apply(&queued(id)).unwrap();
            bell.recv_timeout(Duration::from_secs(4)).expect("rung before the safety net");
            assert_eq!(super::world::word(&*jobs, id), "queued");
            begun.elapsed()
        })
        .collect();
    took.sort();
    println!("ring between daemons: median {:?}, slowest {:?}", took[10], took[20]);
    assert!(took[10] < Duration::from_millis(50), "{took:?}");
    // News of a claim of the other's too.
    jobs.apply(&claim(1, 1)).unwrap();
    while rang(&bell) {}
    deliveries.apply(&completed(1, None)).unwrap();
    assert!(rang(&bell));
}

#[test]
fn a_lost_ring_is_made_up_for() {
    let (folder, hands) = (Folder::new(), Hands::at(START));
    let handler = open(folder.path(), &hands);
    let jobs = handler.queue("acme");
    let bell = jobs.bell(&owner("h1"));
    assert!(rang(&bell));
    jobs.claim(&super::world::ask(&claim_id(1), &super::world::acme())).unwrap();
    std::fs::remove_dir_all(folder.path().join("bells")).unwrap();
    let receiver = open(folder.path(), &hands);
    receiver.queue("acme").apply(&queued(1)).unwrap();
    let begun = Instant::now();
    assert!(bell.recv_timeout(Duration::from_secs(11)).is_ok(), "the look finds it");
    println!("lost ring found after {:?}", begun.elapsed());
}

#[test]
fn the_end_of_a_pause_rings() {
    let folder = Folder::new();
    let start = Instant::now();
    let clock =
        std::sync::Arc::new(move || anklet::domain::ids::Millis(START + start.elapsed().as_millis() as u64));
    let options =
        anklet::store::embedded::Options { clock, ..super::world::options(folder.path(), &Hands::at(0)) };
    let jobs = anklet::store::embedded::Embedded::open(options).unwrap().queue("acme");
    let bell = jobs.bell(&owner("h2"));
    jobs.apply(&queued(1)).unwrap();
    jobs.apply(&claim(1, 1)).unwrap();
    jobs.apply(&Event::Release {
        claim: claim_id(1),
        job: None,
        counted: true,
        pause: Duration::from_millis(300),
    })
    .unwrap();
    let released = Instant::now();
    while rang(&bell) {}
    assert!(bell.recv_timeout(Duration::from_secs(3)).is_ok());
    let waited = released.elapsed();
    assert!(waited > Duration::from_millis(290) && waited < Duration::from_secs(2), "{waited:?}");
}

#[test]
fn sockets_of_dead_daemons_are_cleared_away() {
    let (folder, hands) = (Folder::new(), Hands::at(START));
    let bells = folder.path().join("bells");
    std::fs::create_dir(&bells).unwrap();
    drop(std::os::unix::net::UnixDatagram::bind(bells.join("99999")).unwrap());
    let own = bells.join(std::process::id().to_string());
    drop(std::os::unix::net::UnixDatagram::bind(&own).unwrap());
    let store = open(folder.path(), &hands);
    assert!(own.exists());
    store.queue("acme").apply(&queued(1)).unwrap();
    // The answer comes before the ring.
    store.queue("acme").apply(&queued(2)).unwrap();
    assert!(!bells.join("99999").exists());
    drop(store);
    assert!(!own.exists(), "nothing is left behind");
}

#[test]
fn a_folder_too_deep_for_sockets_is_polled() {
    let (folder, hands) = (Folder::new(), Hands::at(START));
    let deep = folder.path().join("a-folder-with-a-long-name-".repeat(4));
    let options = || anklet::store::embedded::Options {
        bells_dir: deep.clone(),
        ..super::world::options(folder.path(), &hands)
    };
    let open = || anklet::store::embedded::Embedded::open(options()).unwrap().queue("acme");
    let (deliveries, jobs) = (open(), open());
    let bell = jobs.bell(&owner("h1"));
    jobs.apply(&Event::Checkpoint { claim: claim_id(1), runner: RunnerName("x".into()) }).unwrap();
    assert!(rang(&bell));
    deliveries.apply(&queued(1)).unwrap();
    assert!(bell.recv_timeout(Duration::from_secs(5)).is_ok());
}
