//! What to ask GitHub for: pure functions of what it lists, what is remembered, and the time.
//!
//! Of a GUID the latest try decides. Lists come newest first, so within one the first row of a GUID is its latest try;
//! across lists the time tells, to the second.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::ids::Millis;
use crate::github::hooks::{Delivery, KEPT};

/// How long a delivery that was asked for is waited for before it is asked for again.
pub const AGAIN: Duration = Duration::from_hours(1);
/// How far a look goes back beyond the beginning of the one before it: a try that was under way then is known now.
pub const OVERLAP: Duration = Duration::from_mins(15);
/// More that arrived at a second try are not carried from an unfinished look into the next.
const MOST_GOOD: usize = 2000;

/// A delivery that did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// GitHub's number of the latest try: this one is sent again.
    pub delivery: u64,
    /// When that try was made, by GitHub's clock.
    pub failed: Millis,
    /// When the first known try was made, by GitHub's clock.
    pub since: Millis,
    /// The last time that GitHub was asked to send it again.
    pub asked: Option<Asked>,
    /// The first try is older than GitHub keeps it. It is still known for as long as its latest try is, which would
    /// look like a new loss otherwise.
    pub given_up: bool,
}

/// A request to send a delivery again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// By the store's clock, which all receivers of the hook share.
    pub at: Millis,
    /// A random number: no two requests are alike, so that of two receivers one is first.
    pub by: u64,
}

/// How far the looks have come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// When the last look began that reached its end, by GitHub's clock.
    pub complete: Option<Millis>,
    /// The one that has not yet.
    pub unfinished: Option<Unfinished>,
}

/// A look that is to be gone on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// How far back it goes, by GitHub's clock.
    pub floor: Millis,
    /// When it began, by GitHub's clock.
    pub began: Millis,
    /// Where it goes on.
    pub cursor: String,
    /// What it has seen arrive at a later try: the first one, further down, is no longer of interest.
    pub good: BTreeSet<String>,
}

impl Course {
    /// How far back a new look goes that begins at `now`.
    pub fn floor(&self, now: Millis, reach: Duration) -> Millis {
        let (from, back) = self.complete.map_or((now, reach), |complete| (complete, OVERLAP));
        Millis(from.0.saturating_sub(back.as_millis() as u64))
    }

    /// After a look that began then reached its end. Another receiver's may have been later.
    #[must_use]
    pub fn completed(&self, began: Millis) -> Course {
        Course { complete: self.complete.max(Some(began)), unfinished: None }
    }
}

/// What a look has found so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Tries that failed, and none of the same GUID after them that did not.
    pub lost: BTreeMap<String, Lost>,
    /// The latest tries that worked: when, and their numbers.
    pub arrived: BTreeMap<String, (Millis, u64)>,
    /// Those of them that were not the first.
    pub at_a_later_try: BTreeSet<String>,
}

impl Findings {
    /// Goes on with what an unfinished look has seen arrive.
    pub fn from(good: &BTreeSet<String>) -> Findings {
        // As of long ago: it says nothing of what is remembered as lost, which was looked at then.
        let arrived = good.iter().map(|guid| (guid.clone(), (Millis(0), 0))).collect();
        Findings { arrived, at_a_later_try: good.clone(), ..Findings::default() }
    }

    /// Takes in rows, newest first; those before `floor` are of no interest. Of an App's hook only the rows of one
    /// `installation` are.
    pub fn read(&mut self, rows: &[Delivery], floor: Millis, installation: Option<u64>) {
        for row in rows.iter().filter(|row| is_ours(row, installation)) {
            match row.worked() {
                Some(true) if !self.lost.contains_key(&row.guid) => self.note_arrival(row),
                Some(false) if row.at >= floor && !self.arrived.contains_key(&row.guid) => {
                    let first = Lost {
                        delivery: row.id,
                        failed: row.at,
                        since: row.at,
                        asked: None,
                        given_up: false,
                    };
                    let lost = self.lost.entry(row.guid.clone()).or_insert(first);
                    lost.since = lost.since.min(row.at);
                }
                _ => {}
            }
        }
    }

    fn note_arrival(&mut self, row: &Delivery) {
        self.arrived.entry(row.guid.clone()).or_insert((row.at, row.id));
        if row.redelivery && self.at_a_later_try.len() < MOST_GOOD {
            self.at_a_later_try.insert(row.guid.clone());
        }
    }
}

/// Whether a delivery may be asked for. That a job has started is old news when it comes: GitHub is asked about jobs.
fn is_ours(row: &Delivery, installation: Option<u64>) -> bool {
    let of_ours = installation.is_none_or(|ours| row.installation == Some(ours));
    row.event == "workflow_job" && row.action != "in_progress" && of_ours
}

/// What changes in what is remembered as lost: a GUID with what is to be remembered of it from now on.
/// `now` is by GitHub's clock.
pub fn changes(known: &BTreeMap<String, Lost>, found: &Findings, now: Millis) -> Vec<(String, Option<Lost>)> {
    let guids: BTreeSet<&String> = known.keys().chain(found.lost.keys()).collect();
    let all =
        guids.into_iter().map(|guid| (guid, known.get(guid), followed(guid, known.get(guid), found, now)));
    let changed = all.filter(|(_, was, is)| *was != is.as_ref());
    changed.map(|(guid, _, is)| (guid.clone(), is)).collect()
}

/// What is to be remembered of a GUID, if anything.
fn followed(guid: &str, was: Option<&Lost>, found: &Findings, now: Millis) -> Option<Lost> {
    let arrived = |lost: &&Lost| {
        found
            .arrived
            .get(guid)
            .is_some_and(|(at, id)| *at > lost.failed || (*at == lost.failed && *id != lost.delivery))
    };
    let was = was.filter(|lost| !arrived(lost));
    let is = match (was, found.lost.get(guid)) {
        (Some(was), Some(found)) => merged(was, found),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => return None,
    };
    let too_old = |at: Millis| now.since(at) > KEPT;
    let given_up = is.given_up || too_old(is.since);
    (!too_old(is.failed)).then_some(Lost { given_up, ..is })
}

/// What is remembered, brought up to date with what was found.
fn merged(was: &Lost, found: &Lost) -> Lost {
    let latest = if (found.failed, found.delivery) > (was.failed, was.delivery) { found } else { was };
    let since = was.since.min(found.since);
    Lost { delivery: latest.delivery, failed: latest.failed, since, ..was.clone() }
}

/// How many of the [`changes`] give a delivery up.
pub fn given_up(
    known: &BTreeMap<String, Lost>,
    found: &Findings,
    changes: &[(String, Option<Lost>)],
) -> usize {
    let was_not = |guid: &str| known.get(guid).is_some_and(|was| !was.given_up);
    let gives_up = |(guid, is): &&(String, Option<Lost>)| match is {
        Some(is) => is.given_up && was_not(guid),
        None => was_not(guid) && !found.arrived.contains_key(guid),
    };
    changes.iter().filter(gives_up).count()
}

/// The GUIDs to ask for now, by the store's clock; the eldest first, as their jobs came.
pub fn due(lost: &BTreeMap<String, Lost>, now: Millis) -> Vec<String> {
    let is_due = |lost: &Lost| !lost.given_up && lost.asked.is_none_or(|asked| now.since(asked.at) >= AGAIN);
    let mut due: Vec<_> = lost.iter().filter(|(_, lost)| is_due(lost)).collect();
    due.sort_by_key(|(guid, lost)| (lost.since, lost.delivery, *guid));
    due.into_iter().map(|(guid, _)| guid.clone()).collect()
}
