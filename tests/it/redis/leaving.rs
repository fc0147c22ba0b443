//! A daemon that is stopped while its Redis is frozen ends at once, whatever it waits for; but for its running jobs
//! it has all the time that it had before.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::world::SECRET;
use crate::support::{Daemon, Fleet, World, pause, web};

/// Well under the limit of a single call.
const AT_ONCE: Duration = Duration::from_millis(1900);

fn stops_at_once(daemon: &mut Daemon) {
    let begun = Instant::now();
    assert_eq!(daemon.stop(), 0);
    let took = begun.elapsed();
    println!("stopped after {took:?}");
    assert!(took < AT_ONCE, "{took:?}");
}

#[test]
fn idle_handlers_and_a_receiver_end_while_redis_is_frozen() {
    let fleet = Fleet::new(1);
    // Right away; while a look is not answered; while the connection is made anew.
    for frozen in [100, 4200, 6500] {
        let mut daemon = fleet.start(0, 3);
        pause(1500);
        fleet.redis.signal(Signal::SIGSTOP);
        pause(frozen);
        stops_at_once(&mut daemon);
        fleet.redis.signal(Signal::SIGCONT);
    }
}

#[test]
fn a_daemon_that_began_while_redis_was_frozen_ends() {
    let fleet = Fleet::new(1);
    fleet.redis.signal(Signal::SIGSTOP);
    for begun in [500, 3000, 6500] {
        let mut daemon = Daemon::start(&fleet.hosts[0], &fleet.configuration(0, 3), &[], &[]);
        pause(begun);
        stops_at_once(&mut daemon);
    }
    fleet.redis.signal(Signal::SIGCONT);
}

/// What the receiver answers to a job that begins to wait.
fn delivered(world: &World, id: u64) -> u16 {
    let labels = ["self-hosted", "anka-template:macos-15"];
    let body = json!({
        "action": "queued", "repository": { "full_name": "acme/app" },
        "workflow_job": { "id": id, "run_id": 8, "run_attempt": 1, "name": "build", "workflow_name": "Build",
            "status": "queued", "conclusion": null, "labels": labels, "runner_name": null, "html_url": "u" },
    });
    web::deliver(&world.receiver(), SECRET, "workflow_job", &body.to_string()).0
}

#[test]
fn a_drain_with_a_running_job_bears_a_redis_that_stalls_or_is_away_for_a_second() {
    let mut fleet = Fleet::new(1);
    let mut daemon = fleet.start(0, 2);
    let running = fleet.order(json!({ "duration_ms": 6000 }));
    fleet.hosts[0].until(running[0], "in_progress", Duration::from_secs(25));
    daemon.signal(Signal::SIGTERM);
    // The idle handler ends, the other one has a job.
    pause(500);
    fleet.redis.signal(Signal::SIGSTOP);
    std::thread::scope(|scope| {
        let world = &fleet.hosts[0];
        let stalled = scope.spawn(|| delivered(world, 71));
        pause(1200);
        fleet.redis.signal(Signal::SIGCONT);
        assert_eq!(stalled.join().unwrap(), 202, "while it stalled");
    });
    fleet.redis.kill();
    std::thread::scope(|scope| {
        let (world, redis) = (&fleet.hosts[0], &mut fleet.redis);
        let gone = scope.spawn(|| delivered(world, 72));
        pause(500);
        redis.restart();
        assert_eq!(gone.join().unwrap(), 202, "while it was away");
    });
    assert_eq!(daemon.wait(Duration::from_secs(25)).code(), Some(0));
    fleet.all_succeed(&running, Duration::from_secs(1));
    assert!(fleet.hosts[0].pages().is_empty(), "nothing is owed to the next start");
}
