//! Each verb over every store, once and twice.

use std::time::Duration;

use anklet::domain::absence::Absence;
use anklet::domain::conclusion::Conclusion;
use anklet::domain::entry::State;
use anklet::domain::event::{End, Event, Verdict};
use anklet::domain::ids::{JobId, Millis, RunId, RunnerName};
use anklet::domain::job::Job;
use anklet::domain::life::REFUSED;
use anklet::domain::scope::Scope;
use anklet::domain::undo::Closing;
use anklet::store::{Ask, Depth, REMEMBERED};

use super::world::{START, World, acme, ask, card, claimed, ids, queued_of, word, worlds};
use crate::life::model::{
    checkpoint, claim, claim_id, completed, job, not_here, owner, queued, release, started, stranger, vm,
    waiting,
};

fn play(world: &World, events: &[Event]) {
    for event in events {
        world.store.apply(event).unwrap_or_else(|error| panic!("{}: {event:?}: {error}", world.name));
    }
}

#[test]
fn what_is_stored_comes_back_as_it_was() {
    for world in worlds() {
        let odd = Job {
            id: JobId(9_007_199_254_740_993),
            run_id: RunId(u64::MAX),
            run_attempt: 7,
            owner: "Ácme-Ü".into(),
            repo: "a.b_c-'\"%".into(),
            name: "build (\u{1F980}, \"x\")\n".into(),
            workflow_name: String::new(),
            labels: vec!["anka-template:T".into(), "a\nb".into(), String::new(), "a\nb".into()],
            url: "https://example.com/?a=1&b='".into(),
        };
        let event = Event::Queued { job: odd.clone(), waiting: false };
        assert_eq!(world.store.apply(&event).unwrap().verdict, Verdict::Stored);
        let entry = world.store.entry(odd.id).unwrap().unwrap();
        assert_eq!((&entry.job, &entry.state, entry.age), (&odd, &State::Queued, Millis(START)));
        assert_eq!(world.store.entry(JobId(1)).unwrap(), None);
        assert_eq!(world.store.now().unwrap(), Millis(START));
    }
}

#[test]
fn the_eldest_first_then_by_id() {
    for world in worlds() {
        play(&world, &[queued(9), queued(5)]);
        world.hands.pass(Duration::from_millis(1));
        play(&world, &[queued(1), queued(2)]);
        let scope = acme();
        let order: Vec<_> = (1..=5).map(|n| claimed(&*world.store, &ask(&claim_id(n), &scope))).collect();
        assert_eq!(order, [Some(5), Some(9), Some(1), Some(2), None], "{}", world.name);
        // A released job keeps its age.
        play(&world, &[release(1, false)]);
        assert_eq!(claimed(&*world.store, &ask(&claim_id(6), &scope)), Some(5));
    }
}

#[test]
fn one_claim_has_one_job_however_often_it_asks() {
    for world in worlds() {
        play(&world, &[queued(1), queued(2)]);
        let (one, scope) = (claim_id(1), acme());
        for _ in 0..3 {
            assert_eq!(claimed(&*world.store, &ask(&one, &scope)), Some(1), "{}", world.name);
        }
        assert_eq!(world.store.apply(&claim(2, 1)).unwrap().verdict, Verdict::Lost);
        assert_eq!(word(&*world.store, 2), "queued");
        let entry = world.store.held(&one).unwrap().unwrap();
        assert_eq!(entry.hold().unwrap().lease_until, Millis(START + 60_000));
        play(&world, &[started(1, stranger())]);
        assert_eq!(world.store.held(&one).unwrap(), None, "lost to a stranger");
        assert_eq!(claimed(&*world.store, &ask(&one, &scope)), Some(2));
    }
}

#[test]
fn a_handler_takes_what_its_scope_takes() {
    for world in worlds() {
        let of = |id, owner: &str, repo: &str| {
            let job = Job { owner: owner.into(), repo: repo.into(), ..job(id) };
            Event::Queued { job, waiting: false }
        };
        play(&world, &[of(1, "Other", "App"), of(2, "ACME", "Api"), of(3, "acme", "APP")]);
        let app = Scope::Repository { owner: "Acme".into(), repo: "App".into() };
        let enterprise = Scope::Enterprise { slug: "big".into() };
        let takes = |n, scope: &Scope| claimed(&*world.store, &ask(&claim_id(n), scope));
        assert_eq!(takes(1, &app), Some(3), "{}", world.name);
        assert_eq!(takes(2, &app), None);
        assert_eq!(takes(3, &Scope::Organization { owner: "aCME".into() }), Some(2));
        assert_eq!(takes(4, &Scope::Organization { owner: "aCME".into() }), None);
        assert_eq!(takes(5, &enterprise), Some(1));
    }
}

