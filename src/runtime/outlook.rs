//! What looks in the background have found: plain data that a page shows without asking anybody.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a store may be away before the daemon is not ready.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The shared findings. A clone is the same outlook.
#[derive(Clone, Debug, Default)]
pub struct Outlook(Arc<Mutex<Found>>);

/// All that was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Each queue, in the order of the configuration.
    pub queues: Vec<Queue>,
    /// GitHub's quota of each handler or receiver whose credentials have one.
    pub quotas: Vec<Quota>,
    /// Places for VMs on this host, where there is a handler.
    pub slots: Option<Slots>,
    /// Running guests that no daemon of this user made; none before the first look.
    pub foreign_guests: Option<u64>,
}

/// A queue at the last look.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// What stands in it; none until the first look that worked.
    pub depth: Option<Depth>,
    /// When the look began that has not come back.
    pub asked: Option<Instant>,
    /// Since when looks fail, and what was said last.
    pub away: Option<(Instant, String)>,
}

/// How many jobs stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// State and how many jobs have it.
    pub jobs: [(&'static str, u64); 5],
    /// How long the eldest queued job has waited.
    pub eldest: Duration,
}

/// GitHub's primary limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The plugin whose credentials these are.
    pub plugin: String,
    /// Calls an hour.
    pub limit: u64,
    /// Calls left.
    pub remaining: u64,
    /// When it is full again, in seconds since 1970.
    pub reset: u64,
}

/// Places for VMs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// Held by VMs of this user's daemons.
    pub used: u64,
    /// Not held.
    pub free: u64,
}

impl Outlook {
    /// What is known now.
    pub fn found(&self) -> Found {
        self.lock().clone()
    }

    /// A look has found something.
    pub fn note(&self, change: impl FnOnce(&mut Found)) {
        change(&mut self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, Found> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// A look begins.
    pub fn asked(&mut self) {
        self.asked = Some(Instant::now());
    }

    /// A look has come back.
    pub fn answered(&mut self, told: Result<Depth, String>) {
        let asked = self.asked.take().unwrap_or_else(Instant::now);
        match told {
            Ok(depth) => (self.depth, self.away) = (Some(depth), None),
            Err(why) => {
                let since = self.away.as_ref().map_or(asked, |(since, _)| *since);
                self.away = Some((since, why));
            }
        }
    }

    /// Why the store counts as away, if it does.
    pub fn is_away(&self) -> Option<&str> {
        let long = |since: &Instant| since.elapsed() >= PATIENCE;
        match &self.away {
            Some((since, why)) => long(since).then_some(why.as_str()),
            None => self.asked.as_ref().filter(|since| long(since)).map(|_| "its store does not answer"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_away_since_the_first_look_in_vain() {
        let mut queue = Queue { name: "q".into(), ..Queue::default() };
        queue.asked();
        queue.answered(Ok(Depth::default()));
        assert_eq!((queue.away.clone(), queue.is_away()), (None, None));
        let before = Instant::now().checked_sub(PATIENCE).unwrap();
        queue.asked = Some(before);
        assert_eq!(queue.is_away(), Some("its store does not answer"), "a look that does not come back");
        queue.answered(Err("gone".into()));
        queue.asked();
        assert_eq!(queue.is_away(), Some("gone"), "the last word, until there is another");
        queue.answered(Err("locked".into()));
        assert_eq!(queue.away.clone(), Some((before, "locked".into())));
        queue.answered(Ok(Depth::default()));
        assert_eq!(queue.is_away(), None);
    }
}
