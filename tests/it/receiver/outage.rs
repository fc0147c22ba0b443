//! What is answered with 2xx is stored durably; what cannot be stored is answered with 503, and all mends itself.
#![expect(clippy::disallowed_methods, reason = "mounts a disk, floods from threads")]

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{deliver, job, status};
use crate::support::wire::{Answer, ask};
use crate::support::{Daemon, World, eventually, pause};

const SOON: Duration = Duration::from_secs(15);

fn send(world: &World, id: u64) -> Answer {
    deliver(world.port, "workflow_job", &job("queued", id))
}

#[track_caller]
fn assert_away(told: &Answer) {
    assert_eq!(status(told), 503, "{told:?}");
    let wait: u64 = told.header("retry-after").expect("Retry-After").parse().expect("seconds");
    assert!((1..=600).contains(&wait));
}

#[test]
fn what_was_accepted_outlives_a_kill() {
    let world = World::new();
    let mut daemon = world.start(0);
    for id in 1..=20 {
        assert_eq!(status(&send(&world, id)), 202);
    }
    daemon.kill();
    let _daemon = world.start(0);
    for id in 1..=20 {
        assert_eq!(status(&send(&world, id)), 200, "job {id} is known");
    }
    assert_eq!(status(&send(&world, 21)), 202);
}

#[test]
fn a_kill_in_the_middle_of_a_storm_takes_nothing_that_was_accepted() {
    let world = World::new();
    let mut daemon = world.start(0);
    let port = world.port;
    let senders: Vec<_> = (0..8)
        .map(|sender| {
            thread::spawn(move || {
                let ids = (sender * 10_000 + 1)..;
                // Until the daemon is gone.
                ids.take_while(|id| accepted(port, *id)).collect::<Vec<u64>>()
            })
        })
        .collect();
    pause(400);
    daemon.kill();
    let stored: Vec<u64> = senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect();
    assert!(stored.len() > 20, "{}", stored.len());
    let _daemon = world.start(0);
    for id in stored {
        assert_eq!(status(&send(&world, id)), 200, "job {id} was accepted");
    }
}

fn accepted(port: u16, id: u64) -> bool {
    deliver(port, "workflow_job", &job("queued", id)).status == 202
}

#[test]
fn a_thousand_equal_deliveries_at_once_make_one_job() {
    let world = World::new();
    let mut daemon = world.start(1);
    let job = world.order(json!({ "webhooks": { "queued": { "drop": true } } }))[0];
    let threads: Vec<_> = (0..40)
        .map(|_| {
            let (port, body) = (world.port, super::job("queued", job).to_string());
            let fields = world.state()["jobs"][0].clone();
            let mut payload: serde_json::Value = serde_json::from_str(&body).unwrap();
            payload["workflow_job"]["labels"] = fields["labels"].clone();
            payload["workflow_job"]["run_id"] = fields["run_id"].clone();
            thread::spawn(move || {
                (0..25).map(|_| deliver(port, "workflow_job", &payload).status).collect::<Vec<_>>()
            })
        })
        .collect();
    let told: Vec<u16> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert_eq!(told.len(), 1000);
    assert_eq!(told.iter().filter(|code| **code == 202).count(), 1);
    assert!(told.iter().all(|code| [200, 202].contains(code)), "{told:?}");
    world.until(job, "completed", SOON);
    eventually("the host is clean", SOON, || world.vms().is_empty());
    assert_eq!(daemon.stop(), 0);
    let clones = world.anka_calls().iter().filter(|call| call.iter().any(|word| word == "clone")).count();
    assert_eq!(clones, 1);
    world.assert_clean();
}

