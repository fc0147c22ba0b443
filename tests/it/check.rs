//! The configuration through the binary: files, faults, environment, `anklet check`.
#![expect(clippy::disallowed_methods, reason = "makes a key")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use crate::support::daemon::{Daemon, command};
use crate::support::world::{self, SECRET, TOKEN};
use crate::support::{World, eventually};

const SOON: Duration = Duration::from_secs(15);

/// The Go program's file of the ordering document, with its fault of indentation.
const SEED: &str = include_str!("config/go-plugins.yml");

/// `anklet check` of this text.
fn check(world: &World, text: &str) -> (Option<i32>, String) {
    let file = world.dir.join("own.yml");
    fs::write(&file, text).unwrap();
    let output = command(world).args(["check", "-c", "own.yml"]).output().unwrap();
    (output.status.code(), said(&output))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// All but the simulated GitHub's list of calls.
fn tree(world: &World) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut open = vec![world.dir.clone()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
            }
            if !entry.path().ends_with("calls.log") {
                found.insert(entry.path());
            }
        }
    }
    found
}

/// With a key and a folder for logs that are there.
fn seed(world: &World) -> String {
    let key = world.dir.join("key.pem");
    let made = Command::new("openssl").arg("genrsa").arg("-out").arg(&key).arg("2048").output().unwrap();
    assert!(made.status.success(), "{}", said(&made));
    SEED.replace("/Users/me/app.private-key.pem", key.to_str().unwrap())
        .replace("/Users/me/Library/Logs/", world.dir.to_str().unwrap())
}

#[test]
fn the_seed_s_example_is_refused_at_its_line_and_loads_when_it_is_mended() {
    let world = World::new();
    let text = seed(&world);
    let line = text.lines().position(|line| line == "      plugin: github").unwrap() + 1;
    let (code, said) = check(&world, &text);
    assert_eq!(code, Some(3));
    assert!(said.contains(&format!("own.yml:{line}: ")), "{said}");
    let port = world::free_port();
    // Nobody is at this port, neither a Redis nor a GitHub.
    let away = format!("\ngithub_api_url: http://127.0.0.1:{port}\n");
    let mended = text.replace("\n      ", "\n    ").replace("6379", &port.to_string()) + &away;
    let (code, said) = check(&world, &mended);
    assert_eq!(code, Some(6), "no Redis is there: {said}");
    assert!(said.contains(&port.to_string()), "{said}");
    let alone: Vec<&str> = mended.lines().filter(|line| !line.starts_with("global_database_")).collect();
    let (code, said) = check(&world, &alone.join("\n"));
    assert_eq!(code, Some(1), "no GitHub is there: {said}");
    let output = command(&world).args(["check", "--offline", "-c", "own.yml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    for name in ["GITHUB_WEBHOOK_RECEIVER", "RUNNER1", "RUNNER2"] {
        assert!(said.contains(name), "{said}");
    }
    assert!(!said.contains("github_pat"), "{said}");
}

#[test]
fn check_starts_and_creates_nothing() {
    let world = World::new();
    let good = format!("state_dir: ./s\nwork_dir: ./w\nplugins_path: ./p\n{}", world.configuration(2, ""));
    let bad = good.replace("port: ", "port: x");
    for (text, wanted) in [(&good, 0), (&bad, 3)] {
        fs::write(world.dir.join("own.yml"), text).unwrap();
        let before = tree(&world);
        let (code, said) = check(&world, text);
        assert_eq!(code, Some(wanted), "{said}");
        assert_eq!(tree(&world), before);
    }
}

#[test]
fn every_fault_is_told_at_once_with_line_key_value_and_remedy() {
    let world = World::new();
    let text = "\
work_dir: [a]
metrics: {port: 0}
plugins:
- name: A
  plugin: github
  owner: acme
  token: ghp_canary_5f2a
  sleep_interval: soon
- name: a
  plugin: githup
  owner:
- name: R
  plugin: github_receiver
  owner: acme
  port: 99999
  skip_redeliver: perhaps
";
    let (code, said) = check(&world, text);
    assert_eq!(code, Some(3));
    let wanted = [
        ("own.yml:1: work_dir: ", ""),
        ("own.yml:2: metrics.port: ", "\"0\""),
        ("own.yml:8: plugins[0].sleep_interval: ", "\"soon\""),
        ("own.yml:10: plugins[1].plugin: ", "\"githup\""),
        ("plugins[1].owner: ", "missing"),
        ("own.yml:15: plugins[2].port: ", "\"99999\""),
        ("plugins[2].secret: ", "missing"),
        ("own.yml:16: plugins[2].skip_redeliver: ", "\"perhaps\""),
    ];
    for (begin, value) in wanted {
        let line = said.lines().find(|line| line.contains(begin));
        assert!(line.is_some_and(|line| line.contains(value)), "{begin} {value}: not in\n{said}");
    }
    assert!(said.lines().all(|line| line.starts_with("own.yml:")), "one line each:\n{said}");
    assert!(!said.contains("canary"), "{said}");
}

#[test]
fn what_is_no_configuration_is_told_in_one_line() {
    let world = World::new();
    let huge = "# comment\n".repeat(200_000);
    let texts = [
        "",
        "# nothing\n",
        "[]",
        "text",
        "plugins: []",
        "plugins: {}",
        "plugins:\n\t- name: A\n",
        "a: b: c\n",
        "\u{0}",
        "plugins: &a [*a]\n",
        &huge,
        &"[".repeat(100_000),
        "{",
        "metrics: {}\nmetrics: {}\n",
        "--- a\n--- b\n",
    ];
    for text in texts {
        let (code, said) = check(&world, text);
        let shown = &text[..text.len().min(20)];
        assert_eq!(code, Some(3), "{shown:?}: {said}");
        assert!(said.starts_with("own.yml:") && said.lines().count() <= 2, "{shown:?}: {said}");
    }
}

#[test]
fn a_file_that_cannot_be_had_is_named() {
    let world = World::new();
    for file in ["missing.yml", ".", "/dev/zero"] {
        for arguments in [&["check", "-c", file][..], &["-c", file]] {
            let output = command(&world).args(arguments).output().unwrap();
            assert_eq!(output.status.code(), Some(3), "{arguments:?}");
            assert!(said(&output).contains(file), "{}", said(&output));
        }
    }
    let output = command(&world).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).contains(".config/anklet/config.yml"), "{}", said(&output));
}

