//! What waits for minutes. The daemon's schedule runs faster here: `ANKLET_PACE`, which only test builds know.

use super::*;
use crate::support::{Daemon, pause, web};

/// A daemon whose minutes are `pace` times as short.
fn hurried(world: &World, pace: u32, top: &str) -> Daemon {
    let configuration = world.configuration(1, top);
    let daemon = Daemon::start(world, &configuration, &[], &[("ANKLET_PACE", &pace.to_string())]);
    world.wait_until_it_serves();
    daemon
}

/// The times of all log lines that hold these words, in seconds.
fn times(world: &World, words: &str) -> Vec<f64> {
    let lines = world.log();
    let said = lines.iter().filter(|line| line["msg"].as_str().unwrap().contains(words));
    let seconds = |line: &Value| {
        let text = line["time"].as_str().unwrap();
        let clock: Vec<f64> = text[11..26].split(':').map(|part| part.parse().unwrap()).collect();
        clock[0] * 3600.0 + clock[1] * 60.0 + clock[2]
    };
    said.map(seconds).collect()
}

/// How often lines of a level say this.
fn how_often(world: &World, level: &str, words: &str) -> usize {
    world.said(level).iter().filter(|said| said.contains(words)).count()
}

#[test]
fn between_tries_are_0_5_15_and_60_seconds() {
    let world = World::new();
    world.fault(&json!({ "call": "clone", "do": "fail", "times": 0 }));
    let _daemon = hurried(&world, 10, "global_job_retry_attempts: 5");
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "cancelled");
    let tries = times(&world, "cloning the VM");
    let gaps: Vec<f64> = tries.windows(2).map(|two| (two[1] - two[0]) * 10.0).collect();
    assert_eq!(gaps.len(), 4, "{gaps:?}");
    for (gap, wanted) in gaps.iter().zip([0.0, 5.0, 15.0, 60.0]) {
        // The queue is looked at each five seconds, and an `anka` takes its time, ten times as much here.
        assert!((wanted - 0.5..wanted + 14.0).contains(gap), "{gaps:?}");
    }
}

#[test]
fn five_deletes_that_fail_in_a_row_are_an_operator_s_matter() {
    let world = World::new();
    world.fault(&json!({ "call": "delete", "do": "fail", "times": 5 }));
    let _daemon = hurried(&world, 20, "");
    let job = world.order(json!({}))[0];
    says(&world, "ERROR", "could not be deleted");
    assert_eq!(how_often(&world, "WARN", "could not be deleted"), 4);
    assert!(world.has_said("ERROR", "5 times in a row"));
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    eventually("it is counted", SOON, || world.metrics()["total_successful_runs_since_start"] == 1);
    shows(&world, "RUNNER1", "idle");
    world.fault(&json!({ "call": "delete", "do": "fail", "times": 1 }));
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    assert_eq!(how_often(&world, "WARN", "could not be deleted"), 5, "after a success it begins anew");
    assert_eq!(world.said("ERROR").len(), 1);
}

#[test]
fn an_anka_that_never_answers_is_an_operator_s_matter_at_the_fifth_time() {
    let world = World::new();
    world.fault(&json!({ "call": "list", "do": "garbage", "times": 7 }));
    let _daemon = hurried(&world, 40, "global_job_retry_attempts: 1");
    let job = world.order(json!({}))[0];
    says(&world, "ERROR", "anka does not answer");
    assert_eq!(how_often(&world, "WARN", "anka does not answer"), 4);
    assert!(world.has_said("ERROR", "5 times in a row"));
    assert_eq!(end_of(&world, job), "success", "and counts against no job");
    clean(&world);
    assert_eq!(world.said("ERROR").len(), 1);
    world.fault(&json!({ "call": "list", "do": "garbage", "times": 1 }));
    let before = how_often(&world, "WARN", "anka does not answer");
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "success");
    assert_eq!(how_often(&world, "WARN", "anka does not answer"), before + 1, "it begins anew");
    assert_eq!(world.said("ERROR").len(), 1);
}

/// Nothing that mends itself: the repository is renamed, or the token may not see it.
#[test]
fn a_404_for_the_registration_token_is_an_operator_s_matter_at_once() {
    let world = World::new();
    let path = "registration-token";
    world.control("rules", &json!({ "method": "POST", "path": path, "preset": "not_found", "times": 3 }));
    let _daemon = hurried(&world, 20, "global_job_retry_attempts: 1");
    let job = world.order(json!({}))[0];
    says(&world, "ERROR", "registration-token");
    assert!(world.has_said("ERROR", "renamed"), "{:?}", world.said("ERROR"));
    assert_eq!(end_of(&world, job), "success", "it is tried again, uncounted");
    clean(&world);
    assert_eq!(world.said("ERROR").len(), 1, "the same words once an hour: {:?}", world.said("ERROR"));
    assert_eq!(calls(&world, "clone").len(), 2, "no VM is spent while GitHub refuses");
}

