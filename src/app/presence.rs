//! A note in the run folder that this daemon lives, and where its journal is, held by a lock.
//!
//! `pid_file_dir` and `state_dir` can be anywhere, and so can the configuration; the run folder is always there.
//! `scripts/install` and `scripts/uninstall` ask these notes.

use std::fs;
use std::path::{Path, PathBuf};

use super::metrics_server::short_name;
use crate::config::Config;
use crate::runtime::pidlock::PidLock;

/// Held until it is dropped. While the journal is open the note stays, for who would take the program away.
pub struct Presence {
    lock: Option<PidLock>,
    journal: PathBuf,
}

/// Leaves the note: one a pid file and state folder, since no two daemons have both in common, and none may hide the
/// journal of another. A daemon goes on without one, and says so.
pub fn announce(config: &Config) -> Presence {
    let name = short_name(&[&config.pid_file, &config.state_dir]);
    let note = config.run_dir.join(format!("daemon-{name}.lock"));
    let lock = match PidLock::take(&note) {
        Ok(mut lock) => {
            if let Err(error) = lock.add_line(config.state_dir.as_os_str()) {
                log::warn!("the state folder could not be noted in {}: {error}", note.display());
            }
            Some(lock)
        }
        Err(fault) => {
            log::warn!("failed to {fault}; scripts/uninstall will not see this daemon");
            None
        }
    };
    Presence { lock, journal: config.state_dir.join("journal") }
}

fn is_open(journal: &Path) -> bool {
    let mut files = fs::read_dir(journal).into_iter().flatten().flatten();
    files.any(|file| file.path().extension().is_some_and(|extension| extension == "json"))
}

impl Drop for Presence {
    fn drop(&mut self) {
        if let Some(lock) = self.lock.take().filter(|_| is_open(&self.journal)) {
            lock.leave();
        }
    }
}
