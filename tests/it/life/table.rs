//! Every state by every event, as data.
//!
//! A cell is the state afterwards; `=` nothing has changed; `?` the page does not say.
//! Behind it: `*` claim 1 holds the job, `+` claim 2 does, `!` the handler of claim 1 is told, `^` others are told
//! that there is work.
//! `ready` is claimed with a runner, `parking` is claimed and to be parked, `strange` runs on a stranger's
//! runner, `ended` is over before it started and its handler has not cleaned up yet.

use std::time::Duration;

use anklet::domain::conclusion::Conclusion;
use anklet::domain::entry::{Ending, Entry, Hold, State};
use anklet::domain::event::{End, Event, Verdict};
use anklet::domain::ids::{JobId, Millis};

use super::model::{
    Model, acme, checkpoint, claim, claim_id, completed, job, not_here, queued, release, started, stranger,
    vm, waiting,
};

const TABLE: &str = "
event             queued    parked   claimed    ready      parking    running   strange  over  ended  dead     none
queued            =         queued^  =          =          claimed*   =         =        =     =      =        queued^
queued_waiting    =         queued^  =          =          =          =         =        =     =      =        queued^
waiting           parked    =        parking*!  parking*!  =          =         =        =     =      =        =
github_queued     =         queued^  =          =          =          =         =        =     =      =        =
started_vm        running   running  running!   running*!  running*!  =         =        =     =      running  running
started_stranger  running   running  running!   running!   running!   =         =        =     =      running  running
completed_vm      over      over     over!      over*!     over*!     over*!    over     =     =      over     over
completed_strange over      over     over!      over!      over!      ?         over     =     =      over     over
completed_nobody  over      over     over*!     over*!     over*!     over*!    over     =     =      over     over
claim_same        claimed*  =        =          =          =          =         =        =     =      =        =
claim_other       claimed+  =        =          =          =          =         =        =     =      =        =
checkpoint        =         =        claimed*   =          =          =         =        =     =      =        =
renew             =         =        claimed*   claimed*   parking*   running*  =        =     over*  =        =
release_counted   =         =        queued^    queued^    parked     running   =        =     over   =        =
release           =         =        queued^    queued^    parked     running   =        =     over   =        =
not_here          =         =        queued^    queued^    parked     =         =        =     =      =        =
not_here_at_all   =         =        claimed*   claimed*   parking*   =         =        =     =      =        =
park              =         =        parked     parked     parked     running   =        =     over   =        =
settle_over       =         =        over       over       over       over      =        =     over   =        =
settle_dead       =         =        dead       dead       dead       running   =        =     over   =        =
requeue           queued^   queued^  =          =          =          =         =        =     =      queued^  =
";

fn entry(column: &str) -> Option<Entry> {
    let hold = |runner, park| Hold {
        claim: claim_id(1),
        scope: Some(acme()),
        runner,
        park,
        lease_until: Millis(2_000_000),
    };
    let over = |runner, hold| {
        State::Over(Ending { conclusion: Conclusion::Cancelled, runner, at: Millis(900_000), hold })
    };
    let state = match column {
        "queued" => State::Queued,
        "parked" => State::Parked { ask_at: Millis(1_300_000) },
        "claimed" => State::Claimed(hold(None, false)),
        "ready" => State::Claimed(hold(Some(vm(1)), false)),
        "parking" => State::Claimed(hold(Some(vm(1)), true)),
        "running" => State::Running { runner: vm(1), hold: Some(hold(Some(vm(1)), false)) },
        "strange" => State::Running { runner: stranger(), hold: None },
        "over" => over(Some(vm(1)), None),
        "ended" => over(None, Some(hold(Some(vm(1)), false))),
        "dead" => State::Dead { reason: "gave up".into(), at: Millis(900_000) },
        "none" => return None,
        other => panic!("no such column: {other}"),
    };
    let new = Entry::new(job(1), state, Millis(500_000));
    Some(Entry { attempts: 2, queued_at: Millis(500_001), ..new })
}

