//! What a handler is made of.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::anka::Anka;
use crate::anka::scripts::Scripts;
use crate::domain::ids::Owner;
use crate::domain::scope::Scope;
use crate::domain::slots::SlotTable;
use crate::github::Client;
use crate::plugins::handler::Guests;
use crate::runtime::board::Cell;
use crate::store::Store;

/// A handler's settings.
#[derive(Clone, Debug)]
pub struct Options {
    /// Host and plugin.
    pub owner: Owner,
    /// Its host's own name, for people; empty when that has none.
    pub host_name: String,
    /// Whose jobs it takes.
    pub scope: Scope,
    /// Host and registry: its word on "not here".
    pub voter: String,
    /// The pause between looks at the queue; none: it waits on the queue itself.
    pub sleep_interval: Option<Duration>,
    /// From the runner's start until it must be online.
    pub registration_timeout: Duration,
    /// Counted tries in all.
    pub job_retry_attempts: u32,
    /// How long a claim holds without being renewed, where hosts share the store.
    pub lease: Duration,
    /// Anka's name or URL of the registry; none: its default.
    pub registry: Option<String>,
    /// Never pull.
    pub skip_pull: bool,
    /// The runner group, by name.
    pub runner_group: Option<String>,
    /// GitHub makes the runner by one call, and none is registered.
    pub just_in_time: bool,
    /// Where people see runs.
    pub web_url: String,
    /// One job and no more, to its end.
    pub once: bool,
    /// No longer configured: it only finishes what its journal holds.
    pub retired: bool,
    /// While this file exists, no new jobs are taken.
    pub drain_file: Option<PathBuf>,
}

/// What a handler works with; all of it is shared.
#[derive(Clone)]
pub struct Tools {
    /// The queue.
    pub store: Arc<dyn Store>,
    /// GitHub, signed in.
    pub github: Arc<Client>,
    /// The `anka` program.
    pub anka: Anka,
    /// The three runner scripts.
    pub scripts: Scripts,
    /// The host's places.
    pub slots: SlotTable,
    /// Which VMs run.
    pub guests: Guests,
    /// What metrics show.
    pub cell: Cell,
}
