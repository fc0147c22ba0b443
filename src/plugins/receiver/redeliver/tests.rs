//! What is asked for and when, as tables; and the bound that the README states, as a clock that runs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::decide::{AGAIN, Asked, Course, Findings, Lost, OVERLAP, changes, due};
use super::walk::Walk;
use crate::domain::ids::Millis;
use crate::github::hooks::{Delivery, KEPT, Page};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
/// A moment long after 1970.
const NOW: u64 = 1_700_000_000_000;
const DAY: Duration = Duration::from_hours(24);

/// A row: number, GUID, status (0: no answer), minutes ago.
fn row(id: u64, guid: &str, status: i64, ago: u64) -> Delivery {
    Delivery {
        id,
        guid: guid.into(),
        at: Millis(NOW - ago * MINUTE),
        redelivery: false,
        status: Some(status),
        event: "workflow_job".into(),
        action: "queued".into(),
        installation: None,
    }
}

fn again(row: Delivery) -> Delivery {
    Delivery { redelivery: true, ..row }
}

fn read(rows: &[Delivery]) -> Findings {
    let mut found = Findings::default();
    found.read(rows, Millis(NOW - 24 * HOUR), None);
    found
}

fn lost(delivery: u64, failed_ago: u64, since_ago: u64, asked_ago: Option<u64>) -> Lost {
    Lost {
        delivery,
        failed: Millis(NOW - failed_ago * MINUTE),
        since: Millis(NOW - since_ago * MINUTE),
        asked: asked_ago.map(|ago| Asked { at: Millis(NOW - ago * MINUTE), by: 1 }),
        given_up: false,
    }
}

fn given_up(mut lost: Lost) -> Lost {
    lost.given_up = true;
    lost
}

fn known(all: &[(&str, Lost)]) -> BTreeMap<String, Lost> {
    all.iter().map(|(guid, lost)| ((*guid).to_owned(), lost.clone())).collect()
}

#[test]
fn lost_is_what_failed_and_did_not_work_since() {
    let named = |event: &str, action: &str| Delivery {
        event: event.into(),
        action: action.into(),
        ..row(1, "g", 502, 5)
    };
    let unknown = Delivery { status: None, ..row(2, "g", 0, 4) };
    // Rows, newest first; whether the GUID counts as lost, and the try that is sent again.
    let cases: &[(&str, Vec<Delivery>, Option<u64>)] = &[
        ("nothing", vec![], None),
        ("no answer", vec![row(1, "g", 0, 5)], Some(1)),
        ("a gateway's", vec![row(1, "g", 502, 5)], Some(1)),
        ("ours while the store was away", vec![row(1, "g", 503, 5)], Some(1)),
        ("a redirect", vec![row(1, "g", 302, 5)], Some(1)),
        ("refused", vec![row(1, "g", 401, 5)], Some(1)),
        ("stored", vec![row(1, "g", 202, 5)], None),
        ("known", vec![row(1, "g", 200, 5)], None),
        ("worked later", vec![again(row(2, "g", 202, 4)), row(1, "g", 502, 5)], None),
        ("failed again", vec![again(row(2, "g", 502, 4)), row(1, "g", 502, 5)], Some(2)),
        ("failed after it had worked", vec![again(row(2, "g", 502, 4)), row(1, "g", 202, 5)], Some(2)),
        ("worked, and in the same second", vec![again(row(1, "g", 202, 5)), row(2, "g", 502, 5)], None),
        ("not known yet", vec![unknown.clone()], None),
        ("not known yet, failed before", vec![unknown, row(1, "g", 502, 5)], Some(1)),
        ("before the look's reach", vec![row(1, "g", 502, 24 * 60 + 1)], None),
        ("just within it", vec![row(1, "g", 502, 24 * 60)], Some(1)),
        ("completed", vec![named("workflow_job", "completed")], Some(1)),
        ("waiting", vec![named("workflow_job", "waiting")], Some(1)),
        ("in progress", vec![named("workflow_job", "in_progress")], None),
        ("another event", vec![named("push", "")], None),
        ("another event of that action", vec![named("workflow_run", "queued")], None),
        (
            "an installation's, at a hook that is no App's",
            vec![Delivery { installation: Some(5), ..row(1, "g", 502, 5) }],
            Some(1),
        ),
    ];
    for (what, rows, wanted) in cases {
        let found = read(rows);
        assert_eq!(found.lost.get("g").map(|lost| lost.delivery), *wanted, "{what}");
    }
}

#[test]
fn of_an_apps_hook_other_installations_are_left_alone() {
    let of = |id, installation| Delivery { installation, ..row(id, &format!("g{id}"), 502, 5) };
    let mut found = Findings::default();
    found.read(&[of(1, Some(7)), of(2, Some(8)), of(3, None)], Millis(0), Some(7));
    assert_eq!(found.lost.keys().collect::<Vec<_>>(), ["g1"]);
}

