//! Small files that several processes share: a lock, JSON replaced in one step, lines appended in one write.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Held while a state file is read, changed and written; never during a long operation.
pub struct Lock {
    _held: File,
}

/// Waits for the lock file at `path`, and makes it when it is not there.
pub fn lock(path: &Path) -> Result<Lock, String> {
    let file = OpenOptions::new().create(true).append(true).open(path).map_err(|e| at(path, &e))?;
    file.lock().map_err(|e| at(path, &e))?;
    Ok(Lock { _held: file })
}

/// The value in a file, or `None` when there is no such file.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, String> {
    match fs::read(path) {
        Ok(bytes) if bytes.iter().all(u8::is_ascii_whitespace) => Ok(None),
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|e| format!("{}: {e}", path.display())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(at(path, &e)),
    }
}

/// Replaces the file in one step, so that a reader without the lock sees the old or the new one.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), String> {
    let text = serde_json::to_vec_pretty(value).map_err(|e| e.to_string())?;
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    fs::write(&beside, text).and_then(|()| fs::rename(&beside, path)).map_err(|e| at(path, &e))
}

/// Appends one line in one write: lines of several processes do not mix.
pub fn append_line(path: &Path, line: &str) -> Result<(), String> {
    let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(|e| at(path, &e))?;
    file.write_all(format!("{line}\n").as_bytes()).map_err(|e| at(path, &e))
}

/// Makes the folder and those above it.
pub fn make_folder(path: &Path) -> Result<(), String> {
    fs::create_dir_all(path).map_err(|e| at(path, &e))
}

fn at(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}
