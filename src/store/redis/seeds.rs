//! The nodes that are known: the configured ones, and in a cluster those that it told of.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::{Connection, FromRedisValue, RedisResult, Value, cmd};

use super::dial::Node;
use super::options::Options;
use super::safety;

/// How long a server that did not answer in time is taken to be silent still.
const MOMENT: Duration = Duration::from_secs(2);

/// Shared by all links of one Redis.
pub struct Seeds {
    nodes: Mutex<Vec<Node>>,
    next: AtomicUsize,
    examined: AtomicBool,
    mute: Mutex<Option<Instant>>,
    heard: Mutex<Option<Instant>>,
}

impl Seeds {
    /// Only the configured ones are known.
    pub fn new(options: &Options) -> Seeds {
        let nodes = Mutex::new(options.nodes.clone());
        let (next, examined) = (AtomicUsize::new(0), AtomicBool::new(false));
        Seeds { nodes, next, examined, mute: Mutex::default(), heard: Mutex::default() }
    }

    /// Whom to try now.
    pub fn current(&self) -> Node {
        let nodes = self.lock();
        nodes[self.next.load(Ordering::Relaxed) % nodes.len()].clone()
    }

    /// How many are known.
    pub fn count(&self) -> u32 {
        self.lock().len() as u32
    }

    /// That one does not answer, or not as it should: the next one is tried.
    pub fn failed(&self, node: &Node) {
        if self.current() == *node {
            self.next.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether one has not answered in time a moment ago, and none has since.
    pub fn are_mute(&self) -> bool {
        let since = *self.mute.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| since.elapsed() < MOMENT && self.heard().is_none_or(|at| at < since))
    }

    /// One has not answered in time.
    pub fn were_mute(&self) {
        *self.mute.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// When one of them last answered anybody.
    pub fn heard(&self) -> Option<Instant> {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One has answered.
    pub fn have_answered(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Learns what a new connection can tell: once whether the server keeps what it is given, and in a cluster
    /// each time who else is there. It is no fault when it refuses to say; one that owes an answer cannot be used.
    pub fn learn(
        &self,
        options: &Options,
        node: &Node,
        connection: &mut Connection,
        limit: Duration,
    ) -> RedisResult<()> {
        connection.set_read_timeout(Some(limit))?;
        connection.set_write_timeout(Some(limit))?;
        if !self.examined.swap(true, Ordering::Relaxed) {
            let examined = answered(cmd("INFO").query::<String>(connection));
            self.examined.store(examined.is_ok(), Ordering::Relaxed);
            safety::warn(node, &examined?.unwrap_or_default(), options.cluster);
        }
        if options.cluster {
            let slots = answered(cmd("CLUSTER").arg("SLOTS").query::<Value>(connection))?;
            self.add(slots.map_or_else(Vec::new, |slots| nodes_of(&slots, node)));
        }
        Ok(())
    }

    fn add(&self, found: Vec<Node>) {
        let mut nodes = self.lock();
        for node in found {
            if !nodes.contains(&node) {
                nodes.push(node);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Node>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `None` for what the server refuses; an error when it is silent or gone.
fn answered<T>(asked: RedisResult<T>) -> RedisResult<Option<T>> {
    match asked {
        Err(error) if error.is_io_error() => Err(error),
        asked => Ok(asked.ok()),
    }
}

/// All nodes of `CLUSTER SLOTS`: of each range its bounds, then each node as host, port, id, …
fn nodes_of(slots: &Value, from: &Node) -> Vec<Node> {
    let ranges = Vec::<Vec<Value>>::from_redis_value_ref(slots).unwrap_or_default();
    let nodes = ranges.iter().flat_map(|range| range.iter().skip(2)).filter_map(|node| {
        let parts = Vec::<Value>::from_redis_value_ref(node).ok()?;
        let host = String::from_redis_value_ref(parts.first()?).unwrap_or_default();
        let port = u16::from_redis_value_ref(parts.get(1)?).ok()?;
        // A node that does not know its own name is where it was asked.
        Some((if host.is_empty() { from.0.clone() } else { host }, port))
    });
    nodes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::redis::options::{Retries, Tls};

    #[test]
    fn silence_lasts_until_an_answer_and_a_moment_at_most() {
        let retries = Retries { most: 0, delay: Duration::ZERO, factor: 1.0 };
        let seeds = Seeds::new(&Options {
            nodes: vec![("here".into(), 1)],
            user: None,
            password: None,
            database: 0,
            cluster: false,
            tls: Tls::Off,
            retries,
            lease: Duration::ZERO,
            clock: None,
        });
        assert!(!seeds.are_mute());
        seeds.were_mute();
        assert!(seeds.are_mute());
        seeds.have_answered();
        assert!(!seeds.are_mute());
        seeds.were_mute();
        assert!(seeds.are_mute(), "an answer from before says nothing");
        let before = Instant::now().checked_sub(MOMENT).unwrap();
        *seeds.mute.lock().unwrap() = Some(before);
        *seeds.heard.lock().unwrap() = None;
        assert!(!seeds.are_mute());
    }
}
