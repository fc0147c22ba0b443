//! Deliveries on Redis, in turn to a queue that is empty, to one with a hundred thousand jobs, and to the bare server.
//!
//! The two queues are two databases of one server with a daemon each, so that whatever else goes on meets both.

use super::super::load::{FIRST_ID, Rate, sent, start_bare};
use super::super::{Options, say, set_up, stopped};
use super::server::Server;
use crate::stage::config::Cast;
use crate::stage::interrupt::Interrupt;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// How many wait in the long queue.
pub const DEEP: u64 = 100_000;
const ROUNDS: usize = 9;
/// The database of the queue that is emptied before each round, and of the long one.
const EMPTY: u8 = 0;
const LONG: u8 = 1;

/// All rounds.
pub struct Depths {
    pub rounds: Vec<Round>,
}

/// One round.
pub struct Round {
    pub empty: Rate,
    pub deep: Rate,
    pub bare: Rate,
}

pub fn measured(
    options: &Options,
    server: &Server,
    each: Duration,
    interrupt: &Interrupt,
) -> Result<Depths, String> {
    let cast = |database| Cast { receiver: true, handlers: 0, redis: Some(server.database(database)) };
    let (one, other) = (set_up(options, cast(EMPTY))?, set_up(options, cast(LONG))?);
    let (_bare, bare) = start_bare(&one.folder.path().join("bare"), &one.folder.anka())?;
    let (empty, deep) = (one.daemon.receiver(), other.daemon.receiver());
    let next = AtomicU64::new(FIRST_ID);
    fill(&deep, &next, interrupt)?;
    say(&format!("deliveries on Redis: {ROUNDS} rounds of {:.1} s each", each.as_secs_f64()));
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        stopped(interrupt)?;
        server.empty(EMPTY)?;
        rounds.push(Round {
            empty: sent(&empty, each, &next)?,
            deep: sent(&deep, each, &next)?,
            bare: sent(&bare, each, &next)?,
        });
    }
    Ok(Depths { rounds })
}

impl Round {
    /// How many times as fast as the bare server the daemon was.
    pub fn ratio(&self) -> f64 {
        self.empty.per_second() / self.bare.per_second()
    }

    /// How many times as long as at the empty queue the slowest of a hundred answers takes at the long one.
    pub fn slowdown(&self) -> Option<f64> {
        Some(self.deep.answer_ms(99)? / self.empty.answer_ms(99)?)
    }
}

/// Delivers until so many wait.
fn fill(url: &str, next: &AtomicU64, interrupt: &Interrupt) -> Result<(), String> {
    say(&format!("{DEEP} jobs are delivered first, to wait on Redis"));
    let mut stored = 0;
    while stored < DEEP {
        stopped(interrupt)?;
        let rate = sent(url, Duration::from_secs(1), next)?;
        if rate.micros.is_empty() {
            return Err(format!("{url} stores nothing"));
        }
        stored += rate.micros.len() as u64;
    }
    Ok(())
}
