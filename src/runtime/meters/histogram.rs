//! How long something takes, as a count for each bound.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most bounds that a family has.
const MOST_BOUNDS: usize = 12;

/// A family of times.
#[derive(Debug)]
pub struct Histogram {
    /// Its name on the page.
    pub name: &'static str,
    /// What it times, for people.
    pub help: &'static str,
    /// Upper bounds in seconds, growing.
    pub bounds: &'static [f64],
    seen: Mutex<Seen>,
}

#[derive(Clone, Debug)]
struct Seen {
    /// Times up to each bound and above the one before it; the last is above all bounds.
    counts: [u64; MOST_BOUNDS + 1],
    sum: Duration,
}

/// What was measured so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// How many times were up to each bound, in the order of the bounds.
    pub up_to: Vec<u64>,
    /// How many in all.
    pub count: u64,
    /// Their sum.
    pub sum: Duration,
}

/// Measures from its making until it is told that the work is done; dropped before that, it measures nothing.
#[derive(Debug)]
#[must_use = "it measures until `done`"]
pub struct Timer {
    of: &'static Histogram,
    since: Instant,
}

impl Histogram {
    /// A family that has measured nothing. At most twelve bounds.
    pub const fn new(name: &'static str, help: &'static str, bounds: &'static [f64]) -> Histogram {
        assert!(bounds.len() <= MOST_BOUNDS, "too many bounds");
        let seen = Mutex::new(Seen { counts: [0; MOST_BOUNDS + 1], sum: Duration::ZERO });
        Histogram { name, help, bounds, seen }
    }

    /// It took this long.
    pub fn add(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let place = self.bounds.iter().position(|bound| seconds <= *bound).unwrap_or(self.bounds.len());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.counts[place] += 1;
        seen.sum += took;
    }

    /// Begins to measure.
    pub fn timer(&'static self) -> Timer {
        Timer { of: self, since: Instant::now() }
    }

    /// What was measured so far.
    pub fn measured(&self) -> Measured {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut up_to = Vec::with_capacity(self.bounds.len());
        let mut count = 0;
        for n in &seen.counts[..self.bounds.len()] {
            count += n;
            up_to.push(count);
        }
        Measured { up_to, count: count + seen.counts[self.bounds.len()], sum: seen.sum }
    }
}

impl Timer {
    /// The work is done.
    pub fn done(self) {
        self.of.add(self.since.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_counts_for_its_bound_and_all_above() {
        let histogram = Histogram::new("n", "h", &[0.5, 2.0]);
        for millis in [500, 501, 9_000] {
            histogram.add(Duration::from_millis(millis));
        }
        let measured = histogram.measured();
        assert_eq!((measured.up_to, measured.count), (vec![1, 2], 3));
        assert_eq!(measured.sum, Duration::from_millis(10_001));
    }
}
