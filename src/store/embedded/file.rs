//! A connection that is opened when it is needed, and anew after a fault or when its file was moved away.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::store::StoreError;

/// How a connection is made.
type Open = fn(&Path) -> Result<Connection, StoreError>;

/// A file and the connection to it, if there is one now.
pub struct File {
    path: PathBuf,
    open: Open,
    current: Option<(Connection, Option<Identity>)>,
}

/// Device and number of a file: SQLite would go on writing to one that has no name any more.
type Identity = (u64, u64);

impl File {
    /// Not opened yet.
    pub fn new(path: PathBuf, open: Open) -> File {
        File { path, open, current: None }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The connection; opened anew when the last one was let go, or its file is no longer there.
    pub fn connection(&mut self) -> Result<&mut Connection, StoreError> {
        if self.was_moved() {
            log::warn!("{} was moved or removed while it was open; it is opened anew", self.path.display());
            self.let_go();
        }
        let current = match self.current.take() {
            Some(current) => current,
            None => ((self.open)(&self.path)?, identity(&self.path)),
        };
        Ok(&mut self.current.insert(current).0)
    }

    /// Closes the connection: after a fault the next step begins from the start.
    pub fn let_go(&mut self) {
        if self.was_moved()
            && let Some((connection, _)) = &self.current
        {
            // Else the last one to close deletes the write-ahead log by name: by now that of another file.
            let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
        self.current = None;
    }

    fn was_moved(&self) -> bool {
        self.current.as_ref().is_some_and(|(_, opened)| *opened != identity(&self.path))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.let_go();
    }
}

fn identity(path: &Path) -> Option<Identity> {
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}
