//! What a handler says of itself to people who look at the queue. Nothing is decided by it.

use std::collections::VecDeque;

use crate::domain::ids::JobId;
use crate::domain::outcome::Reason;
use crate::plugins::handler::Handler;
use crate::store::Note;

/// Of so many jobs it is remembered why they were given back.
const MOST: usize = 16;
/// A reason may carry what a program has said; people look at its beginning.
const LONGEST: usize = 200;

/// What the handler knows of itself.
#[derive(Default)]
pub(super) struct Said {
    /// Why it takes nothing now.
    pub why: Option<String>,
    /// What its card says.
    pub shown: Note,
    given_back: VecDeque<(JobId, String)>,
}

impl Said {
    /// A job did not run here.
    pub fn given_back(&mut self, job: JobId, reason: &Reason) {
        self.given_back.retain(|(other, _)| *other != job);
        self.given_back.truncate(MOST - 1);
        self.given_back.push_front((job, reason.to_string().chars().take(LONGEST).collect()));
    }

    fn reason_of(&self, job: JobId) -> Option<&str> {
        self.given_back.iter().find(|(other, _)| *other == job).map(|(_, why)| why.as_str())
    }
}

impl Handler {
    /// What the handler's card is to say now.
    pub(super) fn note(&self) -> Note {
        let reason = |job| Some((job, self.said.reason_of(job)?.to_owned()));
        let mut aside: Vec<_> = self.held_back.jobs().into_iter().filter_map(reason).collect();
        aside.sort();
        // A look in vain, while another handler has the job for a moment, tells nothing of the host.
        let why = self.said.why.clone().or_else(|| self.tools.guests.no_room());
        Note { host_name: self.options.host_name.clone(), why, held_up: None, aside }
    }

    /// Why the whole host is left alone for a while.
    pub(super) fn host_reason(&self) -> String {
        let latest = self.said.given_back.front().map(|(_, why)| why.clone());
        if self.unanswered.is_some() { "the store did not answer".into() } else { latest.unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_reasons_are_kept_each_job_s_last_one() {
        let mut said = Said::default();
        for job in 0..100 {
            said.given_back(JobId(job), &Reason::PullTaken);
        }
        said.given_back(JobId(99), &Reason::Forbidden("x".repeat(1000)));
        assert_eq!(said.given_back.len(), MOST);
        assert_eq!(said.reason_of(JobId(99)), Some("x".repeat(LONGEST).as_str()));
        assert_eq!(said.reason_of(JobId(98)), Some(Reason::PullTaken.to_string().as_str()));
        assert_eq!(said.reason_of(JobId(1)), None);
    }
}
