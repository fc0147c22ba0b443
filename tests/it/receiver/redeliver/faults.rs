//! What GitHub may do meanwhile: no delivery waits for it.

use super::*;
use crate::receiver::{deliver, job, status};
use crate::support::web::delete;

fn rule(world: &World, rule: &Value) {
    world.control("rules", rule);
}

#[test]
fn a_hook_that_is_not_there_is_an_error_with_its_remedy_said_once() {
    let world = World::new();
    let text = configuration(&world, 0, &[]).replace(&HOOK.to_string(), "77");
    let mut daemon = world.start_with(&text);
    eventually("it is said", SOON, || world.has_said("ERROR", "webhook 77 of acme/app"));
    looks_again(&world, 3);
    assert_eq!(world.said("ERROR").len(), 1, "{:?}", world.said("ERROR"));
    assert!(world.has_said("ERROR", "hook_id is the number") && world.has_said("ERROR", "admin:repo_hook"));
    assert_eq!(status(&deliver(world.port, "workflow_job", &job("queued", 1))), 202);
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn a_missing_permission_is_an_error_that_names_it() {
    let world = World::new();
    let headers = json!({ "X-Accepted-GitHub-Permissions": "repository_hooks=write" });
    let body = "{\"message\":\"Resource not accessible by personal access token\"}";
    rule(
        &world,
        &json!({ "path": "/attempts", "times": 1, "status": 403, "headers": headers, "body": body }),
    );
    let lost = past(&world, &json!({}));
    let _daemon = start(&world, 0);
    eventually("it is said", SOON, || world.has_said("ERROR", "repository_hooks=write"));
    eventually("it comes once it is allowed", SOON, || came(&world, &lost["guids"][0]));
    assert_eq!(world.said("ERROR").len(), 1);
}

#[test]
fn a_limit_is_shown_and_waited_for_and_no_delivery_waits() {
    let world = World::new();
    rule(&world, &json!({ "path": "/deliveries", "preset": "secondary", "seconds": 3, "times": 1 }));
    let lost = past(&world, &json!({}));
    let _daemon = start(&world, 0);
    let shown = || world.metrics()["plugins"][0]["status"].clone();
    eventually("it is shown", SOON, || shown() == "limit_paused");
    let begun = std::time::Instant::now();
    assert_eq!(status(&deliver(world.port, "workflow_job", &job("queued", 1))), 202);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(shown(), "limit_paused");
    eventually("it comes", SOON, || came(&world, &lost["guids"][0]));
    eventually("it serves", SOON, || shown() == "running");
    assert_eq!(world.said("ERROR"), [""; 0]);
}

#[test]
fn a_mute_github_keeps_no_delivery_and_no_stop_waiting() {
    let world = World::new();
    rule(&world, &json!({ "path": "/deliveries", "delay_ms": 60_000, "times": 0 }));
    let mut daemon = start(&world, 0);
    eventually("it looks", SOON, || looks(&world) == 1);
    let begun = std::time::Instant::now();
    for id in 1..=20 {
        assert_eq!(status(&deliver(world.port, "workflow_job", &job("queued", id))), 202);
    }
    assert_eq!(daemon.stop(), 0);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn gateways_are_borne_at_every_step() {
    let world = World::new();
    let lost = past(&world, &json!({}));
    for path in ["/deliveries", "/attempts"] {
        for preset in ["html", "html_ok", "truncated"] {
            rule(&world, &json!({ "path": path, "preset": preset, "times": 1 }));
        }
        rule(&world, &json!({ "path": path, "drop_connection": true, "times": 1 }));
    }
    let _daemon = start(&world, 0);
    eventually("it comes", Duration::from_mins(1), || came(&world, &lost["guids"][0]));
    assert!(!world.log_text().contains(crate::support::world::TOKEN));
}

#[test]
fn what_github_will_not_send_again_keeps_the_rest_not_waiting() {
    let world = World::new();
    rule(&world, &json!({ "method": "POST", "path": "/attempts", "preset": "not_found", "times": 1 }));
    let lost = past(&world, &json!([{ "seconds_ago": 90 }, { "seconds_ago": 60 }]));
    let _daemon = start(&world, 0);
    eventually("the other one comes", SOON, || came(&world, &lost["guids"][1]));
    looks_again(&world, 3);
    assert_eq!(asks(&world), 2, "the refused one is asked for an hour later");
    assert!(world.has_said("WARN", "will not send 1 lost"));
    assert_eq!(world.said("ERROR"), [""; 0]);
}

#[test]
fn github_away_is_an_error_at_the_fifth_time_and_all_comes_when_it_is_back() {
    let world = World::new();
    let lost = past(&world, &json!({}));
    rule(&world, &json!({ "path": "/attempts", "preset": "server_error", "times": 0 }));
    let _daemon = start(&world, 0);
    eventually("it is an error", Duration::from_secs(40), || world.has_said("ERROR", "5 in a row"));
    delete(&format!("{}/_sim/rules", world.github));
    eventually("it comes", Duration::from_secs(40), || came(&world, &lost["guids"][0]));
    assert!(world.said("WARN").len() >= 4);
}

/// The last tenth of the quota is for jobs.
#[test]
fn a_look_waits_while_the_quota_is_nearly_used_up() {
    let world = World::new();
    let lost = past(&world, &json!({}));
    world.control("settings", &json!({ "rate_limit": 12, "rate_reset_seconds": 3600 }));
    let _daemon = start(&world, 0);
    eventually("it comes", SOON, || came(&world, &lost["guids"][0]));
    crate::support::pause(14_000);
    let used = looks(&world) + asks(&world);
    assert!((11..=12).contains(&used), "{used}");
    assert!(world.has_said("WARN", "less than a tenth"));
    assert_eq!(world.said("ERROR"), [""; 0]);
}
