//! What an earlier daemon left: its journal, its children, the journal of a plugin that is gone.

use std::path::PathBuf;

use super::*;
use crate::support::Daemon;

#[test]
pub fn a_removed_plugin_s_running_job_is_watched_to_its_end() {
    let world = World::new();
    let text = and_handler(&world.configuration(0, ""), "OLD", &[]);
    let mut daemon = world.start_with(&text);
    let job = world.order(json!({ "duration_ms": 2500 }))[0];
    shows(&world, "OLD", "in_progress");
    daemon.kill();
    let _daemon = world.start_with(&and_handler(&world.configuration(0, ""), "NEW", &[]));
    says(&world, "WARN", "no longer configured");
    let next = world.order(json!({}))[0];
    assert_eq!(end_of(&world, next), "success", "the new one works meanwhile");
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    eventually("both are counted", SOON, || world.metrics()["total_successful_runs_since_start"] == 2);
    assert_eq!(calls(&world, "clone").len(), 2);
}

#[test]
fn a_removed_plugin_s_vm_is_cleaned_up_and_its_job_given_back() {
    let world = World::new();
    let mut daemon = world.start_with(&and_handler(&world.configuration(0, ""), "OLD", &[]));
    let job = world.order(json!({ "hold": true }))[0];
    let runner = online_runner(&world);
    daemon.kill();
    let top = "global_job_retry_attempts: 1";
    let _daemon = world.start_with(&and_handler(&world.configuration(0, top), "NEW", &[]));
    eventually("the old VM is gone", SOON, || !world.vms().contains(&runner));
    world.control(&format!("jobs/{job}/release"), &json!({}));
    assert_eq!(end_of(&world, job), "success");
    assert_ne!(job_now(&world, job)["runner_name"], runner);
    clean(&world);
}

#[test]
fn a_licence_that_ends_meanwhile_leaves_nothing_behind() {
    let world = World::new();
    let text = world.configuration(1, "");
    let mut daemon = world.start_with(&text);
    let job = world.order(json!({ "duration_ms": 2500 }))[0];
    shows(&world, "RUNNER1", "in_progress");
    daemon.kill();
    world.anka("set", &["license_status=\"expired\""]);
    let mut daemon = world.start_with(&text);
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    says(&world, "ERROR", "licence");
    shows(&world, "RUNNER1", "stopped");
    assert_eq!(daemon.stop(), 1);
    world.assert_clean();
}

/// The daemon dies while `anka` hangs: the next one waits for that child, ends it, and only then believes a list.
#[track_caller]
fn a_child_outlives_its_daemon(call: &str, fault: &Value) {
    let world = World::new();
    let mut fault = fault.clone();
    fault["call"] = json!(call);
    world.fault(&fault);
    let text = world.configuration(1, "global_job_retry_attempts: 1");
    let mut daemon = world.start_with(&text);
    let job = world.order(json!({}))[0];
    let name = call.split(' ').next().unwrap();
    eventually("anka hangs", SOON, || {
        fs::read_to_string(world.dir.join("anka/faults.json")).unwrap().trim() == "[]"
            && !calls(&world, name).is_empty()
    });
    daemon.kill();
    let _daemon = world.start_with(&text);
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    let children = fs::read_dir(world.dir.join(".config/anklet/run/children")).unwrap().count();
    assert_eq!(children, 0, "litter of a dead daemon");
    assert_eq!(world.said("ERROR"), [""; 0]);
}

#[test]
fn a_clone_that_outlives_its_daemon_leaves_no_vm() {
    a_child_outlives_its_daemon("clone", &json!({ "do": "slow", "ms": 2500 }));
}

#[test]
fn a_hanging_start_of_a_dead_daemon_is_ended() {
    a_child_outlives_its_daemon("start", &json!({ "do": "ignore_term" }));
}

/// The pull lock lives as long as the child of the dead daemon pulls.
#[test]
fn nobody_pulls_while_a_dead_daemon_s_child_does() {
    let world = World::new();
    world.anka("set", &["timing_ms.registry pull=6000"]);
    let text = world.configuration(1, "global_job_retry_attempts: 1");
    let mut daemon = world.start_with(&text);
    let labels = ["self-hosted", "anka-template:macos-14", "anka-template-tag:v1"];
    let job = world.order(json!({ "labels": labels }))[0];
    shows(&world, "RUNNER1", "pulling");
    daemon.kill();
    let _daemon = world.start_with(&text);
    says(&world, "INFO", "another template is being pulled");
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    assert_eq!(world.said("ERROR"), [""; 0]);
}

