//! `runner_registration: jit`, and runner groups.

use super::*;
use crate::support::Daemon;

const JIT: &str = "global_runner_registration: jit\nglobal_job_retry_attempts: 1";

fn rule(world: &World, rule: &Value) {
    let mut rule = rule.clone();
    rule["path"] = json!("generate-jitconfig");
    rule["times"] = json!(1);
    world.control("rules", &rule);
}

fn settings(world: &World, groups: &[&str]) {
    world.control("settings", &json!({ "groups": groups }));
}

#[test]
fn github_makes_the_runner_and_its_configuration_is_seen_by_nobody() {
    let world = World::new();
    let mut daemon = Daemon::start(&world, &world.configuration(1, JIT), &[], &[("LOG_LEVEL", "DEBUG")]);
    world.wait_until_it_serves();
    let job = world.order(json!({ "duration_ms": 1500 }))[0];
    eventually("it runs", SOON, || job_now(&world, job)["status"] == "in_progress");
    let page = fs::read_to_string(world.dir.join(".config/anklet/state/journal/RUNNER1.json")).unwrap();
    let runner = world.state()["runners"][0].clone();
    assert!(page.contains(&format!("\"runner_id\": {}", runner["id"])), "{page}");
    assert_eq!(end_of(&world, job), "success");
    assert_eq!(job_now(&world, job)["leaks"], json!([]), "the job could see it");
    clean(&world);
    assert_eq!(
        (asked(&world, "POST", "generate-jitconfig"), asked(&world, "POST", "registration-token")),
        (1, 0)
    );
    assert_eq!(daemon.stop(), 0);
    world.assert_clean();
    for text in [world.log_text(), page, format!("{:?}", world.anka_calls())] {
        assert!(!text.contains("c2lt"), "{text}");
    }
    assert_eq!((world.said("ERROR"), world.said("WARN")), (vec![], vec![]));
}

#[test]
fn a_lost_answer_is_mended_by_name_and_the_next_runner_has_another() {
    let world = World::new();
    rule(&world, &json!({ "after": true, "drop_connection": true }));
    let mut daemon = world.start_with(&world.configuration(1, JIT));
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "success");
    let runner = job_now(&world, job)["runner_name"].as_str().unwrap_or_default().to_owned();
    assert!(runner.ends_with("-2"), "{runner}");
    clean(&world);
    assert_eq!(asked(&world, "POST", "generate-jitconfig"), 2);
    says(&world, "WARN", "may have made runner");
    eventually("it is counted", SOON, || world.metrics()["total_successful_runs_since_start"] == 1);
    assert_eq!(daemon.stop(), 0);
    world.assert_clean();
    assert_eq!(calls(&world, "clone").len(), 1, "the VM is kept");
}

#[test]
fn a_daemon_that_dies_with_a_runner_made_removes_it_by_its_number() {
    let world = World::new();
    let text = world.configuration(1, JIT);
    let mut daemon = world.start_with(&text);
    let job = world.order(json!({ "hold": true }))[0];
    eventually("the runner's number is in the journal", SOON, || {
        let page = world.dir.join(".config/anklet/state/journal/RUNNER1.json");
        fs::read_to_string(page).is_ok_and(|page| page.contains("runner_id"))
    });
    daemon.kill();
    let mut daemon = world.start_with(&text);
    eventually("the runner is removed", SOON, || asked(&world, "DELETE", "runners") == 1);
    assert_eq!(asked(&world, "GET", "/runners"), 0, "{}", world.state()["calls"]);
    world.control(&format!("jobs/{job}/release"), &json!({}));
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    assert_eq!(asked(&world, "DELETE", "runners"), 1, "{}", world.state()["calls"]);
    assert_eq!(daemon.stop(), 0);
    world.assert_clean();
}

#[test]
fn a_refusal_is_said_with_the_permission_and_costs_no_try() {
    let world = World::new();
    rule(&world, &json!({ "preset": "permission" }));
    let mut daemon = world.start_with(&world.configuration(1, JIT));
    world.order(json!({}));
    says(&world, "ERROR", "generate_jit_config");
    clean(&world);
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn a_runner_that_github_refuses_to_make_is_a_try_said_with_its_words() {
    let world = World::new();
    let body = "{\"message\":\"Validation Failed\",\"errors\":[{\"field\":\"labels\",\"code\":\"invalid\"}]}";
    world.control("rules", &json!({ "path": "generate-jitconfig", "status": 422, "body": body, "times": 9 }));
    let top = "global_runner_registration: jit\nglobal_job_retry_attempts: 2";
    let mut daemon = world.start_with(&world.configuration(1, top));
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "cancelled");
    says(&world, "ERROR", "GitHub refuses to make the runner: 422: Validation Failed: labels invalid");
    clean(&world);
    assert_eq!(calls(&world, "clone").len(), 2);
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn a_sign_in_that_is_refused_once_costs_no_vm() {
    let world = World::new();
    rule(&world, &json!({ "preset": "unauthorized", "times": 1 }));
    let mut daemon = world.start_with(&world.configuration(1, JIT));
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    assert_eq!(calls(&world, "clone").len(), 1);
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn a_group_is_found_without_case_and_a_runner_is_made_in_it() {
    let world = World::new();
    settings(&world, &["Other", "Macs of iOS"]);
    let text = world.configuration(1, JIT).replace("  repo: app\n", "") + "  runner_group: macs OF ios\n";
    let mut daemon = world.start_with(&text);
    let job = world.order(json!({ "duration_ms": 1500 }))[0];
    eventually("it runs", SOON, || job_now(&world, job)["status"] == "in_progress");
    assert_eq!(world.state()["runners"][0]["group_id"], json!(3), "{:#}", world.state()["runners"][0]);
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    assert_eq!(asked(&world, "GET", "runner-groups"), 1);
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn without_its_group_nothing_is_claimed_until_it_is_there() {
    let world = World::new();
    settings(&world, &["Other"]);
    let text = world.configuration(1, "").replace("  repo: app\n", "") + "  runner_group: macs\n";
    let mut daemon = Daemon::start(&world, &text, &[], &[("ANKLET_PACE", "200")]);
    world.wait_until_it_serves();
    let job = world.order(json!({}))[0];
    says(&world, "ERROR", "it has \"Default\", \"Other\"");
    assert_eq!((job_now(&world, job)["status"].as_str(), calls(&world, "clone").len()), (Some("queued"), 0));
    settings(&world, &["Other", "Macs"]);
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    assert_eq!(daemon.stop(), 0);
}