#[test]
fn a_look_that_is_gone_on_with_knows_what_worked_before() {
    let mut first = Findings::default();
    first.read(&[again(row(9, "g", 202, 1)), row(8, "h", 202, 2)], Millis(0), None);
    assert_eq!(first.at_a_later_try, BTreeSet::from(["g".to_owned()]), "the first try of h is the only one");
    let mut next = Findings::from(&first.at_a_later_try);
    next.read(&[row(2, "g", 502, 60), row(1, "k", 502, 61)], Millis(0), None);
    assert_eq!(next.lost.keys().collect::<Vec<_>>(), ["k"]);
    // What it carries says nothing of a later failure that is remembered.
    let remembered = known(&[("g", lost(10, 0, 60, None))]);
    assert!(!changes(&remembered, &next, Millis(NOW)).iter().any(|(guid, _)| guid == "g"));
}

/// What was remembered, what was found, what changes: to this, or to nothing more.
type Case = (&'static str, Option<Lost>, Vec<Delivery>, Option<Option<Lost>>);

#[test]
fn what_is_remembered_follows_what_is_found() {
    let kept = KEPT.as_millis() as u64 / MINUTE;
    let cases: Vec<Case> = vec![
        ("new", None, vec![row(1, "g", 502, 5)], Some(Some(lost(1, 5, 5, None)))),
        (
            "new, tried twice",
            None,
            vec![row(2, "g", 502, 5), row(1, "g", 0, 9)],
            Some(Some(lost(2, 5, 9, None))),
        ),
        ("seen again", Some(lost(1, 5, 5, Some(3))), vec![row(1, "g", 502, 5)], None),
        ("not seen", Some(lost(1, 30, 30, Some(3))), vec![], None),
        (
            "lost again",
            Some(lost(1, 5, 5, Some(3))),
            vec![row(2, "g", 502, 2)],
            Some(Some(lost(2, 2, 5, Some(3)))),
        ),
        (
            "an older try",
            Some(lost(2, 5, 5, Some(3))),
            vec![row(1, "g", 502, 9)],
            Some(Some(lost(2, 5, 9, Some(3)))),
        ),
        ("arrived", Some(lost(1, 5, 5, Some(3))), vec![row(2, "g", 202, 2)], Some(None)),
        ("arrived in the same second", Some(lost(2, 5, 5, Some(5))), vec![row(1, "g", 202, 5)], Some(None)),
        ("worked before it failed", Some(lost(2, 5, 5, None)), vec![row(1, "g", 202, 9)], None),
        ("as old as GitHub keeps it", Some(lost(1, 5, kept, Some(90))), vec![], None),
        (
            "older",
            Some(lost(1, 5, kept + 1, Some(90))),
            vec![],
            Some(Some(given_up(lost(1, 5, kept + 1, Some(90))))),
        ),
        (
            "given up, and lost again",
            Some(given_up(lost(1, 5, kept + 1, Some(90)))),
            vec![row(2, "g", 502, 1)],
            Some(Some(given_up(lost(2, 1, kept + 1, Some(90))))),
        ),
        (
            "given up, and came after all",
            Some(given_up(lost(1, 5, kept + 1, Some(90)))),
            vec![row(2, "g", 202, 1)],
            Some(None),
        ),
        (
            "given up, and nothing of it is listed any more",
            Some(given_up(lost(1, kept + 1, kept + 1, None))),
            vec![],
            Some(None),
        ),
    ];
    for (what, was, rows, wanted) in cases {
        let known = was.map(|lost| BTreeMap::from([("g".to_owned(), lost)])).unwrap_or_default();
        let got = changes(&known, &read(&rows), Millis(NOW));
        let wanted: Vec<_> = wanted.into_iter().map(|is| ("g".to_owned(), is)).collect();
        assert_eq!(got, wanted, "{what}");
    }
}

#[test]
fn each_is_asked_for_at_most_once_an_hour_and_the_eldest_first() {
    let all = known(&[
        ("asked just now", lost(1, 5, 5, Some(0))),
        ("asked 59 minutes ago", lost(2, 5, 90, Some(59))),
        ("asked an hour ago", lost(3, 5, 80, Some(60))),
        ("new", lost(4, 5, 5, None)),
        ("new, too", lost(5, 5, 5, None)),
        ("given up", given_up(lost(7, 5, 5, None))),
        (
            "asked tomorrow",
            Lost { asked: Some(Asked { at: Millis(NOW + 24 * HOUR), by: 0 }), ..lost(6, 5, 5, None) },
        ),
    ]);
    assert_eq!(due(&all, Millis(NOW)), ["asked an hour ago", "new", "new, too"]);
}

#[test]
fn a_look_goes_back_to_the_last_complete_one_and_a_bit() {
    let at = |ago| Millis(NOW - ago * MINUTE);
    let never = Course::default();
    assert_eq!(never.floor(at(0), DAY), at(24 * 60));
    let once = never.completed(at(50));
    assert_eq!(once.floor(at(0), DAY), Millis(at(50).0 - OVERLAP.as_millis() as u64));
    assert_eq!(once.completed(at(70)), once, "another receiver was later");
}

/// A page of rows, and whether there are more.
fn page(rows: Vec<Delivery>, next: Option<&str>) -> Page {
    Page { deliveries: rows, next: next.map(str::to_owned), date: None }
}

#[test]
fn an_unfinished_look_is_gone_on_with_to_its_own_end() {
    let begin = Course::default().completed(Millis(NOW - 30 * MINUTE));
    let take = |walk: &mut Walk, page: &Page, now| walk.take(page, Millis(now), &begin, DAY, None);
    let mut first = Walk::of(&begin);
    take(&mut first, &page(vec![again(row(9, "g", 202, 0)), row(8, "h", 202, 1)], Some("c1")), NOW);
    let course = first.course(&begin);
    let unfinished = course.unfinished.clone().unwrap();
    assert_eq!((unfinished.began, unfinished.cursor.as_str()), (Millis(NOW), "c1"));
    assert_eq!(unfinished.floor, Millis(NOW - 45 * MINUTE));
    assert_eq!(course.complete, begin.complete);

    let mut next = Walk::of(&course);
    assert_eq!(next.cursor.as_deref(), Some("c1"));
    take(&mut next, &page(vec![row(2, "g", 502, 44), row(1, "k", 502, 46)], Some("c2")), NOW + HOUR);
    assert!(next.found.lost.is_empty(), "g worked later, k is before the floor: {:?}", next.found.lost);
    assert_eq!(next.course(&course), begin.completed(Millis(NOW)), "not when it went on");

    let mut from_the_top = Walk::of(&course).again();
    take(&mut from_the_top, &page(vec![row(2, "g", 502, 44)], None), NOW + HOUR);
    assert_eq!(from_the_top.found.lost.len(), 1, "as far down as before");
    assert_eq!(from_the_top.course(&course).complete, Some(Millis(NOW + HOUR)));
}

/// A GitHub that loses a delivery so many times, and a receiver that looks each ten minutes. A look takes up to a
/// minute, and each a little less: the worst case, since an hour later is then just too early.
struct Clockwork {
    list: Vec<Delivery>,
    course: Course,
    lost: BTreeMap<String, Lost>,
    to_lose: u32,
    came: Option<u64>,
}

impl Clockwork {
    fn attempt(&mut self, now: u64) {
        let status = if self.to_lose > 0 { 502 } else { 202 };
        self.to_lose = self.to_lose.saturating_sub(1);
        if status == 202 {
            self.came = self.came.or(Some(now));
        }
        let id = self.list.len() as u64 + 1;
        self.list.insert(0, again(Delivery { at: Millis(now), ..row(id, "g", status, 0) }));
    }

    /// The requests go out at the look's end.
    fn look(&mut self, now: u64) {
        let mut walk = Walk::of(&self.course);
        walk.take(&page(self.list.clone(), None), Millis(now), &self.course, DAY, None);
        for (guid, is) in changes(&self.lost, &walk.found, Millis(now)) {
            match is {
                Some(lost) => self.lost.insert(guid, lost),
                None => self.lost.remove(&guid),
            };
        }
        self.course = walk.course(&self.course);
        let asked_at = now + 59_000 - 15_000 * (self.list.len() as u64 - 1).min(3);
        for guid in due(&self.lost, Millis(asked_at)) {
            self.lost.get_mut(&guid).unwrap().asked = Some(Asked { at: Millis(asked_at), by: 0 });
            self.attempt(asked_at);
        }
    }
}

#[test]
fn a_lost_delivery_is_back_within_11_minutes_and_one_lost_again_within_70_more() {
    for (losses, limit) in [(1, 11 * MINUTE), (2, (11 + 70) * MINUTE), (3, (11 + 140) * MINUTE)] {
        let mut longest = 0;
        for second in 0..600 {
            let mut world = Clockwork {
                list: Vec::new(),
                course: Course::default(),
                lost: BTreeMap::new(),
                to_lose: losses,
                came: None,
            };
            // A look began just then, and was not shown it.
            world.course = world.course.completed(Millis(NOW));
            let sent = NOW + second * 1000;
            world.attempt(sent);
            for look in 1..30 {
                world.look(NOW + look * 10 * MINUTE);
            }
            longest = longest.max(world.came.unwrap() - sent);
            assert!(world.lost.is_empty(), "seen to have come");
            assert_eq!(world.list.len() as u32, losses + 1, "asked for no more often than needed");
        }
        assert!(longest <= limit && longest > limit - 5 * MINUTE, "{losses} losses: {longest} ms");
    }
    assert_eq!(AGAIN, Duration::from_hours(1));
}