fn event(row: &str) -> Event {
    let settle = |end| Event::Settle { claim: claim_id(1), job: JobId(1), end };
    match row {
        "queued" => queued(1),
        "queued_waiting" => Event::Queued { job: job(1), waiting: true },
        "waiting" => waiting(1),
        "github_queued" => Event::Runnable { job: JobId(1) },
        "started_vm" => started(1, vm(1)),
        "started_stranger" => started(1, stranger()),
        "completed_vm" => completed(1, Some(vm(1))),
        "completed_strange" => completed(1, Some(stranger())),
        "completed_nobody" => completed(1, None),
        "claim_same" => claim(1, 1),
        "claim_other" => claim(1, 2),
        "checkpoint" => checkpoint(1),
        "renew" => Event::Renew { claim: claim_id(1), lease_until: Millis(3_000_000) },
        "release_counted" => release(1, true),
        "release" => release(1, false),
        "not_here" | "not_here_at_all" => not_here(1, "v1"),
        "park" => Event::Park { claim: claim_id(1), job: None },
        "settle_over" => settle(End::Over(Conclusion::Failure)),
        "settle_dead" => settle(End::Dead("three tries".into())),
        "requeue" => Event::Requeue { job: JobId(1) },
        other => panic!("no such row: {other}"),
    }
}

fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let mut lines = TABLE.trim().lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let columns = lines.next().expect("a head");
    lines.flat_map(move |line| {
        assert_eq!(line.len(), columns.len(), "{line:?}");
        let cells: Vec<_> = (1..line.len()).map(|n| (line[0], columns[n], line[n])).collect();
        cells
    })
}

fn world(column: &str, row: &str) -> Model {
    let mut model = entry(column).map_or_else(|| Model::at(1_000_000), Model::with);
    model.voters = vec!["v1".into()];
    if row == "not_here" {
        model.voters.push("v2".into());
    }
    model
}

/// The cell that really is.
fn found(before: Option<&Entry>, after: Option<&Entry>, told: (bool, bool)) -> String {
    if before == after {
        assert_eq!(told, (false, false), "nothing has changed, so nobody is to be told");
        return "=".into();
    }
    let after = after.expect("what is known is not forgotten");
    let mut cell = match &after.state {
        State::Claimed(hold) if hold.park => "parking".to_owned(),
        state => state.word().to_owned(),
    };
    cell += match after.hold() {
        Some(hold) if hold.claim == claim_id(1) => "*",
        Some(_) => "+",
        None => "",
    };
    cell + if told.0 { "!" } else { "" } + if told.1 { "^" } else { "" }
}

