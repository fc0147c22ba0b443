//! What handlers say of themselves, while they run.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use super::{anklet, job};
use crate::support::redis::Server;
use crate::support::world::{SECRET, TOKEN};
use crate::support::{World, eventually, pause};

const SOON: Duration = Duration::from_secs(25);

/// The queue as soon as it is `so`.
#[track_caller]
fn once(world: &World, configuration: &str, name: &str, so: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    eventually(name, SOON, || {
        let told = anklet(world, configuration, &["queue", "list", "--json"]);
        assert_eq!((told.code, told.err.as_str()), (Some(0), ""));
        assert!(!told.out.contains(TOKEN) && !told.out.contains(SECRET));
        last = told.queue();
        so(&last)
    });
    last
}

fn reason(queue: &Value, id: u64, plugin: &str) -> (Value, Value) {
    let all = job(queue, id)["not_taken_by"].as_array().unwrap().clone();
    let one = all.iter().find(|one| one["plugin"] == plugin).cloned().unwrap_or_default();
    (one["why"].clone(), one["text"].clone())
}

fn is(queue: &Value, id: u64, state: &str) -> bool {
    queue["jobs"].as_array().unwrap().iter().any(|job| job["id"] == id && job["state"] == state)
}

/// One that runs, one that waits; then the handler drains.
fn busy_then_draining(top: &str) {
    let world = World::new();
    let configuration = world.configuration(1, top);
    let mut daemon = world.start_with(&configuration);
    let long = world.order(json!({ "duration_ms": 3000 }))[0];
    world.until(long, "in_progress", SOON);
    let next = world.order(json!({}))[0];
    let queue = once(&world, &configuration, "one runs, one waits", |queue| {
        is(queue, long, "running") && is(queue, next, "queued")
    });
    assert_eq!(job(&queue, long)["held_by"]["plugin"], "RUNNER1");
    assert_eq!(job(&queue, long)["runner"], job(&queue, long)["held_by"]["runner"]);
    assert_eq!(reason(&queue, next, "RUNNER1").0, "busy");
    assert_eq!(queue["handlers"][0]["jobs"], json!([long]));
    let drain = world.dir.join(".config/anklet/.drain");
    fs::write(&drain, "").unwrap();
    world.until(long, "completed", SOON);
    let draining = |queue: &Value| {
        is(queue, next, "queued")
            && reason(queue, next, "RUNNER1").1.as_str().is_some_and(|t| t.contains("drain"))
    };
    let queue = once(&world, &configuration, "it says that it drains", draining);
    assert_eq!(reason(&queue, next, "RUNNER1").0, "host");
    let text = anklet(&world, &configuration, &["queue", "show", &next.to_string()]).out;
    assert!(text.contains("draining"), "{text}");
    fs::remove_file(drain).unwrap();
    world.until(next, "completed", SOON);
    once(&world, &configuration, "nothing is left", |queue| {
        queue["jobs"] == json!([]) && queue["handlers"][0]["takes_nothing_because"].is_null()
    });
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn busy_then_draining_then_free_on_the_embedded_store() {
    busy_then_draining("");
}

#[test]
fn busy_then_draining_then_free_on_redis() {
    let server = Server::start(&[]);
    busy_then_draining(&format!("global_database_url: 127.0.0.1\nglobal_database_port: {}", server.port));
}

#[test]
fn what_is_parked_and_what_a_host_gave_back_is_told() {
    let world = World::new();
    let configuration = world.configuration(1, "");
    let mut daemon = world.start_with(&configuration);
    let asks = world.order(json!({ "waits_for_approval": true }))[0];
    once(&world, &configuration, "it is parked", |queue| {
        is(queue, asks, "parked") && reason(queue, asks, "RUNNER1").0 == "parked"
    });
    world.anka("set", &["registries.0.unreachable=true"]);
    let pulls = world.order(json!({ "labels": ["anka-template:not-on-this-host"] }))[0];
    let gave_back =
        |queue: &Value| is(queue, pulls, "queued") && reason(queue, pulls, "RUNNER1").0 == "gave_back";
    let queue = once(&world, &configuration, "it is given back", gave_back);
    let text = reason(&queue, pulls, "RUNNER1").1;
    assert!(text.as_str().unwrap().contains("registry"), "{text}");
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn a_host_without_room_says_so_as_long_as_it_has_none() {
    let world = World::new();
    let configuration = world.configuration(2, "");
    world.anka("guest", &["theirs-1"]);
    world.anka("guest", &["theirs-2"]);
    let mut daemon = world.start_with(&configuration);
    // A card that is a little old is shown anew as soon as it changes.
    pause(6000);
    let job = world.order(json!({}))[0];
    let full = |queue: &Value| {
        is(queue, job, "queued")
            && ["RUNNER1", "RUNNER2"].iter().all(|name| {
                let (why, text) = reason(queue, job, name);
                why == "host" && text.as_str().is_some_and(|text| text.contains("no place for another VM"))
            })
    };
    once(&world, &configuration, "both say that there is no room", full);
    for _ in 0..60 {
        let queue = anklet(&world, &configuration, &["queue", "list", "--json"]).queue();
        // A handler that tries again has the job for a moment.
        if is(&queue, job, "queued") {
            let words = ["RUNNER1", "RUNNER2"].map(|name| reason(&queue, job, name).0);
            assert_eq!(words, ["host", "host"], "{queue:#}");
        }
        pause(150);
    }
    world.anka("vanish", &["theirs-1"]);
    world.until(job, "completed", SOON);
    once(&world, &configuration, "there is room", |queue| {
        queue["handlers"].as_array().unwrap().iter().all(|one| one["takes_nothing_because"].is_null())
    });
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn a_handler_that_github_limits_in_the_middle_of_a_job_says_so() {
    let world = World::new();
    let configuration = world.configuration(1, "");
    let limit = json!({ "path": "registration-token", "preset": "primary", "seconds": 8, "times": 1 });
    world.control("rules", &limit);
    let mut daemon = world.start_with(&configuration);
    let (first, second) = (world.order(json!({}))[0], world.order(json!({}))[0]);
    let queue = once(&world, &configuration, "it says that it is held up", |queue| {
        [first, second].iter().any(|id| {
            is(queue, *id, "claimed")
                && job(queue, *id)["held_by"]["held_up_because"] == "GitHub limits its calls"
        })
    });
    let (held, waits) = if is(&queue, first, "claimed") { (first, second) } else { (second, first) };
    let (why, text) = reason(&queue, waits, "RUNNER1");
    let want = format!("has job {held}; GitHub limits its calls");
    assert_eq!((why, text), (json!("busy"), json!(want)));
    for words in [&["queue", "list"] as &[&str], &["queue", "show", &held.to_string()]] {
        let told = anklet(&world, &configuration, words).out;
        assert!(told.contains("; GitHub limits its calls"), "{told}");
    }
    world.until(held, "completed", SOON);
    world.until(waits, "completed", SOON);
    once(&world, &configuration, "it is over", |queue| queue["jobs"] == json!([]));
    assert_eq!(daemon.stop(), 0);
}
