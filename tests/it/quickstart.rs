//! The quickstart's tour, without its build: what a newcomer sees first must work, and leave nothing.

use std::process::{Command, Output};

const STEPS: [&str; 6] = ["queued", "claimed", "VM", "running", "done", "cleaned"];

#[test]
fn eight_jobs_move_and_nothing_is_left() {
    let folder = std::env::temp_dir().join(format!("anklet-tour-{}", std::process::id()));
    let tour = tour(&["--folder", &folder.to_string_lossy()]);
    let (shown, wrong) = (text(&tour.stdout), text(&tour.stderr));
    assert!(tour.status.success(), "{wrong}\n{shown}");
    for step in STEPS {
        assert!(shown.lines().any(|line| line.split_whitespace().nth(3) == Some(step)), "{step}: {shown}");
    }
    assert!(!shown.contains('\u{1b}'), "coloured though it is no terminal");
    assert!(shown.contains("all well"), "{shown}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "a test may start a program")]
fn tour(options: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anklet-sim"));
    command.args(["tour", "--clone", env!("CARGO_MANIFEST_DIR")]).args(options).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
