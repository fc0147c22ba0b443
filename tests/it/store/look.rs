//! Every store shows the same to people, and changes nothing by it.

use std::time::Duration;

use anklet::domain::event::{End, Event};
use anklet::domain::ids::JobId;
use anklet::store::Note;
use anklet::store::embedded::Onlooker;
use anklet::store::look::{Look, View, Wanted};
use rusqlite::Connection;

use super::world::{Folder, Hands, START, World, acme, ask, card, claimed, ids, open, worlds};
use crate::life::model::{claim_id, completed, queued};

fn look(world: &World, wanted: Wanted) -> View {
    world.look.look(wanted).expect("an answer").expect("a store")
}

/// 1 is claimed, 2 over and still held, 3 dead, 4 over, 5 parked, 6 to 9 queued.
fn fill(world: &World) {
    for id in 1..=9 {
        world.store.apply(&queued(id)).unwrap();
        world.hands.pass(Duration::from_millis(1));
    }
    for n in 1..=3 {
        assert_eq!(claimed(&*world.store, &ask(&claim_id(n), &acme())), Some(n));
    }
    world.store.apply(&completed(2, None)).unwrap();
    world
        .store
        .apply(&Event::Settle { claim: claim_id(3), job: JobId(3), end: End::Dead("no".into()) })
        .unwrap();
    world.store.apply(&completed(4, None)).unwrap();
    world.store.apply(&Event::Waiting { job: JobId(5) }).unwrap();
}

#[test]
fn what_is_there_is_shown_eldest_first_and_bounded_a_state() {
    for world in worlds() {
        fill(&world);
        let view = look(&world, Wanted::First(100));
        assert_eq!(ids(&view.jobs), [1, 3, 5, 6, 7, 8, 9], "{}", world.name);
        assert_eq!(
            (view.depth, view.now),
            (world.store.depth().unwrap(), world.hands.now()),
            "{}",
            world.name
        );
        assert_eq!((ids(&view.held), view.unreadable), (vec![1, 2], 0), "{}", world.name);
        assert_eq!(ids(&look(&world, Wanted::First(2)).jobs), [1, 3, 5, 6, 7], "{}", world.name);
        assert_eq!(look(&world, Wanted::First(0)).jobs, [], "{}", world.name);
    }
}

#[test]
fn one_job_is_shown_whatever_its_state() {
    for world in worlds() {
        fill(&world);
        for id in 1..=9 {
            let view = look(&world, Wanted::Job(JobId(id)));
            assert_eq!(view.jobs.first().cloned(), world.store.entry(JobId(id)).unwrap(), "{}", world.name);
            assert_eq!((view.jobs.len(), ids(&view.held)), (1, vec![1, 2]), "{}", world.name);
        }
        assert_eq!(look(&world, Wanted::Job(JobId(10))).jobs, [], "{}", world.name);
    }
}

#[test]
fn a_handler_s_note_comes_back_as_it_was_said_last() {
    for world in worlds() {
        let mut card = card("h1", "v1", Duration::from_secs(90));
        world.store.seen(&card).unwrap();
        let aside = vec![(JobId(7), "no \"room\"\n".to_owned())];
        card.note = Note {
            host_name: "mac-07".into(),
            why: Some("draining".into()),
            held_up: Some("limited".into()),
            aside,
        };
        world.hands.pass(Duration::from_millis(1));
        world.store.seen(&card).unwrap();
        let cards = look(&world, Wanted::First(0)).cards;
        assert_eq!(cards.len(), 1, "{}", world.name);
        assert_eq!((&cards[0].card, cards[0].at), (&card, world.hands.now()), "{}", world.name);
    }
}

#[test]
fn an_empty_queue_is_shown_as_one() {
    for world in worlds() {
        // An embedded store that nobody has opened is not there at all.
        world.store.depth().unwrap();
        let view = look(&world, Wanted::First(100));
        assert_eq!(view, View { now: world.hands.now(), ..View::default() }, "{}", world.name);
    }
}

#[test]
fn what_this_version_cannot_read_is_counted_and_blocks_nothing() {
    let folder = Folder::new();
    let hands = Hands::at(START);
    let store = open(folder.path(), &hands).queue("acme");
    (1..=5).for_each(|id| drop(store.apply(&queued(id)).unwrap()));
    let db = Connection::open(folder.file()).unwrap();
    db.execute("update job set record = '{\"v\":2}' where id < 3", []).unwrap();
    let look = Onlooker::new(folder.file(), "acme", hands.clock());
    let view = look.look(Wanted::First(100)).unwrap().unwrap();
    assert_eq!((ids(&view.jobs), view.unreadable, view.depth.queued), (vec![3, 4, 5], 2, 5));
    assert!(look.look(Wanted::Job(JobId(1))).is_err());
}

#[test]
fn a_file_from_before_notes_is_shown_as_it_is_and_brought_up_to_date_by_a_daemon_only() {
    let folder = Folder::new();
    let hands = Hands::at(START);
    let store = open(folder.path(), &hands).queue("acme");
    store.seen(&card("h1", "v1", Duration::from_secs(90))).unwrap();
    drop(store);
    let has_notes = || {
        let sql = "select count(*) from pragma_table_info('card') where name = 'note'";
        let count = Connection::open(folder.file()).unwrap().query_row(sql, [], |row| row.get::<_, i64>(0));
        count.unwrap() > 0
    };
    Connection::open(folder.file()).unwrap().execute("alter table card drop column note", []).unwrap();
    let look = Onlooker::new(folder.file(), "acme", hands.clock());
    assert_eq!(look.look(Wanted::First(1)).unwrap().unwrap().cards.len(), 1);
    assert!(!has_notes());
    let store = open(folder.path(), &hands).queue("acme");
    assert!(has_notes());
    let mut said = card("h1", "v1", Duration::from_secs(90));
    said.note.why = Some("draining".into());
    store.seen(&said).unwrap();
    assert_eq!(look.look(Wanted::First(1)).unwrap().unwrap().cards[0].card, said);
}
