//! Long lists.

use super::*;

/// Deliveries of an event that is none of ours: they only fill the list.
fn filling(count: u64, seconds_ago: u64) -> Value {
    json!({ "event": "star", "status_code": 200, "seconds_ago": seconds_ago, "count": count })
}

fn failed(seconds_ago: u64) -> Value {
    json!({ "seconds_ago": seconds_ago })
}

#[test]
fn what_was_lost_is_found_on_every_page() {
    let world = World::new();
    let ages =
        json!([failed(3900), failed(3800), filling(99, 3600), filling(150, 3600), failed(60), failed(50)]);
    let lost = past(&world, &ages);
    let guids = lost["guids"].as_array().unwrap();
    let _daemon = world.start_with(&configuration(&world, 0, &["redeliver_interval_seconds: 600"]));
    for guid in guids[..2].iter().chain(&guids[guids.len() - 2..]) {
        eventually("it comes", SOON, || came(&world, guid));
    }
    assert_eq!((looks(&world), asks(&world)), (3, 4));
}

#[test]
fn a_later_success_on_another_page_counts() {
    let world = World::new();
    let guid = "00000000-0000-4000-8000-000000000000";
    past(
        &world,
        &json!([
            { "guid": guid, "seconds_ago": 3700 },
            filling(150, 3600),
            { "guid": guid, "seconds_ago": 60, "status_code": 202, "redelivery": true },
        ]),
    );
    let _daemon = start(&world, 0);
    looks_again(&world, 4);
    assert_eq!(asks(&world), 0);
}

/// And, over two looks, what came at a later try is not asked for.
#[test]
fn a_look_reads_50_pages_and_the_next_one_goes_on_after_a_restart() {
    let world = World::new();
    let guid = "00000000-0000-4000-8000-000000000000";
    let lost = past(
        &world,
        &json!([
            { "guid": guid, "seconds_ago": 4000 },
            failed(3900),
            filling(4998, 3600),
            // Beyond what the next look from the top will be shown.
            { "guid": guid, "seconds_ago": 2000, "status_code": 202, "redelivery": true },
            filling(100, 1900),
            failed(50),
        ]),
    );
    let guids = lost["guids"].as_array().unwrap();
    let text = configuration(&world, 0, &["redeliver_interval_seconds: 600"]);
    let mut daemon = world.start_with(&text);
    eventually("the newest comes", SOON, || came(&world, guids.last().unwrap()));
    assert_eq!((looks(&world), asks(&world)), (50, 1));
    assert!(!came(&world, &guids[1]));
    assert_eq!(daemon.stop(), 0);

    let _daemon = world.start_with(&text);
    eventually("the eldest comes", SOON, || came(&world, &guids[1]));
    // Two pages to the end, and one of what has come since.
    assert_eq!((looks(&world), asks(&world)), (53, 2));
    assert_eq!(world.said("ERROR"), [""; 0]);
}

#[test]
fn a_look_that_a_fault_breaks_off_is_gone_on_with() {
    let world = World::new();
    let lost = past(&world, &json!([failed(3900), filling(250, 3600)]));
    // More than its patience.
    world.control(
        "rules",
        &json!({ "path": "/deliveries", "skip": 2, "times": 1, "status": 404, "body": "{}" }),
    );
    let _daemon = start(&world, 0);
    eventually("it comes", SOON, || came(&world, &lost["guids"][0]));
    assert_eq!(calls(&world, "POST", "/attempts"), 1);
}

#[test]
fn a_cursor_that_github_knows_no_longer_is_dropped() {
    let world = World::new();
    let lost = past(&world, &json!([failed(3900), filling(150, 3600)]));
    let body = json!({ "message": "Invalid cursor", "documentation_url": "https://docs.github.com/rest" });
    let rule = json!({ "path": "/deliveries", "skip": 1, "times": 1, "status": 422, "body": body.to_string(),
        "headers": { "Content-Type": "application/json" } });
    world.control("rules", &rule);
    let _daemon = world.start_with(&configuration(&world, 0, &["redeliver_interval_seconds: 600"]));
    eventually("it comes", SOON, || came(&world, &lost["guids"][0]));
    assert_eq!(looks(&world), 4);
    assert_eq!(warnings(&world), [""; 0]);
}

#[test]
fn more_than_github_bears_in_a_minute_is_not_asked_for_and_a_stop_does_not_wait() {
    let world = World::new();
    past(&world, &json!({ "count": 151 }));
    let mut daemon = start(&world, 0);
    eventually("a batch is asked for", SOON, || asks(&world) == 150);
    crate::support::pause(1000);
    assert_eq!(asks(&world), 150);
    let begun = std::time::Instant::now();
    assert_eq!(daemon.stop(), 0);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}
