//! A VM's runner takes another job than the one that it was made for: each case that the page names.

use anklet::domain::entry::{Entry, State};
use anklet::domain::event::{Event, Verdict};
use anklet::domain::ids::{JobId, Millis};
use anklet::domain::job::Job;
use anklet::domain::scope::Scope;

use super::model::{
    Model, acme, checkpoint, claim, claim_id, completed, job, queued, ready, release, started, stranger, vm,
    waiting,
};

fn runs_for(model: &Model, id: u64, n: u64) {
    let State::Running { runner, hold } = model.state(id) else { panic!("{:?}", model.state(id)) };
    assert_eq!(*runner, vm(n));
    assert_eq!(hold.as_ref().map(|hold| &hold.claim), Some(&claim_id(n)), "job {id}");
}

#[test]
fn its_own_job() {
    let mut model = Model::at(1_000);
    ready(&mut model, 1, 1);
    let told = model.play(&started(1, vm(1)));
    runs_for(&model, 1, 1);
    assert_eq!((told.wake, told.work), (vec![claim_id(1).owner], false));
}

#[test]
fn a_queued_job_moves_the_claim_and_frees_the_former_at_its_old_age() {
    let mut model = Model::at(1_000);
    ready(&mut model, 1, 1);
    let age = model.entries[&JobId(1)].age;
    model.play(&queued(2));
    let told = model.play(&started(2, vm(1)));
    runs_for(&model, 2, 1);
    let former = &model.entries[&JobId(1)];
    assert_eq!((&former.state, former.age, former.attempts), (&State::Queued, age, 0));
    assert_eq!((told.wake, told.work), (vec![claim_id(1).owner], true));
}

#[test]
fn a_parked_job_too_and_a_former_that_was_to_be_parked_is() {
    let mut model = Model::at(1_000);
    ready(&mut model, 1, 1);
    model.all(&[queued(2), waiting(2), waiting(1)]);
    let told = model.play(&started(2, vm(1)));
    runs_for(&model, 2, 1);
    assert!(model.hold(2).is_some_and(|hold| !hold.park));
    assert_eq!((model.word(1), told.work), ("parked", false));
}

#[test]
fn another_handlers_job_exchanges_the_two_claims() {
    let mut model = Model::at(1_000);
    ready(&mut model, 1, 1);
    ready(&mut model, 2, 2);
    let told = model.play(&started(2, vm(1)));
    runs_for(&model, 2, 1);
    assert!(matches!(model.state(1), State::Claimed(hold)
        if hold.claim == claim_id(2) && hold.runner == Some(vm(2))));
    assert!(told.wake.contains(&claim_id(1).owner) && told.wake.contains(&claim_id(2).owner));
    assert!(!told.work, "no job became free");
    // The other half of the crossing, or a third job: either way V2 is paid for.
    model.play(&started(1, vm(2)));
    runs_for(&model, 1, 2);
}

/// V2's VM is made from the template of job 2, for a runner of its handler's scope: a job of other labels or of
/// another repository is not its to wait for. It is queued again; V2's handler looks for a job that fits.
#[test]
fn claims_whose_vms_do_not_fit_are_not_exchanged() {
    let tagged = Job { labels: vec!["anka-template-tag:x".into(), "anka-template:t".into()], ..job(1) };
    let elsewhere = Job { repo: "api".into(), ..job(1) };
    let one_repo = Scope::Repository { owner: "acme".into(), repo: "APP".into() };
    for (first, second_scope) in [(tagged, acme()), (elsewhere, one_repo)] {
        let mut model = Model::at(1_000);
        let told = model.play(&Event::Queued { job: first.clone(), waiting: false });
        assert!(told.work);
        let age = model.entries[&JobId(1)].age;
        model.all(&[claim(1, 1), checkpoint(1), queued(2)]);
        let (job, claim) = (JobId(2), claim_id(2));
        model.all(&[Event::Claim { job, claim, scope: second_scope, lease_until: Millis(0) }, checkpoint(2)]);
        let told = model.play(&started(2, vm(1)));
        runs_for(&model, 2, 1);
        let freed = &model.entries[&JobId(1)];
        assert_eq!((&freed.state, freed.age, freed.attempts), (&State::Queued, age, 0), "{first:?}");
        assert_eq!((model.holds(&claim_id(2)), told.work), (None, true), "{first:?}");
        assert!(told.wake.contains(&claim_id(1).owner) && told.wake.contains(&claim_id(2).owner));
    }
}

