//! A stage for the real daemon: one folder with a simulated Anka, a simulated GitHub, a configuration, and `anklet`.
//!
//! The folder is the daemon's home, laid out as an operator's would be; nothing is written outside it.
//! The tour and the benchmark both play on it.

pub mod calls;
pub mod claims;
pub mod config;
pub mod daemon;
pub mod folder;
pub mod github;
pub mod interrupt;
pub mod leftovers;
pub mod process;
pub mod tail;
pub mod when;

use crate::anka::seed;
use config::Cast;
use daemon::Daemon;
use folder::Folder;
use github::Github;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// After a Ctrl+C for a clean-up, after a second one for leaving.
const STOPS_WITHIN: Duration = Duration::from_secs(5);

/// Everything that runs, in the order in which it is to end.
pub struct Stage {
    pub daemon: Daemon,
    pub github: Github,
    pub folder: Folder,
}

/// What a stage is made of.
pub struct Plan<'p> {
    /// Where the stage is set up.
    pub folder: Folder,
    /// The clone of the project.
    pub clone: &'p Path,
    /// `world set` changes of the simulated Anka, such as `timing_ms.start=300`.
    pub anka: &'p [&'p str],
    /// What the daemon runs.
    pub cast: Cast,
}

impl Stage {
    /// Sets everything up, and returns when `anklet` answers.
    pub fn set_up(plan: Plan<'_>) -> Result<Self, String> {
        let Plan { folder, clone, anka, cast } = plan;
        lay_out(&folder, clone, anka)?;
        let github = Github::start(&folder)?;
        let daemon = Daemon::start(&folder, &github.url, cast)?;
        github.post("hook", &daemon.hook())?;
        Ok(Self { daemon, github, folder })
    }
}

/// Nothing goes on when the stage is left before the end.
impl Drop for Stage {
    fn drop(&mut self) {
        for _ in 0..2 {
            if self.daemon.ended().is_none() {
                self.daemon.interrupt();
                self.daemon.ends_within(STOPS_WITHIN);
            }
        }
        self.daemon.kill();
        self.github.stop();
        process::end_all(&process::marked(&self.folder.anka()));
    }
}

/// A host's home, with its simulated Anka and the runner scripts of the clone.
pub fn lay_out(folder: &Folder, clone: &Path, anka: &[&str]) -> Result<(), String> {
    make_anka(&folder.anka(), anka)?;
    copy_scripts(&clone.join("scripts/runner"), &folder.scripts())
}

fn make_anka(dir: &Path, changes: &[&str]) -> Result<(), String> {
    let dir = dir.to_string_lossy().into_owned();
    seed::main(vec!["init".into(), dir.clone()])?;
    if changes.is_empty() {
        return Ok(());
    }
    let changes = changes.iter().map(|change| (*change).to_owned());
    seed::main(["set".to_owned(), dir].into_iter().chain(changes).collect())
}

fn copy_scripts(from: &Path, to: &Path) -> Result<(), String> {
    crate::files::make_folder(to)?;
    for name in ["install-runner.bash", "register-runner.bash", "start-runner.bash"] {
        let source = from.join(name);
        fs::copy(&source, to.join(name)).map_err(|e| format!("{}: {e}", source.display()))?;
    }
    Ok(())
}

/// Where this program and `anklet` lie.
pub fn programs() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|e| format!("own program: {e}"))?;
    own.parent().map(Path::to_path_buf).ok_or_else(|| "own program: it lies nowhere".into())
}
