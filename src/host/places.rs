//! Slot and pull locks that hold between the daemons of a host: locked files in the run folder.
//!
//! `slot-0.lock`, `slot-1.lock` and `pull.lock` each hold the name of the VM that they are held for.
//! `children/` has the locks of the `anka` children (`runtime::children`). The kernel lets go of a dead daemon's
//! locks, whatever its files say, so that only what is locked counts.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::domain::ids::VmName;
use crate::domain::slots::{Lock, Places, VMS_PER_HOST};
use crate::runtime::children::{self, BEHIND_THE_END};
use crate::runtime::stop::breathe;

/// A reader of notes locks for an instant what nobody holds; so a lock is tried this often, this far apart.
const TRIES: u32 = 3;
const BETWEEN_TRIES: Duration = Duration::from_millis(1);

/// The places of a host, as files of one folder.
#[derive(Debug)]
pub struct FilePlaces {
    dir: PathBuf,
}

/// A locked file.
struct FileLock {
    file: File,
    /// A child has the lock as well: then only its end may free it.
    shared: AtomicBool,
}

impl FilePlaces {
    /// Over the run folder, which is made (0700) when it is not there.
    /// Errors: the folder or a file in it cannot be made or opened.
    pub fn open(run_dir: &Path) -> io::Result<FilePlaces> {
        for dir in [run_dir, &children_dir(run_dir)] {
            DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
            fs::set_permissions(dir, Permissions::from_mode(0o700))?;
        }
        let places = FilePlaces { dir: run_dir.to_owned() };
        (0..VMS_PER_HOST).try_for_each(|slot| places.open_file(&slot_file(slot)).map(drop))?;
        places.open_file(PULL_FILE)?;
        Ok(places)
    }

    fn open_file(&self, name: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        options.open(self.dir.join(name))
    }

    /// `None`: somebody has it, or the file cannot be opened any more, which is logged.
    fn take(&self, name: &str) -> Option<FileLock> {
        let taken = self.open_file(name).and_then(try_lock);
        taken.unwrap_or_else(|e| {
            ::log::warn!("failed to lock {}: {e}", self.dir.join(name).display());
            None
        })
    }

    /// The name in a file that somebody holds.
    fn note_of(&self, slot: usize) -> Option<VmName> {
        let path = self.dir.join(slot_file(slot));
        let file = File::open(&path).ok()?;
        if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
            return None;
        }
        let name = fs::read_to_string(&path).ok()?.trim().to_owned();
        (!name.is_empty()).then_some(VmName(name))
    }
}

/// Where the locks of children lie, below the run folder.
pub fn children_dir(run_dir: &Path) -> PathBuf {
    run_dir.join("children")
}

const PULL_FILE: &str = "pull.lock";

fn slot_file(slot: usize) -> String {
    format!("slot-{slot}.lock")
}

fn try_lock(mut file: File) -> io::Result<Option<FileLock>> {
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => {
                file.seek(SeekFrom::Start(BEHIND_THE_END))?;
                return Ok(Some(FileLock { file, shared: AtomicBool::new(false) }));
            }
            Err(TryLockError::WouldBlock) => breathe(BETWEEN_TRIES),
            Err(TryLockError::Error(e)) => return Err(e),
        }
    }
    Ok(None)
}

impl Places for FilePlaces {
    fn lock_slot(&self, slot: usize) -> Option<Box<dyn Lock>> {
        let lock = self.take(&slot_file(slot))?;
        if !children::of_slot(&children_dir(&self.dir), slot).is_empty() {
            return None;
        }
        // The note of a dead daemon: its VM, if it runs, is now nobody's.
        lock.write("");
        Some(Box::new(lock))
    }

    fn reclaim_slot(&self, slot: usize) -> Option<Box<dyn Lock>> {
        let lock = self.take(&slot_file(slot))?;
        lock.write("");
        Some(Box::new(lock))
    }

