//! When GitHub is asked about a job of which no delivery tells, and how long what was given back is left alone.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::domain::ids::JobId;
use crate::domain::outcome::uncounted_pause;

/// When GitHub has just failed to answer: 5, 15 s. After the runner was started: 30 s, then 1, 2, and every 5 minutes.
const ASKS: [Duration; 6] = [
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_mins(1),
    Duration::from_mins(2),
    Duration::from_mins(5),
];
/// Where the row begins once a runner was started.
const STARTED: usize = 2;

/// The next moments to ask GitHub.
pub struct Asks {
    /// The place in the row of the wait that comes after the present one.
    after: usize,
    next: Instant,
}

impl Asks {
    /// Counted from now.
    pub fn from_now() -> Asks {
        Asks { after: STARTED + 1, next: Instant::now() + ASKS[STARTED] }
    }

    /// For an answer that GitHub has just failed to give.
    pub fn soon() -> Asks {
        Asks { after: 1, next: Instant::now() + ASKS[0] }
    }

    /// The first one is due at once: after a restart, or when the store was away.
    pub fn at_once() -> Asks {
        Asks { after: STARTED + 1, next: Instant::now() }
    }

    /// Brings the next one forward to now.
    pub fn hurry(&mut self) {
        self.next = Instant::now();
    }

    /// How long until the next one.
    pub fn left(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Whether it is time; if so, the one after is set.
    pub fn is_due(&mut self) -> bool {
        let due = self.left().is_zero();
        if due {
            self.next = Instant::now() + ASKS[self.after.min(ASKS.len() - 1)];
            self.after += 1;
        }
        due
    }
}

/// What a handler gave back and leaves alone for a while.
#[derive(Default)]
pub struct HeldBack {
    jobs: HashMap<JobId, Pause>,
    host: Option<Pause>,
}

#[derive(Clone, Copy)]
struct Pause {
    times: u32,
    until: Instant,
}

impl Pause {
    fn after(before: Option<Pause>) -> Pause {
        let times = before.map_or(0, |p| p.times) + 1;
        Pause { times, until: Instant::now() + uncounted_pause(times) }
    }
}

/// More given-back jobs than this are not remembered one by one.
const MOST: usize = 256;

impl HeldBack {
    /// This job is left alone for a while.
    pub fn job(&mut self, job: JobId) {
        let pause = Pause::after(self.jobs.get(&job).copied());
        if self.jobs.len() < MOST || self.jobs.contains_key(&job) {
            self.jobs.insert(job, pause);
        }
    }

    /// Every job is left alone for a while: the fault is this host's.
    pub fn host(&mut self) {
        self.host = Some(Pause::after(self.host));
    }

    /// All is well again.
    pub fn clear(&mut self, job: JobId) {
        self.jobs.remove(&job);
        self.host = None;
    }

    /// How long nothing at all is taken.
    pub fn host_left(&self) -> Duration {
        self.host.map_or(Duration::ZERO, |p| p.until.saturating_duration_since(Instant::now()))
    }

    /// The jobs not to take now.
    pub fn jobs(&self) -> Vec<JobId> {
        let now = Instant::now();
        self.jobs.iter().filter(|(_, pause)| pause.until > now).map(|(job, _)| *job).collect()
    }

    /// When the first of them may be taken again.
    pub fn next(&self) -> Option<Duration> {
        let now = Instant::now();
        self.jobs.values().filter(|p| p.until > now).map(|p| p.until.saturating_duration_since(now)).min()
    }

    /// Forgets jobs that were left alone long ago.
    pub fn tidy(&mut self) {
        let now = Instant::now();
        self.jobs.retain(|_, pause| now < pause.until + Duration::from_mins(10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_come_at_30_s_then_1_2_5_5_minutes() {
        let gaps = |mut asks: Asks| {
            let seconds = |asks: &Asks| asks.left().as_secs_f64().round() as u64;
            let mut gaps = vec![seconds(&asks)];
            for _ in 0..4 {
                asks.hurry();
                assert!(asks.is_due() && !asks.is_due());
                gaps.push(seconds(&asks));
            }
            gaps
        };
        assert_eq!(gaps(Asks::from_now()), [30, 60, 120, 300, 300]);
        assert_eq!(gaps(Asks::soon()), [5, 15, 30, 60, 120]);
        assert_eq!(gaps(Asks::at_once()), [0, 60, 120, 300, 300]);
    }

    #[test]
    fn what_was_given_back_is_left_alone_ever_longer() {
        let mut held = HeldBack::default();
        held.job(JobId(7));
        assert_eq!(held.jobs(), [JobId(7)]);
        let first = held.next().unwrap();
        held.job(JobId(7));
        assert!(held.next().unwrap() > first);
        held.host();
        assert!(held.host_left() > Duration::from_secs(4));
        held.clear(JobId(7));
        assert!(held.jobs().is_empty() && held.host_left().is_zero());
    }
}
