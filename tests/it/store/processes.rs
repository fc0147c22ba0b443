//! Several daemons on one file: races, kill -9, a full disk.

#![expect(clippy::disallowed_methods, reason = "tests start and kill processes")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anklet::domain::ids::ClaimId;
use anklet::store::{Store, StoreError};

use super::world::{Folder, Hands, START, acme, ask, claimed, open, word};
use crate::life::dice::{Dice, seed};
use crate::life::model::{owner, queued};

const ROLE: &str = "ANKLET_TEST_STORE_ROLE";
const FOLDER: &str = "ANKLET_TEST_STORE_FOLDER";

/// This program again, doing only what `role` says over the folder's store.
fn child(role: &str, folder: &Path, shell: Option<&str>) -> Child {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new("bash");
    let script = format!("{}; exec \"$0\" \"$@\"", shell.unwrap_or(":"));
    command.arg("-c").arg(script).arg(program);
    command.args(["--exact", "store::processes::another_process", "--nocapture", "--quiet"]);
    command.env(ROLE, role).env(FOLDER, folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().expect("a child")
}

/// Not a test of its own: what a child does.
#[test]
fn another_process() {
    let (Ok(role), Some(folder)) = (std::env::var(ROLE), std::env::var_os(FOLDER)) else { return };
    let store = open(Path::new(&folder), &Hands::at(START)).queue("acme");
    let say = |word: &str, id: u64| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{word} {id}").and_then(|()| out.flush()).is_ok()
    };
    match role.as_str() {
        "claim" => {
            assert!(say("ready", 0));
            std::io::stdin().read_line(&mut String::new()).expect("the word");
            claim_all(&*store, "child", |id| assert!(say("claimed", id)));
        }
        "enqueue" => std::thread::scope(|scope| {
            for n in 1..=4 {
                let store = &store;
                scope.spawn(move || {
                    let mut ids = (n * 1_000_000)..;
                    while ids.next().is_some_and(|id| store.apply(&queued(id)).is_ok() && say("stored", id)) {
                    }
                });
            }
        }),
        "fill" => fill(&*store, say),
        other => panic!("no such role: {other}"),
    }
}

/// Until nothing goes in any more: the log is full before the file is, and is written back meanwhile.
fn fill(store: &dyn Store, say: impl Fn(&str, u64) -> bool) {
    let mut refused = 0;
    let mut id = 0;
    while refused < 5 {
        id += 1;
        refused = match store.apply(&queued(id)) {
            Ok(_) => u64::from(!say("stored", id)),
            Err(StoreError::Away(_)) => refused + 1,
            Err(error) => panic!("{error}"),
        };
    }
    let depth = store.depth().expect("looking needs no room");
    assert!(say("depth", depth.queued));
}

fn lines(child: &mut Child) -> impl Iterator<Item = (String, u64)> + use<> {
    let out = child.stdout.take().expect("a pipe");
    BufReader::new(out).lines().map_while(Result::ok).filter_map(|line| {
        let (word, id) = line.split_once(' ')?;
        Some((word.to_owned(), id.parse().ok()?))
    })
}

fn claim_all(store: &dyn Store, who: &str, mut told: impl FnMut(u64)) {
    let scope = acme();
    for turn in 1.. {
        let claim = ClaimId { owner: owner(who), turn };
        match claimed(store, &ask(&claim, &scope)) {
            Some(id) => told(id),
            None => return,
        }
    }
}

#[test]
fn each_of_500_jobs_is_claimed_once() {
    let (folder, hands) = (Folder::new(), Hands::at(START));
    let stores = [open(folder.path(), &hands), open(folder.path(), &hands)];
    (1..=500).for_each(|id| drop(stores[0].queue("acme").apply(&queued(id)).unwrap()));
    let taken = Mutex::new(Vec::new());
    let mut other = child("claim", folder.path(), None);
    let mut said = lines(&mut other);
    assert!(said.any(|(word, _)| word == "ready"));
    other.stdin.take().unwrap().write_all(b"go\n").unwrap();
    std::thread::scope(|scope| {
        for n in 0..4 {
            let (store, taken) = (stores[n % 2].queue("acme"), &taken);
            scope.spawn(move || {
                claim_all(&*store, &format!("here{n}"), |id| taken.lock().unwrap().push(id));
            });
        }
    });
    let theirs: Vec<u64> = said.filter(|(word, _)| word == "claimed").map(|(_, id)| id).collect();
    assert!(other.wait().unwrap().success());
    let mut all = taken.into_inner().unwrap();
    println!("here {}, in the other process {}", all.len(), theirs.len());
    all.extend(theirs);
    assert_eq!(all.len(), 500);
    assert_eq!(all.iter().copied().collect::<BTreeSet<_>>(), (1..=500).collect());
}

#[test]
fn kill_9_loses_nothing_that_was_acknowledged() {
    let (folder, hands) = (Folder::new(), Hands::at(START));
    let mut dice = Dice::new(seed());
    let mut acknowledged = BTreeSet::new();
    for _ in 0..5 {
        let mut child = child("enqueue", folder.path(), None);
        let out = lines(&mut child);
        let limit = Duration::from_millis(100 + dice.roll(150));
        let mut begun = None;
        for (_, id) in out {
            acknowledged.insert(id);
            if begun.get_or_insert_with(Instant::now).elapsed() > limit {
                let _ = child.kill();
            }
        }
        assert!(!child.wait().unwrap().success(), "it was killed");
        let store = open(folder.path(), &hands).queue("acme");
        let lost: Vec<_> = acknowledged.iter().filter(|id| word(&*store, **id) != "queued").collect();
        assert!(lost.is_empty(), "of {}: {lost:?}", acknowledged.len());
    }
    println!("{} acknowledged", acknowledged.len());
    assert!(acknowledged.len() > 50);
}

#[test]
fn a_full_disk_is_away_and_loses_nothing_that_was_acknowledged() {
    let folder = Folder::new();
    drop(open(folder.path(), &Hands::at(START)));
    // No file may grow over 256 KiB, and the process is told by an error instead of a signal.
    let mut child = child("fill", folder.path(), Some("trap '' XFSZ; ulimit -f 256"));
    let said: Vec<(String, u64)> = lines(&mut child).collect();
    assert!(child.wait().unwrap().success(), "{said:?}");
    let stored: Vec<u64> = said.iter().filter(|(word, _)| word == "stored").map(|(_, id)| *id).collect();
    assert!(stored.len() > 20, "{said:?}");
    let depth = said.last().filter(|(word, _)| word == "depth").map_or(0, |(_, depth)| *depth);
    assert!(depth >= stored.len() as u64, "{said:?}");
    let store = open(folder.path(), &Hands::at(START)).queue("acme");
    assert!(stored.iter().all(|id| word(&*store, *id) == "queued"));
    store.apply(&queued(2_000_000)).unwrap();
}
