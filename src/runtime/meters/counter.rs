//! A count that only grows, one for each set of labels.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Series of one family; label values come from closed lists, and this is the last line if one does not.
const MOST_SERIES: usize = 200;

/// A family of counts.
#[derive(Debug)]
pub struct Counter {
    /// Its name on the page.
    pub name: &'static str,
    /// What it counts, for people.
    pub help: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// Values of the one label that are shown from the start: a count that only appears with its first 1 has not
    /// grown for who looks at its growth.
    known: &'static [&'static str],
    counts: Mutex<BTreeMap<Vec<String>, u64>>,
}

/// The values of a series' labels, and its count.
pub type Series = (Vec<String>, u64);

impl Counter {
    /// A family that has counted nothing.
    pub const fn new(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> Counter {
        Counter { name, help, labels, known: &[], counts: Mutex::new(BTreeMap::new()) }
    }

    /// The same, of one label whose values are known.
    #[must_use]
    pub const fn of(mut self, known: &'static [&'static str]) -> Counter {
        self.known = known;
        self
    }

    /// These are counted from now on, and none has been: what can happen here, before it does.
    pub fn begin(&self, values: &[&str]) {
        self.lock().entry(values.iter().map(ToString::to_string).collect()).or_default();
    }

    /// One more of these; the values stand in the order of the labels.
    pub fn add(&self, values: &[&str]) {
        let mut counts = self.lock();
        let mut key: Vec<String> = values.iter().map(ToString::to_string).collect();
        if counts.len() >= MOST_SERIES && !counts.contains_key(&key) {
            key = vec!["other".to_owned(); self.labels.len()];
        }
        *counts.entry(key).or_default() += 1;
    }

    /// All counts together.
    pub fn total(&self) -> u64 {
        self.lock().values().sum()
    }

    /// All series, in the order of their labels. A family without labels is there from the start.
    pub fn series(&self) -> Vec<Series> {
        let mut all: BTreeMap<Vec<String>, u64> =
            self.known.iter().map(|value| (vec![(*value).to_owned()], 0)).collect();
        if self.labels.is_empty() {
            all.insert(Vec::new(), 0);
        }
        all.extend(self.lock().iter().map(|(values, count)| (values.clone(), *count)));
        all.into_iter().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Vec<String>, u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_for_each_set_of_labels_up_to_a_bound() {
        let counter = Counter::new("n", "h", &["a", "b"]);
        assert_eq!(counter.series(), []);
        for n in 0..MOST_SERIES + 5 {
            counter.add(&["x", &n.to_string()]);
        }
        counter.add(&["x", "3"]);
        let series = counter.series();
        assert_eq!(series.len(), MOST_SERIES + 1);
        assert!(series.contains(&(vec!["x".into(), "3".into()], 2)));
        assert!(series.contains(&(vec!["other".into(), "other".into()], 5)));
    }

    #[test]
    fn known_values_are_there_from_the_start() {
        let counter = Counter::new("n", "h", &["a"]).of(&["x", "y"]);
        counter.add(&["x"]);
        assert_eq!(counter.series(), [(vec!["x".into()], 1), (vec!["y".into()], 0)]);
    }

    #[test]
    fn what_can_happen_is_there_before_it_does() {
        let counter = Counter::new("n", "h", &["a", "b"]);
        counter.begin(&["x", "y"]);
        assert_eq!((counter.series(), counter.total()), (vec![(vec!["x".into(), "y".into()], 0)], 0));
        counter.add(&["x", "y"]);
        counter.begin(&["x", "y"]);
        assert_eq!(counter.series(), [(vec!["x".into(), "y".into()], 1)]);
    }

    #[test]
    fn without_labels_it_is_there_from_the_start() {
        let counter = Counter::new("n", "h", &[]);
        assert_eq!(counter.series(), [(vec![], 0)]);
        counter.add(&[]);
        assert_eq!(counter.series(), [(vec![], 1)]);
    }
}
