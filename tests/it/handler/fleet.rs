//! Many handlers, many jobs, two VMs; and two daemons on one host.

use std::time::Instant;

use super::*;
use crate::support::Daemon;
use crate::support::daemon::command;
use crate::support::world::free_port;

fn peak(world: &World) -> Value {
    let text = fs::read_to_string(world.dir.join("anka/world.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["peak_running"].clone()
}

#[test]
fn six_handlers_and_twenty_jobs_never_run_a_third_vm() {
    let world = World::new();
    script(&world, "start", QUICK_START);
    // More than the licence allows, so that only the daemon's own count can hold it.
    world.anka("set", &["vm_limit=9", "timing_ms.start=30", "timing_ms.delete=60"]);
    let mut daemon = world.start_with(&world.configuration(6, "global_job_retry_attempts: 1"));
    let begin = Instant::now();
    let jobs = world.order(json!({ "count": 20, "duration_ms": 50 }));
    for job in &jobs {
        assert_eq!(end_of(&world, *job), "success");
    }
    clean(&world);
    eventually("all are counted", SOON, || world.metrics()["total_successful_runs_since_start"] == 20);
    assert_eq!(peak(&world), 2);
    assert_eq!(calls(&world, "clone").len(), 20, "each job had one VM");
    assert!(begin.elapsed() < Duration::from_secs(25), "{:?}", begin.elapsed());
    assert_eq!(world.said("WARN"), [""; 0]);
    assert_eq!(world.said("ERROR"), [""; 0]);
    assert_eq!(daemon.stop(), 0);
    world.assert_clean();
}

#[test]
fn a_foreign_guest_takes_one_of_the_two_places() {
    let world = World::new();
    script(&world, "start", QUICK_START);
    world.anka("set", &["vm_limit=9"]);
    world.anka("guest", &["theirs"]);
    let _daemon = world.start_with(&world.configuration(3, "global_job_retry_attempts: 1"));
    for job in world.order(json!({ "count": 4, "duration_ms": 100 })) {
        assert_eq!(end_of(&world, job), "success");
    }
    clean(&world);
    assert_eq!(peak(&world), 2, "theirs and one of ours");
}

/// A busy handler must not swallow what wakes an idle one.
#[test]
fn an_idle_handler_reacts_at_once_while_another_is_busy() {
    let world = World::new();
    script(&world, "start", QUICK_START);
    let _daemon = world.start(2);
    let long = world.order(json!({ "duration_ms": 60_000 }))[0];
    world.until(long, "in_progress", SOON);
    eventually("it is known", SOON, || world.has_said("INFO", "the job runs"));
    for _ in 0..4 {
        let before = calls(&world, "clone").len();
        let begin = Instant::now();
        let job = world.order(json!({ "duration_ms": 20 }))[0];
        eventually("it is cloned", SOON, || calls(&world, "clone").len() > before);
        assert!(begin.elapsed() < Duration::from_millis(1500), "{:?}", begin.elapsed());
        assert_eq!(end_of(&world, job), "success");
        eventually("one VM is left", SOON, || world.vms().len() == 1);
    }
}

/// A handler that lost the race for a slot must not sit out a pause while slots are free.
#[test]
fn a_free_slot_is_used_soon_by_whoever_waits() {
    let world = World::new();
    script(&world, "start", QUICK_START);
    let _daemon = world.start(4);
    for job in world.order(json!({ "count": 8, "duration_ms": 50 })) {
        assert_eq!(end_of(&world, job), "success");
    }
    clean(&world);
    let begin = Instant::now();
    for job in world.order(json!({ "count": 2, "duration_ms": 50 })) {
        assert_eq!(end_of(&world, job), "success");
    }
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
}

/// Different names, state and pid folders; one home, and so one run folder.
#[test]
fn two_daemons_of_one_host_share_its_two_places_and_its_one_pull() {
    let world = World::new();
    script(&world, "start", QUICK_START);
    world.anka("set", &["vm_limit=9", "timing_ms.registry pull=800"]);
    let (port, metrics) = (free_port(), free_port());
    let hook = |url: String, repo: &str| json!({ "url": url, "secret": world::SECRET, "owner": "acme", "repo": repo });
    let other_url = format!("http://127.0.0.1:{port}/jobs/v1/receiver");
    world.control("hook", &json!([hook(world.receiver(), "app"), hook(other_url, "other")]));
    let _first = world.start_with(&world.configuration(2, "global_job_retry_attempts: 1"));
    let second = world
        .configuration(2, "global_job_retry_attempts: 1")
        .replace("repo: app", "repo: other")
        .replace("RUNNER", "OTHER")
        .replace(&format!("port: {}", world.port), &format!("port: {port}"))
        .replace(&format!("port: {}", world.metrics_port), &format!("port: {metrics}"));
    let folder = world.dir.join("second");
    fs::create_dir(&folder).unwrap();
    let dir = folder.display();
    let second = format!(
        "state_dir: {dir}/state\npid_file_dir: {dir}\nwork_dir: {dir}\nlog:\n  file_dir: {dir}\n{second}"
    );
    fs::write(folder.join("config.yml"), second).unwrap();
    let _second = Daemon::of(command(&world).arg("-c").arg(folder.join("config.yml")));
    eventually("the second serves", SOON, || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    let pulled = ["self-hosted", "anka-template:macos-14", "anka-template-tag:v1"];
    let also = ["self-hosted", "anka-template:macos-15", "anka-template-tag:v2"];
    let mut jobs = world.order(json!({ "labels": pulled }));
    jobs.extend(world.order(json!({ "labels": also, "repo": "other" })));
    for repo in ["app", "other"] {
        jobs.extend(world.order(json!({ "repo": repo, "count": 5, "duration_ms": 100 })));
    }
    for job in jobs {
        assert_eq!(end_of(&world, job), "success");
    }
    clean(&world);
    assert_eq!(peak(&world), 2);
    assert_eq!(most_at_once(&world, "pull"), 1);
    let log = fs::read_to_string(folder.join("anklet.log")).unwrap();
    assert!(!log.contains("\"ERROR\"") && world.said("ERROR").is_empty(), "{log}");
}

/// How many calls with this word ran at a time.
fn most_at_once(world: &World, verb: &str) -> i32 {
    let text = fs::read_to_string(world.dir.join("anka/calls.log")).unwrap();
    let (mut open, mut most) = (0, 0);
    for line in text.lines().filter(|line| line.contains(&format!("\"{verb}\""))) {
        open += if line.split(' ').nth(2) == Some("start") { 1 } else { -1 };
        most = most.max(open);
    }
    most
}
