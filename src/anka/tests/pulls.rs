//! Registry and pull.

use std::fs;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use super::world::*;
use crate::anka::AnkaError;
use crate::domain::ids::VmName;
use crate::domain::slots::{Lock, Places, SlotTable};
use crate::runtime::stop::{self, Urgency};

#[test]
fn the_words_of_each_call() {
    let world = World::new("registry-words", "echo '{\"status\":\"OK\"}'");
    let (named, default) = (world.anka.registry(Some("https://reg")), world.anka.registry(None));
    let uuid = "A6F24306-2AF7-45ED-9D70-3A3C1EE7F03A";
    named.list().unwrap();
    default.show("T", None).unwrap();
    named.pull(&pull_slot(), uuid, Some("v1")).unwrap();
    default.pull(&pull_slot(), "Name", None).unwrap();
    assert_eq!(world.anka.default_registry().unwrap(), None);
    let want = [
        "-j registry -r https://reg list",
        "-j registry show T",
        "-j registry -r https://reg pull -t v1 a6f24306-2af7-45ed-9d70-3a3c1ee7f03a",
        "-j registry pull Name",
        "-j registry --list",
    ];
    assert_eq!(world.calls(), want);
}

#[test]
fn what_a_registry_has() {
    let world = World::new(
        "registry-has",
        r#"case $2 in
        list) echo '{"status":"OK","body":[{"id":"1","name":"a","latest":"v2"},{"name":"b"},3]}';;
        *) echo '{"status":"OK","body":[{"name":"x","default":false},{"name":"y","url":"u","default":true}]}';; esac"#,
    );
    let list = world.anka.registry(None).list().unwrap();
    assert_eq!(list.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(list[0].latest.as_deref(), Some("v2"));
    assert_eq!(world.anka.default_registry().unwrap().as_deref(), Some("y"));
}

/// A pull lock that is a file.
struct PullFile(File);
impl Lock for PullFile {
    fn note(&mut self, _vm: &VmName) {}
    fn share(&self) -> Option<OwnedFd> {
        self.0.try_clone().ok().map(OwnedFd::from)
    }
}
struct PullPlace(PathBuf);
impl Places for PullPlace {
    fn lock_slot(&self, _slot: usize) -> Option<Box<dyn Lock>> {
        None
    }
    fn reclaim_slot(&self, _slot: usize) -> Option<Box<dyn Lock>> {
        None
    }
    fn lock_pull(&self) -> Option<Box<dyn Lock>> {
        let file = File::create(&self.0).unwrap();
        file.try_lock().ok().map(|()| Box::new(PullFile(file)) as Box<dyn Lock>)
    }
    fn noted(&self) -> Vec<VmName> {
        Vec::new()
    }
}

#[test]
fn the_pull_lock_is_the_child_s_as_long_as_it_lives_and_nobody_s_then() {
    let script =
        "echo $$ > $FAKE_DIR/pid; until [ -e $FAKE_DIR/go ]; do sleep 0.01; done; echo '{\"status\":\"OK\"}'";
    let world = World::new("pull-lock", script);
    let table = SlotTable::new(Arc::new(PullPlace(world.dir.join("pull.lock"))));
    let (slot, registry) = (table.take_pull().unwrap(), world.anka.registry(None));
    let pull = thread::spawn(move || registry.pull(&slot, "T", None));
    world.told("pid");
    assert!(table.take_pull().is_none());
    fs::write(world.dir.join("go"), "").unwrap();
    assert!(comes_true(|| table.take_pull().is_some()));
    pull.join().unwrap().unwrap();
}

#[test]
fn a_pull_is_not_limited_as_long_as_it_goes_on() {
    let script = "for i in 1 2 3 4 5 6 7 8; do echo \"{\\\"progress\\\":$i}\"; sleep 0.15; done
        echo '{\"status\":\"OK\"}'";
    let world = World::with("goes-on", script, |options| options.pull_stall = 2 * SHORT);
    world.anka.registry(None).pull(&pull_slot(), "T", None).unwrap();
}

#[test]
fn a_pull_without_news_is_ended() {
    let scripts = [
        ("mute", "sleep 600"),
        ("closed", "exec >&- 2>&-; sleep 600"),
        ("same", "for i in {1..200}; do echo '{\"progress\":1}'; sleep 0.02; done"),
        ("noise", "for i in {1..200}; do echo $i; sleep 0.02; done"),
    ];
    for (name, script) in scripts {
        let script = format!("echo $$ > $FAKE_DIR/pid; {script}");
        let world = World::with(&format!("stall-{name}"), &script, |options| options.pull_stall = SHORT);
        let ended = world.anka.registry(None).pull(&pull_slot(), "T", None);
        assert!(matches!(ended, Err(AnkaError::Stalled(SHORT))), "{name}: {ended:?}");
        assert!(world.ends("pid"), "{name}");
    }
}

#[test]
fn no_such_template_is_told_by_the_code() {
    let world = World::new(
        "no-template",
        "echo '{\"progress\":1}'; echo '{\"status\":\"ERROR\",\"code\":3}'; exit 3",
    );
    let ended = world.anka.registry(None).pull(&pull_slot(), "T", None);
    assert!(ended.is_err_and(|e| e.is_not_there()));
    let world = World::new("no-code", "echo 'T: not found'; exit 1");
    let ended = world.anka.registry(None).pull(&pull_slot(), "T", None);
    assert!(matches!(ended, Err(AnkaError::Garbage { .. })));
}

#[test]
fn a_stop_ends_a_pull() {
    let world = World::new("stop-pull", "echo $$ > $FAKE_DIR/pid; sleep 600");
    let (mut handle, stop) = stop::stop();
    let registry = world.anka.until(stop.ends_at(Urgency::Drain)).registry(None);
    let pull = thread::spawn(move || registry.pull(&pull_slot(), "T", None));
    world.told("pid");
    let begin = Instant::now();
    handle.drain();
    assert!(matches!(pull.join().unwrap(), Err(AnkaError::Stopped)));
    assert!(begin.elapsed() < LONG);
    assert!(world.ends("pid"));
}
