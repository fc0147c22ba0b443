//! How many calls GitHub gets: none from who is idle, one for a short job, ten for one of half an hour.

use super::*;
use crate::support::Daemon;

/// Half an hour takes fifteen seconds.
const PACE: &str = "120";
const HALF_AN_HOUR_MS: u64 = 15_000;

/// All calls of GitHub's API so far.
fn all(world: &World) -> u64 {
    asked(world, "", "")
}

/// Runs a job of half an hour; gives the calls from its start to a clean host.
fn half_an_hour(world: &World) -> u64 {
    script(world, "start", QUICK_START);
    let text = world.configuration(1, "");
    let _daemon = Daemon::start(world, &text, &[], &[("ANKLET_PACE", PACE)]);
    world.wait_until_it_serves();
    let job = world.order(json!({ "duration_ms": HALF_AN_HOUR_MS }))[0];
    world.until(job, "in_progress", SOON);
    let before = all(world);
    assert_eq!(end_of(world, job), "success");
    clean(world);
    all(world) - before
}

#[test]
fn an_idle_handler_asks_nothing_and_a_short_job_costs_one_call() {
    let world = World::new();
    let _daemon = world.start(2);
    crate::support::pause(1500);
    assert_eq!(all(&world), 0, "idle: {}", world.state()["calls"]);
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    assert_eq!(all(&world), 1, "{}", world.state()["calls"]);
    for job in world.order(json!({ "count": 3 })) {
        assert_eq!(end_of(&world, job), "success");
    }
    clean(&world);
    assert_eq!(all(&world), 1, "the registration token is shared: {}", world.state()["calls"]);
}

#[test]
fn a_job_of_half_an_hour_costs_ten_calls() {
    let world = World::new();
    let calls = half_an_hour(&world);
    assert!((5..=9).contains(&calls), "{calls} beside the token: {}", world.state()["calls"]);
    assert_eq!(asked(&world, "POST", "registration-token"), 1);
}

#[test]
fn of_the_last_tenth_of_the_quota_a_running_job_takes_three_calls() {
    let world = World::new();
    world.control("settings", &json!({ "rate_limit": 1 }));
    let calls = half_an_hour(&world);
    assert!((1..=3).contains(&calls), "{calls} beside the token: {}", world.state()["calls"]);
}
