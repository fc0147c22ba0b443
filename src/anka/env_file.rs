//! The file by which values reach a script in a VM: no secret stands in the host's process list, and no value
//! is ever part of a command.
//!
//! `NAME=VALUE` a line, 0600, removed right after use. The daemon holds it locked, so that [`sweep`] tells a dead
//! daemon's leftovers from files that are in use.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the names of these files, and of the files for output, begin with.
const PREFIX: &str = ".anklet-run-";

/// A value for a script.
#[derive(Clone, Copy)]
pub struct Var<'a> {
    /// The variable.
    pub name: &'static str,
    /// Its value, in one line.
    pub value: &'a str,
    /// Whether the value must never be shown.
    pub secret: bool,
}

/// The file; dropping it removes it.
pub(super) struct EnvFile {
    path: PathBuf,
    file: File,
}

impl<'a> Var<'a> {
    /// A value that may be shown.
    pub fn open(name: &'static str, value: &'a str) -> Var<'a> {
        Var { name, value, secret: false }
    }

    /// A value that must never be shown.
    pub fn secret(name: &'static str, value: &'a str) -> Var<'a> {
        Var { name, value, secret: true }
    }
}

impl EnvFile {
    /// Errors: the file cannot be written, or a value has a line break or a NUL.
    pub fn new(dir: &Path, vars: &[Var<'_>]) -> io::Result<EnvFile> {
        let broken = |var: &&Var<'_>| var.value.contains(['\n', '\r', '\0']);
        if let Some(var) = vars.iter().find(broken) {
            let text = format!("the value of {} has a line break", var.name);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let mut made = EnvFile::locked(dir)?;
        let lines: Vec<String> = vars.iter().map(|var| format!("{}={}\n", var.name, var.value)).collect();
        made.file.write_all(lines.concat().as_bytes())?;
        Ok(made)
    }

    /// A file that another daemon swept away before it was locked is made again.
    fn locked(dir: &Path) -> io::Result<EnvFile> {
        loop {
            let (path, file) = new_file(dir)?;
            let made = EnvFile { path, file };
            made.file.lock()?;
            if made.file.metadata()?.nlink() > 0 {
                return Ok(made);
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for EnvFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// A file for output that no name leads to: it lasts as long as somebody writes to it.
pub(super) fn nameless(dir: &Path) -> io::Result<File> {
    let (path, file) = new_file(dir)?;
    let _ = fs::remove_file(path);
    Ok(file)
}

fn new_file(dir: &Path) -> io::Result<(PathBuf, File)> {
    static SEQUENCE: AtomicU64 = AtomicU64::new(0);
    loop {
        let sequence = SEQUENCE.fetch_add(1, Ordering::Relaxed);
        let path = dir.join(format!("{PREFIX}{}-{sequence}", process::id()));
        match OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(&path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => (),
            opened => return Ok((path, opened?)),
        }
    }
}

/// Removes what killed daemons left in `dir`: at start, before anything runs.
pub fn sweep(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if ours && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
