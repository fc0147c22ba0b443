//! How far this host's clock is from GitHub's, as its answers tell it.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::runtime::clock;

/// Smaller differences are borne by a token's margins, and may be an answer's way.
const BORNE: i64 = 30;

/// GitHub's clock less this host's, in seconds; 0 until it is known.
#[derive(Debug, Default)]
pub(in crate::github) struct Skew(AtomicI64);

impl Skew {
    /// GitHub says that it is `date` (seconds since 1970). True: that is news by which a token is to be made anew.
    pub(in crate::github) fn note(&self, date: i64) -> bool {
        let skew = date - own();
        let before = self.0.swap(skew, Ordering::Relaxed);
        let differs = (skew - before).abs() > BORNE;
        if differs && skew.abs() > BORNE {
            let (by, side) = (skew.abs(), if skew < 0 { "ahead of" } else { "behind" });
            log::warn!(
                "this host's clock is {by} s {side} GitHub's; it goes by GitHub's, but the clock wants to be set"
            );
        }
        differs
    }

    /// Now, in seconds since 1970: by GitHub's clock where the two differ.
    pub(in crate::github) fn now(&self) -> i64 {
        let skew = self.0.load(Ordering::Relaxed);
        own() + if skew.abs() > BORNE { skew } else { 0 }
    }
}

/// How many seconds GitHub's clock is ahead of this host's, at a moment at which GitHub says that it is `date`.
pub(in crate::github) fn off(date: i64) -> i64 {
    date - own()
}

fn own() -> i64 {
    i64::try_from(clock::millis().0 / 1000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn githubs_clock_wins_where_they_differ() {
        let skew = Skew::default();
        assert!(!skew.note(own() + 5) && skew.now() <= own() + 1, "near enough");
        assert!(skew.note(own() - 3600));
        assert!((skew.now() - (own() - 3600)).abs() <= 1);
        assert!(!skew.note(own() - 3602), "no news");
        assert!(skew.note(own()) && (skew.now() - own()).abs() <= 1, "the clock was set");
    }
}
