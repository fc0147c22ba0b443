//! Plugins of one set of credentials: what one of them meets holds up all of them, and nobody else.

use std::time::Duration;

use serde_json::json;

use crate::support::{World, eventually, pause};

const SOON: Duration = Duration::from_secs(25);

fn statuses(world: &World) -> Vec<String> {
    let plugins = world.metrics()["plugins"].take();
    plugins.as_array().unwrap().iter().map(|row| row["status"].as_str().unwrap().to_owned()).collect()
}

fn calls(world: &World) -> u64 {
    world.state()["calls"].as_object().unwrap().values().filter_map(serde_json::Value::as_u64).sum()
}

#[test]
fn a_limit_that_one_plugin_meets_pauses_all_that_sign_in_alike() {
    let world = World::new();
    world.control("settings", &json!({ "tokens": [crate::support::world::TOKEN, "another"] }));
    let hook = "  hook_id: 480000001\n  owner: acme\n  repo: app\n";
    let usual = "  skip_redeliver: true\n  owner: acme\n  repo: app\n";
    let text = world.configuration(2, "").replace(usual, hook);
    let other = "- name: OTHER\n  plugin: github\n  owner: beta\n  token: another\n";
    let _daemon = world.start_with(&(text + other));
    eventually("the receiver has looked", SOON, || calls(&world) == 1);
    world.control("rules", &json!({ "path": "/cancel", "preset": "secondary", "seconds": 12, "times": 1 }));
    let job = world.order(json!({ "labels": ["anka-template:"] }))[0];
    let paused = ["limit_paused", "limit_paused", "limit_paused", "idle"];
    eventually("all of the token show it", SOON, || statuses(&world) == paused);
    let before = calls(&world);
    world.order(json!({ "labels": ["anka-template:"] }));
    pause(1500);
    assert_eq!(calls(&world), before, "nobody calls during a pause");
    assert_eq!(world.until(job, "completed", SOON)["ended_as"], "cancelled");
    eventually("all show that it is over", SOON, || statuses(&world) == ["running", "idle", "idle", "idle"]);
    assert_eq!(world.said("ERROR"), [""; 0]);
}
