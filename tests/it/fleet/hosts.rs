//! Hosts that share a queue, through the real binary.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::store::world::card;
use crate::support::world::{SECRET, TOKEN};
use crate::support::{Daemon, Fleet, eventually, pause, web};

const SOON: Duration = Duration::from_secs(25);
/// A lease, a look of another handler, and GitHub's answer.
const TAKEN_OVER: Duration = Duration::from_secs(50);

#[test]
fn two_hosts_share_twenty_jobs_and_none_is_done_twice() {
    let fleet = Fleet::new(2);
    let (mut one, mut two) = (fleet.start(0, 2), fleet.start(1, 2));
    let jobs = fleet.order(json!({ "count": 20, "duration_ms": 50 }));
    fleet.all_succeed(&jobs, Duration::from_mins(1));
    fleet.nothing_is_left(SOON);
    let clones = (fleet.clones(0), fleet.clones(1));
    assert_eq!(clones.0 + clones.1, 20, "one VM a job");
    assert!(clones.0 > 2 && clones.1 > 2, "{clones:?}");
    assert_eq!((one.stop(), two.stop()), (0, 0));
    for host in &fleet.hosts {
        assert_eq!(host.said("ERROR"), [""; 0]);
        assert!(!host.log_text().contains(TOKEN) && !host.log_text().contains(SECRET));
    }
}

#[test]
fn a_dead_hosts_jobs_are_done_by_another() {
    let fleet = Fleet::new(2);
    let mut dead = fleet.start(1, 1);
    // It serves the queue alone, and dies before its job has started.
    fleet.hosts[1].anka("set", &["timing_ms.start=60000"]);
    let mut one = fleet.start(0, 0);
    let jobs = fleet.order(json!({ "duration_ms": 50 }));
    eventually("it boots", SOON, || fleet.clones(1) == 1);
    dead.kill();
    assert_eq!(one.stop(), 0);
    let _one = fleet.start(0, 1);
    fleet.all_succeed(&jobs, TAKEN_OVER);
    assert_eq!(fleet.clones(0), 1);
    // It comes back late, and only cleans up.
    fleet.hosts[1].anka("set", &["timing_ms.start=50"]);
    let _late = fleet.start(1, 1);
    fleet.nothing_is_left(SOON);
    assert_eq!(fleet.clones(1), 1);
}

#[test]
fn a_host_without_a_template_asks_for_it_once_and_leaves_all_that_wait_to_others() {
    let fleet = Fleet::new(1);
    let host = &fleet.hosts[0];
    let drain = host.dir.join(".config/anklet/.drain");
    fs::write(&drain, "").unwrap();
    let mut daemon = fleet.start(0, 1);
    fleet.order(json!({ "count": 150, "labels": ["self-hosted", "anka-template:ghost"] }));
    let good = fleet.order(json!({ "duration_ms": 50 }));
    // Another host, which does not look for a while, may have it.
    fleet.queue().seen(&card("ELSEWHERE", "another", Duration::from_mins(10))).unwrap();
    fs::remove_file(drain).unwrap();
    fleet.all_succeed(&good, SOON);
    let pulls = host.anka_calls().iter().filter(|call| call.iter().any(|arg| arg == "pull")).count();
    assert_eq!(pulls, 1);
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn an_outage_harms_no_job_that_runs_and_all_goes_on_by_itself() {
    let mut fleet = Fleet::new(1);
    let mut daemon = fleet.start(0, 1);
    let running = fleet.order(json!({ "duration_ms": 6000 }));
    fleet.hosts[0].until(running[0], "in_progress", SOON);
    fleet.redis.kill();
    let begun = Instant::now();
    let body = include_str!("../../webhooks/workflow_job.06.queued.json");
    let (code, said) = web::deliver(&fleet.hosts[0].receiver(), SECRET, "workflow_job", body);
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    assert!(code == 503 || code == 200, "{code} {said}");
    pause(1000);
    fleet.redis.restart();
    fleet.all_succeed(&running, TAKEN_OVER);
    let next = fleet.order(json!({ "duration_ms": 50 }));
    fleet.all_succeed(&next, TAKEN_OVER);
    fleet.nothing_is_left(TAKEN_OVER);
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn a_stop_works_while_the_server_is_frozen() {
    let fleet = Fleet::new(1);
    let mut daemon = fleet.start(0, 1);
    pause(1500);
    fleet.redis.signal(Signal::SIGSTOP);
    let begun = Instant::now();
    assert_eq!(daemon.stop(), 0);
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    fleet.redis.signal(Signal::SIGCONT);
}

#[test]
fn away_at_the_start_it_is_said_and_waited_for() {
    let mut fleet = Fleet::new(1);
    fleet.redis.kill();
    let text = fleet.configuration(0, 1);
    let mut once = Daemon::start(&fleet.hosts[0], &text, &["--once"], &[]);
    assert_eq!(once.wait(SOON).code(), Some(6));
    let mut daemon = fleet.start(0, 1);
    let place = format!("Redis at 127.0.0.1:{}", fleet.redis.port);
    assert!(fleet.hosts[0].has_said("ERROR", &place), "{}", fleet.hosts[0].log_text());
    fleet.redis.restart();
    let jobs = fleet.order(json!({ "duration_ms": 50 }));
    fleet.all_succeed(&jobs, TAKEN_OVER);
    fleet.nothing_is_left(SOON);
    assert_eq!(daemon.stop(), 0);
}