#[test]
fn a_variable_names_another_file_beside_the_usual_one() {
    let world = World::new();
    let folder = world.dir.join(".config/anklet");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("night.yml"), world.configuration(0, "")).unwrap();
    let output = command(&world).arg("check").env("ANKLET_CONFIG_FILE_NAME", "night.yml").output().unwrap();
    assert!(output.status.success() && said(&output).contains("night.yml"), "{}", said(&output));
    let output = command(&world).arg("check").env("ANKLET_CONFIG_FILE_NAME", "day.yml").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).contains("day.yml"), "{}", said(&output));
}

#[test]
fn unknown_keys_are_warned_of_with_the_nearest_known_one() {
    let world = World::new();
    let text = format!("wrok_dir: ./\n{}  slep_interval: 5\n  workflows: {{}}\n", world.configuration(1, ""));
    let (code, said) = check(&world, &text);
    assert_eq!(code, Some(0), "{said}");
    for (key, meant) in [("wrok_dir", "work_dir"), ("plugins[1].slep_interval", "sleep_interval")] {
        let line = said.lines().find(|line| line.contains(key)).unwrap_or_else(|| panic!("{key}: {said}"));
        assert!(line.starts_with("warning: ") && line.contains(meant), "{line}");
    }
    let old = said.lines().find(|line| line.contains("workflows")).unwrap();
    assert!(!old.starts_with("warning"), "{old}");
}

#[test]
fn a_mistyped_key_is_told_beside_the_fault_that_it_makes() {
    let world = World::new();
    let text = world.configuration(1, "").replace("  owner: acme", "  onwer: acme");
    let (code, said) = check(&world, &text);
    assert_eq!(code, Some(3), "{said}");
    let line = said.lines().find(|line| line.contains("onwer")).unwrap_or_else(|| panic!("{said}"));
    assert!(line.starts_with("warning: own.yml:") && line.ends_with(" owner"), "{said}");
    assert!(said.contains("plugins[0].owner: is missing"), "{said}");
}

