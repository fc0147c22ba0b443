//! Rows of the job's life, through the real binary. Each file is one theme.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod anka; // a CLI that fails, lies, hangs
mod app; // signing in as a GitHub App
pub mod approval; // a person must say yes first
pub mod attempts; // what counts, how often, and what then
mod budget; // how many calls GitHub gets
pub mod cancel; // a person says no
pub mod crossing; // runners and jobs find other partners
pub mod deliveries; // lost, late, doubled
mod fleet; // many handlers, two VMs
mod just_in_time; // runners that GitHub makes, and their groups
mod labels; // data, or malformed
mod limits; // what GitHub refuses
mod minutes; // what waits so long
pub mod races; // stops and starts that meet
pub mod restart; // what an earlier daemon left
mod runner; // that does not come, does not end, or goes away
mod scopes; // organizations, letter case, split daemons
mod secrets; // what nobody may see
mod shown; // status, totals, drain file
mod store_away; // and back
mod template; // the rule: use, pull, not here
pub mod uncounted; // no room, limits, outages, drain

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{World, eventually, world};

const SOON: Duration = Duration::from_secs(25);

#[test]
fn one_job_from_the_webhook_to_a_clean_host() {
    let world = World::new();
    let mut daemon = world.start(1);
    let job = world.order(json!({}))[0];
    let done = world.until(job, "completed", SOON);
    assert_eq!(done["ended_as"], "success");
    eventually("the host is clean", SOON, || world.vms().is_empty() && world.runners().is_empty());
    eventually("the success is counted", SOON, || world.metrics()["total_successful_runs_since_start"] == 1);
    assert_eq!(daemon.stop(), 0);
    world.assert_clean();
    assert_eq!(world.said("ERROR"), [""; 0]);
    assert_eq!(world.said("WARN"), [""; 0]);
    assert!(!world.log_text().contains(world::TOKEN), "the token is in the log");
    let calls = world.anka_calls();
    assert!(
        !calls.iter().flatten().any(|word| word.contains(world::TOKEN)),
        "the token is in the process list"
    );
}

/// Waits until the job is over, and says how.
#[track_caller]
fn end_of(world: &World, job: u64) -> String {
    world.until(job, "completed", SOON)["ended_as"].as_str().unwrap().to_owned()
}

/// Waits until nothing of any job is left: no VM, no runner, no page of the journal.
#[track_caller]
fn clean(world: &World) {
    eventually("the host is clean", SOON, || {
        world.vms().is_empty() && world.runners().is_empty() && world.pages().is_empty()
    });
}

/// The calls of `anka` whose arguments begin so, `-j` and `-r` aside.
fn calls(world: &World, call: &str) -> Vec<Vec<String>> {
    let words: Vec<&str> = call.split(' ').collect();
    let is_it = |args: &Vec<String>| {
        args.iter().filter(|arg| !arg.starts_with('-')).zip(&words).filter(|(a, w)| a == *w).count()
            == words.len()
    };
    world.anka_calls().into_iter().filter(is_it).collect()
}

/// The calls of GitHub's API so far that begin with this method and hold this part of a path.
fn asked(world: &World, method: &str, part: &str) -> u64 {
    let state = world.state();
    let all = state["calls"].as_object().unwrap();
    let those = all.iter().filter(|(call, _)| call.starts_with(method) && call.contains(part));
    those.filter_map(|(_, count)| count.as_u64()).sum()
}

/// What the simulated GitHub knows of a job now.
fn job_now(world: &World, job: u64) -> Value {
    let state = world.state();
    state["jobs"].as_array().unwrap().iter().find(|known| known["id"] == job).unwrap().clone()
}

/// Waits until a runner of ours is online, and gives its name.
#[track_caller]
fn online_runner(world: &World) -> String {
    let mut name = String::new();
    eventually("a runner is online", SOON, || {
        let state = world.state();
        let ours = |runner: &&Value| runner["name"].as_str().unwrap().starts_with("anklet-vm-");
        let online =
            state["runners"].as_array().unwrap().iter().filter(ours).find(|runner| runner["online"] == true);
        name = online.map(|runner| runner["name"].as_str().unwrap().to_owned()).unwrap_or_default();
        !name.is_empty()
    });
    name
}

/// Puts a script of the test's in the place of one of the three.
fn script(world: &World, name: &str, text: &str) {
    for machine in world.machines() {
        let folder = machine.dir.join(".config/anklet/plugins/handlers/github");
        fs::write(folder.join(format!("{name}-runner.bash")), text).unwrap();
    }
}

/// Starts the runner and returns at once.
const QUICK_START: &str =
    "cd actions-runner && { setsid bash ./run.sh </dev/null >>anklet-runner.log 2>&1 & }\n";

/// A plugin's row in the metrics; null while its daemon has not begun.
fn row(world: &World, name: &str) -> Value {
    let all = world.metrics();
    all["plugins"].as_array().unwrap().iter().find(|row| row["name"] == name).cloned().unwrap_or_default()
}

/// Waits until the plugin shows this status.
#[track_caller]
fn shows(world: &World, name: &str, status: &str) {
    eventually(&format!("{name} shows {status}"), SOON, || row(world, name)["status"] == status);
}

/// Waits until a line of this level says this.
#[track_caller]
fn says(world: &World, level: &str, words: &str) {
    eventually(&format!("{level}: {words}"), SOON, || world.has_said(level, words));
}

/// One handler more at the end of a configuration, with further lines of its own.
fn and_handler(configuration: &str, name: &str, lines: &[&str]) -> String {
    let rest: Vec<String> = lines.iter().map(|line| format!("  {line}\n")).collect();
    let usual = "  plugin: github\n  owner: acme\n  repo: app\n";
    format!("{configuration}- name: {name}\n{usual}{}", rest.concat())
}
