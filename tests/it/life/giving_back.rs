//! What counts as an attempt, and what "not here" leads to.

use std::time::Duration;

use anklet::domain::conclusion::Conclusion;
use anklet::domain::entry::Entry;
use anklet::domain::event::{End, Event, Verdict};
use anklet::domain::ids::{JobId, Millis};
use anklet::domain::life::claimable;

use super::model::{Model, claim, claim_id, not_here, queued, ready, release, started, stranger, vm};

fn entry(model: &Model) -> &Entry {
    &model.entries[&JobId(1)]
}

#[test]
fn only_counted_tries_count_and_they_stay_with_the_job() {
    let mut model = Model::at(1_000);
    model.play(&queued(1));
    let age = entry(&model).age;
    for (n, counted, want) in [(1, true, 1), (2, false, 1), (3, true, 2)] {
        model.all(&[claim(1, n), release(n, counted)]);
        assert_eq!((model.word(1), entry(&model).attempts, entry(&model).age), ("queued", want, age));
    }
    model.play(&claim(1, 4));
    model.play(&Event::Settle { claim: claim_id(4), job: JobId(1), end: End::Dead("no disk".into()) });
    assert_eq!(model.word(1), "dead");
    model.play(&Event::Requeue { job: JobId(1) });
    assert_eq!((model.word(1), entry(&model).attempts, entry(&model).age), ("queued", 0, age));
    assert_eq!(entry(&model).queued_at, Millis(0), "GitHub is asked before it is tried again");
}

#[test]
fn a_lost_answer_does_not_count_twice() {
    let mut model = Model::at(1_000);
    model.all(&[queued(1), claim(1, 1), release(1, true)]);
    assert_eq!(model.play(&release(1, true)).verdict, Verdict::Lost);
    assert_eq!(entry(&model).attempts, 1);
}

#[test]
fn nobody_takes_it_before_its_pause_is_over() {
    let mut model = Model::at(1_000);
    model.all(&[queued(1), claim(1, 1)]);
    let pause = Duration::from_secs(5);
    model.play(&Event::Release { claim: claim_id(1), job: None, counted: true, pause });
    let over = model.now.plus(pause);
    assert!(!claimable(entry(&model), "v", &[], Millis(over.0 - 1)));
    assert!(claimable(entry(&model), "v", &[], over));
}

#[test]
fn one_host_alone_is_unanimous_at_once() {
    let mut model = Model::at(1_000);
    model.voters = vec!["a".into()];
    model.all(&[queued(1), claim(1, 1)]);
    assert_eq!(model.play(&not_here(1, "a")).verdict, Verdict::Unanimous);
    assert_eq!(model.holds(&claim_id(1)), Some(1), "the claim stays, for the cancel");
    assert_eq!(entry(&model).attempts, 0);
}

#[test]
fn not_here_goes_round_until_all_live_handlers_have_said_so() {
    let mut model = Model::at(1_000);
    model.voters = ["a", "b", "c"].map(String::from).to_vec();
    let voters = model.voters.clone();
    model.play(&queued(1));
    for (n, voter) in [(1, "a"), (2, "b")] {
        model.play(&claim(1, n));
        let told = model.play(&not_here(n, voter));
        assert!(told.work && told.verdict == Verdict::Stored);
        assert_eq!((model.word(1), entry(&model).attempts), ("queued", 0));
        assert!(!claimable(entry(&model), voter, &voters, model.now), "{voter} has said its word");
    }
    assert!(claimable(entry(&model), "c", &voters, model.now));
    model.play(&claim(1, 3));
    assert_eq!(model.play(&not_here(3, "c")).verdict, Verdict::Unanimous);
    // A person who puts it back has seen to the template: all are asked anew.
    model.all(&[release(3, false), Event::Requeue { job: JobId(1) }]);
    assert!(claimable(entry(&model), "a", &voters, model.now));
    assert_eq!(entry(&model).absent, []);
}

#[test]
fn when_the_last_that_could_have_had_it_is_gone_anybody_may_take_it_to_cancel() {
    let mut model = Model::at(1_000);
    model.voters = vec!["a".into(), "b".into()];
    model.all(&[queued(1), claim(1, 1), not_here(1, "a")]);
    assert!(!claimable(entry(&model), "a", &model.voters, model.now));
    model.voters.pop();
    assert!(claimable(entry(&model), "a", &model.voters, model.now));
    model.play(&claim(1, 1));
    assert_eq!(model.play(&not_here(1, "a")).verdict, Verdict::Unanimous);
}

/// Its handler speaks of the job that it knows; the claim has crossed to another one meanwhile.
#[test]
fn what_is_said_of_one_job_is_not_done_to_another() {
    let (claim, pause) = (claim_id(2), Duration::from_secs(9));
    for (event, state) in [
        (Event::Release { claim: claim.clone(), job: Some(JobId(2)), counted: true, pause }, "queued"),
        (Event::Park { claim, job: Some(JobId(2)) }, "queued"),
    ] {
        let mut model = Model::at(1_000);
        ready(&mut model, 1, 1);
        ready(&mut model, 2, 2);
        model.all(&[started(2, vm(1))]);
        assert_eq!(model.hold(1).map(|hold| hold.claim.clone()), Some(claim_id(2)));
        model.play(&event);
        let entry = &model.entries[&JobId(1)];
        assert_eq!((model.word(1), entry.attempts, entry.not_before), (state, 0, model.now));
    }
}

#[test]
fn what_runs_is_not_not_here() {
    let mut model = Model::at(1_000);
    model.voters = vec!["a".into()];
    ready(&mut model, 1, 1);
    model.play(&started(1, vm(1)));
    assert_eq!(model.play(&not_here(1, "a")).verdict, Verdict::Known);
    assert_eq!((model.word(1), model.holds(&claim_id(1))), ("running", Some(1)));
}

#[test]
fn a_stranger_that_took_the_job_leaves_the_claim_without_one() {
    let mut model = Model::at(1_000);
    ready(&mut model, 1, 1);
    assert_eq!(model.play(&started(1, stranger())).wake, [claim_id(1).owner]);
    assert_eq!(model.play(&release(1, true)).verdict, Verdict::Lost);
    assert_eq!((model.word(1), entry(&model).attempts), ("running", 0));
}

/// The handler of the first claim gives job 1 up, while GitHub gives that job to the second one's runner: the claims
/// are exchanged, and job 2 must not be given up in its place.
#[test]
fn what_is_said_of_a_job_is_not_done_to_the_one_that_the_claim_holds_by_now() {
    for end in [End::Dead("no disk".into()), End::Over(Conclusion::Cancelled)] {
        let mut model = Model::at(1_000);
        ready(&mut model, 1, 1);
        ready(&mut model, 2, 2);
        model.play(&started(1, vm(2)));
        assert_eq!(model.holds(&claim_id(1)), Some(2));
        let told = model.play(&Event::Settle { claim: claim_id(1), job: JobId(1), end });
        assert_eq!((model.word(1), model.word(2), told.work), ("running", "queued", true));
        assert_eq!((model.holds(&claim_id(1)), model.holds(&claim_id(2))), (None, Some(1)));
    }
}
