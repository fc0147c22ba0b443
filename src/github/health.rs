//! Whether GitHub accepts the credentials and answers: said once, not by every plugin at every try.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::backoff::doubling;
use super::call::Call;
use super::refusal::Refusal;
use super::request::Sign;

/// How often a refused sign-in is said again.
const SAY_AGAIN: Duration = Duration::from_hours(1);
/// A refusal is over when the credentials were accepted for as long; before that, one call may work and the next not.
const SETTLED: Duration = Duration::from_mins(10);
/// Faults in a row that make it an operator's matter.
const TOO_MANY: u32 = 5;

/// What the latest calls have shown.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<State>);

#[derive(Clone, Debug, Default)]
struct State {
    away: u32,
    refused: u32,
    why: Option<Refusal>,
    try_at: Option<Instant>,
    said: Option<Said>,
}

/// The refusal that was said last.
#[derive(Clone, Debug)]
struct Said {
    why: Refusal,
    at: Instant,
    /// Since when the credentials are accepted again, if they are.
    over: Option<Instant>,
    /// That was said as well, and it has come again since.
    comes_and_goes: bool,
}

/// Whether the credentials are accepted, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignIn {
    /// No refusal since the last success.
    Fine,
    /// Refused, and too early to ask again.
    Refused,
    /// Refused, and time to ask again.
    Due,
}

/// What is tried again is a warning; the fifth failure in a row is an operator's matter.
pub(super) fn level(times: u32) -> log::Level {
    if times == TOO_MANY { log::Level::Error } else { log::Level::Warn }
}

/// The pause after the given number of refusals in a row: 5, 10, 20 … 300 s.
pub(super) fn pause_after_refusal(refused: u32) -> Duration {
    doubling(Duration::from_secs(5), refused, Duration::from_mins(5))
}

impl State {
    /// True: it is to be said.
    fn refuse(&mut self, why: &Refusal) -> bool {
        let now = Instant::now();
        self.refused = self.refused.saturating_add(1);
        self.try_at = Some(now + pause_after_refusal(self.refused));
        self.why = Some(why.clone());
        let lasts = |said: &&mut Said| {
            let is_settled = said.over.is_some_and(|over| now.duration_since(over) >= SETTLED);
            said.why == *why && now.duration_since(said.at) < SAY_AGAIN && !is_settled
        };
        if let Some(said) = self.said.as_mut().filter(lasts) {
            said.comes_and_goes |= said.over.take().is_some();
            return false;
        }
        self.said = Some(Said { why: why.clone(), at: now, over: None, comes_and_goes: false });
        true
    }

    /// True: it is to be said, since a refusal was.
    fn accept(&mut self) -> bool {
        (self.refused, self.why, self.try_at) = (0, None, None);
        let Some(said) = self.said.as_mut() else { return false };
        said.over = Some(Instant::now());
        !said.comes_and_goes
    }
}

impl Health {
    /// A call was answered. One that the App itself signed shows only that its key is accepted; and a 404 not even
    /// that, for it is also the answer to an App that is not there.
    pub(super) fn answered(&self, sign: Sign, status: u16) {
        if sign == Sign::App && status == 404 {
            self.state().away = 0;
            return;
        }
        let (away, accepts) = {
            let mut state = self.state();
            let away = std::mem::take(&mut state.away);
            let shows_all = sign == Sign::Installation || matches!(state.why, Some(Refusal::Key { .. }));
            (away, shows_all && state.refused > 0 && state.accept())
        };
        if accepts {
            log::info!("GitHub accepts the credentials again");
        }
        if away >= TOO_MANY {
            log::info!("GitHub answers again after {away} tries");
        }
    }

    /// A call got no answer of GitHub.
    pub(super) fn away(&self, call: Call, reason: &str) {
        let times = {
            let mut state = self.state();
            state.away = state.away.saturating_add(1);
            state.away
        };
        log::log!(level(times), "GitHub cannot be reached ({}, {times} in a row): {reason}", call.name());
    }

    /// GitHub did not sign us in. A new reason is said at once, the same one hourly.
    pub(super) fn refused(&self, why: &Refusal) {
        if self.state().refuse(why) {
            log::error!("GitHub refuses the credentials: {why}; nothing is claimed until they are accepted");
        }
    }

    pub(super) fn why_refused(&self) -> Option<Refusal> {
        self.state().why.clone()
    }

    /// How long nobody is to ask after a refusal.
    pub(super) fn refused_for(&self) -> Option<Duration> {
        let left = self.state().try_at?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    pub(super) fn sign_in(&self) -> SignIn {
        let state = self.state();
        match state.try_at {
            None => SignIn::Fine,
            Some(at) if at > Instant::now() => SignIn::Refused,
            Some(_) => SignIn::Due,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_sign_in_is_asked_again_later_and_forgotten_when_accepted() {
        let health = Health::default();
        assert_eq!(health.sign_in(), SignIn::Fine);
        health.refused(&Refusal::Token);
        assert_eq!(health.sign_in(), SignIn::Refused);
        health.state().try_at = Some(Instant::now());
        assert_eq!(health.sign_in(), SignIn::Due);
        health.answered(Sign::Installation, 200);
        assert_eq!(health.sign_in(), SignIn::Fine);
        assert_eq!([1, 2, 3, 9].map(|n| pause_after_refusal(n).as_secs()), [5, 10, 20, 300]);
    }

    #[test]
    fn what_an_unknown_app_is_told_does_not_begin_the_pauses_anew() {
        let (health, key) =
            (Health::default(), Refusal::Key { app: 5, said: "Integration not found".into() });
        for _ in 0..4 {
            health.answered(Sign::App, 404);
            health.refused(&key);
        }
        assert!(health.refused_for().unwrap() > pause_after_refusal(3));
        health.answered(Sign::App, 200);
        assert_eq!(health.sign_in(), SignIn::Fine);
    }

    #[test]
    fn a_refusal_that_comes_and_goes_is_said_once_an_hour() {
        let mut state = State::default();
        let key = Refusal::Key { app: 5, said: String::new() };
        assert!(state.refuse(&Refusal::Token), "new");
        assert!(!state.refuse(&Refusal::Token), "the same");
        assert!(state.accept());
        assert!(!state.refuse(&Refusal::Token) && !state.accept(), "not settled");
        assert!(state.refuse(&key), "another reason");
        assert!(state.accept());
        state.said.as_mut().unwrap().over = Instant::now().checked_sub(SETTLED);
        assert!(state.refuse(&key), "settled in between");
        state.said.as_mut().unwrap().at = Instant::now().checked_sub(SAY_AGAIN).unwrap();
        assert!(state.refuse(&key), "an hour later");
    }
}
