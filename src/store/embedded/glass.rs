//! Looking without waiting for the writer: connections of their own, which see all that was committed.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::fault::explain;
use super::file::File;
use super::schema::open_to_look;
use super::sheet::{Said, Sheet};
use crate::store::StoreError;

/// How many idle connections are kept.
const KEPT: usize = 2;

/// Connections that look only.
pub struct Glass {
    path: PathBuf,
    said: Arc<Said>,
    idle: Mutex<Vec<File>>,
}

impl Glass {
    /// None is open yet.
    pub fn new(path: PathBuf, said: Arc<Said>) -> Glass {
        Glass { path, said, idle: Mutex::default() }
    }

    /// Looks at a queue as it is at one moment.
    pub fn look<T>(
        &self,
        queue: &str,
        look: impl FnOnce(&mut Sheet<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // Taken out while in use, so that no lock is held while the disk is asked.
        let taken = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut file = taken.unwrap_or_else(|| {
            File::new(self.path.clone(), |path| open_to_look(path).map_err(|e| explain(path, &e)))
        });
        let seen = look_through(&mut file, queue, &self.said, look)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(file);
        }
        Ok(seen)
    }
}

fn look_through<T>(
    file: &mut File,
    queue: &str,
    said: &Said,
    look: impl FnOnce(&mut Sheet<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let path = file.path().to_owned();
    let moment = file.connection()?.transaction().map_err(|e| explain(&path, &e))?;
    look(&mut Sheet::new(&moment, &path, queue, said))
}