/// No delivery and no step of the job tells of it: the list that is made once a minute does.
#[test]
fn a_vm_that_vanishes_is_missed_within_a_minute() {
    let world = World::new();
    world.control("settings", &json!({ "lost_runner_ms": 60_000 }));
    let _daemon = hurried(&world, 30, "");
    let job = world.order(json!({ "duration_ms": 60_000 }))[0];
    shows(&world, "RUNNER1", "in_progress");
    let looks = || calls(&world, "list").len();
    let before = looks();
    eventually("it looks once a minute", SOON, || looks() > before);
    assert!(!world.has_said("WARN", "the VM is gone"));
    world.anka("vanish", &[&world.vms()[0]]);
    says(&world, "WARN", "the VM is gone in the middle of its job");
    pause(300);
    assert_eq!(row(&world, "RUNNER1")["status"], "in_progress", "GitHub has the verdict");
    world.control(&format!("jobs/{job}/failure"), &json!({}));
    clean(&world);
    eventually("it is counted", SOON, || world.metrics()["total_failed_runs_since_start"] == 1);
    assert_eq!(how_often(&world, "WARN", "the VM is gone"), 1);
}

#[test]
fn a_job_that_is_still_queued_two_minutes_after_its_cancel_is_cancelled_by_force() {
    let world = World::new();
    let _daemon = hurried(&world, 60, "");
    let labels = ["anka-template:macos-15", "anka-template:macos-14"];
    let job = world.order(json!({ "labels": labels, "ignores_cancel": true }))[0];
    let since = std::time::Instant::now();
    says(&world, "WARN", "its run is cancelled");
    assert_eq!(asked(&world, "POST", "/cancel"), 1);
    world.control("rules", &json!({ "path": "/force-cancel", "preset": "server_error", "times": 1 }));
    assert_eq!(end_of(&world, job), "cancelled");
    assert!(since.elapsed() >= Duration::from_millis(1900), "{:?}", since.elapsed());
    assert_eq!(asked(&world, "POST", "/force-cancel"), 2, "what GitHub does not take is tried again");
    says(&world, "WARN", "after its run was cancelled: forced");
}

/// Its `queued` is lost: GitHub is asked each ten minutes.
#[test]
fn a_parked_job_is_asked_about_again_after_ten_minutes() {
    let world = World::new();
    let _daemon = hurried(&world, 200, "global_job_retry_attempts: 1");
    let job = world.order(json!({ "waits_for_approval": true }))[0];
    eventually("all is told", SOON, || world.state()["deliveries"].as_array().unwrap().len() == 2);
    pause(1000);
    let so_far = asked(&world, "GET", "/jobs/");
    assert!(so_far <= 1, "within three minutes and a third: {so_far}");
    world.control("hook", &json!({ "url": "http://127.0.0.1:9/", "secret": "none" }));
    world.control(&format!("jobs/{job}/approve"), &json!({}));
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    assert_eq!(calls(&world, "clone").len(), 1);
    assert_eq!(world.said("ERROR"), [""; 0]);
}

/// The VM does not go, but the job need not wait for it, and its try has counted.
#[test]
fn a_try_counts_also_when_its_vm_does_not_go() {
    let world = World::new();
    world.fault(&json!({ "call": "start", "do": "fail", "times": 0 }));
    world.fault(&json!({ "call": "delete", "do": "fail", "times": 5 }));
    let _daemon = hurried(&world, 20, "global_job_retry_attempts: 2");
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "cancelled");
    clean(&world);
    assert_eq!(calls(&world, "clone").len(), 2);
    assert_eq!(how_often(&world, "WARN", "try 1 of 2 failed"), 1);
    assert_eq!(how_often(&world, "ERROR", "try 2 of 2 failed"), 1);
}

/// No handler watches it, and the delivery of its end is lost for good.
#[test]
fn a_job_that_a_stranger_runs_is_asked_about_each_hour() {
    let world = World::new();
    fs::write(world.dir.join(".config/anklet/.drain"), "").unwrap();
    let _daemon = hurried(&world, 1800, "");
    let job = world.order(json!({ "hold": true, "webhooks": { "completed": { "drop": true } } }))[0];
    world.control("strangers", &json!({ "name": "outsider" }));
    world.control("assign", &json!({ "job": job, "runner": "outsider" }));
    eventually("the store knows that it runs", SOON, || state_in_store(&world, job) == "running");
    world.control(&format!("jobs/{job}/success"), &json!({}));
    eventually("the store knows that it is over", SOON, || state_in_store(&world, job) == "over");
    assert!(asked(&world, "GET", "/jobs/") <= 3);
}

/// A 404 to the cancel is no word on the run: its job is asked about, and it is tried again for a while.
#[test]
fn a_run_that_github_does_not_know_for_a_moment_is_cancelled_all_the_same() {
    let unserved = json!({ "labels": ["anka-template:"] });
    let world = World::new();
    world
        .control("rules", &json!({ "method": "POST", "path": "/cancel", "preset": "not_found", "times": 2 }));
    let _daemon = hurried(&world, 20, "");
    let job = world.order(unserved.clone())[0];
    assert_eq!(end_of(&world, job), "cancelled");
    assert_eq!(asked(&world, "POST", "/cancel"), 3);
    world
        .control("rules", &json!({ "method": "POST", "path": "/cancel", "preset": "not_found", "times": 0 }));
    world.order(unserved);
    says(&world, "ERROR", "failed to cancel the run");
    assert!(world.said("INFO").iter().all(|line| !line.contains("over already")), "{}", world.log_text());
}