#[test]
fn except_and_like_narrow_the_choice() {
    for world in worlds() {
        play(
            &world,
            &[
                queued_of(1, "app", &["a", "B"]),
                queued_of(2, "app", &["a"]),
                queued_of(3, "app", &["b", "A"]),
            ],
        );
        let (one, scope) = (claim_id(1), acme());
        let like = Job { labels: vec!["B".into(), "a".into(), "a".into()], ..job(9) };
        let except = [JobId(1)];
        let narrow = Ask { except: &except, like: Some(&like), ..ask(&one, &scope) };
        assert_eq!(claimed(&*world.store, &narrow), Some(3), "{}", world.name);
        let two = claim_id(2);
        assert_eq!(claimed(&*world.store, &Ask { claim: &two, ..narrow.clone() }), None);
        assert_eq!(claimed(&*world.store, &Ask { claim: &two, like: None, ..narrow }), Some(2));
    }
}

#[test]
fn a_pause_is_waited_for() {
    for world in worlds() {
        play(&world, &[queued(1), claim(1, 1)]);
        let pause = Duration::from_secs(5);
        play(&world, &[Event::Release { claim: claim_id(1), job: None, counted: true, pause }]);
        let (two, scope) = (claim_id(2), acme());
        world.hands.pass(pause.checked_sub(Duration::from_millis(1)).unwrap());
        assert_eq!(claimed(&*world.store, &ask(&two, &scope)), None, "{}", world.name);
        world.hands.pass(Duration::from_millis(1));
        assert_eq!(claimed(&*world.store, &ask(&two, &scope)), Some(1));
        let endless = Event::Release { claim: claim_id(2), job: None, counted: true, pause: Duration::MAX };
        play(&world, &[endless]);
        assert_eq!(claimed(&*world.store, &ask(&two, &scope)), None, "{}: an endless pause", world.name);
    }
}

#[test]
fn not_here_is_unanimous_among_live_voters_of_the_scope() {
    for world in worlds() {
        let patience = Duration::from_secs(90);
        let scope = acme();
        world.store.seen(&card("h1", "v1", patience)).unwrap();
        world.store.seen(&card("h2", "v2", patience)).unwrap();
        let mut elsewhere = card("h3", "v3", patience);
        elsewhere.scope = Scope::Repository { owner: "acme".into(), repo: "another".into() };
        world.store.seen(&elsewhere).unwrap();
        play(&world, &[queued(1), claim(1, 1)]);
        let verdict = |event: &Event| world.store.apply(event).unwrap().verdict;
        assert_eq!(verdict(&not_here(1, "v1")), Verdict::Stored, "{}", world.name);
        assert_eq!(claimed(&*world.store, &ask(&claim_id(4), &scope)), None, "v1 has said its word");
        let two = claim_id(2);
        assert_eq!(claimed(&*world.store, &Ask { voter: "v2", ..ask(&two, &scope) }), Some(1));
        play(&world, &[release(2, false)]);
        // h2 is not seen any more: what is left is unanimous, and h1 takes the job to cancel it.
        world.hands.pass(patience);
        world.store.seen(&card("h1", "v1", patience)).unwrap();
        world.store.seen(&elsewhere).unwrap();
        assert_eq!(claimed(&*world.store, &ask(&claim_id(5), &scope)), None, "{}: h2 just lives", world.name);
        world.hands.pass(Duration::from_millis(1));
        let five = claim_id(5);
        assert_eq!(claimed(&*world.store, &ask(&five, &scope)), Some(1));
        assert_eq!(verdict(&not_here(5, "v1")), Verdict::Unanimous);
        assert_eq!(verdict(&not_here(5, "v1")), Verdict::Unanimous, "a lost answer");
        assert!(world.store.held(&five).unwrap().is_some());
    }
}

