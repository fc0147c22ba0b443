//! Which VMs run on the host: one look for all handlers, at most once a minute.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::anka::Anka;
use crate::domain::ids::VmName;
use crate::runtime::pace::paced;

/// How old a look may be.
const FRESH: Duration = Duration::from_mins(1);

/// The last look. Clones share it.
#[derive(Clone, Default)]
pub struct Guests {
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    /// When somebody took it upon himself to look.
    asked: Option<Instant>,
    /// When the last look that showed something began, and what it showed.
    look: Option<(Instant, Vec<String>)>,
}

impl Guests {
    /// Whether a look that began after `since`, when this VM ran, no longer shows it.
    ///
    /// Looks when the last look is a minute old; the handler that finds it so does it for all.
    /// A look that fails tells nothing.
    pub fn has_vanished(&self, anka: &Anka, vm: &VmName, since: Instant) -> bool {
        if self.take_duty(since) {
            let began = Instant::now();
            if let Ok(running) = anka.list_running() {
                self.lock().look = Some((began, running.into_iter().map(|vm| vm.name).collect()));
            }
        }
        self.lock().look.as_ref().is_some_and(|(began, names)| *began > since && !names.contains(&vm.0))
    }

    /// Takes the duty to look, so that no second handler does it too.
    fn take_duty(&self, since: Instant) -> bool {
        let mut seen = self.lock();
        let is_old = |at: Instant| at.elapsed() >= paced(FRESH);
        let due = is_old(since) && seen.asked.is_none_or(is_old);
        if due {
            seen.asked = Some(Instant::now());
        }
        due
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
