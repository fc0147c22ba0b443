//! A store that is away: who is refused without asking it, and what is said of it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::log::Seldom;
use crate::store::StoreError;

/// How long after a failure nobody else asks. What waits behind a worker that asked in vain is told so at once:
/// one after another they would all wait longer than the ten seconds that GitHub gives a delivery.
const REST: Duration = Duration::from_secs(1);
/// Failures in a row that an operator must hear of.
const ALARM: u32 = 5;
/// How often then.
const ALARM_AGAIN: Duration = Duration::from_hours(1);

/// What the last askers of the store have met.
pub(super) struct Outage {
    state: Mutex<State>,
    alarm: Seldom,
    /// Rings when a delivery was refused.
    ringer: Sender<()>,
    bell: Receiver<()>,
}

#[derive(Default)]
struct State {
    failures: u32,
    refused: u64,
    rest_until: Option<Instant>,
    last_refusal: Option<Instant>,
}

impl Outage {
    /// None so far.
    pub fn new() -> Outage {
        let (ringer, bell) = bounded(1);
        Outage { state: Mutex::default(), alarm: Seldom::new(ALARM_AGAIN, 1), ringer, bell }
    }

    /// Whether the store failed just now: then it is not asked, and the delivery counts as refused.
    pub fn is_fresh(&self) -> bool {
        let mut state = self.state();
        let fresh = state.rest_until.is_some_and(|until| Instant::now() < until);
        if fresh {
            self.refuse(&mut state);
        }
        fresh
    }

    /// The store could not keep a delivery.
    pub fn failed(&self, delivery: &str, fault: &StoreError) {
        let failures = {
            let mut state = self.state();
            state.failures = state.failures.saturating_add(1);
            self.refuse(&mut state);
            // One job's record that cannot be read says nothing of the next job's.
            if matches!(fault, StoreError::Away(_)) {
                state.rest_until = Some(Instant::now() + REST);
            }
            state.failures
        };
        if failures < ALARM {
            log::warn!("delivery {delivery:?} could not be stored, GitHub is told so: {fault}");
        } else if self.alarm.due("") {
            log::error!("no delivery can be stored, GitHub is told so each time: {fault}");
        }
    }

    /// The store has kept one.
    pub fn over(&self) {
        let refused = {
            let mut state = self.state();
            if state.failures == 0 {
                return;
            }
            let last_refusal = state.last_refusal;
            std::mem::replace(&mut *state, State { last_refusal, ..State::default() }).refused
        };
        self.alarm.forget("");
        log::info!("deliveries can be stored again; {refused} were refused meanwhile");
    }

    /// When a delivery was last refused because of the store.
    pub fn last_refusal(&self) -> Option<Instant> {
        self.state().last_refusal
    }

    /// Rings when one is refused.
    pub fn bell(&self) -> Receiver<()> {
        self.bell.clone()
    }

    fn refuse(&self, state: &mut State) {
        state.refused += 1;
        state.last_refusal = Some(Instant::now());
        // Whoever has a ring to hear already needs no second.
        let _ = self.ringer.try_send(());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_behind_a_failure_is_refused_at_once_and_a_success_ends_it() {
        let outage = Outage::new();
        assert!(!outage.is_fresh());
        outage.failed("1", &StoreError::Away("locked".into()));
        assert!(outage.is_fresh());
        assert!(outage.is_fresh());
        assert_eq!(outage.state().refused, 3);
        outage.over();
        assert!(!outage.is_fresh());
        assert_eq!(outage.state().refused, 0);
        assert!(outage.last_refusal().is_some() && outage.bell().try_recv().is_ok());
    }

    #[test]
    fn one_record_that_cannot_be_read_keeps_nobody_else_out() {
        let outage = Outage::new();
        outage.failed("1", &StoreError::Unreadable("version 9".into()));
        assert!(!outage.is_fresh());
    }
}
