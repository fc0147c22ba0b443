//! What GitHub refuses: limits, sign-in, permissions, gateways.

use super::*;

const ONCE: &str = "global_job_retry_attempts: 1";

fn rule(world: &World, path: &str, rule: &Value) {
    let mut rule = rule.clone();
    rule["path"] = json!(path);
    world.control("rules", &rule);
}

/// A limit at the registration token: the handler waits, holding its VM and its claim, and goes on.
#[track_caller]
fn waits_for_the_limit(preset: &str) {
    let world = World::new();
    rule(&world, "registration-token", &json!({ "preset": preset, "seconds": 2, "times": 1 }));
    let _daemon = world.start_with(&world.configuration(1, ONCE));
    let job = world.order(json!({}))[0];
    shows(&world, "RUNNER1", "limit_paused");
    assert_eq!(world.vms().len(), 1, "it holds its VM");
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    shows(&world, "RUNNER1", "idle");
    assert_eq!(calls(&world, "clone").len(), 1);
    assert_eq!(asked(&world, "POST", "registration-token"), 2);
    assert_eq!(world.said("ERROR"), [""; 0]);
}

#[test]
fn a_primary_limit_is_waited_for() {
    waits_for_the_limit("primary");
}

#[test]
fn a_secondary_limit_is_waited_for() {
    waits_for_the_limit("secondary");
}

#[test]
fn a_429_is_waited_for() {
    waits_for_the_limit("too_many");
}

#[test]
fn a_secondary_limit_that_only_its_message_tells_ends_by_a_stop() {
    let world = World::new();
    rule(&world, "registration-token", &json!({ "preset": "secondary_message", "times": 1 }));
    let text = world.configuration(1, ONCE);
    let mut daemon = world.start_with(&text);
    let job = world.order(json!({}))[0];
    shows(&world, "RUNNER1", "limit_paused");
    assert_eq!(daemon.stop(), 0);
    world.assert_clean();
    let _daemon = world.start_with(&text);
    assert_eq!(end_of(&world, job), "success");
}

#[test]
fn a_limit_while_the_job_runs_is_not_shown_and_ends_no_job() {
    let world = World::new();
    let _daemon = world.start_with(&world.configuration(2, ONCE));
    let job = world.order(json!({ "duration_ms": 3000 }))[0];
    let mut busy = "RUNNER1";
    eventually("it runs", SOON, || {
        busy = if row(&world, "RUNNER1")["status"] == "in_progress" { "RUNNER1" } else { "RUNNER2" };
        row(&world, busy)["status"] == "in_progress"
    });
    let other = if busy == "RUNNER1" { "RUNNER2" } else { "RUNNER1" };
    rule(&world, "/cancel", &json!({ "preset": "secondary", "seconds": 2, "times": 1 }));
    let malformed = world.order(json!({ "labels": ["anka-template:"] }))[0];
    shows(&world, other, "limit_paused");
    assert_eq!(row(&world, busy)["status"], "in_progress");
    assert_eq!(end_of(&world, malformed), "cancelled");
    assert_eq!(end_of(&world, job), "success");
}

/// What is tried again within the patience costs the job nothing.
#[track_caller]
fn is_tried_again(rule_: &Value) {
    let world = World::new();
    rule(&world, "registration-token", rule_);
    let _daemon = world.start_with(&world.configuration(1, ONCE));
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "success", "{rule_}");
    clean(&world);
    assert_eq!(calls(&world, "clone").len(), 1, "{rule_}");
}

#[test]
fn gateways_are_tried_again() {
    is_tried_again(&json!({ "preset": "html", "times": 2 }));
    is_tried_again(&json!({ "preset": "server_error", "times": 1 }));
    is_tried_again(&json!({ "preset": "html_ok", "times": 1 }));
    is_tried_again(&json!({ "drop_connection": true, "times": 1 }));
}

/// The answer has not the documented shape: released uncounted, or asked again, but never a try.
#[test]
fn a_torn_answer_counts_against_no_job() {
    let world = World::new();
    rule(&world, "registration-token", &json!({ "preset": "truncated", "times": 1 }));
    let _daemon = world.start_with(&world.configuration(1, ONCE));
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    assert_eq!(world.said("ERROR"), [""; 0]);
}

