//! What a configuration means: real types, every default applied. Only `app` and `plugins/registry` read it.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::plugin::Plugin;

/// A whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file that was read; `None` when the environment alone configures an aggregator.
    pub file: Option<PathBuf>,
    /// Temporary files.
    pub work_dir: PathBuf,
    /// What must survive a crash.
    pub state_dir: PathBuf,
    /// Locks and notes that all daemons of this user share: fixed, whatever `state_dir` says.
    pub run_dir: PathBuf,
    /// No new jobs while this file exists.
    pub drain_file: PathBuf,
    /// Held by a lock.
    pub pid_file: PathBuf,
    /// Holds `handlers/github/`.
    pub plugins_path: PathBuf,
    /// Where log lines go.
    pub log: Log,
    /// The Anka program: an absolute path, or a bare name to be looked up on PATH.
    pub anka_path: PathBuf,
    /// Roots beside the built-in ones.
    pub ca_file: Option<PathBuf>,
    /// What SIGTERM does.
    pub stop_on_term: StopOnTerm,
    /// A claim's life without a sign of its host (shared store).
    pub lease: Duration,
    /// Age from which a VM that no journal knows is deleted.
    pub orphan_grace: Duration,
    /// Pause between looks for such VMs.
    pub orphan_check: Duration,
    /// The metrics page.
    pub metrics: Metrics,
    /// In the order of the file.
    pub plugins: Vec<Plugin>,
    /// Folders that the app makes before anything else, in this order; none was made yet.
    pub folders: Vec<Folder>,
}

impl Config {
    /// What the variables of each plugin begin with, for [`super::env::is_ours`].
    pub fn variable_prefixes(&self) -> Vec<String> {
        self.plugins.iter().map(|plugin| super::keys::prefix(plugin.name())).collect()
    }
}

/// Where log lines go, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Folder or standard output.
    pub destination: LogDestination,
    /// Also one file a plugin.
    pub split_by_plugin: bool,
    /// From `LOG_LEVEL`.
    pub level: LogLevel,
}

/// Where log lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogDestination {
    /// `anklet.log` in this folder.
    Folder(PathBuf),
    /// `log.file_dir: -`.
    Stdout,
}

impl LogDestination {
    /// The folder, where there is one.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            LogDestination::Folder(path) => Some(path),
            LogDestination::Stdout => None,
        }
    }
}

/// What is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// What an operator must act on.
    Error,
    /// And what is tried again.
    Warn,
    /// And what happens.
    #[default]
    Info,
    /// And how.
    Debug,
    /// As `Debug`, coloured, with source file and line.
    Dev,
}

/// What SIGTERM does to running jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopOnTerm {
    /// Wait for them.
    Wait,
    /// Leave them to the next start.
    Detach,
}

/// The metrics page, and whose metrics it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// 1 to 65535.
    pub port: u16,
    /// Address to listen on.
    pub bind: IpAddr,
    /// Take the next free port.
    pub port_auto: bool,
    /// Present: this process gathers others' metrics, and runs no plugins.
    pub aggregator: Option<Aggregator>,
}

/// Gathers the metrics of other hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregator {
    /// As written, each once.
    pub urls: Vec<String>,
    /// Pause between two rounds.
    pub sleep_interval: Duration,
    /// Where the latest answers are kept.
    pub database: super::database::Database,
}

/// A folder of the host that is mounted in each VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Absolute.
    pub host: PathBuf,
    /// Name in the guest; `None`: Anka's choice.
    pub guest: Option<String>,
}

/// A folder that the daemon needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Its key, for errors.
    pub key: &'static str,
    /// Absolute.
    pub path: PathBuf,
    /// Mode when it is made; `None`: as the umask has it.
    pub mode: Option<u32>,
}
