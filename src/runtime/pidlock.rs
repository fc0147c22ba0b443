//! One daemon a pid file: held by a lock on the file; the number in it is for people.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Duration, Instant};

use super::same_file::is_at;
use super::stop::breathe;

/// Holds the file until it is dropped; then the file is gone.
#[derive(Debug)]
pub struct PidLock {
    path: PathBuf,
    file: File,
    stays: bool,
}

/// Why the file cannot be had.
#[derive(Debug)]
pub enum PidLockError {
    /// Another daemon holds it.
    Held {
        /// The file.
        path: PathBuf,
        /// The number in it, when there is one.
        pid: Option<u32>,
    },
    /// It cannot be opened or locked.
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// A child that a killed daemon was just starting holds the lock until it has become its program.
const PATIENCE: Duration = Duration::from_millis(500);
const BETWEEN: Duration = Duration::from_millis(20);

impl PidLock {
    /// Takes `path` over, whatever is in it, unless another process holds its lock.
    pub fn take(path: &Path) -> Result<PidLock, PidLockError> {
        let failed = |source| PidLockError::File { path: path.to_owned(), source };
        let patience = Instant::now() + PATIENCE;
        loop {
            let mut file = open(path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if Instant::now() < patience => {
                    breathe(BETWEEN);
                    continue;
                }
                Err(TryLockError::WouldBlock) => return Err(held(path, &mut file)),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
            // Its former holder may have removed the file between the two steps: then this lock holds nothing.
            if is_at(&file, path) {
                // The number is for people: a full disk must not keep a daemon from starting.
                let _ = write_number(&mut file);
                return Ok(PidLock { path: path.to_owned(), file, stays: false });
            }
        }
    }
}

impl PidLock {
    /// Writes one more line into it.
    pub fn add_line(&mut self, line: &OsStr) -> io::Result<()> {
        self.file.write_all(&[line.as_bytes(), b"\n"].concat())
    }

    /// Lets the lock go, and leaves the file where it is.
    pub fn leave(mut self) {
        self.stays = true;
    }
}

impl Drop for PidLock {
    fn drop(&mut self) {
        // Removed while the lock is held, so that nobody else's file is removed.
        if !self.stays && is_at(&self.file, &self.path) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    if fs::symlink_metadata(path).is_ok_and(|there| there.is_symlink()) {
        return Err(io::Error::other("it is a symbolic link, which may lead to another's file; remove it"));
    }
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

fn write_number(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", process::id())
}

fn held(path: &Path, file: &mut File) -> PidLockError {
    let mut text = String::new();
    let read = file.take(64).read_to_string(&mut text);
    let pid = read.ok().and_then(|_| text.trim().parse().ok());
    PidLockError::Held { path: path.to_owned(), pid }
}

impl fmt::Display for PidLockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PidLockError::Held { path, pid } => {
                let path = path.display();
                match pid {
                    Some(pid) => write!(f, "take {path}: a running daemon, process {pid}, holds it")?,
                    None => write!(f, "take {path}: a running daemon holds it")?,
                }
                f.write_str("; stop it, or give this one its own pid_file_dir")
            }
            PidLockError::File { path, source } => write!(f, "take {}: {source}", path.display()),
        }
    }
}

impl std::error::Error for PidLockError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("anklet-pid-{}-{name}.pid", process::id()))
    }

    #[test]
    fn a_second_is_refused_until_the_first_has_ended() {
        let path = path("held");
        let first = PidLock::take(&path).unwrap();
        match PidLock::take(&path) {
            Err(PidLockError::Held { pid, .. }) => assert_eq!(pid, Some(process::id())),
            other => panic!("{other:?}"),
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", process::id()));
        drop(first);
        assert!(!path.exists());
        drop(PidLock::take(&path).unwrap());
    }

    #[test]
    fn a_file_that_is_left_is_nobody_s() {
        let path = path("left");
        let mut lock = PidLock::take(&path).unwrap();
        lock.add_line("/somewhere".as_ref()).unwrap();
        lock.leave();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n/somewhere\n", process::id()));
        drop(PidLock::take(&path).unwrap());
        assert!(!path.exists());
    }

    #[test]
    fn a_stale_file_is_taken_over_whatever_is_in_it() {
        for stale in ["1\n", "", "not a number", &"9".repeat(10_000)] {
            let path = path("stale");
            fs::write(&path, stale).unwrap();
            let lock = PidLock::take(&path).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", process::id()));
            drop(lock);
        }
    }

    #[test]
    fn what_a_link_leads_to_is_left_alone() {
        let (path, other) = (path("link"), path("linked"));
        let _ = fs::remove_file(&path);
        fs::write(&other, "precious").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        assert!(PidLock::take(&path).unwrap_err().to_string().contains("symbolic link"));
        assert_eq!(fs::read_to_string(&other).unwrap(), "precious");
        fs::remove_file(path).unwrap();
        fs::remove_file(other).unwrap();
    }

    #[test]
    fn a_file_of_somebody_else_at_the_same_place_is_not_removed() {
        let path = path("other");
        let lock = PidLock::take(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "theirs").unwrap();
        drop(lock);
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_lost_folder_is_named() {
        let told = PidLock::take(Path::new("/nowhere/anklet.pid")).unwrap_err().to_string();
        assert!(told.starts_with("take /nowhere/anklet.pid: No such file"), "{told}");
    }
}
