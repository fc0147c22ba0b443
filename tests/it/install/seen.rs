//! Real daemons are seen by the scripts wherever they were started, and whatever their configuration is called and says.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::json;

use super::home::{Answer, Home};
use crate::support::daemon::{Daemon, command};
use crate::support::world::free_port;
use crate::support::{World, eventually, pause};

const SOON: std::time::Duration = std::time::Duration::from_secs(20);

/// A daemon in the foreground of a folder of its own, by a configuration of another name.
fn elsewhere(world: &World, configuration: &str) -> Daemon {
    let folder = world.dir.join("elsewhere");
    fs::create_dir_all(&folder).unwrap();
    let _ = fs::remove_file(world.dir.join(".config/anklet/config.yml"));
    fs::write(world.dir.join(".config/anklet/mac.yml"), configuration).unwrap();
    Daemon::of(command(world).current_dir(&folder).env("ANKLET_CONFIG_FILE_NAME", "mac.yml"))
}

/// `scripts/uninstall`, only tried.
fn uninstall(home: &Home) -> Answer {
    home.run("uninstall", &["--dry-run"])
}

#[track_caller]
fn refused(home: &Home, words: &str) {
    let answer = uninstall(home);
    assert!(answer.code == 1 && answer.err.contains(words), "{words}: {}{}", answer.out, answer.err);
}

#[test]
fn a_receiver_or_an_aggregator_in_another_folder_is_seen() {
    let world = World::new();
    let home = Home::of(&world);
    home.tool("systemctl", "false");
    home.tool("uname", "echo Linux");
    let aggregator = format!(
        "metrics:\n  aggregator: true\n  port: {}\n  metrics_urls: [\"http://127.0.0.1:{}/metrics\"]\n",
        free_port(),
        free_port()
    );
    for configuration in [world.configuration(0, ""), aggregator] {
        let mut daemon = elsewhere(&world, &configuration);
        home.install(&[]);
        eventually("it is seen", SOON, || uninstall(&home).code == 1);
        let who = format!("process {}", daemon.pid());
        refused(&home, &format!("a daemon runs ({who})"));
        let told = home.install(&["--binary", "/bin/true"]).out;
        assert!(told.contains(&who) && told.contains("two signals"), "{told}");
        home.install(&[]);
        let service = home.run("install", &["--service"]);
        assert!(service.code == 1 && service.err.contains(&who), "{}{}", service.out, service.err);
        assert_eq!(daemon.stop(), 0);
        assert_eq!(uninstall(&home).code, 0);
        assert!(!leaves_a_note(&world));
    }
}

#[test]
fn a_journal_in_another_folder_is_seen_after_its_daemon_s_end_and_its_death() {
    let world = World::new();
    let home = Home::of(&world);
    home.install(&[]);
    let configuration = world.configuration(1, &format!("state_dir: {}/far away", world.dir.display()));
    let page = world.dir.join("far away/journal/RUNNER1.json");
    for end in [Signal::SIGINT, Signal::SIGKILL] {
        let mut daemon = elsewhere(&world, &configuration);
        world.wait_until_it_serves();
        let job = world.order(json!({ "duration_ms": 600_000 }))[0];
        let run = world.until(job, "in_progress", SOON)["run_id"].clone();
        refused(&home, "a daemon runs");
        daemon.signal(end);
        pause(200);
        if daemon.is_running() {
            daemon.signal(end);
        }
        daemon.wait(SOON);
        refused(&home, "far away/journal is open (RUNNER1.json)");
        // What the message advises.
        world.control(&format!("runs/{run}/cancel"), &json!({}));
        let mut daemon = elsewhere(&world, &configuration);
        eventually("the VM is gone", SOON, || world.vms().is_empty() && !page.exists());
        assert_eq!(daemon.stop(), 0);
        assert_eq!(uninstall(&home).code, 0);
    }
}

/// Whether the run folder has a daemon's note.
fn leaves_a_note(world: &World) -> bool {
    let notes = fs::read_dir(world.dir.join(".config/anklet/run")).unwrap().flatten();
    notes.into_iter().any(|entry| entry.file_name().to_str().unwrap().starts_with("daemon-"))
}
