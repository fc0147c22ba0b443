//! What the embedded store lives through: locked, damaged, removed, newer; and what it leaves alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use anklet::domain::event::Verdict;
use anklet::domain::ids::JobId;
use anklet::store::StoreError;
use anklet::store::embedded::{Embedded, Options, examine};
use rusqlite::Connection;

use super::world::{Folder, Hands, START, acme, ask, claimed, ids, open, options, word};
use crate::life::model::{claim_id, completed, queued};

/// What the file must be called, and how it is made.
type Case<'c> = (&'static str, &'c dyn Fn(&Folder));

fn refusal(folder: &Folder) -> StoreError {
    match Embedded::open(options(folder.path(), &Hands::at(START))) {
        Ok(_) => panic!("it opens"),
        Err(error) => error,
    }
}

#[test]
fn what_was_stored_is_there_after_reopening() {
    let (folder, hands) = (Folder::new(), Hands::at(START));
    for id in 1..=3 {
        let store = open(folder.path(), &hands).queue("acme");
        assert_eq!(store.list().unwrap().len() as u64, id - 1);
        store.apply(&queued(id)).unwrap();
    }
    let mode = fs::metadata(folder.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "labels and names are nobody else's business");
}

#[test]
fn a_file_that_cannot_be_used_is_named_and_left_alone() {
    let garbage =
        |folder: &Folder| fs::write(folder.file(), "not a database, by any means".repeat(99)).unwrap();
    let newer = |folder: &Folder| {
        drop(open(folder.path(), &Hands::at(START)));
        Connection::open(folder.file()).unwrap().pragma_update(None, "user_version", 7).unwrap();
    };
    let foreign = |folder: &Folder| {
        Connection::open(folder.file()).unwrap().execute_batch("create table photos (id)").unwrap();
    };
    let torn = |folder: &Folder| {
        let store = open(folder.path(), &Hands::at(START));
        (1..=50).for_each(|id| drop(store.queue("acme").apply(&queued(id)).unwrap()));
        drop(store);
        let mut bytes = fs::read(folder.file()).unwrap();
        bytes[..4096].fill(0xab);
        fs::write(folder.file(), bytes).unwrap();
    };
    let cases: [Case<'_>; 4] =
        [("damaged", &garbage), ("version 7", &newer), ("another program's", &foreign), ("damaged", &torn)];
    for (want, make) in cases {
        let folder = Folder::new();
        make(&folder);
        let before = fs::read(folder.file()).unwrap();
        let error = refusal(&folder);
        let text = error.to_string();
        assert!(matches!(error, StoreError::Unreadable(_)), "{text}");
        assert!(text.contains(want) && text.contains("queue.sqlite"), "{text}");
        assert_eq!(fs::read(folder.file()).unwrap(), before, "{want}: not a byte is touched");
    }
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = Folder::new();
    fs::remove_dir(folder.path()).unwrap();
    let error = refusal(&folder);
    assert!(matches!(&error, StoreError::Away(why) if why.contains("queue.sqlite")), "{error}");
}

#[test]
fn what_is_away_at_the_start_comes_by_itself() {
    let (folder, hands) = (Folder::new(), Hands::at(START));
    let later = folder.path().join("later");
    let file = later.join("queue.sqlite");
    let options_later = Options { file, ..options(folder.path(), &hands) };
    let store = Embedded::open_later(options_later).unwrap().queue("acme");
    assert!(matches!(store.apply(&queued(1)), Err(StoreError::Away(_))));
    assert!(matches!(store.list(), Err(StoreError::Away(_))));
    fs::create_dir(later).unwrap();
    assert_eq!(store.apply(&queued(1)).unwrap().verdict, Verdict::Stored);
    assert_eq!(ids(&store.list().unwrap()), [1]);
    // A damaged file too, once somebody has moved it away.
    let folder = Folder::new();
    fs::write(folder.file(), "no database").unwrap();
    let store = Embedded::open_later(options(folder.path(), &hands)).unwrap().queue("acme");
    assert!(matches!(store.apply(&queued(1)), Err(StoreError::Unreadable(_))));
    fs::rename(folder.file(), folder.path().join("damaged")).unwrap();
    assert_eq!(store.apply(&queued(1)).unwrap().verdict, Verdict::Stored);
    assert_eq!(fs::read(folder.path().join("damaged")).unwrap(), b"no database");
}

#[test]
fn a_read_only_file_is_away_until_it_can_be_written() {
    let (folder, hands) = (Folder::new(), Hands::at(START));
    drop(open(folder.path(), &hands).queue("acme").apply(&queued(1)));
    let allow = |mode| fs::set_permissions(folder.file(), fs::Permissions::from_mode(mode)).unwrap();
    allow(0o400);
    if fs::OpenOptions::new().write(true).open(folder.file()).is_ok() {
        eprintln!("skipped: permissions do not bind this user");
        return;
    }
    let error = refusal(&folder);
    assert!(matches!(error, StoreError::Away(_)), "{error}");
    allow(0o600);
    assert_eq!(word(&*open(folder.path(), &hands).queue("acme"), 1), "queued");
}

#[test]
fn what_is_locked_for_long_is_away_and_comes_back() {
    let folder = Folder::new();
    let store = open(folder.path(), &Hands::at(START)).queue("acme");
    store.apply(&queued(1)).unwrap();
    let other = Connection::open(folder.file()).unwrap();
    other.execute_batch("begin immediate").unwrap();
    let begun = Instant::now();
    let error = store.apply(&queued(2)).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(8), "a delivery must be answered within ten seconds");
    assert!(matches!(&error, StoreError::Away(why) if why.contains("locked")), "{error}");
    assert_eq!(word(&*store, 1), "queued", "looking needs no lock");
    assert_eq!(examine(&folder.file()), Err(error), "`anklet check` tells it");
    other.execute_batch("rollback").unwrap();
    assert_eq!(examine(&folder.file()), Ok(()));
    assert_eq!(store.apply(&queued(2)).unwrap().verdict, Verdict::Stored);
}

