//! Standard output and standard error: what is written there comes through, is told once, and what is lost is counted.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{SOON, provoke, without_colours};
use crate::support::daemon::{ANKLET, Daemon, command};
use crate::support::{World, eventually, pause, web};

#[test]
fn a_dash_means_standard_output_and_no_file() {
    let world = World::new();
    let folder = world.dir.join(".config/anklet");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.yml"), world.configuration(0, "log: {file_dir: \"-\"}")).unwrap();
    let child = command(&world).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    world.wait_until_it_serves();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id() as i32), nix::sys::signal::Signal::SIGTERM)
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 2 && lines.iter().all(|line| line["msg"].is_string()));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "it is said once");
    assert!(!world.dir.join("anklet.log").exists());
}

#[test]
fn a_line_lost_on_standard_output_is_counted_once() {
    let world = World::new();
    let file = world.dir.join("own.yml");
    fs::write(&file, world.configuration(0, "log: {file_dir: \"-\"}")).unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$0\" -c \"$1\" >/dev/full", ANKLET]).arg(&file);
    let mut daemon =
        Daemon::of(shell.current_dir(&world.dir).env("HOME", &world.dir).env_remove("LOG_LEVEL"));
    world.wait_until_it_serves();
    let lost = || {
        let page = web::get(&format!("http://127.0.0.1:{}/metrics?format=prometheus", world.metrics_port)).1;
        let line = page.lines().find_map(|line| line.strip_prefix("anklet_log_dropped_lines_total "));
        line.unwrap().parse::<u64>().unwrap()
    };
    let mut before = lost();
    eventually("all of the start is lost", SOON, || {
        pause(300);
        std::mem::replace(&mut before, lost()) == lost()
    });
    for number in 0..5 {
        provoke(&world, number);
    }
    eventually("they are lost", SOON, || lost() >= before + 5);
    pause(300);
    assert_eq!(lost(), before + 5);
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn why_it_does_not_start_comes_through_a_slow_pipe() {
    let world = World::new();
    let folder = world.dir.join(".config/anklet");
    fs::create_dir_all(&folder).unwrap();
    let mut first = world.start(0);
    fs::write(folder.join("config.yml"), world.configuration(0, "log: {file_dir: \"-\"}")).unwrap();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    for size in [4096, 1] {
        while (&theirs).write(&vec![b'\n'; size]).is_ok() {}
    }
    theirs.set_nonblocking(false).unwrap();
    let mut command = command(&world);
    let mut second = command.stdout(OwnedFd::from(theirs)).stderr(Stdio::piped()).spawn().unwrap();
    drop(command); // and with it our end of theirs
    let mut said = String::new();
    BufReader::new(second.stderr.take().unwrap()).read_line(&mut said).unwrap();
    assert!(said.contains("anklet.pid"), "{said}");
    // The log's line waits for the reader; so does the process, for a moment.
    pause(100);
    let mut text = String::new();
    ours.read_to_string(&mut text).unwrap();
    assert_eq!(second.wait().unwrap().code(), Some(4));
    let line: Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!((&line["level"], first.stop()), (&json!("ERROR"), 0), "{line}");
}

#[test]
fn a_terminal_sees_the_same_in_short_form() {
    if Command::new("script").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("skipped: there is no program `script` here that gives a daemon a terminal");
        return;
    }
    let world = World::new();
    let file = world.dir.join("own.yml");
    fs::write(&file, world.configuration(0, "")).unwrap();
    let line = format!("{ANKLET} -c {} & sleep 1.5; kill -INT $!; wait", file.display());
    let output = command(&world).args(["--help"]).output().unwrap();
    assert!(output.status.success());
    let seen = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .current_dir(&world.dir)
        .env("HOME", &world.dir)
        .env_remove("LOG_LEVEL")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&seen.stdout).into_owned();
    let plain = without_colours(&text);
    assert_ne!(text, plain, "it is coloured");
    let told = world.log();
    assert!(told.len() > 3);
    for event in &told {
        let msg = event["msg"].as_str().unwrap();
        assert!(plain.contains(msg), "{msg} is not in\n{plain}");
    }
    let first = plain.lines().next().unwrap();
    assert_eq!((&first[2..3], &first[5..6]), (":", ":"), "{first}");
}
