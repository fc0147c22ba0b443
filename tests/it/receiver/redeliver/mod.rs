//! Deliveries that were lost come back, and only they.

mod asked; // what is asked for, and how often
mod faults; // what GitHub or the store may do meanwhile
mod once; // run-once
mod pages; // long lists
mod shared; // several receivers of one hook

use std::time::Duration;

use serde_json::{Value, json};

use super::warnings;
use crate::support::{Daemon, World, eventually, web};

const SOON: Duration = Duration::from_secs(20);
/// The number that the simulated GitHub gives its first hook.
const HOOK: u64 = 480_000_001;

/// The usual configuration with redelivery, looking each second; `lines` are further keys of the receiver.
fn configuration(world: &World, handlers: usize, lines: &[&str]) -> String {
    let mut keys = vec![format!("hook_id: {HOOK}")];
    if !lines.iter().any(|line| line.starts_with("redeliver_interval_seconds")) {
        keys.push("redeliver_interval_seconds: 1".into());
    }
    keys.extend(lines.iter().map(|line| (*line).to_owned()));
    world.configuration(handlers, "").replace("skip_redeliver: true", &keys.join("\n  "))
}

fn start(world: &World, handlers: usize) -> Daemon {
    world.start_with(&configuration(world, handlers, &[]))
}

/// Puts deliveries of former days into the hook's list: the answer has their `ids`, `guids` and `jobs`.
fn past(world: &World, deliveries: &Value) -> Value {
    world.control("deliveries", deliveries)
}

/// All tries of this GUID, as GitHub knows them: status code, and whether it was a second one.
fn tries(world: &World, guid: &Value) -> Vec<(u64, bool)> {
    let all = web::get_json(&format!("{}/_sim/deliveries", world.github));
    let ours = all.as_array().unwrap().iter().filter(|one| one["guid"] == *guid);
    ours.map(|one| (one["status_code"].as_u64().unwrap(), one["redelivery"] == true)).collect()
}

/// Whether it came, at last.
fn came(world: &World, guid: &Value) -> bool {
    tries(world, guid).last().is_some_and(|(code, _)| (200..300).contains(code))
}

/// Calls of GitHub's API so far, by method and the end of a path.
fn calls(world: &World, method: &str, end: &str) -> u64 {
    let state = world.state();
    let all = state["calls"].as_object().unwrap();
    let those = all.iter().filter(|(call, _)| call.starts_with(method) && call.ends_with(end));
    those.filter_map(|(_, count)| count.as_u64()).sum()
}

fn looks(world: &World) -> u64 {
    calls(world, "GET", "/deliveries")
}

fn asks(world: &World) -> u64 {
    calls(world, "POST", "/attempts")
}

/// Waits for so many further looks.
#[track_caller]
fn looks_again(world: &World, times: u64) {
    let before = looks(world);
    eventually("it looks again", SOON, || looks(world) >= before + times);
}

#[test]
fn what_came_while_the_receiver_was_down_comes_back_and_is_done() {
    let world = World::new();
    let jobs = world.order(json!({ "count": 3 }));
    eventually("they are lost", SOON, || {
        web::get_json(&format!("{}/_sim/deliveries", world.github)).as_array().unwrap().len() == 3
    });
    let _daemon = start(&world, 1);
    for job in jobs {
        world.until(job, "completed", SOON);
    }
    assert_eq!(asks(&world), 3);
    assert_eq!(world.said("ERROR"), [""; 0]);
    assert_eq!(warnings(&world), [""; 0]);
}