#[test]
fn a_file_removed_under_it_takes_no_later_job_with_it() {
    let (folder, hands) = (Folder::new(), Hands::at(START));
    let store = open(folder.path(), &hands);
    store.queue("acme").apply(&queued(1)).unwrap();
    fs::remove_file(folder.file()).unwrap();
    assert_eq!(store.queue("acme").apply(&queued(2)).unwrap().verdict, Verdict::Stored);
    assert_eq!(ids(&store.queue("acme").list().unwrap()), [2]);
    drop(store);
    assert_eq!(ids(&open(folder.path(), &hands).queue("acme").list().unwrap()), [2]);
}

#[test]
fn a_record_of_a_newer_program_is_left_alone_and_the_others_go_on() {
    let folder = Folder::new();
    let store = open(folder.path(), &Hands::at(START)).queue("acme");
    (1..=3).for_each(|id| drop(store.apply(&queued(id)).unwrap()));
    let newer = r#"{"v":9,"job":"in words that nobody knows yet"}"#;
    let db = Connection::open(folder.file()).unwrap();
    db.execute("update job set record = ?1 where id = 1", [newer]).unwrap();
    let error = store.entry(JobId(1)).unwrap_err();
    assert!(
        matches!(&error, StoreError::Unreadable(why) if why.contains("job 1") && why.contains('9')),
        "{error}"
    );
    assert!(matches!(store.apply(&completed(1, None)), Err(StoreError::Unreadable(_))));
    assert_eq!(ids(&store.list().unwrap()), [2, 3]);
    assert_eq!(claimed(&*store, &ask(&claim_id(1), &acme())), Some(2));
    let left: String = db.query_row("select record from job where id = 1", [], |row| row.get(0)).unwrap();
    assert_eq!(left, newer);
}

#[test]
fn one_bad_step_takes_no_other_of_its_group_with_it() {
    let folder = Folder::new();
    let store = open(folder.path(), &Hands::at(START)).queue("acme");
    store.apply(&queued(1)).unwrap();
    let db = Connection::open(folder.file()).unwrap();
    db.execute("update job set record = '{' where id = 1", []).unwrap();
    std::thread::scope(|scope| {
        for n in 1..=8 {
            let store = &store;
            scope.spawn(move || {
                for id in (n * 100)..(n * 100 + 25) {
                    assert_eq!(store.apply(&queued(id)).unwrap().verdict, Verdict::Stored);
                    assert!(store.apply(&completed(1, None)).is_err());
                }
            });
        }
    });
    assert_eq!(store.list().unwrap().len(), 200);
}
