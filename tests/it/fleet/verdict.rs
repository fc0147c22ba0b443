//! After a siege: every job was done once, none was lost, the queue is empty and the hosts are clean.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anklet::domain::entry::State;
use anklet::domain::ids::JobId;
use serde_json::Value;

use crate::support::redis::say;
use crate::support::{Fleet, World, pause, web};

/// Lines that an outage of the store may cause.
const OUTAGE: [&str; 2] = ["failed to look for work 5 times in a row", "the store"];

/// Waits until GitHub has every job done and nobody holds anything; deliveries that were lost come again meanwhile.
#[track_caller]
pub fn all_is_done(fleet: &Fleet, jobs: &[u64], limit: Duration) {
    let end = Instant::now() + limit;
    let queue = fleet.queue();
    loop {
        fleet.hosts[0].bring_back_lost();
        let open: Vec<String> =
            jobs_of(&fleet.hosts[0]).iter().filter(|job| job["status"] != "completed").map(shown).collect();
        let held = queue.list().unwrap_or_default();
        let left: Vec<String> =
            fleet.hosts.iter().flat_map(|host| [host.vms(), host.pages()].concat()).collect();
        let known = jobs.iter().filter(|job| queue.entry(JobId(**job)).is_ok_and(|entry| entry.is_some()));
        if open.is_empty() && held.is_empty() && left.is_empty() && known.count() == jobs.len() {
            return;
        }
        assert!(
            Instant::now() < end,
            "not done in {limit:?}: open {open:#?}\nheld {held:#?}\nleft {left:#?}\n{}",
            folders(fleet)
        );
        pause(500);
    }
}

/// Each job started once, on one runner, ended as it should, cost no counted try, and was counted by one host.
#[track_caller]
pub fn each_was_done_once(fleet: &Fleet, jobs: &[u64], blows: usize) {
    let queue = fleet.queue();
    let all = jobs_of(&fleet.hosts[0]);
    assert_eq!(all.len(), jobs.len());
    for job in &all {
        let told = job["history"].to_string();
        let (starts, ends) = (told.matches("in_progress on").count(), told.matches("completed:").count());
        assert_eq!((starts, ends), (1, 1), "{job:#}");
        assert_eq!(job["ended_as"], "success", "{job:#}\n{}", folders(fleet));
        assert!(!told.contains("cancel"), "{job:#}");
        let id = JobId(job["id"].as_u64().unwrap());
        let entry = queue.entry(id).unwrap().unwrap();
        let State::Over(ending) = &entry.state else { panic!("{entry:#?}") };
        let runner = ending.runner.as_ref().map(|runner| runner.0.as_str());
        assert_eq!(runner, job["runner_name"].as_str(), "{entry:#?}\n{}", folders(fleet));
        assert_eq!((entry.attempts, &ending.hold), (0, &None), "{entry:#?}\n{}", folders(fleet));
    }
    let (mut counted, mut clones): (BTreeMap<u64, BTreeSet<usize>>, usize) = (BTreeMap::new(), 0);
    for (at, host) in fleet.hosts.iter().enumerate() {
        clones += fleet.clones(at);
        for line in host.log().iter().filter(|line| line["msg"] == "the job is over: success") {
            counted.entry(line["workflowJobId"].as_u64().unwrap()).or_default().insert(at);
        }
        let errors = host.said("ERROR");
        let strange = errors.iter().find(|line| !OUTAGE.iter().any(|known| line.contains(known)));
        assert_eq!(strange, None, "{}", folders(fleet));
    }
    let doubled: Vec<_> = counted.iter().filter(|(_, hosts)| hosts.len() > 1).collect();
    assert!(doubled.is_empty(), "counted by two hosts: {doubled:?}\n{}", folders(fleet));
    let uncounted: Vec<&u64> = jobs.iter().filter(|job| !counted.contains_key(job)).collect();
    println!("{} jobs, {clones} VMs, not counted: {uncounted:?}", jobs.len());
    // A blow costs no more than the VMs that were being made: two places a host.
    assert!(clones >= jobs.len() && clones <= jobs.len() + blows * 2 * fleet.hosts.len(), "{clones} VMs");
}

/// No VM, runner, page, child; no claim, lease or place in the queue.
#[track_caller]
pub fn nothing_is_left(fleet: &mut Fleet) {
    fleet.nothing_is_left(Duration::from_secs(10));
    for host in &fleet.hosts {
        host.assert_clean();
        let children =
            std::fs::read_dir(host.dir.join(".config/anklet/run/children")).map_or(0, Iterator::count);
        assert_eq!(children, 0, "{}", host.dir.display());
        let text = std::fs::read_to_string(host.dir.join("anka/world.json")).unwrap();
        let world: Value = serde_json::from_str(&text).unwrap();
        assert!(world["peak_running"].as_u64().is_some_and(|peak| peak <= 2), "{}", world["peak_running"]);
        let panics = std::fs::read_to_string(host.dir.join("stderr")).unwrap_or_default();
        assert!(!panics.contains("panicked"), "{panics}");
    }
    let mut client = fleet.redis.client();
    let mut size =
        |verb: &str, name: &str| say::<u64>(&mut client, &[verb, &format!("anklet:{{fleet}}:{name}")]);
    assert_eq!(size("HLEN", "holds"), 0);
    for set in ["queued", "parked", "claimed", "running", "dead", "leases", "waiting", "pauses", "classes"] {
        assert_eq!(size("ZCARD", set), 0, "{set}");
    }
    assert_eq!(
        (size("HLEN", "jobs"), size("ZCARD", "runners")),
        (size("ZCARD", "over"), size("ZCARD", "over"))
    );
}

fn jobs_of(world: &World) -> Vec<Value> {
    web::get_json(&format!("{}/_sim/state", world.github))["jobs"].as_array().unwrap().clone()
}

fn shown(job: &Value) -> String {
    format!("{} {} {}", job["id"], job["status"], job["history"])
}

/// Where to look; with what GitHub knows.
fn folders(fleet: &Fleet) -> String {
    let state = web::get(&format!("{}/_sim/state", fleet.hosts[0].github)).1;
    let _ = std::fs::write(fleet.hosts[0].dir.join("state.json"), state);
    let folders: Vec<String> = fleet.hosts.iter().map(|host| host.dir.display().to_string()).collect();
    folders.join("\n")
}
