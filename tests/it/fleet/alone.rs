//! What only several hosts can show: words of all, a host that is stopped or gone, and who may not take its job.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{Daemon, Fleet, World, eventually, pause};

const SOON: Duration = Duration::from_secs(25);

fn pulls(host: &World) -> usize {
    let is_pull = |args: &Vec<String>| args.iter().any(|arg| arg == "pull");
    host.anka_calls().iter().filter(|args| is_pull(args)).count()
}

fn wants(template: &str) -> Value {
    let label = format!("anka-template:{template}");
    json!({ "labels": ["self-hosted", label, "anka-template-tag:v1"], "duration_ms": 50 })
}

fn ended_as(fleet: &Fleet, job: u64) -> String {
    fleet.hosts[0].until(job, "completed", SOON)["ended_as"].as_str().unwrap().to_owned()
}

/// A host and its registry that lack a template speak for themselves only.
#[test]
fn what_one_host_lacks_another_may_have_and_what_all_lack_is_cancelled() {
    let fleet = Fleet::new(2);
    let registry = json!([{
        "name": "sim", "url": "http://anka.sim:8089", "default": true,
        "templates": [{ "uuid": "44444444-1111-4222-8333-555555555555", "name": "special", "tags": ["v1"],
                        "runner": "2.330.0" }],
    }]);
    fleet.hosts[1].anka("set", &[&format!("registries={registry}")]);
    let _daemons = [fleet.start(0, 1), fleet.start(1, 1)];
    eventually("both have begun", SOON, || {
        fleet.hosts.iter().all(|host| host.metrics()["plugins"].to_string().contains("idle"))
    });
    for _ in 0..3 {
        let here = fleet.order(wants("special"))[0];
        assert_eq!(ended_as(&fleet, here), "success", "{}", fleet.logs());
    }
    assert_eq!(fleet.clones(0), 0);
    let before: Vec<usize> = fleet.hosts.iter().map(pulls).collect();
    let nowhere = fleet.order(wants("macos-99"))[0];
    assert_eq!(ended_as(&fleet, nowhere), "cancelled");
    let after: Vec<usize> = fleet.hosts.iter().map(pulls).collect();
    assert_eq!(after, [before[0] + 1, before[1] + 1], "each host says it once");
    fleet.nothing_is_left(SOON);
    let said = |words: &str| fleet.hosts.iter().filter(|host| host.has_said("WARN", words)).count();
    assert_eq!(said("/acme/app/actions/runs/"), 1, "one of them cancels");
}

/// An interrupt leaves the job running. Nobody renews its claim, but while GitHub says that it runs nobody takes it.
#[test]
fn a_detached_job_is_nobody_elses_and_is_counted_by_its_own_host() {
    let mut fleet = Fleet::new(2);
    fleet.lease = 3;
    let mut own = fleet.start(1, 1);
    let _receiver = fleet.start(0, 0);
    let job = fleet.order(json!({ "duration_ms": 9000 }))[0];
    fleet.hosts[0].until(job, "in_progress", SOON);
    eventually("it is known", SOON, || fleet.hosts[1].has_said("INFO", "the job runs"));
    own.signal(Signal::SIGTERM);
    eventually("it drains", SOON, || fleet.hosts[1].has_said("INFO", "stopping: no new jobs"));
    own.signal(Signal::SIGTERM);
    assert_eq!(own.wait(SOON).code(), Some(0));
    // Longer than the lease. The other one's first look at what is left behind comes at its start.
    pause(3500);
    let other = fleet.hosts[0].another_host(&[]);
    let text = fleet.configuration_of(&other, 1);
    let _other = Daemon::start(&other, &text, &[], &[]);
    eventually("it has asked", SOON, || other.has_said("INFO", "runs on and is asked about again"));
    assert_eq!(fleet.hosts[1].vms().len(), 1, "the VM stays");
    let _own = fleet.start(1, 1);
    assert_eq!(ended_as(&fleet, job), "success");
    fleet.nothing_is_left(SOON);
    eventually("it is counted", SOON, || fleet.hosts[1].metrics()["total_successful_runs_since_start"] == 1);
    assert_eq!(other.metrics()["total_successful_runs_since_start"], 0);
    assert_eq!(
        fleet.clones(1) + other.anka_calls().iter().filter(|args| args.contains(&"clone".into())).count(),
        1
    );
}

/// A drain gives back what has not started; another host takes it at once, and the try does not count.
#[test]
fn what_a_draining_host_gives_back_another_takes_at_once() {
    let mut fleet = Fleet::new(2);
    fleet.top = "global_job_retry_attempts: 1".into();
    let mut first = fleet.start(1, 1);
    let mut receiver = fleet.start(0, 0);
    fleet.hosts[1].anka("set", &["timing_ms.start=3000"]);
    let job = fleet.order(json!({ "duration_ms": 50 }))[0];
    eventually("it boots", SOON, || fleet.clones(1) == 1);
    assert_eq!(receiver.stop(), 0);
    let _second = fleet.start(0, 1);
    assert_eq!(first.stop(), 0);
    assert_eq!(ended_as(&fleet, job), "success");
    assert_eq!((fleet.clones(0), fleet.clones(1)), (1, 1));
    fleet.nothing_is_left(SOON);
    assert_eq!(fleet.hosts.iter().map(|host| host.said("ERROR").len()).sum::<usize>(), 0);
}