#[test]
fn a_refused_sign_in_claims_nothing_more_and_is_said_once() {
    let world = World::new();
    rule(&world, "", &json!({ "preset": "unauthorized", "times": 0 }));
    let top = format!("{ONCE}\nglobal_registration_timeout_seconds: 1");
    let _daemon = world.start_with(&world.configuration(1, &top));
    let job = world.order(json!({}))[0];
    says(&world, "ERROR", "401");
    clean(&world);
    let second = world.order(json!({}))[0];
    crate::support::pause(700);
    assert_eq!(calls(&world, "clone").len(), 1, "nothing is claimed");
    assert_eq!(world.said("ERROR").len(), 1, "{:?}", world.said("ERROR"));
    crate::support::web::delete(&format!("{}/_sim/rules", world.github));
    assert_eq!(end_of(&world, job), "success");
    assert_eq!(end_of(&world, second), "success");
}

#[test]
fn a_missing_permission_is_an_error_that_names_it_and_costs_no_second_vm() {
    let world = World::new();
    rule(&world, "registration-token", &json!({ "preset": "permission", "times": 0 }));
    let _daemon = world.start_with(&world.configuration(1, ONCE));
    let job = world.order(json!({}))[0];
    says(&world, "ERROR", "administration=write");
    clean(&world);
    crate::support::pause(5500);
    assert_eq!(calls(&world, "clone").len(), 1, "GitHub is asked before the next VM");
    assert!(asked(&world, "POST", "registration-token") >= 2);
    assert_eq!(job_now(&world, job)["status"], "queued");
    assert_eq!(asked(&world, "POST", "/cancel"), 0);
}

/// While the removal is refused for now, the VM stays; afterwards all is clean.
#[test]
fn a_storm_at_the_removal_is_survived() {
    let world = World::new();
    let top = format!("{ONCE}\nglobal_registration_timeout_seconds: 3");
    let _daemon = world.start_with(&world.configuration(1, &top));
    for preset in ["html", "secondary", "truncated", "not_found"] {
        let job = world.order(json!({ "hold": true }))[0];
        online_runner(&world);
        rule(&world, "/actions/runners", &json!({ "preset": preset, "seconds": 1, "times": 1 }));
        let run = job_now(&world, job)["run_id"].clone();
        world.control(&format!("runs/{run}/cancel"), &json!({}));
        assert_eq!(end_of(&world, job), "cancelled");
        eventually(&format!("clean after {preset}"), SOON, || world.vms().is_empty());
        crate::support::web::delete(&format!("{}/_sim/rules", world.github));
    }
    clean(&world);
}

/// As no GitHub does, but a proxy may: the quota is shown, and a runner is refused. Said once, and no VM is spent on it.
#[test]
fn a_sign_in_that_is_refused_for_one_call_only_is_said_once() {
    let world = World::new();
    rule(&world, "registration-token", &json!({ "preset": "unauthorized", "times": 0 }));
    let top = format!("{ONCE}\nglobal_registration_timeout_seconds: 1");
    let text = world.configuration(1, &top);
    let env = [("ANKLET_PACE", "60")];
    let _daemon = crate::support::Daemon::start(&world, &text, &[], &env);
    world.wait_until_it_serves();
    let job = world.order(json!({}))[0];
    says(&world, "INFO", "accepts the credentials again");
    eventually("it is asked again", SOON, || asked(&world, "POST", "registration-token") >= 4);
    assert_eq!(world.said("ERROR").len(), 1, "{:?}", world.said("ERROR"));
    assert_eq!(calls(&world, "clone").len(), 1);
    crate::support::web::delete(&format!("{}/_sim/rules", world.github));
    assert_eq!(end_of(&world, job), "success");
}

#[test]
fn a_redirect_to_another_host_is_an_error_with_the_new_place_and_gets_no_token() {
    let world = World::new();
    let elsewhere = World::new();
    let new = format!("{}/api/v3/tokens?secret=x", elsewhere.github);
    rule(&world, "registration-token", &json!({ "status": 307, "headers": { "Location": new }, "times": 0 }));
    let _daemon = world.start_with(&world.configuration(1, ONCE));
    let job = world.order(json!({}))[0];
    says(&world, "ERROR", &format!("{}/api/v3/tokens", elsewhere.github));
    assert!(!world.log_text().contains("secret=x"));
    clean(&world);
    assert_eq!(asked(&elsewhere, "", ""), 0);
    crate::support::web::delete(&format!("{}/_sim/rules", world.github));
    assert_eq!(end_of(&world, job), "success");
}
