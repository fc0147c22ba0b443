//! Every store shows the same to people, and changes nothing by it.

use std::time::Duration;

use anklet::domain::event::{End, Event};
use anklet::domain::ids::JobId;
use anklet::store::Note;
use anklet::store::look::{View, Wanted};

use super::world::{World, acme, ask, card, claimed, ids, worlds};
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
    world.store.apply(&Event::Settle { claim: claim_id(3), end: End::Dead("no".into()) }).unwrap();
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
        card.note = Note { host_name: "mac-07".into(), why: Some("draining".into()), aside };
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
