//! Whether the store has been in trouble: what it was told meanwhile may be lost.

use std::time::Duration;

use crate::runtime::meters::STORE_ERRORS;

/// How long the store must have been quiet.
const QUIET: Duration = Duration::from_secs(2);
/// Between two looks for errors that nobody tells of.
const LOOK: Duration = Duration::from_secs(5);

/// The errors of this process's stores, whoever met them: a delivery that was refused is told to nobody else.
pub(super) struct Trouble {
    errors: u64,
    fresh: bool,
}

impl Trouble {
    /// From now on.
    pub fn new() -> Trouble {
        Trouble { errors: STORE_ERRORS.total(), fresh: false }
    }

    /// Whether a trouble is just over.
    pub fn is_over(&mut self) -> bool {
        let errors = STORE_ERRORS.total();
        let (was, now) = (self.fresh, errors != self.errors);
        (self.errors, self.fresh) = (errors, now);
        was && !now
    }

    /// How long to wait for the next look, at most.
    pub fn longest_wait(&self) -> Duration {
        if self.fresh { QUIET } else { LOOK }
    }
}
