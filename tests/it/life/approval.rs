//! Jobs that wait for a person: parked, never cancelled, uncounted.

use std::time::Duration;

use anklet::domain::entry::State;
use anklet::domain::event::{Event, Verdict};
use anklet::domain::ids::{JobId, Millis};

use super::model::{Model, checkpoint, claim, claim_id, job, queued, release, started, vm, waiting};

const TEN_MINUTES: Duration = Duration::from_mins(10);

#[test]
fn queued_waiting_queued_is_queued_at_its_first_age() {
    let mut model = Model::at(1_000);
    model.play(&queued(1));
    let age = model.entries[&JobId(1)].age;
    model.play(&waiting(1));
    assert_eq!(*model.state(1), State::Parked { ask_at: Millis(1_002).plus(TEN_MINUTES) });
    model.play(&queued(1));
    let entry = &model.entries[&JobId(1)];
    assert_eq!((&entry.state, entry.age, entry.queued_at), (&State::Queued, age, Millis(1_003)));
}

#[test]
fn a_queued_action_whose_status_is_waiting_is_stored_and_to_be_asked_about() {
    let mut model = Model::at(1_000);
    let event = Event::Queued { job: job(1), waiting: true };
    assert!(model.play(&event).work);
    assert_eq!((model.word(1), model.entries[&JobId(1)].queued_at), ("queued", Millis(0)));
    // GitHub, asked, says `waiting`: parked and uncounted.
    model.all(&[claim(1, 1), Event::Park { claim: claim_id(1), job: None }]);
    assert_eq!((model.word(1), model.entries[&JobId(1)].attempts), ("parked", 0));
}

#[test]
fn a_claimed_job_is_parked_once_its_handler_has_let_go() {
    for (last, counted) in
        [(release(1, false), 0), (release(1, true), 1), (Event::Park { claim: claim_id(1), job: None }, 0)]
    {
        let mut model = Model::at(1_000);
        model.all(&[queued(1), claim(1, 1), checkpoint(1)]);
        let told = model.play(&waiting(1));
        assert_eq!(told.wake, [claim_id(1).owner], "the handler stops what it does");
        assert_eq!(model.holds(&claim_id(1)), Some(1), "until it lets go, the job is its own");
        let told = model.play(&last);
        assert_eq!((model.word(1), told.work), ("parked", false));
        assert_eq!(model.entries[&JobId(1)].attempts, counted);
    }
}

#[test]
fn approved_before_the_handler_let_go_it_is_queued_again() {
    let mut model = Model::at(1_000);
    model.all(&[queued(1), claim(1, 1), waiting(1), queued(1)]);
    assert!(model.hold(1).is_some_and(|hold| !hold.park));
    model.play(&release(1, false));
    assert_eq!(model.word(1), "queued");
}

#[test]
fn still_waiting_is_no_approval() {
    let mut model = Model::at(1_000);
    model.all(&[queued(1), claim(1, 1), waiting(1), Event::Queued { job: job(1), waiting: true }]);
    model.play(&release(1, false));
    assert_eq!(model.word(1), "parked", "the `queued` said itself that a person must agree");
}

#[test]
fn what_has_started_waits_for_nobody() {
    let mut model = Model::at(1_000);
    model.all(&[queued(1), claim(1, 1), checkpoint(1), waiting(1), started(1, vm(1))]);
    assert!(model.hold(1).is_some_and(|hold| !hold.park), "{:?}", model.state(1));
    assert_eq!(model.play(&waiting(1)).verdict, Verdict::Known);
    assert_eq!(model.word(1), "running");
}

#[test]
fn github_asked_again_parks_for_ten_minutes_more_or_lets_it_go() {
    let mut model = Model::at(1_000);
    model.all(&[queued(1), waiting(1)]);
    model.now = model.now.plus(TEN_MINUTES);
    model.play(&waiting(1));
    assert_eq!(*model.state(1), State::Parked { ask_at: model.now.plus(TEN_MINUTES) });
    let told = model.play(&Event::Runnable { job: JobId(1) });
    assert!(told.work && model.word(1) == "queued");
    assert_eq!(model.entries[&JobId(1)].queued_at, model.now, "GitHub has just said so");
}
