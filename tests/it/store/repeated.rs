//! Lost answers and repeated calls: a verb done twice is a verb done once.

use std::sync::Arc;
use std::time::Duration;

use anklet::domain::conclusion::Conclusion;
use anklet::domain::event::{End, Event};
use anklet::domain::ids::{JobId, Millis};
use anklet::domain::undo::Closing;
use anklet::store::Store;
use anklet::store::faulty::{Fault, Faulty};

use super::world::{acme, ask, card, worlds};
use crate::life::model::{
    checkpoint, claim, claim_id, completed, not_here, queued, release, started, vm, waiting,
};

#[test]
fn lost_answers_and_repeated_calls_leave_what_one_call_leaves() {
    let settle = Event::Settle { claim: claim_id(2), job: JobId(1), end: End::Over(Conclusion::Failure) };
    let events = [
        queued(1),
        queued(2),
        waiting(2),
        queued(2),
        claim(1, 1),
        checkpoint(1),
        claim(2, 2),
        checkpoint(2),
        started(2, vm(1)),
        completed(2, Some(vm(1))),
        not_here(2, "v9"),
        claim(1, 3),
        release(3, true),
        Event::Settle { claim: claim_id(1), job: JobId(2), end: End::Over(Conclusion::Failure) },
        settle,
        queued(3),
        claim(3, 4),
        Event::Park { claim: claim_id(4), job: None },
        Event::Requeue { job: JobId(3) },
        Event::Renew { claim: claim_id(3), lease_until: Millis(5) },
    ];
    for (straight, shaken) in worlds().into_iter().zip(worlds()) {
        for world in [&straight, &shaken] {
            world.store.seen(&card("h1", "v1", Duration::from_mins(9))).unwrap();
        }
        let faulty = Faulty::new(Arc::clone(&shaken.store));
        for (at, event) in events.iter().enumerate() {
            straight.store.apply(event).unwrap();
            faulty.fail(1, Fault::Before);
            faulty.fail(2, Fault::After);
            assert!(faulty.apply(event).is_err() && faulty.apply(event).is_err());
            faulty.apply(event).unwrap();
            for id in 1..=3 {
                let (want, is) = (straight.store.entry(JobId(id)), shaken.store.entry(JobId(id)));
                assert_eq!(want.unwrap(), is.unwrap(), "{}: event {at}: {event:?}", straight.name);
            }
        }
    }
}

#[test]
fn a_claim_is_neither_stranded_nor_ended_twice() {
    let (nine, scope) = (claim_id(9), acme());
    for world in worlds() {
        let faulty = Faulty::new(Arc::clone(&world.store));
        let store: &dyn Store = &faulty;
        store.apply(&queued(1)).unwrap();
        store.apply(&queued(2)).unwrap();
        faulty.fail(1, Fault::After);
        assert!(store.take(&ask(&nine, &scope)).is_err());
        let (claim, entry) = store.take(&ask(&nine, &scope)).unwrap().unwrap();
        assert_eq!(entry.job.id, JobId(1), "{}: the job of the lost answer", world.name);
        let closing = Closing::Release { job: None, counted: true, pause: Duration::ZERO };
        faulty.away(true);
        let (claim, _) = store.end(claim, &closing).unwrap_err();
        faulty.away(false);
        faulty.fail(1, Fault::After);
        let (claim, _) = store.end(claim, &closing).unwrap_err();
        store.end(claim, &closing).map_err(|(_, error)| error).unwrap();
        assert_eq!(store.entry(JobId(1)).unwrap().unwrap().attempts, 1, "{}", world.name);
        assert_eq!(faulty.calls(), 8);
    }
}
