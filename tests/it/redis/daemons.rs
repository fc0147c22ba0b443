//! Hosts that share a queue, through the real binary.

use std::time::{Duration, Instant};

use anklet::store::Store;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::life::dice::{Dice, seed};
use crate::support::redis::{Server, store};
use crate::support::world::{SECRET, TOKEN};
use crate::support::{Daemon, World, eventually, pause, web};

const SOON: Duration = Duration::from_secs(25);
/// A lease, a look of another handler, and GitHub's answer.
const TAKEN_OVER: Duration = Duration::from_secs(50);

/// A GitHub with one queue for several hosts, each with an Anka of its own.
struct Fleet {
    redis: Server,
    /// The first one's GitHub and receiver are everybody's.
    hosts: Vec<World>,
}

impl Fleet {
    fn new(hosts: usize) -> Fleet {
        let redis = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
        Fleet { redis, hosts: (0..hosts).map(|_| World::new()).collect() }
    }

    fn configuration(&self, host: usize, handlers: usize) -> String {
        let top = format!(
            "global_database_url: 127.0.0.1\nglobal_database_port: {}\nglobal_database_retry_delay: 100\n\
             lease_seconds: 3\nglobal_queue_name: fleet",
            self.redis.port
        );
        let (first, own) = (&self.hosts[0], &self.hosts[host]);
        if host == 0 {
            return first.configuration(handlers, &top);
        }
        let text = own.configuration(handlers, &top).replace(&own.github, &first.github);
        let receiver = text.find("- name: RECEIVER").unwrap();
        let handler = text.find("- name: RUNNER1").unwrap();
        format!("{}{}", &text[..receiver], &text[handler..])
    }

    fn start(&self, host: usize, handlers: usize) -> Daemon {
        let daemon = Daemon::start(&self.hosts[host], &self.configuration(host, handlers), &[], &[]);
        if host == 0 {
            self.hosts[0].wait_until_it_serves();
        }
        daemon
    }

    /// Orders jobs and waits until each is in the queue, or past it.
    fn order(&self, jobs: Value) -> Vec<u64> {
        let ids = self.hosts[0].order(jobs);
        let queue = self.queue();
        eventually("all are stored", SOON, || {
            ids.iter()
                .all(|id| queue.entry(anklet::domain::ids::JobId(*id)).is_ok_and(|entry| entry.is_some()))
        });
        ids
    }

    fn queue(&self) -> std::sync::Arc<dyn Store> {
        store(self.redis.options()).queue("fleet")
    }

    #[track_caller]
    fn all_succeed(&self, jobs: &[u64], limit: Duration) {
        let end = Instant::now() + limit;
        for job in jobs {
            let url = format!("{}/_sim/jobs/{job}", self.hosts[0].github);
            eventually("the job is over", end.saturating_duration_since(Instant::now()), || {
                web::get_json(&url)["status"] == "completed"
            });
            let said: Vec<String> = self.hosts.iter().map(World::log_text).collect();
            assert_eq!(web::get_json(&url)["ended_as"], "success", "job {job}\n{}", said.join("\n\n"));
        }
    }

    #[track_caller]
    fn nothing_is_left(&self, limit: Duration) {
        let queue = self.queue();
        eventually("the queue is empty", limit, || queue.list().is_ok_and(|list| list.is_empty()));
        eventually("no runner is left", limit, || self.hosts[0].runners().is_empty());
        for host in &self.hosts {
            eventually("no VM is left", limit, || host.vms().is_empty() && host.pages().is_empty());
        }
    }

    fn clones(&self, host: usize) -> usize {
        self.hosts[host].anka_calls().iter().filter(|args| args.iter().any(|arg| arg == "clone")).count()
    }
}

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

#[test]
fn kills_at_random_moments_lose_and_double_nothing() {
    let mut dice = Dice::new(seed());
    let mut fleet = Fleet::new(2);
    let mut daemons = vec![fleet.start(0, 2), fleet.start(1, 2)];
    let jobs = fleet.order(json!({ "count": 16, "duration_ms": 300 }));
    for _ in 0..6 {
        pause(200 + dice.roll(1500));
        match dice.roll(4) {
            0 => {
                fleet.redis.kill();
                pause(dice.roll(1500));
                fleet.redis.restart();
            }
            1 => {
                fleet.redis.signal(Signal::SIGSTOP);
                pause(dice.roll(3000));
                fleet.redis.signal(Signal::SIGCONT);
            }
            host => {
                let host = host as usize - 2;
                daemons[host].kill();
                pause(dice.roll(1000));
                daemons[host] = fleet.start(host, 2);
            }
        }
    }
    fleet.all_succeed(&jobs, Duration::from_mins(4));
    fleet.nothing_is_left(Duration::from_mins(2));
    for daemon in &mut daemons {
        assert_eq!(daemon.stop(), 0);
    }
}
