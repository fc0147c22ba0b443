//! The thread `store:wait:<plugin>`: hears the bell and the letters of one handler, so that the handler's own
//! thread never waits for Redis while it should heed a stop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use redis::{FromRedisValue, Value, cmd};

use super::fault::Fault;
use super::lease;
use super::link::Link;
use super::options::Options;
use super::read::{Desk, POKE};
use super::script::PASS;
use super::seat::{Seat, Watch};
use crate::domain::ids::Owner;
use crate::runtime::stop::Never;
use crate::runtime::thread;

/// How much longer than it is asked to wait Redis has for its answer: a token that is popped for somebody who has
/// given up is lost.
const ANSWER: Duration = Duration::from_secs(4);
/// Between two tries to reach a Redis that is away, whatever the configuration says.
const SHORTEST_REST: Duration = Duration::from_millis(100);
const LONGEST_REST: Duration = Duration::from_secs(5);
/// Between two tries to renew a claim.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a waiter that cannot be reached is waited for.
const PARTING: Duration = Duration::from_millis(100);

/// Its thread ends when the seat is closed, or is left behind.
pub struct Waiter {
    /// Where the handler sits.
    pub seat: Arc<Seat>,
    ended: Receiver<Never>,
}

/// Parts with waiters: all at once, so that a silent server holds up no more than one would.
pub fn part(waiters: impl IntoIterator<Item = Waiter>) {
    let waiters = waiters.into_iter().inspect(|waiter| waiter.seat.close()).collect::<Vec<_>>();
    let end = Instant::now() + PARTING;
    for waiter in waiters {
        let _ = waiter.ended.recv_deadline(end);
    }
}

struct Ear {
    seat: Arc<Seat>,
    desk: Arc<Desk>,
    link: Link,
    mailbox: String,
    bell: String,
    closing: Receiver<Never>,
    owner: Owner,
    options: Arc<Options>,
    renewed: Option<Instant>,
}

/// A waiter for `owner`, and the bell that it rings.
pub fn start(
    desk: &Arc<Desk>,
    owner: &Owner,
    wants_work: bool,
    options: &Arc<Options>,
) -> (Waiter, Receiver<()>) {
    let (seat, bell, closing) = Seat::new(wants_work);
    let seat = Arc::new(seat);
    let (alive, ended) = crossbeam_channel::bounded(0);
    let ear = Ear {
        seat: Arc::clone(&seat),
        desk: Arc::clone(desk),
        link: desk.pool.link(),
        mailbox: desk.keys.mailbox(owner),
        bell: desk.keys.bell().to_owned(),
        closing,
        owner: owner.clone(),
        options: Arc::clone(options),
        renewed: None,
    };
    let listen = move || {
        let _alive = alive;
        ear.listen();
    };
    if let Err(error) = thread::start_small(format!("store:wait:{}", owner.plugin), 256, listen) {
        log::warn!("no thread waits for work; the queue is looked at instead: {error}");
    }
    (Waiter { seat, ended }, bell)
}

impl Ear {
    fn listen(mut self) {
        let mut faults = 0;
        while let Some(watch) = self.seat.watch() {
            // What is wrong, the verbs say.
            if self.hear(watch, faults > 0).is_ok() {
                faults = 0;
                continue;
            }
            faults += 1;
            self.seat.heard_nothing();
            if !self.rest(self.options.retries.pause(faults).clamp(SHORTEST_REST, LONGEST_REST)) {
                return;
            }
        }
    }

    fn hear(&mut self, watch: Watch, was_away: bool) -> Result<(), Fault> {
        if was_away {
            self.link.call(&cmd("PING").into(), Instant::now() + ANSWER)?;
            // Whatever was told meanwhile may be lost.
            self.seat.ring();
        }
        // An idle handler has no claims, but may have one soon.
        let limit = watch.limit.min(self.options.lease / 3);
        let limit = if watch.work { limit } else { self.renew(limit) };
        let mut listen = cmd("BLPOP");
        listen.arg(&self.mailbox);
        if watch.work {
            listen.arg(&self.bell);
        }
        listen.arg(format!("{:.3}", limit.as_secs_f64()));
        let answer = self.link.call(&listen.into(), Instant::now() + limit + ANSWER)?;
        match <Option<(String, String)>>::from_redis_value(answer) {
            Ok(None) => self.seat.heard_nothing(),
            Ok(Some((list, hops))) if list == self.bell => {
                // What is no number is a token all the same.
                if let Some(unused) = self.seat.take(hops.parse().unwrap_or_default()) {
                    self.pass_on(unused)?;
                }
            }
            Ok(Some((_, letter))) => {
                self.seat.heard_nothing();
                if letter != POKE {
                    self.seat.ring();
                }
            }
            Err(_) => return Err(Fault::strange(&self.link.node())),
        }
        Ok(())
    }

    /// Renews the handler's claims when it is time; says how long to listen until the next time, at most `limit`.
    fn renew(&mut self, limit: Duration) -> Duration {
        let third = self.options.lease / 3;
        let left = self.renewed.and_then(|at| third.checked_sub(at.elapsed())).filter(|left| !left.is_zero());
        if let Some(left) = left {
            return limit.min(left).max(Duration::from_millis(10));
        }
        if let Err(why) = lease::renew(&self.desk, &self.owner, self.options.lease, Instant::now() + ANSWER) {
            log::debug!("failed to renew the claims of {}, and tries again: {why}", self.owner);
            return limit.min(AGAIN);
        }
        self.renewed = Some(Instant::now());
        limit
    }

    fn pass_on(&mut self, hops: u32) -> Result<Value, Fault> {
        let pass = self.desk.call(&PASS, vec![hops.saturating_add(1).to_string()]);
        self.link.call(&pass.order(), Instant::now() + ANSWER)
    }

    /// Waits; false when nobody sits here any more.
    fn rest(&self, limit: Duration) -> bool {
        matches!(self.closing.recv_timeout(limit), Err(RecvTimeoutError::Timeout))
    }
}
