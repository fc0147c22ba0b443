//! The primary limit, as the latest answer told it, and whether it runs low.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::answer::Answer;

/// The quota with which jobs and people are counted; others (searches, say) are no concern of ours.
const RESOURCE: &str = "core";
/// GitHub's quotas last an hour.
const LONGEST: Duration = Duration::from_hours(1);

/// The primary limit, as the latest answer told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Calls an hour.
    pub limit: u64,
    /// Calls left.
    pub remaining: u64,
    /// When it is full again, in seconds since 1970 by GitHub's clock.
    pub reset: u64,
}

/// The quota of one set of credentials.
#[derive(Debug, Default)]
pub(super) struct Budget(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    quota: Option<Quota>,
    scarce_until: Option<Instant>,
}

impl Quota {
    /// Less than a tenth is left.
    fn is_low(&self) -> bool {
        self.remaining.saturating_mul(10) < self.limit
    }
}

impl Budget {
    /// Takes note of an answer; one without the headers means that there is no budget.
    pub(super) fn note(&self, answer: &Answer) {
        if answer.header("x-ratelimit-resource").is_some_and(|name| name != RESOURCE) {
            return;
        }
        let quota = told(answer);
        let full_in = quota.and_then(|quota| until(quota.reset, answer)).unwrap_or(LONGEST);
        let low = quota.filter(Quota::is_low);
        *self.state() = State { quota, scarce_until: low.map(|_| Instant::now() + full_in) };
    }

    pub(super) fn quota(&self) -> Option<Quota> {
        self.state().quota
    }

    /// Less than a tenth is left, and it is not full again yet.
    pub(super) fn is_scarce(&self) -> bool {
        self.state().scarce_until.is_some_and(|until| Instant::now() < until)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn told(answer: &Answer) -> Option<Quota> {
    let number = |name| u64::try_from(answer.number(name)?).ok();
    let (limit, remaining) = (number("x-ratelimit-limit")?, number("x-ratelimit-remaining")?);
    Some(Quota { limit, remaining, reset: number("x-ratelimit-reset")? })
}

fn until(reset: u64, answer: &Answer) -> Option<Duration> {
    let date = u64::try_from(answer.date()?.unix_timestamp()).ok()?;
    Some(Duration::from_secs(reset.saturating_sub(date)).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(limit: &str, remaining: &str, reset: &str, resource: Option<&str>) -> Answer {
        let mut headers = vec![
            ("date", "Thu, 01 Jan 1970 00:16:40 GMT".to_owned()),
            ("x-ratelimit-limit", limit.to_owned()),
            ("x-ratelimit-remaining", remaining.to_owned()),
            ("x-ratelimit-reset", reset.to_owned()),
        ];
        headers.extend(resource.map(|name| ("x-ratelimit-resource", name.to_owned())));
        Answer { status: 200, headers, ..Answer::default() }
    }

    #[test]
    fn a_quota_is_scarce_below_a_tenth_and_until_it_is_full_again() {
        let budget = Budget::default();
        let scarce = |limit, remaining, reset, resource| {
            budget.note(&answer(limit, remaining, reset, resource));
            budget.is_scarce()
        };
        assert!(!scarce("5000", "500", "1090", None));
        assert!(scarce("5000", "499", "1090", None));
        assert!(scarce("5000", "4999", "1090", Some("search")), "another quota says nothing of this one");
        assert_eq!(budget.quota().unwrap().remaining, 499);
        assert!(!scarce("5000", "0", "1000", Some("core")), "it is full again");
        assert!(scarce("60", "0", "99999", None));
        budget.note(&Answer::default());
        assert!(!budget.is_scarce() && budget.quota().is_none(), "no headers: no budget");
    }
}
