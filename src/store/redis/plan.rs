//! What `lua/commit.lua` checks and writes, in one step.

use serde::Serialize;

use super::index::{Mark, hold, marks, marks_ever};
use super::snapshot::Snapshot;
use super::{card, keys};
use crate::domain::entry::Entry;
use crate::domain::event::Told;
use crate::domain::ids::{Millis, Owner};
use crate::store::{StoreError, record};

/// A plan. The first three lists are what must still be so; an empty text stands for "not there".
#[derive(Debug, Default, Serialize)]
pub struct Plan {
    jobs: Vec<(String, String)>,
    held: Vec<(String, String)>,
    tied: Vec<(String, Vec<String>)>,
    /// Members out of sorted sets, claims, records, cards.
    remove: Vec<(&'static str, String)>,
    let_go: Vec<String>,
    forget: Vec<String>,
    gone: Vec<String>,
    /// Records, cards, members with their scores, claims.
    write: Vec<(String, String)>,
    show: Vec<(String, String)>,
    add: Vec<(&'static str, String, String)>,
    hold: Vec<(String, String)>,
    /// Whether a job became free to take.
    ring: bool,
    /// The hops of the token that made us look; it goes on if something still waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<u32>,
    /// Whose mailboxes get news.
    #[serde(skip)]
    pub wake: Vec<Owner>,
}

impl Plan {
    /// What a step that was played on `snapshot` has changed.
    pub fn of(snapshot: &Snapshot) -> Result<Plan, StoreError> {
        let mut plan = Plan::default();
        for (job, text) in &snapshot.texts {
            plan.jobs.push((job.to_string(), text.clone().unwrap_or_default()));
        }
        plan.held.extend(snapshot.held.clone());
        plan.tied.extend(snapshot.tied.clone());
        for (job, entry) in &snapshot.put {
            let before = snapshot.texts.get(job).and_then(Option::as_ref);
            let before = before.map(|text| record::decode(text)).transpose()?;
            plan.replace(before.as_ref(), entry, snapshot.now)?;
        }
        for seen in &snapshot.shown {
            plan.show.push(card::encode(seen)?);
        }
        let old = snapshot.cards.iter().filter(|seen| card::is_old(seen, snapshot.now));
        plan.gone.extend(old.map(|seen| keys::owner_name(&seen.card.owner)));
        Ok(plan)
    }

    /// A plan that forgets jobs.
    pub fn to_forget(jobs: &[(Entry, String)]) -> Plan {
        let mut plan = Plan::default();
        for (entry, text) in jobs {
            let id = entry.job.id.to_string();
            plan.jobs.push((id.clone(), text.clone()));
            plan.forget.push(id);
            plan.take_out(entry, &[]);
            plan.let_go.extend(hold(entry));
        }
        plan
    }

    /// Whom the step concerns.
    pub fn tell(&mut self, told: &Told) {
        self.wake.clone_from(&told.wake);
        self.wake.sort();
        self.wake.dedup();
        self.ring = told.work;
    }

    /// The token that made us look, if there is one.
    pub fn pass(&mut self, token: Option<u32>) {
        self.token = token;
    }

    /// Whether there is nothing to write and nobody to tell.
    pub fn is_empty(&self) -> bool {
        self.write.is_empty()
            && self.show.is_empty()
            && self.forget.is_empty()
            && self.gone.is_empty()
            && self.wake.is_empty()
            && !self.ring
    }

    /// As the script reads it.
    pub fn text(&self) -> Result<String, StoreError> {
        serde_json::to_string(self).map_err(|error| StoreError::Unreadable(format!("a plan: {error}")))
    }

    fn replace(&mut self, before: Option<&Entry>, after: &Entry, now: Millis) -> Result<(), StoreError> {
        let id = after.job.id.to_string();
        self.write.push((id.clone(), record::encode(after)?));
        let new = marks(after, now);
        if let Some(before) = before {
            self.take_out(before, &new);
        }
        self.add.extend(new.into_iter().map(|mark| (mark.set, mark.score.to_string(), mark.member)));
        let (was, is) = (before.and_then(hold), hold(after));
        if was != is {
            self.let_go.extend(was);
            self.hold.extend(is.map(|claim| (claim, id)));
        }
        Ok(())
    }

    fn take_out(&mut self, entry: &Entry, stays: &[Mark]) {
        for mark in marks_ever(entry) {
            if !stays.iter().any(|new| new.set == mark.set && new.member == mark.member) {
                let gone = (mark.set, mark.member);
                if !self.remove.contains(&gone) {
                    self.remove.push(gone);
                }
            }
        }
    }
}
