//! Deliveries come late, twice, and in any order: the end is the same.

use anklet::domain::entry::State;
use anklet::domain::event::Event;

use super::model::{Model, claim_id, completed, queued, ready, started, stranger, vm, waiting};

/// All orders of `0..n`.
pub fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![vec![]];
    }
    let shorter = permutations(n - 1);
    shorter
        .iter()
        .flat_map(|rest| {
            (0..n).map(move |at| {
                let mut order = rest.clone();
                order.insert(at, n - 1);
                order
            })
        })
        .collect()
}

#[test]
fn one_jobs_deliveries_in_every_order_and_each_twice() {
    let events = [queued(1), waiting(1), queued(1), started(1, stranger()), completed(1, Some(stranger()))];
    for order in permutations(events.len()) {
        for twice in 0..=events.len() {
            let mut model = Model::at(1_000);
            let mut ended = false;
            for &n in order.iter().chain(order.get(..twice).unwrap_or_default()) {
                model.play(&events[n]);
                ended |= n == 4;
                let known = model.entries.values().next().map(|entry| entry.state.word());
                assert_eq!(known == Some("over"), ended, "{order:?}: over as soon as completed has come");
            }
            let State::Over(ending) = model.state(1) else { panic!("{order:?}") };
            assert_eq!(ending.runner, Some(stranger()));
        }
    }
}

#[test]
fn a_late_queued_costs_no_vm() {
    for early in [started(1, stranger()), completed(1, Some(stranger())), completed(1, None)] {
        let mut model = Model::at(1_000);
        model.play(&early);
        let told = model.play(&queued(1));
        assert!(!told.work && model.word(1) != "queued", "{early:?}");
    }
}

#[test]
fn a_crossing_in_every_order_leaves_each_claim_with_what_its_runner_ran() {
    let events = [started(2, vm(1)), completed(2, Some(vm(1))), started(1, vm(2)), completed(1, Some(vm(2)))];
    for order in permutations(events.len()) {
        for lost in [None, Some(0), Some(2)] {
            let mut model = Model::at(1_000);
            ready(&mut model, 1, 1);
            ready(&mut model, 2, 2);
            for &n in order.iter().filter(|n| Some(**n) != lost) {
                model.play(&events[n]);
            }
            assert_eq!((model.word(1), model.word(2)), ("over", "over"), "{order:?} without {lost:?}");
            let holds = (model.holds(&claim_id(1)), model.holds(&claim_id(2)));
            assert_eq!(holds, (Some(2), Some(1)), "{order:?} without {lost:?}");
        }
    }
}

#[test]
fn a_runner_that_takes_a_queued_job_in_every_order() {
    let events: [Event; 4] =
        [queued(2), started(2, vm(1)), completed(2, Some(vm(1))), started(1, stranger())];
    for order in permutations(events.len()) {
        let mut model = Model::at(1_000);
        ready(&mut model, 1, 1);
        for &n in &order {
            model.play(&events[n]);
        }
        // Where job 1 went to the stranger first, the claim was lost before its runner took job 2.
        let strangers_first =
            order.iter().position(|&n| n == 3) < order.iter().position(|&n| n == 1 || n == 2);
        let want = (!strangers_first).then_some(2);
        assert_eq!((model.word(2), model.holds(&claim_id(1))), ("over", want), "{order:?}");
        assert_eq!(*model.state(1), State::Running { runner: stranger(), hold: None });
    }
}
