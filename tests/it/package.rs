//! What operators copy: example configurations and the container's, each loaded by the real binary. GitHub and the
//! database that they name are not asked.
#![expect(clippy::disallowed_methods, reason = "what the image's build runs is run")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::World;
use crate::support::daemon::command;

/// Reads this file of the project with `anklet check`, in a home folder of its own.
fn check(file: &str, env: &[(&str, &str)]) -> (Option<i32>, String) {
    let world = World::new();
    let file = root().join(file);
    let mut check = command(&world);
    let Output { status, stdout, stderr } =
        check.args(["check", "--offline", "-c"]).arg(&file).envs(env.iter().copied()).output().unwrap();
    (status.code(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

#[test]
fn the_examples_are_without_faults_and_warnings() {
    let mut seen = 0;
    for example in fs::read_dir(root().join("config/examples")).unwrap().map(|entry| entry.unwrap().path()) {
        let (code, said) = check(example.to_str().unwrap(), &[]);
        assert_eq!(code, Some(0), "{}: {said}", example.display());
        // A capability that is still to come is no fault of the example.
        let warned = said.lines().filter(|line| line.starts_with("warning") && !line.contains(": not yet"));
        assert_eq!(warned.collect::<Vec<_>>(), [""; 0], "{}", example.display());
        seen += 1;
    }
    assert_eq!(seen, 5);
}

#[test]
fn the_container_s_receiver_is_without_faults() {
    let (code, said) = check(
        "config/docker/receiver.yml",
        &[
            ("ANKLET_GLOBAL_DATABASE_URL", "127.0.0.1"),
            ("ANKLET_GLOBAL_RECEIVER_SECRET", "from the environment"),
        ],
    );
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("; 0 warnings"), "{said}");
}

/// The variables of the compose file are the daemon's, and those of `.env` are asked for.
#[test]
fn the_compose_file_names_variables_that_there_are() {
    let rows = anklet::config::keys::top_rows();
    let text = read("config/docker/compose.yml");
    let names = text.lines().filter_map(|line| line.trim_start().split_once(": ")).map(|(name, _)| name);
    let ours: Vec<&str> = names.filter(|name| name.starts_with("ANKLET_")).collect();
    assert!(ours.len() > 6, "{ours:?}");
    for name in ours {
        assert!(rows.iter().any(|row| row.variable == name), "{name} is no variable of anklet");
    }
    let example = read("config/docker/env.example");
    let asked = text.split("${").skip(1).map(|rest| rest.split([':', '}', ',']).next().unwrap());
    for name in asked {
        assert!(example.contains(&format!("\n{name}=")), "{name} is not in env.example");
    }
}

#[test]
fn the_image_is_built_by_the_compiler_of_the_manifest() {
    let manifest = read("Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"")).unwrap();
    let from = format!("FROM rust:{}-alpine ", version.trim_end_matches('"'));
    assert!(read("config/docker/Dockerfile").contains(&from), "{from}");
}

/// Beside the sources the image's program is built, in a release's archive it is there.
#[test]
fn the_image_takes_the_archive_s_program_or_builds_one() {
    let text = read("config/docker/Dockerfile").replace("\\\n", "");
    let run = text.lines().find_map(|line| line.strip_prefix("RUN ")).unwrap();
    let folder = std::env::temp_dir().join(format!("anklet-image-{}", std::process::id()));
    let script = |name: &str, text: &str| {
        let file = folder.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let taken = || {
        let path = format!("{}:/usr/bin:/bin", folder.join("bin").display());
        let mut shell = Command::new("sh");
        let done = shell.args(["-c", run]).env("PATH", path).current_dir(&folder).output().unwrap();
        (done.status.success(), fs::read_to_string(folder.join("taken")).unwrap_or_default())
    };
    script("config/docker/layout", "echo \"$@\" >taken");
    script("bin/cargo", "mkdir -p target/release");
    assert_eq!(taken(), (true, "target/release/anklet /system /own\n".into()));
    // That of another system.
    fs::write(folder.join("anklet"), [0xcf, 0xfa, 0xed, 0xfe]).unwrap();
    script("bin/cargo", "exit 101");
    fs::remove_file(folder.join("taken")).unwrap();
    assert_eq!(taken(), (false, String::new()));
    script("anklet", "exit 0");
    assert_eq!(taken(), (true, "anklet /system /own\n".into()));
    assert!(read("config/docker/Dockerfile.dockerignore").contains("\n!anklet\n"));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn nothing_of_the_compose_file_is_root_and_its_secrets_are_not_committed() {
    let file: serde_yaml::Value = serde_yaml::from_str(&read("config/docker/compose.yml")).unwrap();
    assert_eq!(file["services"]["redis"]["user"], "redis", "its image is root's");
    assert!(read("config/docker/Dockerfile").contains("\nUSER 65532:65532\n"));
    assert!(read(".gitignore").lines().any(|line| line == "/config/docker/.env"));
}