#[test]
fn the_environment_wins_over_the_file_and_an_empty_variable_is_none() {
    let world = World::new();
    let text =
        world.configuration(0, "").replace(&format!("port: {}\n  bind", world.port), "port: 1\n  bind");
    let port = world.port.to_string();
    let env = [
        ("RECEIVER_PORT", port.as_str()),
        ("RECEIVER_OWNER", ""),
        ("RECEIVER_REPO", "from-env"),
        ("ANKLET_GLOBAL_RECEIVER_SECRET", "from env"),
        ("ANKLET_WORK_DIR", "made"),
        ("ANKLET_PID_FILE_DIR", "pids/here"),
    ];
    let mut daemon = Daemon::start(&world, &text, &[], &env);
    world.wait_until_it_serves();
    let row = world.metrics()["plugins"][0].clone();
    assert_eq!((row["owner_name"].as_str(), row["repo_name"].as_str()), (Some("acme"), Some("from-env")));
    let told = crate::support::web::deliver(&world.receiver(), "from env", "ping", "{}");
    assert_eq!(told.0, 200);
    assert!(world.dir.join("made").is_dir());
    let pid = fs::read_to_string(world.dir.join("pids/here/anklet.pid")).unwrap();
    assert_eq!(pid.trim(), daemon.pid().to_string());
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn no_fault_and_no_warning_shows_a_secret() {
    let world = World::new();
    let canary = "canary-7d1e-do-not-show";
    let texts = [
        format!("global_token: [{canary}]\nplugins: {canary}\n"),
        format!("metrics: {{port: {canary}}}\nglobal_token: {canary}\nplugins: []\n"),
        format!(
            "global_private_key: \"-----BEGIN RSA PRIVATE KEY-----\\n{canary}\"\nplugins:\n- {{name: A, plugin: github, owner: x, app_id: 1}}\n"
        ),
        format!(
            "global_database_url: redis://me:{canary}@host:port/x\nplugins:\n- {{name: A, plugin: github, owner: x, token: {canary}, {canary}: 1}}\n"
        ),
        format!("{}  secret:\n  - {canary}\n  - [{canary}]\n", world.configuration(0, "")),
        format!("global_token: {canary}\n  plugins: [\n"),
    ];
    for text in texts {
        let (_, said) = check(&world, &text);
        assert!(!said.contains(&canary[..12]), "{text}\nsays\n{said}");
    }
}

#[test]
fn no_home_folder_wants_a_state_folder() {
    let world = World::new();
    fs::write(world.dir.join("own.yml"), world.configuration(0, "")).unwrap();
    let bare = |env: &[(&str, &str)]| {
        let output = command(&world)
            .env_remove("HOME")
            .envs(env.iter().copied())
            .args(["check", "-c", "own.yml"])
            .output();
        output.map(|output| (output.status.code(), said(&output))).unwrap()
    };
    let (code, said) = bare(&[]);
    assert_eq!(code, Some(3));
    assert!(said.contains("state_dir") && said.contains("HOME"), "{said}");
    assert_eq!(bare(&[("ANKLET_STATE_DIR", "./state")]).0, Some(0));
}

#[test]
fn any_number_in_a_pid_file_is_taken_over_and_the_file_is_ours_alone_to_remove() {
    let world = World::new();
    let file = world.dir.join("anklet.pid");
    for stale in ["", "garbage\n", "99999999999999\n", &format!("{}\n", std::process::id())] {
        fs::write(&file, stale).unwrap();
        let mut daemon = world.start(0);
        assert_eq!(fs::read_to_string(&file).unwrap().trim(), daemon.pid().to_string());
        assert_eq!(daemon.stop(), 0);
    }
    let mut killed = world.start(0);
    killed.kill();
    let mut daemon = world.start(0);
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn an_aggregator_beside_plugins_is_a_fault() {
    let world = World::new();
    let text = world.configuration(1, "").replace("metrics:\n", "metrics:\n  aggregator: true\n");
    let (code, said) = check(&world, &text);
    assert_eq!(code, Some(3));
    assert!(said.contains("metrics.aggregator"), "{said}");
}

#[test]
fn nothing_that_was_configured_reaches_the_log_whole() {
    let world = World::new();
    let mut daemon = Daemon::start(&world, &world.configuration(1, ""), &[], &[("LOG_LEVEL", "DEBUG")]);
    world.wait_until_it_serves();
    eventually("the handler is idle", SOON, || world.metrics()["plugins"][1]["status"] == "idle");
    assert_eq!(daemon.stop(), 0);
    let text = world.log_text();
    assert!(!text.contains(TOKEN) && !text.contains(SECRET), "{text}");
}
