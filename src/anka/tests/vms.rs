//! The calls on VMs: their words, and what their answers mean.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::thread;

use super::world::*;
use crate::anka::{AnkaError, StartFailure, template};
use crate::domain::ids::VmName;
use crate::domain::job::VmRequest;
use crate::domain::slots::SlotTable;
use crate::domain::undo::UndoLog;
use crate::runtime::children;

const OK: &str = "echo '{\"status\":\"OK\"}'";

#[test]
fn the_words_of_each_call() {
    let world = World::new("words", OK);
    let (log, ticket) = ticket();
    let right = log.deletable(None).unwrap();
    let script = world.dir.join("install-runner.bash");
    fs::write(&script, "").unwrap();
    world.anka.clone_vm(&ticket, "T", None).unwrap();
    world.anka.clone_vm(&ticket, "T", Some("v 1")).unwrap();
    world.anka.start(&ticket).unwrap();
    world.anka.copy(&ticket, &script).unwrap();
    world.anka.stop(&right).unwrap();
    world.anka.delete(&right).unwrap();
    world.anka.list_running().unwrap();
    world.anka.show("T", Some("v1")).unwrap();
    let want = [
        "-j clone T anklet-vm-1",
        "-j clone -t v 1 T anklet-vm-1",
        "-j start anklet-vm-1",
        &format!("-j cp -a {} anklet-vm-1:", script.display()),
        "-j stop -f anklet-vm-1",
        "-j delete --yes anklet-vm-1",
        "-j list -r",
        "-j show -t v1 T",
    ];
    assert_eq!(world.calls(), want);
    assert_eq!(world.litter(), 0);
}

#[test]
fn a_linked_script_is_copied_itself_under_the_name_of_its_link() {
    let world = World::new("links", OK);
    let (_log, ticket) = ticket();
    fs::create_dir(world.dir.join("real")).unwrap();
    fs::write(world.dir.join("real/a.bash"), "").unwrap();
    symlink("real", world.dir.join("folder")).unwrap();
    symlink("real/a.bash", world.dir.join("b.bash")).unwrap();
    world.anka.copy(&ticket, &world.dir.join("folder/a.bash")).unwrap();
    world.anka.copy(&ticket, &world.dir.join("b.bash")).unwrap();
    let real = fs::canonicalize(world.dir.join("real/a.bash")).unwrap();
    let cp = |target: &str| format!("-j cp -a {} {target}", real.display());
    assert_eq!(world.calls(), [cp("anklet-vm-1:"), cp("anklet-vm-1:b.bash")]);
    let gone = world.anka.copy(&ticket, &world.dir.join("none.bash")).unwrap_err();
    assert!(gone.to_string().contains("none.bash cannot be read"), "{gone}");
}

#[test]
fn a_list_is_read_leniently() {
    let body = r#"[{"name":"T","uuid":"U","version":"v1","status":"stopped","creation_date":"x","more":{}},
        {"name":"r","version":"","status":"Running"},{"name":"n","status":null},{"status":7},"odd",null]"#;
    let world =
        World::new("list", &format!("echo '{{\"status\":\"OK\",\"body\":{}}}'", body.replace('\n', "")));
    let seen: Vec<_> =
        world.anka.list().unwrap().into_iter().map(|vm| (vm.name, vm.tag, vm.running)).collect();
    let vm = |name: &str, tag: Option<&str>, running| (name.to_owned(), tag.map(str::to_owned), running);
    let want = [vm("T", Some("v1"), false), vm("r", None, true), vm("n", None, false), vm("", None, false)];
    assert_eq!(seen, want);
    let running: Vec<_> = world.anka.list_running().unwrap().into_iter().map(|vm| vm.name).collect();
    assert_eq!(running, ["r", "n", ""], "`-r` lists what runs; only another status says otherwise");
}

#[test]
fn a_failed_start_is_want_of_room_only_when_two_others_run() {
    let world = |name: &str, running: &str| {
        World::new(
            name,
            &format!(
                "case $1 in start) echo '{{\"status\":\"ERROR\",\"code\":5,\"message\":\"two VMs run\"}}'; exit 1;;
                 *) echo '{{\"status\":\"OK\",\"body\":[{running}]}}';; esac"
            ),
        )
    };
    let vm = |name: &str| format!("{{\"name\":\"{name}\",\"status\":\"running\"}}");
    let (_log, ticket) = ticket();
    let failed = |world: &World| world.anka.start(&ticket).unwrap_err();
    let full = world("full", &[vm("a"), vm("b")].join(","));
    assert!(matches!(failed(&full), StartFailure::NoRoom { running: 2 }));
    assert_eq!(full.calls(), ["-j start anklet-vm-1", "-j list -r"]);
    let own = world("own", &[vm("a"), vm(VM)].join(","));
    assert!(matches!(failed(&own), StartFailure::Failed(AnkaError::Failed { code: 5, .. })));
    let lost = world("lost", "oops");
    assert!(matches!(failed(&lost), StartFailure::Failed(AnkaError::Failed { code: 5, .. })));
}

