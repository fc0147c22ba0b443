//! The folder of a stage: taken for one process, emptied, and laid out as an operator's home.

use super::process;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// How many may play in one clone at a time.
const PLACES: usize = 9;
const ANKA: &str = "anka";
/// A folder that no other process plays in.
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Takes `base`, or `base-2` and so on while another process plays there; what an earlier one left is removed.
    pub fn take(base: &Path) -> Result<Self, String> {
        for place in 1..=PLACES {
            let name = if place == 1 { base.as_os_str().to_owned() } else { numbered(base, place) };
            let path = PathBuf::from(name);
            fs::create_dir_all(&path).map_err(|e| at(&path, &e))?;
            let path = fs::canonicalize(&path).map_err(|e| at(&path, &e))?;
            let Some(lock) = lock(&path.join("lock"))? else { continue };
            process::end_all(&process::marked(&path.join(ANKA)));
            empty(&path).map_err(|e| at(&path, &e))?;
            return Ok(Self { path, _lock: lock });
        }
        Err(format!("{}: {PLACES} others are at work here", base.display()))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The state of the simulated Anka.
    pub fn anka(&self) -> PathBuf {
        self.path.join(ANKA)
    }

    /// `~/.config/anklet` of the daemon.
    pub fn config(&self) -> PathBuf {
        self.path.join(".config/anklet")
    }

    pub fn scripts(&self) -> PathBuf {
        self.config().join("plugins/handlers/github")
    }

    pub fn state(&self) -> PathBuf {
        self.config().join("state")
    }

    /// The daemon's JSON log.
    pub fn log(&self) -> PathBuf {
        self.path.join("anklet.log")
    }
}

fn numbered(base: &Path, place: usize) -> std::ffi::OsString {
    let mut name = base.as_os_str().to_owned();
    name.push(format!("-{place}"));
    name
}

fn lock(path: &Path) -> Result<Option<File>, String> {
    let file = OpenOptions::new().create(true).append(true).open(path).map_err(|e| at(path, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(e)) => Err(at(path, &e)),
    }
}

/// Everything but the lock.
fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() == "lock" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn at(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_at_once_get_two_folders_and_the_next_one_an_empty_one() {
        let base = std::env::temp_dir().join(format!("stage-{}", std::process::id()));
        let first = Folder::take(&base).unwrap();
        let second = Folder::take(&base).unwrap();
        assert_ne!(first.path(), second.path());
        let (one, two) = (first.path().to_path_buf(), second.path().to_path_buf());
        fs::create_dir_all(one.join("a/b")).unwrap();
        drop(first);
        // A child that another test is just starting shares the lock for an instant.
        let taken = (0..100).find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            Folder::take(&base).ok().filter(|again| again.path() == one)
        });
        assert!(taken.is_some(), "{} is never free again", one.display());
        assert!(!one.join("a").exists());
        for folder in [one, two] {
            fs::remove_dir_all(folder).unwrap();
        }
    }
}
