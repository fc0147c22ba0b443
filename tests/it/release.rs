//! What reads released binaries from outside, held against binaries with one fault each, and the release itself where
//! there is one.
#![expect(clippy::disallowed_methods, reason = "the scripts are driven from outside")]

mod macho; // a program for Macs with any one fault

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use macho::Program;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn next() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

/// Runs a script of the project: its exit code and all that it says. `None` when it has skipped, which is said.
fn run(script: &str, arguments: &[&Path]) -> Option<(i32, String)> {
    let output = Command::new(root().join("scripts").join(script)).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if output.status.code() == Some(77) {
        eprint!("{said}");
        return None;
    }
    Some((output.status.code().unwrap(), said))
}

/// What the check says of a file of this name and content.
fn look(name: &str, content: &[u8]) -> Option<(i32, String)> {
    let folder = std::env::temp_dir().join(format!("anklet-release-{}-{}", std::process::id(), next()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(name);
    fs::write(&file, content).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    let answer = run("check-release", &[&file]);
    let _ = fs::remove_dir_all(&folder);
    answer
}

fn refuses(name: &str, content: &[u8], why: &str) {
    let Some((code, said)) = look(name, content) else { return };
    assert_eq!(code, 1, "{said}");
    assert!(
        said.lines().any(|line| line.starts_with("check-release: WRONG") && line.contains(why)),
        "{said}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_that_needs_the_host_s_libraries_is_no_release() {
    let dynamic = fs::read("/bin/true").unwrap();
    refuses("anklet-0.0.0-linux-x86_64", &dynamic, "asks for an interpreter");
    refuses("anklet-0.0.0-linux-x86_64", &dynamic, "asks for libraries");
    refuses("anklet-0.0.0-linux-x86_64", &dynamic, "does not run");
    refuses("anklet-0.0.0-macos-arm64", &dynamic, "is no program for ARM64");
}

const ARM: &str = "anklet-0.0.0-macos-arm64";

#[test]
fn a_program_for_macs_is_read() {
    if let Some((code, said)) = look(ARM, &Program::default().bytes()) {
        assert_eq!(code, 0, "{said}");
    }
    refuses("anklet-0.0.0-macos-x86_64", &Program::default().bytes(), "is no program for X86_64");
    refuses(ARM, b"#!/bin/sh\n", "is no program for ARM64");
}

#[test]
fn a_program_for_newer_macs_or_with_foreign_libraries_is_no_release() {
    refuses(
        ARM,
        &Program { oldest: [12, 3], ..Program::default() }.bytes(),
        "is for macOS 12.3, not for 11.0",
    );
    let library = "/opt/homebrew/lib/libsqlite3.dylib";
    refuses(ARM, &Program { library, ..Program::default() }.bytes(), library);
}

#[test]
fn a_signature_covers_every_page() {
    refuses(ARM, &Program { signed: false, ..Program::default() }.bytes(), "is not signed");
    let whole = Program::default().bytes();
    for at in [macho::PAGE - 1, macho::PAGE + 1] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        refuses(ARM, &changed, &format!("page {} is not what was signed", at / macho::PAGE));
    }
    refuses(ARM, &[whole.as_slice(), b"more"].concat(), "does not end the file");
}

/// Skips, aloud, where nothing has been released: a release takes some minutes for each system.
#[test]
fn what_was_released_holds() {
    if let Some((code, said)) = run("check-release", &[]) {
        assert_eq!(code, 0, "{said}");
    }
}
