//! How fast time passes for what waits for minutes: as it does, but for test builds.
//!
//! Built with `kill-switch`, the daemon takes the pauses of its schedule, and its store's clock, so many times
//! faster as `ANKLET_PACE` says. Time limits, and whatever is configured in seconds, stay as they are.

use std::time::Duration;

use crate::domain::ids::Millis;
use crate::runtime::clock;

/// A pause of the schedule, as long as it takes here.
#[cfg(not(feature = "kill-switch"))]
#[inline]
pub fn paced(pause: Duration) -> Duration {
    pause
}

/// The store's clock.
#[cfg(not(feature = "kill-switch"))]
pub fn millis() -> Millis {
    clock::millis()
}

/// A pause of the schedule, as long as it takes here.
#[cfg(feature = "kill-switch")]
pub fn paced(pause: Duration) -> Duration {
    pause / switch::pace()
}

/// The store's clock, so that all daemons of a test agree on it.
#[cfg(feature = "kill-switch")]
pub fn millis() -> Millis {
    Millis(clock::millis().0 * u64::from(switch::pace()))
}

#[cfg(feature = "kill-switch")]
mod switch {
    use std::sync::OnceLock;

    static PACE: OnceLock<u32> = OnceLock::new();

    #[expect(
        clippy::disallowed_methods,
        reason = "test builds only; the daemon's own settings come from config"
    )]
    pub fn pace() -> u32 {
        let read = || std::env::var("ANKLET_PACE").ok()?.parse().ok().filter(|pace| *pace > 0);
        *PACE.get_or_init(|| read().unwrap_or(1))
    }
}
