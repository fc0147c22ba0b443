//! What the daemon tells: levels, forms, places, a file that is moved away or cannot be written.
#![expect(clippy::disallowed_methods, reason = "starts daemons on a terminal of their own")]

mod streams; // standard output and standard error

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::daemon::Daemon;
use crate::support::{World, eventually, web, world};

const SOON: Duration = Duration::from_secs(15);

/// Makes the receiver say one more line: about a repository that is not ours.
fn provoke(world: &World, number: u32) {
    let mut payload: Value =
        serde_json::from_str(include_str!("../webhooks/workflow_job.06.queued.json")).unwrap();
    payload["repository"]["full_name"] = json!(format!("stranger/no-{number}"));
    assert_eq!(web::deliver(&world.receiver(), world::SECRET, "workflow_job", &payload.to_string()).0, 200);
}

fn start(world: &World, level: &str) -> Daemon {
    let daemon = Daemon::start(world, &world.configuration(0, ""), &[], &[("LOG_LEVEL", level)]);
    world.wait_until_it_serves();
    daemon
}

fn levels(world: &World) -> Vec<String> {
    let mut seen: Vec<String> = world.log().iter().map(|l| l["level"].as_str().unwrap().to_owned()).collect();
    seen.sort();
    seen.dedup();
    seen
}

#[test]
fn a_level_keeps_out_what_is_below_it() {
    for (level, wanted) in [
        ("ERROR", &[][..]),
        ("warn", &["WARN"]),
        ("INFO", &["INFO", "WARN"]),
        ("", &["INFO", "WARN"]),
        ("Debug", &["DEBUG", "INFO", "WARN"]),
    ] {
        let world = World::new();
        let mut daemon = start(&world, level);
        provoke(&world, 1);
        let ping = include_str!("../webhooks/ping.json");
        assert_eq!(web::deliver(&world.receiver(), world::SECRET, "ping", ping).0, 200);
        assert_eq!(daemon.stop(), 0);
        assert_eq!(levels(&world), wanted, "LOG_LEVEL={level}\n{}", world.log_text());
    }
}

#[test]
fn an_unknown_level_is_named_and_means_info() {
    let world = World::new();
    let mut daemon = start(&world, "verbose");
    assert_eq!(daemon.stop(), 0);
    assert!(world.has_said("WARN", "LOG_LEVEL") && world.has_said("WARN", "verbose"), "{}", world.log_text());
    assert_eq!(levels(&world), ["INFO", "WARN"]);
}

#[test]
fn each_line_has_its_time_level_and_version_and_a_plugin_s_line_the_plugin() {
    let world = World::new();
    let mut daemon = start(&world, "DEBUG");
    provoke(&world, 1);
    assert_eq!(daemon.stop(), 0);
    for line in world.log() {
        let time = line["time"].as_str().unwrap();
        let (day, rest) = time.split_once('T').unwrap();
        assert_eq!(
            (day.len(), rest.as_bytes()[8], rest.len()),
            (10, b'.', "17:10:08.726639-04:00".len()),
            "{time}"
        );
        assert!(rest[15..].starts_with(['+', '-']), "the offset is written as numbers: {time}");
        assert!(line["level"].is_string() && line["msg"].is_string() && line["ankletVersion"].is_string());
    }
    let log = world.log();
    let about = log.iter().find(|line| line["msg"].as_str().unwrap().contains("stranger/no-1")).unwrap();
    assert_eq!(about["pluginName"], "RECEIVER", "{about}");
    assert_eq!(
        (&about["plugin"], &about["owner"], &about["repo"]),
        (&json!("github_receiver"), &json!("acme"), &json!("app"))
    );
}

#[test]
fn the_developers_form_has_the_place_in_the_source() {
    for level in ["dev", "DEBUG-PRETTY"] {
        let world = World::new();
        let mut daemon = start(&world, level);
        assert_eq!(daemon.stop(), 0);
        let text = fs::read_to_string(world.dir.join("stderr")).unwrap();
        let plain = without_colours(&text);
        let first = plain.lines().next().unwrap();
        // [HH:MM:SS.mmm] INFO: … {
        assert_eq!((first.find(']'), &first[3..4], &first[9..10]), (Some(13), ":", "."), "{first}");
        assert!(first.contains("] INFO: ") && first.ends_with(" {"), "{first}");
        assert!(
            plain.contains("\"source\": {\n    \"file\": \"src/") && plain.contains("\"line\": "),
            "{plain}"
        );
        assert_ne!(text, plain, "it is coloured");
    }
}

