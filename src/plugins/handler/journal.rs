//! The journal: one file a plugin, locked by its daemon, replaced as a whole and flushed before the deed.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::undo::{Ledger, Page};
use crate::plugins::handler::page;
use crate::runtime::effect::{Effect, effect};
use crate::runtime::filename;
use crate::runtime::stop::breathe;

const TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// The page's file and the lock beside it.
pub struct Journal {
    folder: PathBuf,
    file: PathBuf,
    /// Held for as long as the daemon lives: who can lock it knows that its plugin is dead.
    _lock: File,
}

/// Why a journal cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// Another daemon, or another plugin of this one, has the same name.
    InUse(PathBuf),
    /// The folder or the file is not ours to use.
    Io(PathBuf, io::Error),
    /// The page is there and cannot be understood; it is left alone.
    Unreadable(PathBuf, String),
}

impl Journal {
    /// Locks the plugin's journal for the `daemon` of this pid file and reads what was left in it.
    pub fn open(folder: &Path, plugin: &str, daemon: &Path) -> Result<(Journal, Option<Page>), OpenError> {
        let fault = |path: &Path| {
            let path = path.to_owned();
            move |error| OpenError::Io(path, error)
        };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(fault(folder))?;
        let name = filename::encode(plugin);
        let lock_path = folder.join(format!("{name}.lock"));
        let mut lock = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&lock_path)
            .map_err(fault(&lock_path))?;
        take(&lock, &lock_path)?;
        // For the other daemons that share the folder. A full disk must not keep the plugin from its page.
        let _ = lock.set_len(0).and_then(|()| lock.write_all(daemon.as_os_str().as_bytes()));
        let file = folder.join(format!("{name}.json"));
        let found = match fs::read(&file) {
            Ok(text) => Some(page::read(&text).map_err(|why| OpenError::Unreadable(file.clone(), why))?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(OpenError::Io(file, error)),
        };
        Ok((Journal { folder: folder.to_owned(), file, _lock: lock }, found))
    }

    /// Plugins of this `daemon` that left a page in this folder. What another one left waits for that.
    pub fn left_in(folder: &Path, daemon: &Path) -> Vec<String> {
        let Ok(files) = fs::read_dir(folder) else { return Vec::new() };
        let pages = files
            .flatten()
            .map(|file| file.path())
            .filter(|file| file.extension().is_some_and(|e| e == "json"));
        pages
            .filter(|page| is_left_by(daemon, &page.with_extension("lock")))
            .filter_map(|page| page::plugin(&fs::read(page).ok()?))
            .collect()
    }

    fn flush_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

/// Whether nobody else has the journal of this lock. Older programs noted no daemon.
fn is_left_by(daemon: &Path, lock: &Path) -> bool {
    let noted = fs::read(lock).unwrap_or_default();
    let is_ours = noted.is_empty() || noted == daemon.as_os_str().as_bytes();
    let is_held = || File::open(lock).is_ok_and(|file| matches!(take(&file, lock), Err(OpenError::InUse(_))));
    is_ours && !is_held()
}

/// Whoever asks whether a daemon lives holds its lock for an instant: so it is tried for a while.
fn take(lock: &File, path: &Path) -> Result<(), OpenError> {
    for _ in 0..TRIES {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => breathe(BETWEEN_TRIES),
            Err(TryLockError::Error(error)) => return Err(OpenError::Io(path.to_owned(), error)),
        }
    }
    Err(OpenError::InUse(path.to_owned()))
}

impl Ledger for Journal {
    fn write(&mut self, page: &Page) -> io::Result<()> {
        effect(Effect::Journal("write"), || {
            let text = page::text(page)?;
            let fresh = self.file.with_extension("new");
            let mut out =
                OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&fresh)?;
            out.write_all(&text)?;
            out.sync_data()?;
            fs::rename(&fresh, &self.file)?;
            self.flush_folder()
        })
    }

    fn clear(&mut self) -> io::Result<()> {
        effect(Effect::Journal("clear"), || match fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => self.flush_folder(),
        })
    }
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OpenError::InUse(path) => write!(
                f,
                "open the journal: {} is held by another daemon or plugin of this name; give each its own name or state_dir",
                path.display()
            ),
            OpenError::Io(path, error) => write!(f, "open the journal: {}: {error}", path.display()),
            OpenError::Unreadable(path, why) => {
                write!(f, "read the journal: {}: {why}; it was left as it is", path.display())
            }
        }
    }
}
