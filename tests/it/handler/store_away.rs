//! The store is away: nothing is given up, and what is owed is paid when it is back.

use rusqlite::Connection;

use super::*;

/// Somebody holds the store's file: no daemon can write.
fn hold_store(world: &World) -> Connection {
    let connection = Connection::open(world.dir.join(".config/anklet/state/queue.sqlite")).unwrap();
    connection.busy_timeout(Duration::from_secs(5)).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

#[test]
fn a_stop_leaves_what_is_owed_to_the_next_start() {
    let world = World::new();
    let text = world.configuration(1, "global_job_retry_attempts: 1");
    let mut daemon = world.start_with(&text);
    let job = world.order(json!({ "hold": true }))[0];
    online_runner(&world);
    let held = hold_store(&world);
    daemon.signal(nix::sys::signal::Signal::SIGTERM);
    eventually("the VM is cleaned up", SOON, || world.vms().is_empty() && world.runners().is_empty());
    assert_eq!(daemon.wait(SOON).code(), Some(0));
    let page =
        fs::read_to_string(world.dir.join(".config/anklet/state/journal").join(&world.pages()[0])).unwrap();
    assert!(page.contains("release"), "what is owed is written down: {page}");
    drop(held);
    world.control(&format!("jobs/{job}/release"), &json!({}));
    let _daemon = world.start_with(&text);
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    assert_eq!(world.said("ERROR"), [""; 0]);
}

#[test]
fn a_job_that_ends_while_the_store_is_away_is_settled_and_counted_later() {
    let world = World::new();
    let _daemon = world.start_with(&world.configuration(1, "global_job_retry_attempts: 1"));
    let job = world.order(json!({ "duration_ms": 1000 }))[0];
    shows(&world, "RUNNER1", "in_progress");
    // Its `completed` is stored, and then the store goes away.
    world.anka("set", &["timing_ms.delete=1500"]);
    assert_eq!(end_of(&world, job), "success");
    eventually("the VM is being deleted", SOON, || !calls(&world, "delete").is_empty());
    let held = hold_store(&world);
    says(&world, "WARN", "is owed until the store is back");
    drop(held);
    clean(&world);
    eventually("it is counted", SOON, || world.metrics()["total_successful_runs_since_start"] == 1);
    let next = world.order(json!({}))[0];
    assert_eq!(end_of(&world, next), "success");
    assert_eq!(world.said("ERROR"), [""; 0]);
}

#[test]
fn a_look_for_work_is_made_again() {
    let world = World::new();
    let mut receiver = world.start(0);
    let job = world.order(json!({}))[0];
    eventually("it is stored", SOON, || world.state()["deliveries"].as_array().unwrap().len() == 1);
    assert_eq!(receiver.stop(), 0);
    let _daemon = world.start_with(&and_handler(&world.configuration(0, ""), "R", &["sleep_interval: 1"]));
    let held = hold_store(&world);
    says(&world, "WARN", "failed to look for work");
    drop(held);
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
}