    fn lock_pull(&self) -> Option<Box<dyn Lock>> {
        self.take(PULL_FILE).map(|lock| Box::new(lock) as Box<dyn Lock>)
    }

    fn noted(&self) -> Vec<VmName> {
        (0..VMS_PER_HOST).filter_map(|slot| self.note_of(slot)).collect()
    }
}

impl FileLock {
    /// Best effort: without a note the VM counts as a guest, which errs on the safe side.
    fn write(&self, text: &str) {
        let _ = self.file.set_len(0);
        let _ = self.file.write_all_at(text.as_bytes(), 0);
    }
}

impl Lock for FileLock {
    fn note(&mut self, vm: &VmName) {
        self.write(&format!("{vm}\n"));
    }

    fn share(&self) -> Option<OwnedFd> {
        let copy = self.file.try_clone().ok()?;
        self.shared.store(true, Ordering::Relaxed);
        Some(copy.into())
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        if self.shared.load(Ordering::Relaxed) {
            return;
        }
        self.write("");
        // Closing would do, were it not for children between fork and exec, which have a copy.
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "tests start children of their own")]

    use std::process::Command;

    use super::*;
    use crate::runtime::children::ChildLock;

    fn folder(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("anklet-places-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        dir
    }

    fn vm(n: u8) -> VmName {
        VmName(format!("anklet-vm-{n}"))
    }

    #[test]
    fn a_slot_is_held_by_one_daemon_at_a_time() {
        let dir = folder("slots");
        let (a, b) = (FilePlaces::open(&dir).unwrap(), FilePlaces::open(&dir).unwrap());
        let mut held = a.lock_slot(0).unwrap();
        assert!(b.lock_slot(0).is_none() && b.reclaim_slot(0).is_none());
        let _other = b.lock_slot(1).unwrap();
        assert!(b.noted().is_empty());
        held.note(&vm(7));
        assert_eq!(b.noted(), [vm(7)]);
        drop(held);
        assert!(b.noted().is_empty());
        assert!(b.lock_slot(0).is_some());
        assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn the_note_of_a_dead_daemon_does_not_count() {
        let dir = folder("dead");
        let places = FilePlaces::open(&dir).unwrap();
        fs::write(dir.join("slot-0.lock"), "anklet-vm-7\n").unwrap();
        assert!(places.noted().is_empty());
        let _held = places.lock_slot(0).unwrap();
        assert!(places.noted().is_empty(), "not even while its slot is held for another VM");
    }

    #[test]
    fn a_living_child_keeps_its_slot_from_all_but_the_recovery() {
        let dir = folder("child");
        let places = FilePlaces::open(&dir).unwrap();
        let child = ChildLock::new(&children_dir(&dir), 1, &vm(1), "clone").unwrap();
        assert!(places.lock_slot(1).is_none());
        assert!(places.lock_slot(0).is_some());
        assert!(places.reclaim_slot(1).is_some());
        drop(child);
        assert!(places.lock_slot(1).is_some());
    }

    #[test]
    fn the_pull_lock_outlives_its_daemon_as_long_as_its_child() {
        let dir = folder("pull");
        let places = FilePlaces::open(&dir).unwrap();
        let mut pull = places.lock_pull().unwrap();
        pull.note(&vm(1));
        let read = Command::new("cat").stdin(pull.share().unwrap()).output().unwrap();
        assert!(read.status.success() && read.stdout.is_empty(), "a child that reads meets the end at once");
        let mut command = Command::new("sleep");
        let mut child = command.arg("600").stdin(pull.share().unwrap()).spawn().unwrap();
        drop((command, pull));
        assert!(places.lock_pull().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(places.lock_pull().is_some());
    }

    #[test]
    fn a_folder_that_cannot_be_had_is_an_error() {
        let dir = folder("bad");
        fs::write(&dir, "").unwrap();
        assert!(FilePlaces::open(&dir).is_err());
    }
}
