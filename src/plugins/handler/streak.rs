//! Failures in a row of what is tried again: a warning each, and an operator's matter once they are too many.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Display;
use std::mem::{Discriminant, discriminant};
use std::time::{Duration, Instant};

use crate::domain::outcome::Reason;

/// Failures in a row that make them an operator's matter.
const TOO_MANY: u32 = 5;
/// How often what goes on failing is said as an error.
const ERROR_AGAIN: Duration = Duration::from_hours(1);
/// How often it is said at all, however often it is tried.
const SAY_AGAIN: Duration = Duration::from_secs(55);

/// What is tried again until it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Effort {
    /// A look for work.
    Look,
    /// Telling the store what GitHub says.
    Note,
    /// Telling the store that a template is not here.
    Vote,
    /// Telling the store how a claim ended.
    EndClaim,
    /// Finding out at the start what the store knows of the claims that were left.
    Recover,
    /// Forgetting old jobs.
    Forget,
    /// Taking back what was "not here" a while ago.
    TakeBack,
    /// Asking GitHub about a job.
    AskJob,
    /// Asking GitHub about a runner.
    AskRunner,
    /// Finding the runner group.
    FindGroup,
    /// Removing a runner.
    RemoveRunner,
    /// Cancelling a run.
    Cancel,
    /// Cancelling it by force.
    Force,
    /// Deleting a VM.
    Delete,
    /// The going of a VM that anka says is deleted.
    Vanish,
    /// Writing to the journal, or emptying it.
    Journal,
    /// Bringing a job to its start, which failed for a reason of this kind.
    Start(Discriminant<Reason>),
}

impl Effort {
    /// The start of a job, as far as this reason is concerned.
    pub fn start(reason: &Reason) -> Effort {
        Effort::Start(discriminant(reason))
    }
}

/// The rows of failures of one handler.
#[derive(Default)]
pub(super) struct Streaks(RefCell<HashMap<Effort, Streak>>);

#[derive(Default)]
struct Streak {
    times: u32,
    said: Option<Instant>,
    /// When it was last an error, and with which words: others are news.
    error: Option<(Instant, String)>,
}

/// How a failure is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Error,
    Warning,
    /// A moment ago.
    Not,
}

impl Streaks {
    /// It failed and is tried again.
    pub fn failed(&self, effort: Effort, what: impl Display) {
        self.say(effort, &what.to_string(), false);
    }

    /// It failed and cannot mend itself, though it is tried again.
    pub fn failed_for_good(&self, effort: Effort, what: impl Display) {
        self.say(effort, &what.to_string(), true);
    }

    /// As one or the other, by the reason.
    pub fn failed_because(&self, effort: Effort, reason: &Reason, what: impl Display) {
        match reason {
            Reason::Forbidden(_) | Reason::Unreadable(_) => self.failed_for_good(effort, what),
            // The gate to GitHub says it to the operator, once for all plugins.
            Reason::SignInRefused(_) => log::warn!("{what}"),
            _ => self.failed(effort, what),
        }
    }

    /// It works: the next failure is the first one again.
    pub fn worked(&self, effort: Effort) {
        self.0.borrow_mut().remove(&effort);
    }

    /// A job was brought to its start: every reason against it is gone.
    pub fn started(&self) {
        self.0.borrow_mut().retain(|effort, _| !matches!(effort, Effort::Start(_)));
    }

    fn say(&self, effort: Effort, what: &str, for_good: bool) {
        let (said, times) = {
            let mut streaks = self.0.borrow_mut();
            let streak = streaks.entry(effort).or_default();
            (streak.count(what, for_good, Instant::now()), streak.times)
        };
        match said {
            Said::Error if times > 1 => log::error!("{what} ({times} times in a row)"),
            Said::Error => log::error!("{what}"),
            Said::Warning => log::warn!("{what}"),
            Said::Not => (),
        }
    }
}

impl Streak {
    fn count(&mut self, what: &str, for_good: bool, now: Instant) -> Said {
        self.times = self.times.saturating_add(1);
        let is_younger = |at: Instant, than| now.duration_since(at) < than;
        let grave = for_good || self.times >= TOO_MANY;
        let known = |(at, words): &(Instant, String)| {
            is_younger(*at, ERROR_AGAIN) && (!for_good || words.as_str() == what)
        };
        if grave && !self.error.as_ref().is_some_and(known) {
            self.error = Some((now, what.to_owned()));
            self.said = Some(now);
            return Said::Error;
        }
        if self.times > TOO_MANY && self.said.is_some_and(|at| is_younger(at, SAY_AGAIN)) {
            return Said::Not;
        }
        self.said = Some(now);
        Said::Warning
    }
}

#[cfg(test)]
mod tests {
    use super::Said::{Error, Not, Warning};
    use super::*;

    fn said(streak: &mut Streak, seconds: u64, for_good: bool, start: Instant) -> Said {
        streak.count("no", for_good, start + Duration::from_secs(seconds))
    }

    #[test]
    fn the_fifth_in_a_row_is_an_error_and_then_one_an_hour() {
        let (mut streak, start) = (Streak::default(), Instant::now());
        let row: Vec<Said> = (0..7).map(|n| said(&mut streak, n, false, start)).collect();
        assert_eq!(row, [Warning, Warning, Warning, Warning, Error, Not, Not]);
        assert_eq!(said(&mut streak, 65, false, start), Warning);
        assert_eq!(said(&mut streak, 70, false, start), Not);
        assert_eq!(said(&mut streak, 3700, false, start), Error);
    }

    #[test]
    fn what_cannot_mend_itself_is_an_error_at_once_and_so_are_other_words() {
        let (mut streak, start) = (Streak::default(), Instant::now());
        assert_eq!(said(&mut streak, 0, true, start), Said::Error);
        assert_eq!(said(&mut streak, 5, true, start), Said::Warning);
        assert_eq!(streak.count("another", true, start + Duration::from_secs(6)), Said::Error);
    }

    #[test]
    fn a_success_ends_the_row_and_rows_are_apart() {
        let streaks = Streaks::default();
        let times = |effort| streaks.0.borrow().get(&effort).map_or(0, |streak| streak.times);
        let away = Effort::start(&Reason::AnkaAway("a".into()));
        assert_eq!(away, Effort::start(&Reason::AnkaAway("b".into())));
        for effort in [Effort::Look, Effort::Look, away] {
            streaks.failed(effort, "no");
        }
        assert_eq!((times(Effort::Look), times(away)), (2, 1));
        streaks.started();
        assert_eq!((times(Effort::Look), times(away)), (2, 0));
        streaks.worked(Effort::Look);
        assert_eq!(times(Effort::Look), 0);
    }
}
