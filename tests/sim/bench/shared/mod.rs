//! The queue that hosts share: a Redis of this machine, deliveries to it, and a fleet that waits on it.
//!
//! `server` starts Redis, `depth` sends deliveries while nothing and while much is queued, `fleet` is many hosts,
//! `claims` times how soon one of them takes a job.

pub mod claims;
pub mod depth;
mod fleet;
mod server;

use super::{Options, say};
use crate::stage::interrupt::Interrupt;
use claims::Claims;
use depth::Depths;
use server::Server;
use std::time::Duration;

/// What was measured on Redis.
pub struct Shared {
    pub depths: Depths,
    pub claims: Claims,
}

/// `None`: there is no `redis-server` here.
pub fn measured(options: &Options, round: Duration, interrupt: &Interrupt) -> Result<Option<Shared>, String> {
    if !server::is_there() {
        say(
            "there is no redis-server here: NOTHING IS MEASURED ON REDIS (Debian: apt-get install redis-server)",
        );
        return Ok(None);
    }
    let server = Server::start(options)?;
    let depths = depth::measured(options, &server, round, interrupt)?;
    let claims = claims::measured(options, &server, interrupt)?;
    Ok(Some(Shared { depths, claims }))
}