#[test]
fn of_what_the_asker_knows_to_be_absent_it_says_so_on_the_way_but_never_the_last_word() {
    for world in worlds() {
        let (scope, patience) = (acme(), Duration::from_secs(90));
        world.store.seen(&card("h1", "v1", patience)).unwrap();
        world.store.seen(&card("h2", "v2", patience)).unwrap();
        let labels = |template: &str| vec!["x".to_owned(), format!("anka-template:{template}")];
        let of =
            |id, template| Event::Queued { job: Job { labels: labels(template), ..job(id) }, waiting: false };
        for id in 1..=300 {
            play(&world, &[of(id, "ghost")]);
        }
        play(&world, &[of(301, "here")]);
        let absences =
            |at| [Absence { request: Job { labels: labels("ghost"), ..job(1) }.vm_request().unwrap(), at }];
        let now = absences(world.store.now().unwrap());
        world.hands.pass(Duration::from_millis(1));
        play(&world, &[of(302, "ghost")]);
        let asked = |n, voter, absent: &[Absence]| {
            // A look that has said much may have come to its end.
            (0..3).find_map(|_| claimed(&*world.store, &Ask { voter, absent, ..ask(&claim_id(n), &scope) }))
        };
        assert_eq!(asked(1, "v1", &now), Some(301), "{}", world.name);
        assert_eq!(asked(2, "v1", &now), Some(302), "{}: it came later", world.name);
        assert_eq!(asked(3, "v1", &[]), None, "{}: all of it is said", world.name);
        // The other one's word would be the last: it takes the job to cancel its run.
        assert_eq!(asked(4, "v2", &now), Some(1), "{}", world.name);
        assert_eq!(asked(5, "v2", &[]), Some(2), "{}", world.name);
    }
}

#[test]
fn a_word_on_not_here_is_taken_back_by_its_voter_alone() {
    for world in worlds() {
        let (scope, patience) = (acme(), Duration::from_hours(1));
        world.store.seen(&card("h1", "v1", patience)).unwrap();
        world.store.seen(&card("h2", "v2", patience)).unwrap();
        let look = |n, voter| {
            world.store.take_back(voter).unwrap();
            claimed(&*world.store, &Ask { voter, ..ask(&claim_id(n), &scope) })
        };
        play(&world, &[queued(1), claim(1, 1), not_here(1, "v1")]);
        world.hands.pass(REFUSED.saturating_sub(Duration::from_millis(1)));
        assert_eq!(look(2, "v1"), None, "{}: so soon", world.name);
        world.hands.pass(Duration::from_millis(1));
        assert_eq!(look(2, "v1"), Some(1), "{}: the template may have come", world.name);
        assert_eq!(world.store.apply(&not_here(2, "v1")).unwrap().verdict, Verdict::Stored, "{}", world.name);
        // The other one is busy for long, and the first one too by then: their words meet all the same.
        world.hands.pass(REFUSED * 5);
        assert_eq!(look(3, "v2"), Some(1), "{}", world.name);
        let last = world.store.apply(&not_here(3, "v2")).unwrap().verdict;
        assert_eq!(last, Verdict::Unanimous, "{}", world.name);
    }
}

#[test]
fn jobs_of_hidden_repositories_are_left_alone_however_many() {
    for world in worlds() {
        let scope = acme();
        for n in 1..=300 {
            play(&world, &[queued_of(n, "Hidden", &["anka-template:t"])]);
        }
        play(&world, &[queued(301)]);
        world.hands.pass(Duration::from_secs(30));
        // Of this one GitHub has just told.
        play(&world, &[queued_of(302, "Hidden", &["anka-template:t"])]);
        let hidden = ["acme/hidden".to_owned()];
        let asked = |n| claimed(&*world.store, &Ask { hidden: &hidden, ..ask(&claim_id(n), &scope) });
        assert_eq!(asked(1), Some(301), "{}", world.name);
        assert_eq!(asked(2), Some(302), "{}", world.name);
        assert_eq!(asked(3), None, "{}", world.name);
    }
}

#[test]
fn a_crossing_moves_claims_between_jobs() {
    for world in worlds() {
        play(
            &world,
            &[queued(1), claim(1, 1), checkpoint(1), queued(2), claim(2, 2), checkpoint(2), queued(3)],
        );
        let told = world.store.apply(&started(2, vm(1))).unwrap();
        assert_eq!(told.wake.len(), 2, "{}", world.name);
        let held = |n| world.store.held(&claim_id(n)).unwrap().map(|entry| entry.job.id.0);
        assert_eq!((held(1), held(2)), (Some(2), Some(1)), "{}", world.name);
        // The other handler's runner takes a third job.
        assert!(world.store.apply(&completed(3, Some(vm(2)))).unwrap().work);
        assert_eq!((held(2), word(&*world.store, 1), word(&*world.store, 3)), (Some(3), "queued", "over"));
        // An unknown one is watched.
        play(&world, &[claim(1, 4), checkpoint(4), started(8, vm(4))]);
        assert_eq!((held(4), word(&*world.store, 1)), (Some(8), "queued"));
        // A runner that took a job while nobody paid for it is found by its next claim.
        play(&world, &[started(9, RunnerName("anklet-vm-x".into())), claim(1, 5)]);
        let runner = RunnerName("anklet-vm-x".into());
        play(&world, &[Event::Checkpoint { claim: claim_id(5), runner }]);
        assert_eq!((held(5), word(&*world.store, 1)), (Some(9), "queued"), "{}", world.name);
    }
}

