//! Pauses between tries: doubling, capped, and half of each is chance, so that the hosts of a fleet do not march in step.

use std::time::Duration;

use crate::runtime::random;

/// The longest pause between two tries.
const LONGEST: Duration = Duration::from_secs(30);

/// The pause after the given number of failed tries (1 is the first): 1 s, 2 s, 4 s … 30 s, less up to half of it.
pub(super) fn pause_after(failed: u32) -> Duration {
    let whole = doubling(Duration::from_secs(1), failed, LONGEST);
    whole.mul_f64(1.0 - chance() / 2.0)
}

/// `first` after one failure, twice that after two, and so on up to `longest`.
pub(super) fn doubling(first: Duration, failed: u32, longest: Duration) -> Duration {
    let factor = 1_u32.checked_shl(failed.saturating_sub(1)).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(longest)
}

/// Between 0 and 1.
pub(super) fn chance() -> f64 {
    f64::from(random::bytes::<1>()[0]) / 255.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let of = |n| doubling(Duration::from_secs(5), n, Duration::from_mins(5)).as_secs();
        assert_eq!([1, 2, 3, 6, 7, 8, 40, u32::MAX].map(of), [5, 10, 20, 160, 300, 300, 300, 300]);
        for failed in [1, 5, 50] {
            let whole = doubling(Duration::from_secs(1), failed, LONGEST);
            let pause = pause_after(failed);
            assert!(pause <= whole && pause >= whole / 2, "{failed}: {pause:?}");
        }
    }
}
