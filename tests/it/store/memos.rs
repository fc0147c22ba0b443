//! Memos: all or none, and once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anklet::store::{Change, Memos, REMEMBERED, Store};

use super::world::{Folder, Hands, START, open, worlds};

fn change(name: &str, before: &str, after: &str) -> Change {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Change { name: name.into(), before: text(before), after: text(after) }
}

fn write(store: &dyn Store, changes: &[Change]) -> bool {
    store.write_memos("t", changes).unwrap()
}

fn all(store: &dyn Store) -> Vec<(String, String)> {
    store.memos("t").unwrap().into_iter().collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn changes_are_made_all_or_none() {
    for world in worlds() {
        let store = &*world.store;
        assert_eq!(all(store), [], "{}", world.name);
        let odd = "{\"a\": \"'é\n\u{1F980}%\"}";
        assert!(write(store, &[change("a", "", "1"), change("b é", "", odd)]), "{}", world.name);
        assert_eq!(all(store), pairs(&[("a", "1"), ("b é", odd)]));
        for unfit in [change("a", "", "2"), change("a", "3", "2"), change("a", "3", ""), change("c", "3", "")]
        {
            let done = write(store, &[change("b é", odd, "5"), unfit.clone()]);
            assert_eq!(done, unfit.name == "c", "{}: {unfit:?}", world.name);
            assert!(!done || write(store, &[change("b é", "5", odd)]));
        }
        assert_eq!(all(store), pairs(&[("a", "1"), ("b é", odd)]), "{}", world.name);
        assert!(write(store, &[change("a", "1", "2"), change("b é", odd, ""), change("c", "", "3")]));
        assert_eq!(all(store), pairs(&[("a", "2"), ("c", "3")]), "{}", world.name);
        assert!(write(store, &[]));
    }
}

#[test]
fn what_was_done_may_be_asked_for_again() {
    for world in worlds() {
        let store = &*world.store;
        let both = [change("a", "", "1"), change("b", "", "2")];
        assert!(write(store, &both) && write(store, &both), "{}", world.name);
        let gone = [change("a", "1", ""), change("b", "2", "3")];
        assert!(write(store, &gone) && write(store, &gone), "{}", world.name);
        assert_eq!(all(store), pairs(&[("b", "3")]));
    }
}

#[test]
fn topics_do_not_see_each_other() {
    for world in worlds() {
        let topics = ["t", "T", "t/1", "t}:{1", "t 1", ""];
        for (number, topic) in topics.iter().enumerate() {
            assert!(
                world.store.write_memos(topic, &[change("a", "", &number.to_string())]).unwrap(),
                "{topic}"
            );
        }
        for (number, topic) in topics.iter().enumerate() {
            let memos: Memos = world.store.memos(topic).unwrap();
            assert_eq!(memos.into_values().collect::<Vec<_>>(), [number.to_string()], "{}", world.name);
        }
    }
}

#[test]
fn of_many_at_once_one_is_first() {
    for world in worlds() {
        let won = Arc::new(AtomicU32::new(0));
        std::thread::scope(|scope| {
            for number in 0..8 {
                let (store, won) = (Arc::clone(&world.store), Arc::clone(&won));
                scope.spawn(move || {
                    for round in 0..10 {
                        let mine = change(&format!("r{round}"), "", &format!("by {number}"));
                        won.fetch_add(u32::from(write(&*store, &[mine])), Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(won.load(Ordering::SeqCst), 10, "{}", world.name);
    }
}

#[test]
fn memos_of_the_embedded_store_outlive_it_and_are_forgotten_in_the_end() {
    let (folder, hands) = (Folder::new(), Hands::at(START));
    let again = || open(folder.path(), &hands).queue("acme");
    assert!(write(&*again(), &[change("old", "", "1"), change("new", "", "1")]));
    hands.pass(Duration::from_hours(1));
    assert!(write(&*again(), &[change("new", "1", "2")]));
    hands.pass(REMEMBERED);
    again().purge().unwrap();
    assert_eq!(all(&*again()), pairs(&[("new", "2")]));
}

/// A file of a program that knew of no memos.
#[test]
fn a_file_without_memos_gets_them() {
    let (folder, hands) = (Folder::new(), Hands::at(START));
    drop(open(folder.path(), &hands));
    let file = rusqlite::Connection::open(folder.file()).unwrap();
    file.execute_batch("drop table memo").unwrap();
    drop(file);
    let store = open(folder.path(), &hands).queue("acme");
    assert!(write(&*store, &[change("a", "", "1")]));
    assert_eq!(all(&*store), pairs(&[("a", "1")]));
}