#[test]
fn a_locked_store_is_answered_with_503_in_time_and_recovers() {
    let world = World::new();
    let mut daemon = world.start(0);
    assert_eq!(status(&send(&world, 1)), 202);
    let file = world.dir.join(".config/anklet/state/queue.sqlite");
    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let start = Instant::now();
    let many: Vec<_> = (10..30)
        .map(|id| {
            let port = world.port;
            thread::spawn(move || deliver(port, "workflow_job", &job("queued", id)))
        })
        .collect();
    for told in many {
        assert_away(&told.join().unwrap());
    }
    assert!(start.elapsed() < Duration::from_secs(9), "GitHub waits 10 s, this took {:?}", start.elapsed());
    assert_eq!(status(&ask(world.port, "GET", "/healthcheck", &[])), 200, "it serves");
    other.execute_batch("ROLLBACK").unwrap();
    eventually("it recovers", SOON, || send(&world, 2).status == 202);
    assert!(daemon.is_running());
    assert!(world.said("WARN").iter().any(|said| said.contains("queue.sqlite")), "{:?}", world.said("WARN"));
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn a_store_that_is_no_database_keeps_the_daemon_up_and_mends_when_it_is_moved_away() {
    let world = World::new();
    let state = world.dir.join(".config/anklet/state");
    fs::create_dir_all(&state).unwrap();
    fs::write(state.join("queue.sqlite"), "this is a letter to my mother, not a database\n".repeat(100))
        .unwrap();
    let mut daemon = world.start(0);
    assert_away(&send(&world, 1));
    assert!(daemon.is_running());
    let kept = fs::read_to_string(state.join("queue.sqlite")).unwrap();
    assert!(kept.starts_with("this is a letter"), "it was not ours to overwrite");
    fs::rename(state.join("queue.sqlite"), state.join("letter")).unwrap();
    eventually("it recovers", SOON, || send(&world, 1).status == 202);
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn a_stop_while_the_store_is_locked_ends_well_and_a_run_once_says_that_it_is_away() {
    let world = World::new();
    let mut daemon = world.start(1);
    assert_eq!(status(&send(&world, 1)), 202);
    let other = rusqlite::Connection::open(world.dir.join(".config/anklet/state/queue.sqlite")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_away(&send(&world, 2));
    let start = Instant::now();
    assert_eq!(daemon.stop(), 0);
    // Each verb of the turn that is going on waits for the lock once.
    assert!(start.elapsed() < Duration::from_secs(18), "{:?}", start.elapsed());
    drop(other);
    fs::write(world.dir.join(".config/anklet/state/queue.sqlite"), "no database").unwrap();
    let mut once = Daemon::start(&world, &world.configuration(1, ""), &["--once"], &[]);
    assert_eq!(once.wait(SOON).code(), Some(6));
    let said = fs::read_to_string(world.dir.join("stderr")).unwrap();
    assert!(said.contains("queue.sqlite"), "{said}");
}

#[test]
fn a_state_folder_that_vanishes_and_comes_back_loses_no_word_to_github() {
    let world = World::new();
    let mut daemon = world.start(0);
    assert_eq!(status(&send(&world, 1)), 202);
    let state = world.dir.join(".config/anklet/state");
    fs::rename(&state, world.dir.join("elsewhere")).unwrap();
    assert_away(&send(&world, 2));
    fs::rename(world.dir.join("elsewhere"), &state).unwrap();
    eventually("it recovers", SOON, || send(&world, 2).status == 202);
    assert_eq!(status(&send(&world, 1)), 200, "what was there is there");
    assert_eq!(daemon.stop(), 0);
}

/// A small disk of its own, where that can be had: root on Linux.
struct Disk(std::path::PathBuf);

impl Disk {
    fn mount(folder: &std::path::Path) -> Option<Disk> {
        fs::create_dir_all(folder).unwrap();
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs"])
            .arg(folder)
            .output();
        done.is_ok_and(|output| output.status.success()).then(|| Disk(folder.to_owned()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[test]
fn a_full_disk_is_answered_with_503_and_recovers() {
    let world = World::new();
    let state = world.dir.join(".config/anklet/state");
    let Some(_disk) = Disk::mount(&state) else {
        eprintln!("skipped: no disk can be mounted here (root on Linux)");
        return;
    };
    let mut daemon = world.start(1);
    assert_eq!(status(&send(&world, 1)), 202);
    let filler = state.join("filler");
    let written = fs::write(&filler, vec![0; 4 << 20]);
    assert!(written.is_err(), "the disk is full");
    eventually("no more room is noticed", SOON, || send(&world, 1000 + rand()).status == 503);
    assert_away(&send(&world, 3));
    assert!(daemon.is_running());
    fs::remove_file(&filler).unwrap();
    eventually("it recovers", SOON, || send(&world, 2).status == 202);
    assert_eq!(status(&send(&world, 2)), 200);
    assert_eq!(daemon.stop(), 0);
}

/// Another number each time.
fn rand() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::SeqCst)
}
