//! Deliveries that were lost come back, and only they.

use std::time::Duration;

use serde_json::json;

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

/// Calls of GitHub's API so far, by method and the end of a path.
fn calls(world: &World, method: &str, end: &str) -> u64 {
    let state = world.state();
    let all = state["calls"].as_object().unwrap();
    let those = all.iter().filter(|(call, _)| call.starts_with(method) && call.ends_with(end));
    those.filter_map(|(_, count)| count.as_u64()).sum()
}

fn asks(world: &World) -> u64 {
    calls(world, "POST", "/attempts")
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