#[test]
fn a_claim_of_the_whole_owner_is_exchanged_across_its_repositories_and_an_old_record_is_not() {
    for (scope, want) in [(Some(acme()), Some(1)), (None, None)] {
        let mut model = Model::at(1_000);
        let elsewhere = Job { repo: "api".into(), ..job(1) };
        model.all(&[Event::Queued { job: elsewhere, waiting: false }, claim(1, 1), checkpoint(1)]);
        ready(&mut model, 2, 2);
        model.entries.get_mut(&JobId(2)).and_then(Entry::hold_mut).unwrap().scope = scope;
        model.play(&started(2, vm(1)));
        assert_eq!(model.holds(&claim_id(2)), want);
    }
}

#[test]
fn another_handlers_job_before_that_handler_has_a_runner() {
    let mut model = Model::at(1_000);
    ready(&mut model, 1, 1);
    model.all(&[queued(2), claim(2, 2), started(2, vm(1))]);
    runs_for(&model, 2, 1);
    assert_eq!(model.holds(&claim_id(2)), Some(1));
    model.all(&[checkpoint(2), started(1, vm(2))]);
    runs_for(&model, 1, 2);
}

#[test]
fn the_mark_for_parking_stays_with_its_job_in_an_exchange() {
    for (parked, want_park) in [(1, true), (2, false)] {
        let mut model = Model::at(1_000);
        ready(&mut model, 1, 1);
        ready(&mut model, 2, 2);
        model.all(&[waiting(parked), started(2, vm(1))]);
        assert!(model.hold(2).is_some_and(|hold| !hold.park), "it runs");
        assert_eq!(model.hold(1).map(|hold| hold.park), Some(want_park));
    }
}

#[test]
fn an_unknown_job_is_watched_by_the_vm_that_runs_it() {
    let mut model = Model::at(1_000);
    ready(&mut model, 1, 1);
    let told = model.play(&started(2, vm(1)));
    runs_for(&model, 2, 1);
    assert_eq!(model.word(1), "queued");
    assert_eq!((told.wake, told.work), (vec![claim_id(1).owner], true), "its handler is told");
}

#[test]
fn a_strangers_runner_takes_the_job_from_the_claim() {
    let mut model = Model::at(1_000);
    ready(&mut model, 1, 1);
    let told = model.play(&started(1, stranger()));
    assert_eq!(*model.state(1), State::Running { runner: stranger(), hold: None });
    assert_eq!((model.holds(&claim_id(1)), told.wake), (None, vec![claim_id(1).owner]));
    // Its VM serves another queued job with a new claim.
    model.all(&[queued(2), claim(2, 3)]);
    model.play(&Event::Checkpoint { claim: claim_id(3), runner: vm(1) });
    model.play(&started(2, vm(1)));
    assert_eq!(model.holds(&claim_id(3)), Some(2));
    assert_eq!(model.word(2), "running");
}

#[test]
fn a_vm_without_a_claim_that_took_a_job_is_paid_for_by_its_next_claim() {
    for ended in [false, true] {
        let mut model = Model::at(1_000);
        ready(&mut model, 1, 1);
        // Job 1 goes to a stranger; before V has a new claim GitHub gives it job 2.
        model.all(&[started(1, stranger()), queued(2), started(2, vm(1))]);
        if ended {
            model.play(&completed(2, Some(vm(1))));
        }
        model.all(&[queued(3), claim(3, 3)]);
        let told = model.play(&Event::Checkpoint { claim: claim_id(3), runner: vm(1) });
        assert_eq!(model.holds(&claim_id(3)), Some(2));
        assert_eq!((told.wake, told.work, model.word(3)), (vec![claim_id(3).owner], true, "queued"));
        let told = model.play(&Event::Checkpoint { claim: claim_id(3), runner: vm(1) });
        assert_eq!((told.verdict, model.holds(&claim_id(3))), (Verdict::Stored, Some(2)));
    }
}

