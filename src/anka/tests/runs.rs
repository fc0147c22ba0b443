//! Commands inside a VM.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::world::*;
use crate::anka::{AnkaError, RunnerCall, Var, scripts, sweep};
use crate::domain::ids::VmName;
use crate::runtime::children;

const TOKEN: &str = "AABBCCTOKEN'\"$(x)";
const VARS: [Var<'static>; 2] = [
    Var { name: scripts::LABELS, value: "a b,$(touch x),`y`", secret: false },
    Var { name: scripts::TOKEN, value: TOKEN, secret: true },
];

/// `anka run -f FILE VM bash -lc LINE` for real, in the values of its file.
const GUEST: &str = r#"cp "$3" $FAKE_DIR/values; ls -l "$3" | cut -c 1-10 > $FAKE_DIR/mode; cd "$FAKE_DIR"
while IFS= read -r pair; do export "$pair"; done < "$3"
exec bash -c "$7"#;

fn guest() -> String {
    format!("{GUEST}\"")
}

#[test]
fn values_reach_the_script_as_they_are_and_stand_in_no_command() {
    let world = World::new("values", &guest());
    let (_log, ticket) = ticket();
    let line = "printf '%s|%s' \"$ANKLET_RUNNER_LABELS\" \"$ANKLET_RUNNER_TOKEN\" > seen; echo done";
    assert_eq!(world.anka.run_script(&ticket, line, &VARS).unwrap(), "done");
    let seen = fs::read_to_string(world.dir.join("seen")).unwrap();
    assert_eq!(seen, format!("a b,$(touch x),`y`|{TOKEN}"));
    assert_eq!(world.told("mode"), "-rw-------");
    assert!(
        world.calls().iter().all(|call| !call.contains(TOKEN) && call.contains(" anklet-vm-1 bash -lc "))
    );
    assert_eq!(world.litter(), 0);
}

#[test]
fn the_lines_call_the_scripts_with_their_arguments_and_keep_the_token_from_the_runner() {
    let world = World::new("lines", &guest());
    let (_log, ticket) = ticket();
    let tell =
        |script: &str| format!("printf '[%s]' {script} \"$@\" ${{{}-no token}} >> seen\n", scripts::TOKEN);
    for script in ["install-runner.bash", "register-runner.bash", "start-runner.bash"] {
        fs::write(world.dir.join(script), tell(script)).unwrap();
    }
    let [name, url] = [Var::open(scripts::NAME, VM), Var::open(scripts::URL, "https://h/o")];
    let base = [name, url, Var::open(scripts::LABELS, "x,y z"), Var::secret(scripts::TOKEN, "t0ken")];
    world.anka.run_script(&ticket, scripts::INSTALL, &[]).unwrap();
    for group in [None, Some(Var::open(scripts::GROUP, "my group"))] {
        let vars: Vec<Var<'_>> = base.into_iter().chain(group).collect();
        world.anka.run_script(&ticket, scripts::REGISTER_AND_START, &vars).unwrap();
    }
    let seen = fs::read_to_string(world.dir.join("seen")).unwrap();
    let register = "[register-runner.bash][anklet-vm-1][t0ken][https://h/o][x,y z]";
    let start = "[start-runner.bash][no][token]";
    let want =
        format!("[install-runner.bash][no][token]{register}[t0ken]{start}{register}[my group][t0ken]{start}");
    assert_eq!(seen, want);
}

#[test]
fn outcomes_of_a_command() {
    let (_log, ticket) = ticket();
    let ran = |name: &str, script: &str| {
        let world = World::new(name, script);
        let ran = world.anka.run_script(&ticket, "x", &VARS);
        assert_eq!(world.litter(), 0, "{name}");
        ran.unwrap_or_else(|e| format!("{e:?}"))
    };
    assert_eq!(ran("empty", "exit 0"), "");
    assert_eq!(ran("exit-3", "echo why; exit 3"), "Exited { code: Some(3), output: \"why\" }");
    assert_eq!(ran("signal", "kill -9 $$"), "Exited { code: None, output: \"\" }");
    assert_eq!(ran("125", "echo lost >&2; exit 125"), "Disconnected(\"lost\")");
    assert_eq!(
        ran("no-vm", r#"echo '{"status":"ERROR","code":3,"message":"m"}'; exit 3"#),
        "NotThere(\"m\")"
    );
    let quiet = r#"echo '{"status":"ERROR","message":"m"}'"#;
    assert_eq!(ran("no-guest", quiet), "Failed { code: 0, message: \"m\" }");
    let own = r#"echo '{"status":"ERROR"}'; echo fine"#;
    assert_eq!(ran("own-words", own), "{\"status\":\"ERROR\"}\\nfine");
    let tells = format!("{GUEST}; exit 1\"");
    let told = World::new("tells", &tells).anka.run_script(&ticket, "echo $ANKLET_RUNNER_TOKEN", &VARS);
    assert_eq!(told.unwrap_err().to_string(), "the command in the VM ended with exit code 1: [secret]");
}

#[test]
fn a_value_with_a_line_break_is_refused() {
    let world = World::new("break", "");
    let (_log, ticket) = ticket();
    let refused = world.anka.run_script(&ticket, "x", &[Var::secret(scripts::TOKEN, "a\nPATH=b")]);
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("ANKLET_RUNNER_TOKEN has a line break") && !text.contains("PATH"), "{text}");
    assert!(world.calls().is_empty());
    assert_eq!(world.litter(), 0);
}