#[test]
fn what_is_not_there_is_deleted_whether_or_not_anka_has_a_code_for_it() {
    let (log, _ticket) = ticket();
    let right = log.deletable(None).unwrap();
    let coded = "echo '{\"status\":\"ERROR\",\"code\":3}'; exit 3";
    World::new("coded", coded).anka.delete(&right).unwrap();
    let mute = |listed: &str| {
        format!(
            "[ $1 = list ] && echo '{{\"status\":\"OK\",\"body\":[{{\"name\":\"{listed}\"}}]}}' && exit
             echo '{{\"status\":\"ERROR\",\"message\":\"not found\"}}'; exit 1"
        )
    };
    World::new("mute", &mute("other")).anka.delete(&right).unwrap();
    let there = World::new("there", &mute(VM)).anka.delete(&right);
    assert!(matches!(there, Err(AnkaError::Failed { code: 1, .. })), "no text decides: {there:?}");
    let garbage = World::new("garbage", "echo not found; exit 3").anka.delete(&right);
    assert!(matches!(garbage, Err(AnkaError::Garbage { .. })));
}

#[test]
fn a_child_that_works_on_a_vm_is_known_as_long_as_it_lives() {
    let world =
        World::new("known", "echo $$ > $FAKE_DIR/pid; read < <(sleep 0.3); echo '{\"status\":\"OK\"}'");
    let dir = world.dir.join("children");
    let (_log, ticket) = ticket();
    let slot = ticket.slot();
    let anka = world.anka.clone();
    let call = thread::spawn(move || anka.clone_vm(&ticket, "T", None));
    let pid = world.told("pid");
    let left = children::of_slot(&dir, slot);
    assert_eq!((left.len(), left[0].call.as_str(), left[0].vm.0.as_str()), (1, "clone", VM));
    let file = fs::read_dir(&dir).unwrap().next().unwrap().unwrap().path();
    assert!(comes_true(|| fs::read_to_string(&file).unwrap().trim() == pid), "its process group");
    call.join().unwrap().unwrap();
    assert!(children::of_slot(&dir, slot).is_empty());
    assert_eq!(world.litter(), 0);
}

#[test]
fn a_vm_can_be_deleted_though_no_lock_can_be_made_but_not_cloned() {
    let world = World::new("no-lock", OK);
    fs::write(world.dir.join("children"), "").unwrap();
    let (log, ticket) = ticket();
    assert!(matches!(world.anka.clone_vm(&ticket, "T", None), Err(AnkaError::NotStarted(_))));
    world.anka.delete(&log.deletable(None).unwrap()).unwrap();
    assert_eq!(world.calls(), ["-j delete --yes anklet-vm-1"]);
}

#[test]
fn a_child_works_for_the_slot_that_its_vm_has_now() {
    let (log, ticket) = ticket();
    assert_eq!(ticket.slot(), 0);
    let page = log.page().unwrap().clone();
    let mut found = UndoLog::new(Box::new(Free), Some(page));
    assert_eq!(found.deletable(None).unwrap().slot(), 0, "as the page says");
    found.retake(SlotTable::new(Arc::new(Free)).retake_vm(&VmName(VM.into()), 1));
    assert_eq!(found.deletable(None).unwrap().slot(), 1);
}

#[test]
fn a_tag_costs_a_call_only_when_it_is_not_the_current_one() {
    let script = r#"case $1 in
        list) echo '{"status":"OK","body":[{"name":"T","uuid":"U-1","version":"v2","status":"stopped"}]}';;
        show) echo '{"status":"OK","body":[{"tag":"v1"},{"tag":"v2"},{}]}';; esac"#;
    let world = World::new("tags", script);
    let list = world.anka.list().unwrap();
    let choice = |template: &str, tag: Option<&str>| {
        let wanted = VmRequest { template: template.into(), tag: tag.map(str::to_owned) };
        let presence = world.anka.presence(&list, &wanted).unwrap();
        template::choose(presence, &wanted, template::Pulling::Allowed)
    };
    let used =
        |tag: Option<&str>| template::Choice::Use { template: "U-1".into(), tag: tag.map(str::to_owned) };
    assert_eq!(choice("u-1", Some("v2")), used(None));
    assert_eq!(choice("T", None), template::Choice::Pull { local: true });
    assert_eq!(choice("none", Some("v1")), template::Choice::Pull { local: false });
    assert_eq!(world.calls(), ["-j list"]);
    assert_eq!(choice("u-1", Some("v1")), used(Some("v1")));
    assert_eq!(choice("u-1", Some("v3")), template::Choice::Pull { local: true });
    assert_eq!(world.calls()[1..], ["-j show U-1 tag", "-j show U-1 tag"]);
}
