//! When GitHub is asked about a job of which no delivery tells, and how long what was given back is left alone.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::domain::ids::JobId;
use crate::domain::outcome::uncounted_pause;
use crate::runtime::pace::paced;

/// After the runner was started: 30 s, then 1, 2, and every 5 minutes.
const ASKS: [Duration; 4] =
    [Duration::from_secs(30), Duration::from_mins(1), Duration::from_mins(2), Duration::from_mins(5)];

/// The next moments to ask GitHub.
pub struct Asks {
    done: usize,
    next: Instant,
    /// Asked in vain so often in a row.
    in_vain: u32,
    /// There is a reason to ask now, beside the time.
    hurried: bool,
}

impl Asks {
    /// Counted from now.
    pub fn from_now() -> Asks {
        Asks { done: 0, next: Instant::now() + paced(ASKS[0]), in_vain: 0, hurried: false }
    }

    /// The first one is due at once: after a restart, or when the store was away.
    pub fn at_once() -> Asks {
        Asks { next: Instant::now(), hurried: true, ..Asks::from_now() }
    }

    /// After so many in a row that were in vain.
    pub fn after(times: u32) -> Asks {
        Asks { next: Instant::now() + paced(uncounted_pause(times)), in_vain: times, ..Asks::from_now() }
    }

    /// Brings the next one forward to now.
    pub fn hurry(&mut self) {
        self.next = Instant::now();
        self.hurried = true;
    }

    /// Whether GitHub has answered the one that was due; if not, the next one comes sooner.
    pub fn answered(&mut self, answered: bool) {
        self.in_vain = if answered { 0 } else { self.in_vain + 1 };
        if !answered {
            self.next = self.next.min(Instant::now() + paced(uncounted_pause(self.in_vain)));
        }
    }

    /// How long until the next one.
    pub fn left(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Whether it is time; if so, the one after is set. One of every five minutes, for which there is no other reason
    /// than the time, is left out while GitHub's quota `is_scarce`.
    pub fn is_due(&mut self, is_scarce: impl FnOnce() -> bool) -> bool {
        if !self.left().is_zero() {
            return false;
        }
        self.done += 1;
        self.next = Instant::now() + paced(ASKS[self.done.min(ASKS.len() - 1)]);
        let can_wait = self.done >= ASKS.len() && self.in_vain == 0;
        let hurried = std::mem::take(&mut self.hurried);
        hurried || !can_wait || !is_scarce()
    }
}

/// What a handler gave back and leaves alone for a while.
#[derive(Default)]
pub struct HeldBack {
    jobs: HashMap<JobId, Pause>,
    host: Option<Pause>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Pause {
    times: u32,
    until: Instant,
}

impl Pause {
    /// The next one, ever longer.
    pub fn after(before: Option<Pause>) -> Pause {
        let times = before.map_or(0, |p| p.times) + 1;
        Pause { times, until: Instant::now() + paced(uncounted_pause(times)) }
    }

    /// Whether it lasts.
    pub fn lasts(&self) -> bool {
        self.until > Instant::now()
    }
}

/// More given-back jobs than this are not remembered one by one.
const MOST: usize = 256;

impl HeldBack {
    /// This job is left alone for a while; where so many are that it cannot be remembered, every job is.
    pub fn job(&mut self, job: JobId) {
        let pause = Pause::after(self.jobs.get(&job).copied());
        if self.jobs.len() < MOST || self.jobs.contains_key(&job) {
            self.jobs.insert(job, pause);
        } else {
            self.host();
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

    /// Whether the host's latest try has failed by the host's own fault.
    pub fn host_stands(&self) -> bool {
        self.host.is_some()
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

    /// The wait until the first, and those between five of them.
    fn gaps(mut asks: Asks, answered: bool) -> Vec<u64> {
        let seconds = |asks: &Asks| asks.left().as_secs_f64().round() as u64;
        let mut gaps = vec![seconds(&asks)];
        for _ in 0..4 {
            asks.hurry();
            assert!(asks.is_due(|| true) && !asks.is_due(|| false), "hurried, it does not wait");
            asks.answered(answered);
            gaps.push(seconds(&asks));
        }
        gaps
    }

    #[test]
    fn asks_come_at_30_s_then_1_2_5_5_minutes() {
        assert_eq!(gaps(Asks::from_now(), true), [30, 60, 120, 300, 300]);
        assert_eq!(gaps(Asks::at_once(), true), [0, 60, 120, 300, 300]);
    }

    #[test]
    fn of_a_scarce_quota_the_asks_of_every_five_minutes_get_nothing() {
        let mut asks = Asks::from_now();
        let mut due = |is_scarce| {
            asks.next = Instant::now();
            asks.is_due(|| is_scarce)
        };
        assert_eq!([due(true), due(true), due(true)], [true; 3], "after 30 s, 1 and 2 minutes");
        assert_eq!([due(true), due(false), due(true)], [false, true, false]);
        asks.answered(false);
        assert!(asks.left() <= Duration::from_secs(5));
        asks.hurry();
        assert!(asks.is_due(|| true));
    }

    #[test]
    fn after_an_ask_in_vain_the_next_one_comes_sooner() {
        assert_eq!(gaps(Asks::from_now(), false), [30, 5, 15, 60, 60]);
        assert_eq!([1, 2, 3].map(|n| Asks::after(n).left().as_secs_f64().round() as u64), [5, 15, 60]);
        let mut asks = Asks::from_now();
        asks.answered(false);
        asks.answered(true);
        asks.answered(false);
        assert!(asks.left() <= Duration::from_secs(5), "an answer begins the row anew");
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
