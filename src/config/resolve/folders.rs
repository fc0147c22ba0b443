//! The folders that the daemon needs: which must be there, and which are made.

use std::path::Path;

use super::reader::Reader;
use crate::config::note::Place;
use crate::config::settings::{Config, Folder};

/// Ours alone.
const PRIVATE: u32 = 0o700;

/// `log.file_dir` and `pid_file_dir` named in the file must exist: a typing error must not go unseen.
pub(super) fn check(reader: &Reader<'_>) {
    for name in ["log.file_dir", "pid_file_dir"] {
        let Some(written) = reader.own(name) else { continue };
        let Some(path) = reader.path(name) else { continue };
        if matches!(written.node.place, Place::Line(_)) && !path.exists() {
            let shown = reader.report.quote(written.node.as_text().unwrap_or_default());
            reader.fault(&written, format!("{shown} is not there; make it, or mend the path"));
        }
    }
}

/// What the app makes, each before what may lie in it.
pub(super) fn needed(config: &Config) -> Vec<Folder> {
    let folder = |key, path: &Path, mode| Folder { key, path: path.to_owned(), mode };
    let mut folders = vec![
        folder("state_dir", &config.state_dir, Some(PRIVATE)),
        folder("run_dir", &config.run_dir, Some(PRIVATE)),
        folder("work_dir", &config.work_dir, None),
        folder("plugins_path", &config.plugins_path, None),
    ];
    folders.extend(config.log.destination.folder().map(|path| folder("log.file_dir", path, None)));
    folders.extend(config.pid_file.parent().map(|path| folder("pid_file_dir", path, None)));
    folders
}
