//! The links of one queue: one for each thread that asks at once, and patience with a server that is away.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::{FromRedisValue, Value};

use super::dial::shown;
use super::fault::Fault;
use super::link::Link;
use super::options::{Options, Retries};
use super::order::{Courier, Order, rest};
use super::script::Call;
use super::seeds::Seeds;
use crate::store::StoreError;

/// How long a verb may take in all: whoever delivers wants an answer within five seconds.
pub const VERB: Duration = Duration::from_millis(4500);
/// How many idle links are kept.
const KEPT: usize = 8;

/// The links of one queue.
pub struct Pool {
    options: Arc<Options>,
    seeds: Arc<Seeds>,
    idle: Mutex<Vec<Courier>>,
}

impl Pool {
    /// None is open yet.
    pub fn new(options: Arc<Options>, seeds: Arc<Seeds>) -> Pool {
        Pool { options, seeds, idle: Mutex::default() }
    }

    /// A link of its own, for a thread that waits.
    pub fn link(&self) -> Link {
        Link::new(Arc::clone(&self.options), Arc::clone(&self.seeds))
    }

    /// When the server last answered anybody.
    pub fn heard(&self) -> Option<Instant> {
        self.seeds.heard()
    }

    /// Calls a script; again, when that cannot do harm, as often as the configuration says and `end` allows.
    pub fn call<T: FromRedisValue>(&self, call: &Call<'_>, end: Instant) -> Result<T, StoreError> {
        self.ask(&call.order(), call.script.repeatable, end)
    }

    /// As [`Pool::call`], any command.
    pub fn ask<T: FromRedisValue>(
        &self,
        order: &Order,
        repeatable: bool,
        end: Instant,
    ) -> Result<T, StoreError> {
        // Taken out while in use, so that no lock is held while the server is asked.
        let taken = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut courier = match taken {
            Some(courier) => courier,
            None => self.hire().map_err(|fault| fault.error)?,
        };
        let attempt = || {
            if courier.owes {
                courier = self.hire()?;
            }
            courier.call(order.clone(), end)
        };
        let answer = patiently(&self.options.retries, end, repeatable, attempt, rest);
        if !courier.owes {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < KEPT {
                idle.push(courier);
            }
        }
        T::from_redis_value(answer?).map_err(|_| Fault::strange(&shown(&self.seeds.current())).error)
    }

    fn hire(&self) -> Result<Courier, Fault> {
        let started = Courier::start(self.link(), Arc::clone(&self.seeds));
        started.map_err(|error| Fault::own(&format!("no thread to ask it: {error}")))
    }
}

/// Tries until it works, may do harm, or is too late.
fn patiently(
    retries: &Retries,
    end: Instant,
    repeatable: bool,
    mut attempt: impl FnMut() -> Result<Value, Fault>,
    rest: impl Fn(Duration) -> bool,
) -> Result<Value, StoreError> {
    let mut tries = 0;
    loop {
        let fault = match attempt() {
            Ok(value) => return Ok(value),
            Err(fault) => fault,
        };
        // A connection that was idle may have been closed meanwhile: that is no reason to wait.
        let was_cut = repeatable && !fault.undone && fault.broken;
        tries += 1;
        let pause = if was_cut && tries == 1 { Duration::ZERO } else { retries.pause(tries) };
        let again = tries <= retries.most && (was_cut || (fault.undone && fault.passing));
        if !again || Instant::now() + pause >= end || !rest(pause) {
            return Err(fault.error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(undone: bool) -> Fault {
        let error = StoreError::Away("gone".into());
        Fault { error, undone, passing: undone, broken: true }
    }

    fn tries(most: u32, repeatable: bool, undone: bool, time: Duration) -> u32 {
        let retries = Retries { most, delay: Duration::from_millis(1), factor: 1.0 };
        let mut tries = 0;
        let attempt = || {
            tries += 1;
            Err(fault(undone))
        };
        let done = patiently(&retries, Instant::now() + time, repeatable, attempt, |_| true);
        assert!(done.is_err());
        tries
    }

    #[test]
    fn what_may_have_been_done_is_repeated_only_when_that_does_no_harm() {
        let time = Duration::from_secs(5);
        assert_eq!(tries(3, false, true, time), 4);
        assert_eq!(tries(3, true, false, time), 4);
        assert_eq!(tries(3, false, false, time), 1);
        assert_eq!(tries(0, true, true, time), 1);
        assert_eq!(tries(u32::MAX, true, true, Duration::ZERO), 1);
    }
}