#[test]
fn every_cell_is_as_the_page_says() {
    let mut wrong = Vec::new();
    for (row, column, want) in rows() {
        let mut model = world(column, row);
        let before = model.entries.get(&JobId(1)).cloned();
        let told = model.play(&event(row));
        let after = model.entries.get(&JobId(1));
        assert!(told.wake.iter().all(|owner| *owner == claim_id(1).owner), "{row} x {column}");
        let is = found(before.as_ref(), after, (!told.wake.is_empty(), told.work));
        if is != want && want != "?" {
            wrong.push(format!("{row} x {column}: {is}, the page says {want}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn age_and_identity_stay_in_every_cell_and_attempts_in_all_but_two_rows() {
    for (row, column, _) in rows() {
        let mut model = world(column, row);
        let before = model.entries.get(&JobId(1)).cloned();
        model.play(&event(row));
        let (Some(before), Some(after)) = (before, model.entries.get(&JobId(1))) else { continue };
        assert_eq!((&after.job, after.age), (&before.job, before.age), "{row} x {column}");
        let counts = row == "release_counted" && matches!(column, "claimed" | "ready" | "parking");
        let forgets = row == "requeue" && matches!(column, "queued" | "parked" | "dead");
        let want = if counts {
            3
        } else if forgets {
            0
        } else {
            2
        };
        assert_eq!(after.attempts, want, "{row} x {column}");
    }
}

#[test]
fn every_cell_is_the_same_the_second_time() {
    let once_only = ["release_counted", "not_here"];
    for (row, column, _) in rows().filter(|(row, ..)| !once_only.contains(row)) {
        let mut model = world(column, row);
        model.play(&event(row));
        let once = model.entries.get(&JobId(1)).map(|entry| entry.state.clone());
        model.play(&event(row));
        let twice = model.entries.get(&JobId(1)).map(|entry| entry.state.clone());
        assert_eq!(once, twice, "{row} x {column}");
    }
}

#[test]
fn a_claim_that_is_not_the_jobs_can_do_nothing() {
    let foreign = |event: Event| match event {
        Event::Checkpoint { runner, .. } => Event::Checkpoint { claim: claim_id(2), runner },
        Event::Renew { lease_until, .. } => Event::Renew { claim: claim_id(2), lease_until },
        Event::Release { counted, pause, .. } => {
            Event::Release { claim: claim_id(2), job: None, counted, pause }
        }
        Event::NotHere { voter, .. } => Event::NotHere { claim: claim_id(2), voter },
        Event::Park { .. } => Event::Park { claim: claim_id(2), job: None },
        Event::Settle { end, job, .. } => Event::Settle { claim: claim_id(2), job, end },
        other => panic!("no claim in {other:?}"),
    };
    let rows_of_claims = ["checkpoint", "renew", "release", "not_here", "park", "settle_over", "settle_dead"];
    for (row, column, _) in rows().filter(|(row, ..)| rows_of_claims.contains(row)) {
        let mut model = world(column, row);
        let before = model.entries.clone();
        let told = model.play(&foreign(event(row)));
        assert_eq!(model.entries, before, "{row} x {column}");
        assert_eq!((told.verdict, told.work, told.wake), (Verdict::Lost, false, vec![]), "{row} x {column}");
    }
}

#[test]
fn verdicts_tell_new_from_known_from_foreign() {
    let verdict = |column, row| world(column, row).play(&event(row)).verdict;
    assert_eq!(verdict("none", "queued"), Verdict::Stored);
    assert_eq!(verdict("queued", "queued"), Verdict::Known);
    assert_eq!(verdict("over", "queued"), Verdict::Known);
    assert_eq!(verdict("none", "waiting"), Verdict::Ignored);
    assert_eq!(verdict("over", "completed_vm"), Verdict::Known);
    assert_eq!(verdict("queued", "claim_other"), Verdict::Stored);
    assert_eq!(verdict("claimed", "claim_same"), Verdict::Known);
    assert_eq!(verdict("claimed", "claim_other"), Verdict::Lost);
    assert_eq!(verdict("none", "claim_same"), Verdict::Lost);
    assert_eq!(verdict("claimed", "not_here_at_all"), Verdict::Unanimous);
    assert_eq!(verdict("claimed", "not_here"), Verdict::Stored);
}

#[test]
fn how_it_ended_is_remembered_as_github_said_it() {
    let mut model = world("ready", "completed_vm");
    model.play(&completed(1, Some(vm(1))));
    model.play(&Event::Settle { claim: claim_id(1), job: JobId(1), end: End::Over(Conclusion::Failure) });
    let State::Over(ending) = model.state(1) else { panic!("{:?}", model.state(1)) };
    assert_eq!((&ending.conclusion, &ending.runner), (&Conclusion::Success, &Some(vm(1))));
    assert_eq!((ending.at, &ending.hold), (Millis(1_000_001), &None));
    // GitHub, asked, says completed: the runner that it said had started is remembered.
    let mut model = world("running", "settle_over");
    model.play(&event("settle_over"));
    let State::Over(ending) = model.state(1) else { panic!("{:?}", model.state(1)) };
    assert_eq!((&ending.conclusion, &ending.runner), (&Conclusion::Failure, &Some(vm(1))));
}

#[test]
fn a_pause_and_the_moment_of_queueing_are_kept() {
    let mut model = Model::at(5_000);
    model.all(&[queued(1), claim(1, 1)]);
    assert_eq!(model.entries[&JobId(1)].queued_at, Millis(5_001));
    let pause = Duration::from_secs(15);
    model.play(&Event::Release { claim: claim_id(1), job: None, counted: true, pause });
    assert_eq!(model.entries[&JobId(1)].not_before, Millis(20_003));
    assert_eq!(model.entries[&JobId(1)].age, Millis(5_001));
    model.play(&Event::Queued { job: job(2), waiting: true });
    assert_eq!(model.entries[&JobId(2)].queued_at, Millis(0), "GitHub is to be asked before a VM is spent");
}
