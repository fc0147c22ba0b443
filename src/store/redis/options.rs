//! How a Redis is reached.

use std::time::Duration;

use super::dial::Node;
use crate::domain::secret::Secret;
use crate::store::Clock;

/// Where Redis is and how it is spoken to.
#[derive(Clone)]
pub struct Options {
    /// At least one. In a cluster several: whichever answers leads to the queue.
    pub nodes: Vec<Node>,
    /// ACL user.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// Number of the database; 0 in a cluster.
    pub database: u32,
    /// Whether it is a cluster: its other nodes are asked for, and serve when the named ones are gone.
    pub cluster: bool,
    /// Whether, and how strictly, TLS is spoken.
    pub tls: Tls,
    /// What to do about a call that surely was not carried out.
    pub retries: Retries,
    /// How long a claim holds without a sign of its owner's life.
    pub lease: Duration,
    /// For tests: the moment of each step. `None`: Redis' own clock, the only one that hosts share.
    pub clock: Option<Clock>,
}

/// TLS.
#[derive(Clone, PartialEq, Eq)]
pub enum Tls {
    /// Plain.
    Off,
    /// The certificate must be signed by one of these authorities (PEM) or by a built-in one.
    Verified(Option<Vec<u8>>),
    /// Any certificate will do.
    Insecure,
}

/// Tries after a call that surely was not carried out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retries {
    /// How many.
    pub most: u32,
    /// Before the first of them.
    pub delay: Duration,
    /// Each pause is longer by this factor; 30 s at most.
    pub factor: f64,
}

/// The longest pause between tries.
const LONGEST: Duration = Duration::from_secs(30);

impl Retries {
    /// The pause before try `nth` after the first one, counted from 1.
    pub fn pause(&self, nth: u32) -> Duration {
        let seconds = self.delay.as_secs_f64() * self.factor.powi(nth.saturating_sub(1).min(64) as i32);
        // A factor may be anything that can be written as a number.
        Duration::try_from_secs_f64(seconds).map_or(LONGEST, |pause| pause.min(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_half_a_minute() {
        let retries = |delay, factor| Retries { most: 5, delay: Duration::from_millis(delay), factor };
        let pauses = |r: Retries| (1..=7).map(|nth| r.pause(nth).as_millis()).collect::<Vec<_>>();
        assert_eq!(pauses(retries(1000, 2.0)), [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(pauses(retries(200, 1.0)), [200; 7]);
        assert_eq!(retries(1, f64::INFINITY).pause(u32::MAX), LONGEST);
        assert_eq!(retries(1, f64::NAN).pause(2), LONGEST);
    }
}
