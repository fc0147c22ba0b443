//! Whether the daemon of a claim lives: a claim of this store dies with it, not by time.
//!
//! A daemon holds a lock file for each of its plugins as long as it lives, whatever ends it.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use crate::domain::entry::Entry;
use crate::domain::ids::{Millis, Owner};
use crate::runtime::filename;
use crate::store::bells::Bells;
use crate::store::shelf::Seen;

/// A handler that was seen so recently is not looked at: its daemon may just be starting.
const QUIET: Duration = Duration::from_mins(1);

/// Those of the claimed jobs whose daemon is gone.
///
/// Only owners of hosts whose plugins this process runs are judged; its own plugins always live.
pub fn abandoned(
    claimed: Vec<Entry>,
    cards: &[Seen],
    bells: &Bells,
    locks: &Path,
    now: Millis,
) -> Vec<Entry> {
    let mut judged: HashMap<Owner, bool> = HashMap::new();
    let mut is_gone = |owner: &Owner| {
        *judged.entry(owner.clone()).or_insert_with(|| {
            let may_be_judged = bells.knows_host(&owner.host) && !bells.has(owner);
            let seen = cards.iter().any(|s| s.card.owner == *owner && now.since(s.at) < QUIET);
            may_be_judged && !seen && is_unlocked(locks, &owner.plugin)
        })
    };
    claimed.into_iter().filter(|entry| entry.hold().is_some_and(|hold| is_gone(&hold.claim.owner))).collect()
}

/// Whether nobody holds the plugin's lock file. In doubt it is held.
fn is_unlocked(locks: &Path, plugin: &str) -> bool {
    let path = locks.join(format!("{}.lock", filename::encode(plugin)));
    match File::open(&path) {
        // Closed again at once, and with it the lock.
        Ok(file) => match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(error)) => {
                log::warn!("{} cannot be looked at: {error}", path.display());
                false
            }
        },
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}
