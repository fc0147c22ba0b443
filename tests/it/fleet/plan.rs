//! What happens in a siege, to whom and when, all from one seed: the same seed is the same plan.

use std::fmt;

use serde_json::{Value, json};

use crate::life::dice::Dice;

/// Milliseconds since the siege began.
pub type At = u64;

/// How large a siege is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Hosts, each with a daemon of two handlers.
    pub hosts: u64,
    /// Jobs in all.
    pub jobs: u64,
    /// How long jobs are ordered and blows fall.
    pub seconds: u64,
    /// How many blows.
    pub blows: u64,
    /// `lease_seconds`: some blows last longer.
    pub lease: u64,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Act {
    /// GitHub has new jobs.
    Order(Value),
    /// `kill -9` of Redis, which is started again so much later.
    KillRedis(At),
    /// Redis stands still for so long.
    FreezeRedis(At),
    /// `kill -9` of a host's daemon, which is started again so much later.
    Kill(usize, At),
    /// A host's daemon stands still for so long.
    Freeze(usize, At),
    /// So many signals stop a host's daemon; it is started again when it has ended, and so much time has passed.
    Stop(usize, u64, At),
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Act::Order(job) => write!(f, "{} jobs are ordered", job["count"]),
            Act::KillRedis(ms) => write!(f, "Redis is killed, and starts again {ms} ms later"),
            Act::FreezeRedis(ms) => write!(f, "Redis is frozen for {ms} ms"),
            Act::Kill(host, ms) => write!(f, "daemon {host} is killed, and starts again {ms} ms later"),
            Act::Freeze(host, ms) => write!(f, "daemon {host} is frozen for {ms} ms"),
            Act::Stop(host, signals, ms) => {
                write!(f, "daemon {host} is stopped by {signals} signals, and starts again {ms} ms later")
            }
        }
    }
}

/// Everything, in the order of time.
pub fn of(seed: u64, size: Size) -> Vec<(At, Act)> {
    let mut dice = Dice::new(seed);
    let span = size.seconds * 1000;
    let mut plan = Vec::new();
    let mut left = size.jobs;
    while left > 0 {
        let count = (1 + dice.roll(8)).min(left);
        left -= count;
        plan.push((dice.roll(span), Act::Order(order(&mut dice, count))));
    }
    for _ in 0..size.blows {
        plan.push((dice.roll(span), blow(&mut dice, size)));
    }
    plan.sort_by_key(|(at, _)| *at);
    plan
}

fn blow(dice: &mut Dice, size: Size) -> Act {
    let host = dice.roll(size.hosts) as usize;
    // Most are short; some outlive a lease.
    let beyond = size.lease * 1000 + 1000;
    let ms = if dice.one_in(3) { beyond + dice.roll(4000) } else { dice.roll(2000) };
    match dice.roll(10) {
        0 | 1 => Act::KillRedis(ms.min(4000)),
        2 | 3 => Act::FreezeRedis(ms),
        4..=6 => Act::Kill(host, ms),
        7 => Act::Freeze(host, ms),
        _ => Act::Stop(host, 1 + dice.roll(2), ms),
    }
}

/// Jobs of one kind: long or short, of two sets of labels, some with deliveries that come late, twice or only when they
/// are asked for again.
fn order(dice: &mut Dice, count: u64) -> Value {
    let mut labels = vec!["self-hosted", "anka-template:macos-15", "anka-template-tag:v1"];
    if dice.one_in(3) {
        labels.push("large");
    }
    let duration_ms = if dice.one_in(5) { 2000 + dice.roll(4000) } else { dice.roll(400) };
    let mut webhooks = json!({});
    for action in ["queued", "in_progress", "completed"] {
        match dice.roll(8) {
            0 => webhooks[action] = json!({ "drop": true }),
            1 => webhooks[action] = json!({ "copies": 1 + dice.roll(2) }),
            2 => webhooks[action] = json!({ "delay_ms": dice.roll(1500) }),
            _ => {}
        }
    }
    json!({ "count": count, "labels": labels, "duration_ms": duration_ms, "webhooks": webhooks })
}
