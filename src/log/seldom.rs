//! Told at most once in a while: a warning for each repository, not one for each delivery.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Remembers when something was last told, for a bounded number of keys.
#[derive(Debug)]
pub struct Seldom {
    period: Duration,
    most: usize,
    told: Mutex<HashMap<String, Instant>>,
}

impl Seldom {
    /// Once a `period` a key; beyond `most` keys the one told longest ago is forgotten.
    pub fn new(period: Duration, most: usize) -> Seldom {
        Seldom { period, most: most.max(1), told: Mutex::default() }
    }

    /// Whether `key` is to be told now; asking counts as telling.
    pub fn due(&self, key: &str) -> bool {
        self.due_at(key, Instant::now())
    }

    /// Forgets `key`: what went well in between is told anew when it fails again.
    pub fn forget(&self, key: &str) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    fn due_at(&self, key: &str, now: Instant) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = told.get_mut(key) {
            let due = now.saturating_duration_since(*last) >= self.period;
            if due {
                *last = now;
            }
            return due;
        }
        if told.len() >= self.most {
            forget_eldest(&mut told);
        }
        told.insert(key.to_owned(), now);
        true
    }
}

fn forget_eldest(told: &mut HashMap<String, Instant>) {
    let eldest = told.iter().min_by_key(|(_, last)| **last).map(|(key, _)| key.clone());
    if let Some(key) = eldest {
        told.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn once_a_period_and_key() {
        let (seldom, start) = (Seldom::new(HOUR, 10), Instant::now());
        assert!(seldom.due_at("a", start));
        assert!(!seldom.due_at("a", start + HOUR / 2));
        assert!(seldom.due_at("b", start + HOUR / 2));
        assert!(seldom.due_at("a", start + HOUR));
        assert!(!seldom.due_at("a", start + HOUR + HOUR / 2));
        seldom.forget("a");
        assert!(seldom.due_at("a", start + HOUR + HOUR / 2));
    }

    #[test]
    fn the_map_is_bounded_and_the_eldest_goes_first() {
        let (seldom, start) = (Seldom::new(HOUR, 2), Instant::now());
        for (second, key) in ["a", "b", "c"].iter().enumerate() {
            assert!(seldom.due_at(key, start + Duration::from_secs(second as u64)));
        }
        assert_eq!(seldom.told.lock().unwrap().len(), 2);
        assert!(!seldom.due_at("b", start + Duration::from_secs(9)));
        assert!(seldom.due_at("a", start + Duration::from_secs(9)));
    }
}
