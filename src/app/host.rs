//! What all handlers of this host share: its places, its view of the guests; and Anka with a handler's time limits.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::anka::{self, Anka};
use crate::config::env::{Variables, is_ours};
use crate::config::{Config, HandlerConfig};
use crate::domain::slots::SlotTable;
use crate::host::places::{FilePlaces, children_dir};
use crate::host::stats;
use crate::plugins::handler::Guests;

/// The host's shared parts.
pub struct Host {
    /// This host's id.
    pub id: String,
    /// Its own name, for people.
    pub name: String,
    /// Its places for VMs and for the pull.
    pub slots: SlotTable,
    /// Which VMs run.
    pub guests: Guests,
    program: Result<PathBuf, String>,
    env: Vec<(OsString, OsString)>,
    children_dir: PathBuf,
    work_dir: PathBuf,
}

impl Host {
    /// Looks the program up; starts nothing.
    pub fn new(config: &Config, env: &Variables, id: String) -> io::Result<Host> {
        let prefixes = config.variable_prefixes();
        let children = env.iter().filter(|(name, _)| !is_ours(name, &prefixes));
        anka::sweep(&config.work_dir);
        Ok(Host {
            id,
            name: stats::host_name(),
            slots: SlotTable::new(Arc::new(FilePlaces::open(&config.run_dir)?)),
            guests: Guests::default(),
            program: find(&config.anka_path, env),
            env: children.map(|(name, value)| (name.into(), value.into())).collect(),
            children_dir: children_dir(&config.run_dir),
            work_dir: config.work_dir.clone(),
        })
    }

    /// Anka for one handler; not called yet.
    pub fn anka(&self, handler: &HandlerConfig) -> Result<Anka, String> {
        Ok(Anka::new(anka::Options {
            program: self.program.clone()?,
            env: self.env.clone(),
            children_dir: self.children_dir.clone(),
            work_dir: self.work_dir.clone(),
            command_timeout: handler.command_timeout,
            start_timeout: handler.start_timeout,
            script_timeout: handler.script_timeout,
            pull_stall: handler.pull_stall,
        }))
    }
}

fn find(named: &Path, env: &Variables) -> Result<PathBuf, String> {
    if named.components().count() > 1 {
        return Ok(named.to_owned());
    }
    let path = env.get("PATH").map_or("", String::as_str);
    let program = named.to_string_lossy();
    anka::find(path.as_ref(), &program)
        .ok_or_else(|| format!("{program} is not on the PATH ({path}); install Anka, or set anka_path"))
}
