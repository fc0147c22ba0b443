//! Many hosts that wait on one queue: real daemons, each with a home, an Anka and a metrics page of its own.
//!
//! A host has more handlers here than it has places for VMs, so that few processes carry many handlers. Each of them
//! waits, shows that it lives and looks for work as any other does; the jobs that they are given need no place.

use super::super::{Options, beside, stopped};
use crate::stage::config::{Cast, Redis};
use crate::stage::daemon::{self, Daemon};
use crate::stage::folder::Folder;
use crate::stage::interrupt::Interrupt;
use crate::stage::lay_out;
use serde_json::Value;
use std::thread;
use std::time::{Duration, Instant};

pub const HOSTS: usize = 25;
pub const HANDLERS: usize = 20;
/// Each handler looks at its Anka and at the queue before it waits.
const READY: Duration = Duration::from_mins(2);
const LOOK: Duration = Duration::from_secs(1);

/// One host.
pub struct Host {
    _daemon: Daemon,
    pub folder: Folder,
}

/// Starts all of them; they serve the queue of the GitHub at `github`.
pub fn start(
    options: &Options,
    github: &str,
    redis: Redis,
    interrupt: &Interrupt,
) -> Result<Vec<Host>, String> {
    let cast = Cast { receiver: false, handlers: HANDLERS, redis: Some(redis) };
    let hosts: Result<Vec<Host>, String> = (1..=HOSTS)
        .map(|number| {
            stopped(interrupt)?;
            let folder = Folder::take(&beside(&options.folder, &format!("host{number}")))?;
            lay_out(&folder, &options.clone, &[])?;
            Ok(Host { _daemon: Daemon::start(&folder, github, cast)?, folder })
        })
        .collect();
    let hosts = hosts?;
    until_all_wait(&hosts, interrupt)?;
    Ok(hosts)
}

/// `anklet queue list` shows every handler as live and free.
fn until_all_wait(hosts: &[Host], interrupt: &Interrupt) -> Result<(), String> {
    let end = Instant::now() + READY;
    let first = hosts.first().ok_or("there is no host")?;
    loop {
        stopped(interrupt)?;
        let waiting = waiting(&first.folder)?;
        if waiting == HOSTS * HANDLERS {
            return Ok(());
        }
        if Instant::now() > end {
            return Err(format!("only {waiting} of {} handlers wait", HOSTS * HANDLERS));
        }
        thread::sleep(LOOK);
    }
}

fn waiting(folder: &Folder) -> Result<usize, String> {
    let output = daemon::command(folder)?.args(["queue", "list", "--json"]).output();
    let output = output.map_err(|e| format!("anklet queue list: {e}"))?;
    let told: Value = serde_json::from_slice(&output.stdout)
        .map_err(|e| format!("anklet queue list: {e}: {}", String::from_utf8_lossy(&output.stderr)))?;
    let handlers = told["queues"][0]["handlers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let waits = |handler: &&Value| handler["live"] == true && handler["takes_nothing_because"].is_null();
    Ok(handlers.iter().filter(waits).count())
}
