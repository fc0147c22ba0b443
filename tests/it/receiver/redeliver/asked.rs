//! What is asked for, and how often.

use std::fs;

use super::*;

#[test]
fn only_what_failed_and_is_ours_is_asked_for() {
    let world = World::new();
    let lost = past(
        &world,
        &json!([
            { "status_code": 502 },
            { "status_code": 0, "action": "completed" },
            { "status_code": 503, "action": "waiting", "seconds_ago": 3500 },
            { "status_code": 302 },
        ]),
    );
    let guids: Vec<String> = (0..5).map(|n| format!("00000000-0000-4000-8000-00000000000{n}")).collect();
    past(
        &world,
        &json!([
            { "status_code": 502, "action": "in_progress" },
            { "status_code": 502, "event": "push", "action": "" },
            { "status_code": 502, "event": "workflow_run", "action": "completed" },
            { "status_code": 202 },
            { "status_code": 204 },
            { "status_code": 502, "seconds_ago": 3700 },
            // It worked at a later try; that one is listed first.
            { "status_code": 502, "guid": guids[0], "seconds_ago": 50 },
            { "status_code": 200, "guid": guids[0], "seconds_ago": 40, "redelivery": true },
            { "status_code": 502, "guid": guids[1], "seconds_ago": 60 },
            { "status_code": 502, "guid": guids[1], "seconds_ago": 50, "redelivery": true },
            { "status_code": 202, "guid": guids[1], "seconds_ago": 40, "redelivery": true },
        ]),
    );
    let _daemon = world.start_with(&configuration(&world, 0, &["redeliver_hours: 1"]));
    for guid in lost["guids"].as_array().unwrap() {
        eventually("it comes", SOON, || came(&world, guid));
    }
    looks_again(&world, 3);
    assert_eq!(asks(&world), 4);
    assert_eq!(world.said("ERROR"), [""; 0]);
    assert_eq!(warnings(&world), [""; 0]);
}

#[test]
fn an_organizations_hook_is_asked_too() {
    let world = World::new();
    let lost = past(&world, &json!({ "repo": "another" }));
    let text = configuration(&world, 0, &[]).replace("  owner: acme\n  repo: app\n", "  owner: ACME\n");
    let _daemon = world.start_with(&text);
    eventually("it comes", SOON, || came(&world, &lost["guids"][0]));
    assert_eq!(calls(&world, "GET /orgs/ACME/hooks/{n}", "/deliveries"), looks(&world));
}

#[test]
fn what_was_answered_503_comes_back_once_the_store_does() {
    let world = World::new();
    let _daemon = world.start_with(&configuration(&world, 0, &["redeliver_interval_seconds: 600"]));
    eventually("the first look", SOON, || remembered(&world, "look").len() == 1);
    let (state, aside) = (world.dir.join(".config/anklet/state"), world.dir.join("aside"));
    fs::rename(&state, &aside).unwrap();
    world.order(json!({ "count": 2 }));
    let all = || web::get_json(&format!("{}/_sim/deliveries", world.github)).as_array().unwrap().clone();
    let refused = |one: &&Value| one["status_code"] == 503;
    eventually("they are refused", SOON, || all().iter().filter(refused).count() == 2);
    fs::rename(&aside, &state).unwrap();
    eventually("they come", SOON, || all().iter().all(|one| came(&world, &one["guid"])));
    assert_eq!(asks(&world), 2);
}

#[test]
fn lost_again_it_is_asked_for_only_an_hour_later_also_after_a_restart() {
    let world = World::new();
    world.control("settings", &json!({ "lose_deliveries": true }));
    let lost = past(&world, &json!({}));
    let guid = &lost["guids"][0];
    let mut daemon = start(&world, 0);
    eventually("it is lost again", SOON, || tries(&world, guid) == [(502, false), (0, true)]);
    looks_again(&world, 3);
    assert_eq!(daemon.stop(), 0);
    let mut daemon = start(&world, 0);
    looks_again(&world, 3);
    assert_eq!(asks(&world), 1, "not within the hour");
    assert_eq!(daemon.stop(), 0);

    an_hour_passes(&world);
    world.control("settings", &json!({ "lose_deliveries": false }));
    let _daemon = start(&world, 0);
    eventually("it comes", SOON, || came(&world, guid));
    looks_again(&world, 2);
    assert_eq!(asks(&world), 2);
    assert_eq!(remembered(&world, "lost:%"), [""; 0], "seen to have come");
}

#[test]
fn what_github_keeps_no_longer_is_given_up() {
    let world = World::new();
    world.control("settings", &json!({ "lose_deliveries": true }));
    let lost = past(&world, &json!({}));
    let mut daemon = start(&world, 0);
    eventually("it is asked for", SOON, || asks(&world) == 1);
    assert_eq!(daemon.stop(), 0);
    let file = database(&world);
    let days = 1000 * 3600 * 24 * 3 + 1000;
    let change = format!(
        "update memo set body = json_set(body, '$.since', json_extract(body, '$.since') - {days}) where name like 'lost:%'"
    );
    assert_eq!(file.execute(&change, []).unwrap(), 1);
    drop(file);
    an_hour_passes(&world);
    let _daemon = start(&world, 0);
    eventually("it is given up", SOON, || world.has_said("WARN", "given up"));
    looks_again(&world, 2);
    assert_eq!(asks(&world), 1, "{:?}", tries(&world, &lost["guids"][0]));
}

#[test]
fn without_redelivery_github_is_asked_for_nothing() {
    let world = World::new();
    past(&world, &json!({}));
    let mut daemon = world.start(0);
    crate::support::pause(300);
    assert_eq!(daemon.stop(), 0);
    let absent = world.configuration(0, "").replace("  skip_redeliver: true\n", "");
    let mut daemon = world.start_with(&absent);
    crate::support::pause(300);
    assert_eq!(daemon.stop(), 0);
    assert!(world.has_said("WARN", "hook_id: is missing"), "{:?}", world.said("WARN"));
    assert_eq!((looks(&world), asks(&world)), (0, 0));
}

fn database(world: &World) -> rusqlite::Connection {
    rusqlite::Connection::open(world.dir.join(".config/anklet/state/queue.sqlite")).unwrap()
}

/// The memos of such names.
fn remembered(world: &World, like: &str) -> Vec<String> {
    let file = database(world);
    let mut statement = file.prepare("select body from memo where name like ?1").unwrap();
    let found = statement.query_map([like], |row| row.get(0)).unwrap();
    found.map(Result::unwrap).collect()
}

/// All requests were made an hour earlier.
fn an_hour_passes(world: &World) {
    let change = "update memo set body = json_set(body, '$.asked.at', json_extract(body, '$.asked.at') - 3600000) \
                  where name like 'lost:%'";
    assert!(database(world).execute(change, []).unwrap() > 0);
}