#[test]
fn a_lost_in_progress_is_made_up_for_by_completed() {
    // Of a queued job, an unknown one, and one of another handler.
    for setup in [vec![queued(2)], vec![], vec![queued(2), claim(2, 2), checkpoint(2)]] {
        let exchanged = setup.len() == 3;
        let mut model = Model::at(1_000);
        ready(&mut model, 1, 1);
        model.all(&setup);
        let told = model.play(&completed(2, Some(vm(1))));
        assert_eq!((model.word(2), model.holds(&claim_id(1))), ("over", Some(2)));
        assert!(told.wake.contains(&claim_id(1).owner));
        assert_eq!(model.word(1), if exchanged { "claimed" } else { "queued" });
        assert_eq!(model.holds(&claim_id(2)), exchanged.then_some(1));
    }
}

#[test]
fn cancelled_before_it_started_its_runner_may_still_take_another() {
    for last in [started(2, vm(1)), completed(2, Some(vm(1)))] {
        let mut model = Model::at(1_000);
        ready(&mut model, 1, 1);
        model.all(&[completed(1, None), queued(2)]);
        assert_eq!((model.word(1), model.holds(&claim_id(1))), ("over", Some(1)));
        model.play(&last);
        assert_eq!((model.holds(&claim_id(1)), model.word(1)), (Some(2), "over"), "{last:?}");
    }
}

#[test]
fn a_cancelled_jobs_runner_takes_the_job_of_another_claim() {
    let mut model = Model::at(1_000);
    ready(&mut model, 1, 1);
    ready(&mut model, 2, 2);
    model.play(&completed(1, None));
    let told = model.play(&started(2, vm(1)));
    runs_for(&model, 2, 1);
    assert_eq!((model.word(1), model.holds(&claim_id(2))), ("over", None), "there is no job to exchange");
    assert!(told.wake.contains(&claim_id(2).owner));
}

#[test]
fn old_news_moves_no_claim() {
    let mut model = Model::at(1_000);
    ready(&mut model, 1, 1);
    model.all(&[queued(2), started(2, stranger()), completed(2, Some(stranger()))]);
    for late in [started(2, vm(1)), completed(2, Some(vm(1))), started(2, stranger())] {
        let before = model.entries.clone();
        let told = model.play(&late);
        assert_eq!(model.entries, before, "{late:?}");
        assert_eq!((told.verdict, told.work, told.wake.len()), (Verdict::Known, false, 0), "{late:?}");
    }
    // Nor of a job that was to be parked.
    model.play(&waiting(1));
    let before = model.entries.clone();
    model.play(&started(2, vm(1)));
    assert_eq!(model.entries, before);
    // Nor of one that was cancelled before it started.
    model.play(&completed(1, None));
    model.play(&started(2, vm(1)));
    assert_eq!((model.holds(&claim_id(1)), model.word(1)), (Some(1), "over"));
}

#[test]
fn a_claim_that_pays_for_a_runner_finds_the_job_that_it_was_seen_to_run() {
    let mut model = Model::at(1_000);
    ready(&mut model, 1, 1);
    let state = State::Running { runner: vm(1), hold: None };
    model.entries.insert(JobId(2), Entry::new(job(2), state, model.now));
    model.play(&started(2, vm(1)));
    runs_for(&model, 2, 1);
    assert_eq!(model.word(1), "queued");
}

#[test]
fn a_runner_that_is_paid_for_stays_with_its_payer() {
    let mut model = Model::at(1_000);
    ready(&mut model, 1, 1);
    model.all(&[started(1, vm(1)), queued(2), claim(2, 3)]);
    model.play(&Event::Checkpoint { claim: claim_id(3), runner: vm(1) });
    runs_for(&model, 1, 1);
    assert_eq!(model.holds(&claim_id(3)), Some(2));
}

#[test]
fn three_in_a_ring_end_right_in_every_order() {
    let events = [started(1, vm(2)), started(2, vm(3)), started(3, vm(1))];
    for order in super::orders::permutations(3) {
        let mut model = Model::at(1_000);
        (1..=3).for_each(|n| ready(&mut model, n, n));
        for &n in &order {
            model.play(&events[n]);
        }
        for (id, n) in [(1, 2), (2, 3), (3, 1)] {
            runs_for(&model, id, n);
        }
    }
}

#[test]
fn a_released_claim_pays_for_nothing() {
    let mut model = Model::at(1_000);
    ready(&mut model, 1, 1);
    model.all(&[release(1, false), queued(2), started(2, vm(1))]);
    assert_eq!(*model.state(2), State::Running { runner: vm(1), hold: None });
    assert_eq!(model.word(1), "queued");
}