fn start(world: &World) -> RunnerCall {
    let (mut log, ticket) = ticket();
    let runner = log.promise_runner(&ticket).unwrap();
    world.anka.start_runner(&ticket, &runner, "x", &VARS).unwrap()
}

#[test]
fn the_call_that_starts_a_runner_can_be_waited_for() {
    let world = World::new("waited", "echo on the way; echo '{\"status\":\"ERROR\",\"code\":9}'; exit 1");
    let call = start(&world);
    call.ended().recv_timeout(LONG).unwrap();
    assert!(matches!(call.finish(), Err(AnkaError::Failed { code: 9, .. })));
    let world = World::new("waited-ok", "echo up; echo but >&2");
    let call = start(&world);
    call.ended().recv_timeout(LONG).unwrap();
    assert_eq!(call.finish().unwrap(), "up\\nbut");
    assert_eq!(world.litter(), 0);
}

#[test]
fn a_start_script_that_does_not_return_is_left_alone_and_ends_with_its_vm() {
    let script = "[ $1 = delete ] && echo '{\"status\":\"OK\"}' && exit
        [ -p /dev/stdout ] || [ -p /dev/stderr ] && exit 1 # a pipe breaks when the daemon ends
        echo $$ > $FAKE_DIR/pid; until [ -e $FAKE_DIR/go ]; do sleep 0.01; done
        echo text; echo text >&2; echo wrote > $FAKE_DIR/wrote; exec sleep 600";
    let world = World::new("left", script);
    let call = start(&world);
    let pid = world.told("pid");
    assert_eq!(world.litter(), 2, "its values and its lock");
    call.leave();
    assert_eq!(world.litter(), 1, "its lock");
    fs::write(world.dir.join("go"), "").unwrap();
    world.told("wrote");
    assert!(is_alive(&pid), "it can write though nobody listens");
    let (log, _ticket) = ticket();
    world.anka.delete(&log.deletable(None).unwrap()).unwrap();
    assert!(world.ends("pid"));
    assert!(comes_true(|| world.litter() == 0));
}

#[test]
fn a_call_that_is_dropped_or_killed_ends() {
    for kill in [true, false] {
        let world = World::new("dropped", "echo $$ > $FAKE_DIR/pid; sleep 600");
        let call = start(&world);
        world.told("pid");
        if kill {
            call.kill();
        } else {
            drop(call);
        }
        assert!(world.ends("pid"));
        assert_eq!(world.litter(), 0);
    }
}

#[test]
fn a_child_that_outlives_its_daemon_is_found_and_ended() {
    let world = World::new("outlives", "trap '' TERM; echo $$ > $FAKE_DIR/pid; sleep 600 & wait; wait");
    std::mem::forget(start(&world));
    world.told("pid");
    let left = children::of_vm(&world.dir.join("children"), &VmName(VM.into()));
    assert_eq!(left[0].call, "run");
    assert!(left[0].end_group());
    assert!(world.ends("pid"));
}

#[test]
fn a_dead_daemon_s_values_are_swept_away_but_not_those_in_use() {
    let world = World::new("sweep", "echo $$ > $FAKE_DIR/pid; sleep 600");
    let work = world.dir.join("work");
    fs::write(work.join(".anklet-run-1-1"), TOKEN).unwrap();
    fs::write(work.join("mine"), "").unwrap();
    let call = start(&world);
    sweep(&work);
    let mut names: Vec<_> = fs::read_dir(&work).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(names[1], "mine");
    let mode = fs::metadata(work.join(&names[0])).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    call.kill();
}