#[test]
fn a_file_that_is_renamed_away_is_opened_anew() {
    let world = World::new();
    let mut daemon = world.start(0);
    let file = world.dir.join("anklet.log");
    for number in 0..3 {
        provoke(&world, number);
        fs::rename(&file, world.dir.join(format!("anklet.log.{number}"))).unwrap();
    }
    provoke(&world, 3);
    assert_eq!(daemon.stop(), 0);
    for number in 0..3 {
        let text = fs::read_to_string(world.dir.join(format!("anklet.log.{number}"))).unwrap();
        assert_eq!(text.matches("stranger/no-").count(), 1, "{text}");
        assert!(text.contains(&format!("stranger/no-{number}")), "{text}");
    }
    assert!(world.log_text().contains("stranger/no-3"));
}

#[test]
fn a_full_disk_stops_nothing_and_the_lost_lines_are_told() {
    let world = World::new();
    let mut daemon = world.start(0);
    eventually("all of the start is said", SOON, || world.has_said("INFO", "takes deliveries"));
    let file = world.dir.join("anklet.log");
    fs::remove_file(&file).unwrap();
    symlink("/dev/full", &file).unwrap();
    for number in 0..5 {
        provoke(&world, number);
    }
    fs::remove_file(&file).unwrap();
    provoke(&world, 5);
    let page = web::get(&format!("http://127.0.0.1:{}/metrics?format=prometheus", world.metrics_port)).1;
    assert!(page.contains("\nanklet_log_dropped_lines_total 5\n"), "{page}");
    assert_eq!(daemon.stop(), 0);
    assert!(world.has_said("WARN", "5 log lines were dropped"), "{}", world.log_text());
    assert!(world.log_text().contains("stranger/no-5"));
}

#[test]
fn each_plugin_can_have_a_file_of_its_own_as_well() {
    let world = World::new();
    let mut daemon = world.start_with(&world.configuration(1, "log: {split_by_plugin: true}"));
    provoke(&world, 1);
    assert_eq!(daemon.stop(), 0);
    let own = fs::read_to_string(world.dir.join("anklet-RECEIVER.log")).unwrap();
    assert!(own.contains("stranger/no-1") && own.lines().all(|line| line.contains("\"RECEIVER\"")), "{own}");
    assert!(world.dir.join("anklet-RUNNER1.log").exists());
    assert!(world.log_text().contains("stranger/no-1"), "the whole log has all");
}

#[test]
fn a_folder_that_the_file_names_and_that_is_not_there_is_a_fault_with_its_line() {
    let world = World::new();
    let text = world.configuration(0, "log:\n  file_dir: ./logz");
    let line = text.lines().position(|line| line.contains("file_dir")).unwrap() + 1;
    let mut daemon = Daemon::start(&world, &text, &[], &[]);
    assert_eq!(daemon.wait(SOON).code(), Some(3));
    let said = fs::read_to_string(world.dir.join("stderr")).unwrap();
    assert!(said.contains(&format!("config.yml:{line}: log.file_dir: \"./logz\"")), "{said}");
    assert!(!world.dir.join("logz").exists() && !world.dir.join(".config/anklet/state").exists());
}

#[test]
fn a_folder_that_the_environment_names_is_made() {
    let world = World::new();
    let folder = world.dir.join("deep/logs");
    let env = [("ANKLET_LOG_FILE_DIR", folder.to_str().unwrap())];
    let mut daemon = Daemon::start(&world, &world.configuration(0, "log: {file_dir: /nowhere}"), &[], &env);
    world.wait_until_it_serves();
    assert_eq!(daemon.stop(), 0);
    assert!(folder.join("anklet.log").exists());
}

#[test]
fn a_log_that_cannot_be_opened_ends_the_start() {
    let world = World::new();
    fs::create_dir(world.dir.join("anklet.log")).unwrap();
    let mut daemon = Daemon::start(&world, &world.configuration(0, ""), &[], &[]);
    assert_eq!(daemon.wait(SOON).code(), Some(3));
    let said = fs::read_to_string(world.dir.join("stderr")).unwrap();
    assert!(said.contains("anklet.log") && said.lines().count() == 1, "{said}");
}

fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain += before;
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    plain + rest
}
