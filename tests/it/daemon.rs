//! The process: pid lock, signals, run-once, exit codes, what it says.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::daemon::{Daemon, command};
use crate::support::{World, eventually, pause};

const SOON: Duration = Duration::from_secs(15);

/// A job that runs until it is told to end, started on its VM.
fn running_job(world: &World) -> u64 {
    let job = world.order(json!({ "duration_ms": 600_000 }))[0];
    world.until(job, "in_progress", SOON);
    eventually("the daemon knows that it runs", SOON, || world.has_said("INFO", "the job runs"));
    job
}

fn end(world: &World, job: u64) {
    world.control(&format!("jobs/{job}/success"), &json!({}));
}

#[test]
fn a_first_signal_waits_for_the_running_job_and_takes_no_other() {
    let world = World::new();
    let mut daemon = world.start(1);
    let job = running_job(&world);
    daemon.signal(Signal::SIGINT);
    eventually("it drains", SOON, || world.metrics()["plugins"][1]["status"] == "draining");
    let late = world.order(json!({}))[0];
    pause(300);
    assert!(daemon.is_running());
    end(&world, job);
    assert_eq!(daemon.wait(SOON).code(), Some(0));
    world.assert_clean();
    assert_eq!(world.until(late, "queued", SOON)["status"], "queued");
}

#[test]
fn a_second_signal_leaves_the_job_and_the_next_start_takes_it_up() {
    let world = World::new();
    let mut daemon = world.start(1);
    let job = running_job(&world);
    daemon.signal(Signal::SIGINT);
    eventually("it drains", SOON, || world.has_said("INFO", "stopping: no new jobs"));
    daemon.signal(Signal::SIGINT);
    assert_eq!(daemon.wait(SOON).code(), Some(0));
    assert_eq!(world.vms().len(), 1);
    let mut daemon = world.start(1);
    eventually("the job is adopted", SOON, || world.has_said("INFO", "still runs in its VM"));
    eventually("it is shown", SOON, || world.metrics()["plugins"][1]["status"] == "in_progress");
    assert_eq!(world.metrics()["total_running_vms"], 1);
    end(&world, job);
    eventually("the host is clean", SOON, || world.vms().is_empty());
    eventually("it counts once", SOON, || world.metrics()["total_successful_runs_since_start"] == 1);
    assert_eq!(daemon.stop(), 0);
    world.assert_clean();
}

#[test]
fn a_killed_daemon_s_job_is_taken_up_too() {
    let world = World::new();
    let mut daemon = world.start(1);
    let job = running_job(&world);
    daemon.kill();
    let mut daemon = world.start(1);
    eventually("the job is adopted", SOON, || world.has_said("INFO", "still runs in its VM"));
    end(&world, job);
    eventually("the host is clean", SOON, || world.vms().is_empty());
    assert_eq!(daemon.stop(), 0);
    world.assert_clean();
}

#[test]
fn a_third_signal_ends_at_once() {
    let world = World::new();
    let mut daemon = world.start(1);
    world.fault(&json!({ "call": "delete", "do": "hang" }));
    let job = running_job(&world);
    end(&world, job);
    eventually("it deletes", SOON, || world.anka_calls().iter().flatten().any(|word| word == "delete"));
    for said in ["stopping: no new jobs", "stopping at once"] {
        daemon.signal(Signal::SIGINT);
        eventually("it heard", SOON, || world.has_said("INFO", said));
    }
    daemon.signal(Signal::SIGINT);
    assert_eq!(daemon.wait(Duration::from_secs(2)).code(), Some(130));
}

#[test]
fn a_hangup_stops_nothing() {
    let world = World::new();
    let mut daemon = world.start(1);
    daemon.signal(Signal::SIGHUP);
    eventually("it says so", SOON, || world.has_said("INFO", "SIGHUP"));
    assert!(daemon.is_running());
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn sigterm_detaches_when_it_is_told_to() {
    let world = World::new();
    let mut daemon = world.start_with(&world.configuration(1, "stop_on_term: detach"));
    running_job(&world);
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.wait(SOON).code(), Some(0));
    assert_eq!(world.vms().len(), 1);
}

#[test]
fn a_second_daemon_is_refused_and_a_stale_pid_file_is_not_in_the_way() {
    let world = World::new();
    fs::write(world.dir.join("anklet.pid"), "1\n").unwrap();
    let mut first = world.start(1);
    let second = command(&world).output().unwrap();
    assert_eq!(second.status.code(), Some(4));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("anklet.pid") && said.contains(&first.pid().to_string()), "{said}");
    assert_eq!(first.stop(), 0);
}

#[test]
fn run_once_does_one_job_and_nothing_to_do_ends_at_once() {
    let world = World::new();
    let configuration = world.configuration(1, "");
    let start = Instant::now();
    let mut idle = Daemon::start(&world, &configuration, &["--once"], &[]);
    assert_eq!(idle.wait(SOON).code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(5));
    let mut receiver = world.start(0);
    let jobs = world.order(json!({ "count": 2 }));
    eventually("both are stored", SOON, || world.state()["deliveries"].as_array().unwrap().len() == 2);
    assert_eq!(receiver.stop(), 0);
    let mut once = Daemon::start(&world, &configuration, &["--once"], &[]);
    assert_eq!(once.wait(SOON).code(), Some(0));
    let over = jobs.iter().filter(|job| {
        world.state()["jobs"]
            .as_array()
            .unwrap()
            .iter()
            .any(|j| j["id"] == **job && j["status"] == "completed")
    });
    assert_eq!(over.count(), 1);
    world.assert_clean();
}