#[test]
fn an_answer_about_another_job_tells_nothing() {
    let world = World::new();
    let body = "{\"id\":12345,\"status\":\"completed\",\"conclusion\":\"success\",\"runner_name\":null}";
    world.control(
        "rules",
        &json!({ "method": "GET", "path": "/actions/jobs/", "status": 200, "body": body, "times": 0 }),
    );
    let _daemon = hurried(&world, 20, "");
    let job = world.order(json!({ "duration_ms": 4000 }))[0];
    says(&world, "WARN", "about another one");
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
}

/// Its service may not be up yet after a reboot.
#[test]
fn an_anka_that_fails_for_minutes_at_the_start_ends_no_handler() {
    let world = World::new();
    world.fault(&json!({ "call": "license show", "do": "fail", "times": 5 }));
    let mut daemon = hurried(&world, 20, "");
    let job = world.order(json!({ "duration_ms": 50 }))[0];
    says(&world, "ERROR", "5 times in a row");
    assert_eq!(end_of(&world, job), "success");
    assert_eq!(daemon.stop(), 0);
}

/// Each of many jobs would be refused alike: the handler asks once in a while, not once a job.
#[test]
fn a_missing_permission_is_not_asked_about_job_by_job() {
    let world = World::new();
    let path = "/actions/runners/registration-token";
    world.control("rules", &json!({ "method": "POST", "path": path, "preset": "permission", "times": 0 }));
    let _daemon = hurried(&world, 20, "");
    let jobs: Vec<u64> = (0..12).map(|_| world.order(json!({ "duration_ms": 50 }))[0]).collect();
    says(&world, "ERROR", "registration_token");
    // Two minutes: 0, 5, 15 and 60 s after one another.
    pause(6000);
    let calls = asked(&world, "POST", path);
    assert!((2..=5).contains(&calls), "{calls}");
    assert_eq!(world.said("ERROR").len(), 1, "{:?}", world.said("ERROR"));
    web::delete(&format!("{}/_sim/rules", world.github));
    for job in jobs {
        assert_eq!(end_of(&world, job), "success");
    }
}

/// As above, of a repository that GitHub does not show.
#[test]
fn a_repository_that_is_not_shown_is_not_asked_about_job_by_job() {
    let world = World::new();
    fs::write(world.dir.join(".config/anklet/.drain"), "").unwrap();
    world.control("rules", &json!({ "method": "GET", "path": "/repos/", "preset": "not_found", "times": 0 }));
    let _daemon = hurried(&world, 20, "");
    for _ in 0..12 {
        world.order(json!({ "duration_ms": 50 }));
    }
    // No longer so fresh that GitHub need not be asked.
    pause(1600);
    fs::remove_file(world.dir.join(".config/anklet/.drain")).unwrap();
    says(&world, "ERROR", "not readable with these credentials");
    pause(6000);
    let calls = asked(&world, "GET", "/actions/jobs/");
    assert!((2..=5).contains(&calls), "{calls}");
    assert_eq!(world.said("ERROR").len(), 1, "{:?}", world.said("ERROR"));
}

/// GitHub has short 404s: the job is asked about again, and those behind it go on.
#[test]
fn a_job_that_github_does_not_know_holds_up_no_other() {
    let world = World::new();
    fs::write(world.dir.join(".config/anklet/.drain"), "").unwrap();
    let _daemon = hurried(&world, 20, "");
    let jobs = [world.order(json!({ "hold": true }))[0], world.order(json!({}))[0]];
    let path = format!("/actions/jobs/{}", jobs[0]);
    world.control("rules", &json!({ "method": "GET", "path": path, "preset": "not_found", "times": 0 }));
    // No longer so fresh that GitHub need not be asked.
    pause(1600);
    fs::remove_file(world.dir.join(".config/anklet/.drain")).unwrap();
    eventually("it is believed", SOON, || state_in_store(&world, jobs[0]) == "over");
    assert_eq!(end_of(&world, jobs[1]), "success");
    clean(&world);
    let (cloned, believed) = (times(&world, "cloning the VM"), times(&world, "no longer knows the job"));
    assert_eq!((cloned.len(), believed.len()), (1, 1));
    assert!(cloned[0] < believed[0], "{cloned:?} {believed:?}");
}

fn state_in_store(world: &World, job: u64) -> String {
    let file = world.dir.join(".config/anklet/state/queue.sqlite");
    let connection = rusqlite::Connection::open(file).unwrap();
    let sql = "select state from job where id = ?1";
    connection.query_row(sql, [i64::try_from(job).unwrap()], |row| row.get(0)).unwrap_or_default()
}
