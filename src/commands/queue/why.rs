//! Why a live handler has not taken a job that waits, from what the store knows.

use super::report::{Moment, Who};
use super::words::{ids, since, time};
use crate::domain::entry::{Entry, State};
use crate::domain::ids::{JobId, Millis};
use crate::store::Card;
use crate::store::shelf::Seen;

/// A handler, with what it holds.
pub struct Hand<'v> {
    /// Its card.
    pub seen: &'v Seen,
    /// Who it is.
    pub who: Who,
    /// The jobs of its claims.
    pub jobs: Vec<JobId>,
}

/// The word of the reason, and the reason for people. What concerns the job comes before what concerns the handler.
pub fn not_taken(entry: &Entry, hand: &Hand<'_>, now: Millis) -> (&'static str, String) {
    let card = &hand.seen.card;
    let aside = card.note.aside.iter().find(|(job, _)| *job == entry.job.id);
    if let State::Parked { .. } = entry.state {
        ("parked", "it waits for an approval".into())
    } else if !card.scope.takes(&entry.job.owner, &entry.job.repo) {
        ("scope", format!("takes only jobs of {}", card.scope))
    } else if entry.refused_by(&card.voter) {
        ("not_here", "has no such template, nor has its registry".into())
    } else if let Some((_, why)) = aside {
        ("gave_back", format!("gave it back a moment ago: {why}"))
    } else if entry.not_before > now {
        let left = since(entry.not_before, now);
        ("pause", format!("the job pauses until {}, {left} from now", Moment(entry.not_before).text()))
    } else if !hand.jobs.is_empty() {
        let held_up = card.note.held_up.as_ref().map_or_else(String::new, |why| format!("; {why}"));
        ("busy", format!("has {}{held_up}", ids(&hand.jobs)))
    } else if let Some(why) = takes_nothing(card) {
        ("host", why.to_owned())
    } else if now.since(hand.seen.at) > card.patience / 2 {
        let (seen, patience) = (since(now, hand.seen.at), time(card.patience));
        ("silent", format!("was seen {seen} ago and may hang; after {patience} it counts as dead"))
    } else {
        ("free", "may take it at its next look".into())
    }
}

/// Why it would take no job now, whatever job; one that a limit holds up between two jobs takes none either.
pub fn takes_nothing(card: &Card) -> Option<&str> {
    card.note.why.as_deref().or(card.note.held_up.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entry::Refusal;
    use crate::domain::ids::{Owner, RunId};
    use crate::domain::job::Job;
    use crate::domain::scope::Scope;
    use crate::store::Note;
    use std::time::Duration;

    fn job(id: u64) -> Entry {
        let job = Job {
            id: JobId(id),
            run_id: RunId(1),
            run_attempt: 1,
            owner: "acme".into(),
            repo: "app".into(),
            name: String::new(),
            workflow_name: String::new(),
            labels: Vec::new(),
            url: String::new(),
        };
        Entry::new(job, State::Queued, Millis(1000))
    }

    fn seen(repo: &str, why: Option<&str>) -> Seen {
        let note =
            Note { why: why.map(str::to_owned), aside: vec![(JobId(7), "x".into())], ..Note::default() };
        let card = Card {
            owner: Owner { host: "h".into(), plugin: "p".into() },
            scope: Scope::Repository { owner: "Acme".into(), repo: repo.into() },
            voter: "h default".into(),
            patience: Duration::from_secs(90),
            note,
        };
        Seen { card, at: Millis(1000) }
    }

    fn word(entry: &Entry, seen: &Seen, jobs: &[u64]) -> &'static str {
        word_at(2000, entry, seen, jobs)
    }

    fn word_at(now: u64, entry: &Entry, seen: &Seen, jobs: &[u64]) -> &'static str {
        let who = Who { plugin: "p".into(), host_name: String::new(), host: "h".into() };
        let hand = Hand { seen, who, jobs: jobs.iter().map(|id| JobId(*id)).collect() };
        not_taken(entry, &hand, Millis(now)).0
    }

    #[test]
    fn each_reason_has_its_word_and_the_job_s_come_first() {
        let (idle, draining) = (seen("app", None), seen("app", Some("draining")));
        assert_eq!(word(&job(1), &idle, &[]), "free");
        assert_eq!(word_at(46_000, &job(1), &idle, &[]), "free");
        assert_eq!(word_at(46_001, &job(1), &idle, &[]), "silent");
        assert_eq!(word(&job(1), &draining, &[]), "host");
        assert_eq!(word(&job(1), &draining, &[2]), "busy");
        let mut limited = seen("app", None);
        limited.card.note.held_up = Some("GitHub limits its calls".into());
        assert_eq!(word(&job(1), &limited, &[]), "host");
        assert_eq!(word(&job(1), &limited, &[2]), "busy");
        let paused = Entry { not_before: Millis(2001), ..job(1) };
        assert_eq!(word(&paused, &draining, &[2]), "pause");
        assert_eq!(word(&Entry { not_before: Millis(2000), ..job(1) }, &idle, &[]), "free");
        let aside = Entry { not_before: Millis(2001), ..job(7) };
        assert_eq!(word(&aside, &draining, &[2]), "gave_back");
        let said = Refusal { voter: "h default".into(), at: Millis(0) };
        let absent = Entry { absent: vec![said], ..aside };
        assert_eq!(word(&absent, &draining, &[2]), "not_here");
        assert_eq!(word(&absent, &seen("web", None), &[]), "scope");
        let parked = Entry { state: State::Parked { ask_at: Millis(9) }, ..absent };
        assert_eq!(word(&parked, &seen("web", None), &[]), "parked");
    }
}
