//! Handlers of this process that the store has not seen yet: until it has, no handler decides for all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::runtime::stop::{Stop, Urgency};

/// How long one that begins is waited for, and how often it is looked at.
const MOMENT: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How many there are. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Muster(Arc<AtomicUsize>);

/// One of them; it is seen, or ended, once this is dropped.
pub(super) struct Newcomer(Muster);

impl Muster {
    /// One more.
    pub fn newcomer(&self) -> Newcomer {
        self.0.fetch_add(1, Ordering::SeqCst);
        Newcomer(self.clone())
    }

    /// Whether all have been seen, for which it waits a moment: those that begin need no longer.
    pub fn wait(&self, stop: &Stop) -> bool {
        let end = Instant::now() + MOMENT;
        while !self.is_complete() && Instant::now() < end {
            if !stop.pause(Urgency::Drain, LOOK_AGAIN) {
                break;
            }
        }
        self.is_complete()
    }

    /// Whether all have been seen.
    fn is_complete(&self) -> bool {
        self.0.load(Ordering::SeqCst) == 0
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_seen_or_ended_before_it_is_complete() {
        let muster = Muster::default();
        assert!(muster.is_complete());
        let (first, second) = (muster.newcomer(), muster.clone().newcomer());
        drop(first);
        assert!(!muster.is_complete());
        drop(second);
        assert!(muster.is_complete());
    }
}
