//! How children end, and what they leave.

use std::ffi::OsStr;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::world::*;
use crate::anka::{AnkaError, find};
use crate::runtime::stop::{self, Urgency};

/// The outcome of `list`, which stands for every call.
fn outcome(world: &World) -> String {
    match world.anka.list() {
        Ok(list) => format!("{} VMs", list.len()),
        Err(e) => format!("{e:?}"),
    }
}

#[test]
fn answers_and_exit_codes() {
    let cases = [
        ("ok", r#"echo '{"status":"OK","body":[{"name":"a"},{}]}'"#, "2 VMs"),
        ("no-body", r#"echo '{"status":"OK"}'"#, "0 VMs"),
        ("no-newline", r#"printf '{"status":"OK","body":[]}'"#, "0 VMs"),
        ("error-0", r#"echo '{"status":"ERROR","code":3,"message":"x"}'"#, "NotThere(\"x\")"),
        ("ok-7", r#"echo '{"status":"OK"}'; exit 7"#, "Failed { code: 7, message: \"\" }"),
        ("closed", r#"echo '{"status":"OK","body":[]}'; exec >&- 2>&-; sleep 0.1"#, "0 VMs"),
        ("stdin", r#"cat; echo '{"status":"OK","body":[]}'"#, "0 VMs"),
        (
            "silent",
            "echo the reason >&2; exit 1",
            "Garbage { ended: \"exit code 1\", output: \"the reason\" }",
        ),
        (
            "killed",
            r#"echo '{"status":"OK"}'; kill -9 $$"#,
            r#"Garbage { ended: "ended by a signal", output: "{\"status\":\"OK\"}" }"#,
        ),
        (
            "object",
            r#"echo '{"status":"OK","body":{"a":1}}'"#,
            r#"Garbage { ended: "a body that no list has", output: "{\"a\":1}" }"#,
        ),
    ];
    for (name, script, want) in cases {
        let world = World::new(name, script);
        assert_eq!(outcome(&world), want, "{name}");
        assert_eq!(world.calls(), ["-j list"]);
    }
}

#[test]
fn binary_output_and_a_flood_leave_the_answer_readable() {
    let flood =
        "head -c 200000000 /dev/zero; head -c 1000 /dev/urandom >&2; echo; echo '{\"status\":\"OK\"}'";
    assert_eq!(outcome(&World::new("flood", flood)), "0 VMs");
}

#[test]
fn what_cannot_be_started_is_an_error() {
    let world = World::with("absent", "", |options| options.program = "/nowhere/anka".into());
    assert!(matches!(world.anka.list(), Err(AnkaError::NotStarted(_))));
    let world = World::with("plain", "", |options| options.program = options.work_dir.clone());
    assert!(matches!(world.anka.list(), Err(AnkaError::NotStarted(_))));
}

#[test]
fn a_time_limit_ends_the_whole_group_also_a_deaf_or_a_stopped_one() {
    let tell = "echo $$ > $FAKE_DIR/pid; (trap '' TERM; echo $BASHPID > $FAKE_DIR/sub; sleep 600) & ";
    for (name, script) in [
        ("plain", "wait"),
        ("deaf", "trap '' TERM; wait; wait"),
        ("stopped", "trap 'echo bye > $FAKE_DIR/bye; exit' TERM; kill -STOP $$; wait"),
    ] {
        let world = World::with(&format!("limit-{name}"), &format!("{tell}{script}"), |options| {
            options.command_timeout = SHORT;
        });
        let (_log, ticket) = ticket();
        let begin = Instant::now();
        let ended = world.anka.clone_vm(&ticket, "T", None);
        assert!(matches!(ended, Err(AnkaError::TimeLimit(SHORT))), "{name}: {ended:?}");
        assert!(begin.elapsed() < Duration::from_secs(5), "{name}");
        assert!(world.ends("pid") && world.ends("sub"), "{name}");
        assert_eq!(world.dir.join("bye").exists(), name == "stopped", "a stopped child can tidy up");
    }
}

#[test]
fn a_stop_ends_a_call_at_once_and_none_is_begun_after_it() {
    let world = World::new("stop", "echo $$ > $FAKE_DIR/pid; sleep 600");
    let (mut handle, stop) = stop::stop();
    let anka = world.anka.until(stop.ends_at(Urgency::Drain));
    let call = thread::spawn(move || anka.list());
    world.told("pid");
    let begin = Instant::now();
    handle.drain();
    assert!(matches!(call.join().unwrap(), Err(AnkaError::Stopped)));
    assert!(begin.elapsed() < Duration::from_secs(2));
    assert!(world.ends("pid"));
    let world = World::with("stopped", "", |options| options.program = "/nowhere/anka".into());
    assert!(matches!(world.anka.until(stop.ends_at(Urgency::Drain)).list(), Err(AnkaError::Stopped)));
}

#[test]
fn a_leaked_grandchild_is_ended_but_not_what_start_leaves() {
    let script = "sleep 600 & echo $! > $FAKE_DIR/pid; echo '{\"status\":\"OK\"}'";
    let world = World::new("leak", script);
    let begin = Instant::now();
    assert_eq!(outcome(&world), "0 VMs");
    assert!(begin.elapsed() < Duration::from_secs(5));
    assert!(world.ends("pid"));
    let world = World::new("leak-start", script);
    let (_log, ticket) = ticket();
    world.anka.start(&ticket).unwrap();
    let pid = world.told("pid");
    assert!(is_alive(&pid), "a VM's own process lives on");
    Command::new("kill").args(["-9", &pid]).status().unwrap();
}

#[test]
fn children_have_the_given_environment_and_no_other() {
    let world = World::new("env", "env > $FAKE_DIR/env; echo '{\"status\":\"OK\"}'");
    assert_eq!(outcome(&world), "0 VMs");
    let names = |line: &String| line.split('=').next().unwrap_or_default().to_owned();
    let mut seen: Vec<String> = lines(&world.dir.join("env")).iter().map(names).collect();
    seen.retain(|name| !["PWD", "SHLVL", "_", "OLDPWD"].contains(&name.as_str()));
    seen.sort();
    assert_eq!(seen, ["FAKE_DIR", "PATH"]);
}

#[test]
fn the_program_is_found_on_the_path() {
    let world = World::new("find", "");
    fs::create_dir(world.dir.join("work/anka")).unwrap();
    let path = format!("relative:/nowhere:{0}/work:{0}:/bin", world.dir.display());
    let anka = world.dir.join("anka");
    assert_eq!(find(OsStr::new(&path), "anka"), Some(anka.clone()));
    assert_eq!(find(OsStr::new(&path), "draft"), None, "not executable");
    assert_eq!(find(OsStr::new(""), "anka"), None);
    assert_eq!(find(OsStr::new(""), anka.to_str().unwrap()), Some(anka));
}