#[test]
fn exit_codes_tell_what_is_wrong() {
    let world = World::new();
    let code = |args: &[&str]| command(&world).args(args).output().unwrap();
    assert_eq!(code(&["--nope"]).status.code(), Some(2));
    assert_eq!(code(&["-c", "missing.yml"]).status.code(), Some(3));
    assert_eq!(code(&["--version"]).status.code(), Some(0));
    assert_eq!(code(&["check", "-c", "missing.yml"]).status.code(), Some(3));
    let taken = std::net::TcpListener::bind(("127.0.0.1", world.port)).unwrap();
    let mut daemon = Daemon::start(&world, &world.configuration(1, ""), &[], &[]);
    assert_eq!(daemon.wait(SOON).code(), Some(5));
    drop(taken);
    fs::remove_dir_all(world.dir.join(".config/anklet/plugins")).unwrap();
    let only_handlers = world
        .configuration(1, "")
        .replace("- name: RECEIVER\n  plugin: github_receiver", "- name: X\n  plugin: github_receiver");
    let mut daemon = Daemon::start(&world, &only_handlers, &[], &[]);
    eventually("the handler is stopped", SOON, || world.has_said("ERROR", "install-runner.bash"));
    assert!(daemon.is_running(), "the receiver goes on");
    assert_eq!(daemon.stop(), 1);
}

#[test]
fn the_log_is_json_with_the_fields_of_the_order() {
    let world = World::new();
    let mut daemon = world.start(1);
    let job = world.order(json!({ "name": "testJob", "workflow": "t1-with-tag" }))[0];
    world.until(job, "completed", SOON);
    eventually("the VM is deleted", SOON, || world.has_said("INFO", "the VM is deleted"));
    assert_eq!(daemon.stop(), 0);
    let lines = world.log();
    let line = lines.iter().find(|line| line["msg"] == "the VM is deleted").unwrap();
    for field in [
        "time",
        "level",
        "ankletVersion",
        "pluginName",
        "plugin",
        "owner",
        "repo",
        "workflowName",
        "workflowRunName",
        "workflowRunId",
        "workflowJobId",
        "workflowJobName",
        "ankaTemplate",
        "ankaTemplateTag",
        "jobURL",
        "uniqueRunKey",
        "vmName",
    ] {
        assert!(!line[field].is_null(), "{field} is not in {line}");
    }
    assert_eq!(line["workflowJobId"], job);
    assert_eq!(line["ankaTemplateTag"], "v1");
    assert_eq!(line["pluginName"], "RUNNER1");
}

#[test]
fn an_anka_that_stammers_at_the_start_is_asked_again() {
    let world = World::new();
    world.fault(&json!({ "call": "version", "do": "garbage" }));
    world.fault(&json!({ "call": "license show", "do": "crash" }));
    let mut daemon = world.start(1);
    let job = world.order(json!({}))[0];
    world.until(job, "completed", SOON);
    assert_eq!(world.said("ERROR"), [""; 0]);
    eventually("the host is clean", SOON, || world.vms().is_empty());
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn an_anka_that_hangs_at_the_start_holds_up_neither_the_receiver_nor_a_stop() {
    let world = World::new();
    world.fault(&json!({ "call": "version", "do": "hang", "times": 0 }));
    let (head, plugins) = world
        .configuration(1, "")
        .split_once("plugins:\n")
        .map(|(h, p)| (h.to_owned(), p.to_owned()))
        .unwrap();
    let (receiver, handler) = plugins.split_once("- name: RUNNER1").unwrap();
    let start = Instant::now();
    let mut daemon = world.start_with(&format!("{head}plugins:\n- name: RUNNER1{handler}{receiver}"));
    eventually("it hangs", SOON, || !world.anka_calls().is_empty());
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(daemon.stop(), 0);
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

#[test]
fn a_run_once_drives_its_job_through_the_tries_that_fail() {
    let world = World::new();
    let mut daemon = world.start(0);
    let job = world.order(json!({ "duration_ms": 50 }))[0];
    world.order(json!({ "duration_ms": 50 }));
    assert_eq!(daemon.stop(), 0);
    world.fault(&json!({ "call": "clone", "do": "fail", "times": 2 }));
    let mut once = Daemon::start(&world, &world.configuration(1, ""), &["--once"], &[]);
    assert_eq!(once.wait(SOON).code(), Some(0));
    assert_eq!(
        world.state()["jobs"].as_array().unwrap().iter().filter(|job| job["status"] == "completed").count(),
        1
    );
    assert_eq!(world.until(job, "completed", SOON)["ended_as"], "success", "{}", world.log_text());
}

#[test]
fn a_host_without_a_licence_has_no_usable_plugin() {
    for (path, value) in [("license_status", "\"expired\""), ("license_type", "\"com.veertu.anka.develop\"")]
    {
        let world = World::new();
        world.anka("set", &[&format!("{path}={value}")]);
        let only_handler = world.configuration(1, "");
        let (head, plugins) = only_handler.split_once("plugins:\n").unwrap();
        let (_, handler) = plugins.split_once("- name: RUNNER1").unwrap();
        for args in [&[][..], &["--once"]] {
            let text = format!("{head}plugins:\n- name: RUNNER1{handler}");
            let mut daemon = Daemon::start(&world, &text, args, &[]);
            assert_eq!(daemon.wait(SOON).code(), Some(7), "{path} {args:?}");
            assert!(world.has_said("ERROR", "licence"), "{}", world.log_text());
            fs::remove_file(world.dir.join("anklet.log")).unwrap();
        }
    }
}