#[test]
pub fn after_a_reboot_all_vms_are_gone_and_github_s_verdict_counts() {
    let world = World::new();
    world.control("settings", &json!({ "lost_runner_ms": 1500 }));
    let mut daemon = world.start(2);
    let running = world.order(json!({ "duration_ms": 60_000 }))[0];
    world.until(running, "in_progress", SOON);
    eventually("it is known", SOON, || world.has_said("INFO", "the job runs"));
    let labels = ["self-hosted", "anka-template:macos-15", "anka-template-tag:v1", "second"];
    let waiting = world.order(json!({ "hold": true, "labels": labels }))[0];
    eventually("both have runners", SOON, || world.runners().len() == 2);
    daemon.kill();
    world.anka("reboot", &[]);
    let _daemon = world.start_with(&world.configuration(2, "global_job_retry_attempts: 1"));
    assert_eq!(end_of(&world, running), "failure");
    world.control(&format!("jobs/{waiting}/release"), &json!({}));
    assert_eq!(end_of(&world, waiting), "success");
    clean(&world);
    eventually("both are counted", SOON, || {
        let metrics = world.metrics();
        metrics["total_failed_runs_since_start"] == 1 && metrics["total_successful_runs_since_start"] == 1
    });
}

#[test]
pub fn a_job_that_ended_meanwhile_is_settled_and_counted() {
    let world = World::new();
    let mut daemon = world.start(1);
    let job = world.order(json!({ "duration_ms": 1000 }))[0];
    shows(&world, "RUNNER1", "in_progress");
    daemon.signal(nix::sys::signal::Signal::SIGTERM);
    eventually("it drains", SOON, || world.has_said("INFO", "stopping: no new jobs"));
    daemon.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(daemon.wait(SOON).code(), Some(0));
    assert_eq!(end_of(&world, job), "success");
    let _daemon = world.start(1);
    clean(&world);
    eventually("it is counted", SOON, || world.metrics()["total_successful_runs_since_start"] == 1);
}

/// The configuration of a second daemon of the same state folder, in a folder of its own.
fn second(world: &World, text: &str) -> PathBuf {
    let metrics = crate::support::world::free_port();
    let second = text
        .replace(&format!("port: {}", world.port), &format!("port: {}", crate::support::world::free_port()))
        .replace(&format!("port: {}", world.metrics_port), &format!("port: {metrics}"));
    let folder = world.dir.join("second");
    fs::create_dir(&folder).unwrap();
    let dir = folder.display();
    fs::write(folder.join("config.yml"), format!("pid_file_dir: {dir}\nlog:\n  file_dir: {dir}\n{second}"))
        .unwrap();
    folder
}

#[test]
fn two_plugins_of_one_state_folder_and_name_are_told_apart() {
    let world = World::new();
    let text = world.configuration(1, "");
    let _daemon = world.start_with(&text);
    let folder = second(&world, &text);
    let mut second =
        Daemon::of(crate::support::daemon::command(&world).arg("-c").arg(folder.join("config.yml")));
    eventually("it says so", SOON, || {
        fs::read_to_string(folder.join("anklet.log")).is_ok_and(|log| log.contains("held by another daemon"))
    });
    assert_eq!(second.stop(), 1);
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "success");
}

#[test]
fn an_open_journal_waits_for_its_own_daemon() {
    for dies in [false, true] {
        let world = World::new();
        let folder = second(&world, &world.configuration(1, "").replace("RUNNER1", "OTHER"));
        let other =
            || Daemon::of(crate::support::daemon::command(&world).arg("-c").arg(folder.join("config.yml")));
        let (mut first, mut receiver) = (other(), world.start(0));
        let job = world.order(json!({ "duration_ms": 4000 }))[0];
        world.until(job, "in_progress", SOON);
        assert_eq!(receiver.stop(), 0);
        if dies {
            first.kill();
        }
        let mut daemon = world.start(1);
        let mut again = dies.then(other);
        assert_eq!(end_of(&world, job), "success");
        clean(&world);
        assert_eq!((daemon.stop(), again.as_mut().unwrap_or(&mut first).stop()), (0, 0));
        assert!(!world.log_text().contains("no longer configured"), "{}", world.log_text());
        assert_eq!(world.said("ERROR"), [""; 0]);
        let log = fs::read_to_string(folder.join("anklet.log")).unwrap();
        assert!(!log.contains("ERROR"), "{log}");
    }
}
