//! Which deliveries have come: a run-once waits for those that it has asked for, so that its handlers find the jobs.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::runtime::stop::{Stop, Woken};

/// GitHub sends at once what it is asked for.
const PATIENCE: Duration = Duration::from_secs(10);
/// More are not remembered.
const MOST: usize = 10_000;

/// The GUIDs of what has come.
pub(super) struct Arrivals {
    guids: Mutex<BTreeSet<String>>,
    ringer: Sender<()>,
    bell: Receiver<()>,
}

impl Arrivals {
    /// None yet.
    pub fn new() -> Arrivals {
        let (ringer, bell) = bounded(1);
        Arrivals { guids: Mutex::default(), ringer, bell }
    }

    /// A delivery is answered, whatever the answer.
    pub fn came(&self, guid: &str) {
        let mut guids = self.guids.lock().unwrap_or_else(PoisonError::into_inner);
        if guids.len() < MOST {
            guids.insert(guid.to_owned());
        }
        drop(guids);
        let _ = self.ringer.try_send(());
    }

    /// Waits until all of these have come, or for as long as they may take.
    pub fn wait_for(&self, asked: &[String], stop: &Stop) {
        let end = Instant::now() + PATIENCE;
        while !self.have_come(asked) {
            let left = end.saturating_duration_since(Instant::now());
            if stop.idle(&self.bell, left) != Woken::Bell {
                return;
            }
        }
    }

    fn have_come(&self, asked: &[String]) -> bool {
        let guids = self.guids.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().all(|guid| guids.contains(guid))
    }
}
