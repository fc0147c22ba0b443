//! One limit for all who sign in alike: whoever meets it first holds up the others.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::asker::Asker;
use super::backoff::chance;
use super::error::GitHubError;
use super::rate_limit::{Limit, pause_for};

/// How often at least the asker hears that the pause lasts.
const WORD: Duration = Duration::from_secs(5);

/// The pause in force, if any.
#[derive(Debug, Default)]
pub(super) struct Pause(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    until: Option<Instant>,
    began: Option<Instant>,
    in_a_row: u32,
}

impl Pause {
    /// A request that went out at `sent` met a limit: the pause, and how many limits in a row this is.
    /// Requests that were under way together count as one.
    pub(super) fn met(&self, limit: Limit, sent: Instant) -> (Duration, u32) {
        let mut state = self.state();
        if state.began.is_none_or(|began| began < sent) {
            state.in_a_row += 1;
            state.began = Some(Instant::now());
        }
        let wait = pause_for(limit, state.in_a_row);
        let until = Instant::now() + wait + Duration::from_secs(1).mul_f64(chance());
        state.until = state.until.max(Some(until));
        (wait, state.in_a_row)
    }

    /// A request was answered.
    pub(super) fn answered(&self) {
        let mut state = self.state();
        if state.until.is_none_or(|until| until <= Instant::now()) {
            *state = State::default();
        }
    }

    /// What is left of it.
    pub(super) fn left(&self) -> Option<Duration> {
        let left = self.state().until?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Waits until no limit is in force.
    pub(super) fn wait(&self, asker: &Asker<'_>) -> Result<(), GitHubError> {
        self.wait_telling(asker, WORD)
    }

    fn wait_telling(&self, asker: &Asker<'_>, word: Duration) -> Result<(), GitHubError> {
        let Some(mut left) = self.left() else { return Ok(()) };
        let ended = loop {
            asker.watcher().paused(left);
            if !asker.pause_some(left.min(word), left) {
                break Err(GitHubError::Limited);
            }
            match self.left() {
                Some(more) => left = more,
                None => break Ok(()),
            }
        };
        asker.watcher().resumed();
        ended
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::github::Watcher;
    use crate::runtime::stop::{Stop, Urgency};

    #[test]
    fn a_storm_counts_once_and_an_answer_ends_the_doubling() {
        let pause = Pause::default();
        let sent = Instant::now();
        let secs = |sent| pause.met(Limit::Secondary(None), sent).0.as_secs();
        assert_eq!([secs(sent), secs(sent), secs(sent)], [60, 60, 60]);
        assert_eq!(secs(Instant::now()), 120);
        pause.answered();
        assert!(pause.left().unwrap() > Duration::from_secs(110), "an answer from before does not lift it");
        pause.state().until = Some(Instant::now());
        pause.answered();
        assert_eq!(secs(Instant::now()), 60);
    }

    #[test]
    fn a_shorter_limit_does_not_shorten_the_pause() {
        let pause = Pause::default();
        pause.met(Limit::Primary(Duration::from_mins(15)), Instant::now());
        pause.met(Limit::Secondary(Some(Duration::from_secs(5))), Instant::now());
        assert!(pause.left().unwrap() > Duration::from_secs(890));
    }

    #[test]
    fn who_waits_long_hears_of_it_again() {
        /// Ends the pause when it hears of it for the second time.
        struct Heard<'p>(Cell<u32>, &'p Pause);
        impl Watcher for Heard<'_> {
            fn paused(&self, _left: Duration) {
                self.0.set(self.0.get() + 1);
                if self.0.get() == 2 {
                    self.1.state().until = Some(Instant::now());
                }
            }
            fn resumed(&self) {}
        }
        let (pause, stop) = (Pause::default(), Stop::unheard());
        pause.state().until = Some(Instant::now() + Duration::from_secs(5));
        let heard = Heard(Cell::new(0), &pause);
        let asker = Asker::new(&stop, Urgency::Drain, Duration::ZERO, &heard);
        let waited = pause.wait_telling(&asker, Duration::from_millis(1));
        assert_eq!((waited.is_ok(), heard.0.get()), (true, 2));
    }
}
