//! What nobody may see: tokens, and the daemon's own variables.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::support::Daemon;
use crate::support::world::{SECRET, TOKEN};

/// Every file below `dir` that holds this text, the simulated GitHub's own aside.
pub fn files_with(dir: &Path, text: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() {
            files_with(&path, text, found);
        } else if kind.is_file() {
            let bytes = fs::read(&path).unwrap_or_default();
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
}

/// An `anka` in front of the simulated one that writes down what it was given.
fn spy(world: &World) -> String {
    let path = world.dir.join("spy");
    let (real, notes) = (world.dir.join("anka/bin/anka"), world.dir.join("notes"));
    let text = format!(
        "#!/bin/bash\nprintf '%s\\n' \"ARGV $*\" >>{notes}.argv\nenv >>{notes}.env\n\
         while [[ $# -gt 0 ]]; do if [[ $1 == -f ]]; then ls -l \"$2\" >>{notes}.files; cp \"$2\" {notes}.values; fi; \
         set -- \"$@\" \"$1\"; shift; ((++n == ${{total:=$#}})) && break; done\nexec {real} \"$@\"\n",
        notes = notes.display(),
        real = real.display(),
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

#[test]
fn tokens_are_in_no_log_no_argument_and_no_file_that_is_left() {
    let world = World::new();
    let top = format!("anka_path: {}\nwork_dir: {}", spy(&world), world.dir.display());
    let env =
        [("LOG_LEVEL", "DEBUG"), ("RUNNER1_TOKEN", TOKEN), ("ANKLET_X", "secret-x"), ("ANKA_LOG", "kept")];
    let text = world.configuration(1, &top);
    let mut daemon = Daemon::start(&world, &text, &[], &env);
    world.wait_until_it_serves();
    let job = world.order(json!({ "duration_ms": 3000 }))[0];
    world.until(job, "in_progress", SOON);
    let values = fs::read_to_string(world.dir.join("notes.values")).unwrap();
    let token = values.lines().find_map(|line| line.strip_prefix("ANKLET_RUNNER_TOKEN=")).unwrap().to_owned();
    assert!(token.starts_with("AAB"), "{values}");
    let files = fs::read_to_string(world.dir.join("notes.files")).unwrap();
    assert!(files.lines().all(|line| line.starts_with("-rw-------")), "{files}");
    for file in files.lines().map(|line| line.rsplit(' ').next().unwrap()) {
        eventually(&format!("{file} is deleted"), SOON, || !Path::new(file).exists());
    }
    assert_eq!(job_now(&world, job)["status"], "in_progress", "they are deleted long before the job ends");
    assert_eq!(end_of(&world, job), "success");
    assert_eq!(job_now(&world, job)["leaks"], json!([]), "the job could see it");
    clean(&world);
    assert_eq!(daemon.stop(), 0);
    fs::remove_file(world.dir.join("notes.values")).unwrap();
    for (what, allowed) in [(token.as_str(), ""), (TOKEN, "config.yml"), (SECRET, "config.yml")] {
        let mut found = Vec::new();
        files_with(&world.dir, what, &mut found);
        found.retain(|file| !file.contains("/github/") && (allowed.is_empty() || !file.ends_with(allowed)));
        assert!(found.is_empty(), "{what} is in {found:?}");
    }
    let env = fs::read_to_string(world.dir.join("notes.env")).unwrap();
    for line in env.lines() {
        let name = line.split('=').next().unwrap();
        assert!(!name.starts_with("ANKLET_") && name != "LOG_LEVEL" && name != "RUNNER1_TOKEN", "{line}");
    }
    assert!(env.contains("ANKA_LOG=kept"), "the rest is inherited");
}

#[test]
fn a_run_never_uses_e_and_no_call_is_insecure() {
    let world = World::new();
    let _daemon = world.start(1);
    let job = world.order(json!({}))[0];
    assert_eq!(end_of(&world, job), "success");
    clean(&world);
    for call in world.anka_calls() {
        assert_eq!(call[0], "-j", "{call:?}");
        assert!(!call.iter().any(|arg| arg == "-E" || arg == "--insecure"), "{call:?}");
        if call[1] == "cp" {
            assert!(call[2] == "-a" && call.len() == 5, "{call:?}");
        }
    }
}