#[test]
fn a_handler_finds_all_that_it_holds_again() {
    for world in worlds() {
        let mine = |turn| anklet::domain::ids::ClaimId { owner: owner("h1"), turn };
        play(&world, &[queued(1), queued(2), queued(3)]);
        let scope = acme();
        let (claim, entry) = world.store.take(&ask(&mine(7), &scope)).unwrap().unwrap();
        assert_eq!((claim.id(), entry.job.id), (&mine(7), JobId(1)));
        assert_eq!(claimed(&*world.store, &ask(&claim_id(2), &scope)), Some(2));
        assert_eq!(claimed(&*world.store, &ask(&mine(u64::MAX), &scope)), Some(3));
        assert_eq!(ids(&world.store.held_by(&owner("h1")).unwrap()), [1, 3], "{}", world.name);
        // After a restart: what is over is still its own to clean up.
        play(&world, &[completed(1, None)]);
        let claim = claim.detach();
        let (again, entry) = world.store.reclaim(&claim).unwrap().unwrap();
        assert_eq!(entry.state.word(), "over");
        assert_eq!(ids(&world.store.held_by(&owner("h1")).unwrap()), [1, 3]);
        let end = Closing::Settle(JobId(1), End::Over(Conclusion::Cancelled));
        world.store.end(again, &end).map_err(|(_, error)| error).unwrap();
        assert!(world.store.reclaim(&claim).unwrap().is_none());
        assert_eq!(ids(&world.store.held_by(&owner("h1")).unwrap()), [3]);
    }
}

#[test]
fn parked_jobs_are_given_out_once_in_ten_minutes() {
    for world in worlds() {
        play(&world, &[queued(1), queued(2), waiting(1), waiting(2), queued(3)]);
        let due = || ids(&world.store.parked_due().unwrap());
        assert_eq!(due(), [0; 0], "{}", world.name);
        world.hands.pass(Duration::from_mins(10));
        assert_eq!((due(), due()), (vec![1, 2], vec![]), "{}", world.name);
        play(&world, &[Event::Runnable { job: JobId(1) }]);
        world.hands.pass(Duration::from_mins(10));
        assert_eq!((due(), due()), (vec![2], vec![]));
    }
}

#[test]
fn what_is_over_is_forgotten_after_a_week() {
    for world in worlds() {
        play(&world, &[completed(1, None), queued(2), claim(2, 2), started(3, stranger()), queued(4)]);
        play(&world, &[queued(5), claim(5, 5), checkpoint(5), started(5, vm(5))]);
        play(&world, &[Event::Settle { claim: claim_id(2), job: JobId(2), end: End::Dead("no".into()) }]);
        world.hands.pass(REMEMBERED);
        assert_eq!(world.store.purge().unwrap(), 0, "{}", world.name);
        play(&world, &[completed(6, None)]);
        world.hands.pass(Duration::from_millis(1));
        assert_eq!(world.store.purge().unwrap(), 3, "{}: 1, 2 and 3", world.name);
        let words: Vec<_> = (1..=6).map(|id| word(&*world.store, id)).collect();
        assert_eq!(words, ["unknown", "unknown", "unknown", "queued", "running", "over"]);
        assert_eq!(world.store.purge().unwrap(), 0);
    }
}

#[test]
fn depth_and_list_show_what_stands_where() {
    for world in worlds() {
        assert_eq!(world.store.depth().unwrap(), Depth::default());
        play(&world, &[queued(7), queued(6), waiting(6), queued(5), claim(5, 5), started(4, stranger())]);
        play(&world, &[completed(3, None), queued(2), claim(2, 2)]);
        play(&world, &[Event::Settle { claim: claim_id(2), job: JobId(2), end: End::Dead("no".into()) }]);
        world.hands.pass(Duration::from_secs(3));
        play(&world, &[queued(1)]);
        world.hands.pass(Duration::from_secs(4));
        let depth =
            Depth { queued: 2, parked: 1, claimed: 1, running: 1, dead: 1, eldest: Duration::from_secs(7) };
        assert_eq!(world.store.depth().unwrap(), depth, "{}", world.name);
        assert_eq!(ids(&world.store.list().unwrap()), [2, 4, 5, 6, 7, 1], "{}", world.name);
    }
}
