//! The nodes that are known: the configured one, and in a cluster those that it told of.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::{Connection, FromRedisValue, Value, cmd};

use super::dial::Node;
use super::options::Options;
use super::safety;

/// Shared by all links of one Redis.
pub struct Seeds {
    nodes: Mutex<Vec<Node>>,
    next: AtomicUsize,
    examined: AtomicBool,
    mute: AtomicBool,
    heard: Mutex<Option<Instant>>,
}

impl Seeds {
    /// Only the configured one is known.
    pub fn new(options: &Options) -> Seeds {
        let nodes = Mutex::new(vec![(options.host.clone(), options.port)]);
        let (next, examined, mute) = (AtomicUsize::new(0), AtomicBool::new(false), AtomicBool::new(false));
        Seeds { nodes, next, examined, mute, heard: Mutex::default() }
    }

    /// Whom to try now.
    pub fn current(&self) -> Node {
        let nodes = self.lock();
        nodes[self.next.load(Ordering::Relaxed) % nodes.len()].clone()
    }

    /// That one does not answer: the next one is tried.
    pub fn failed(&self, node: &Node) {
        if self.current() == *node {
            self.next.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether the last call got no answer in time.
    pub fn are_mute(&self) -> bool {
        self.mute.load(Ordering::Relaxed)
    }

    /// Says so.
    pub fn set_mute(&self, mute: bool) {
        self.mute.store(mute, Ordering::Relaxed);
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
    /// each time who else is there. It is no fault when it does not say.
    pub fn learn(&self, options: &Options, node: &Node, connection: &mut Connection, limit: Duration) {
        let limited = connection.set_read_timeout(Some(limit));
        if limited.and_then(|()| connection.set_write_timeout(Some(limit))).is_err() {
            return;
        }
        if !self.examined.swap(true, Ordering::Relaxed) {
            safety::examine(node, connection, options.cluster);
        }
        if options.cluster
            && let Ok(slots) = cmd("CLUSTER").arg("SLOTS").query::<Value>(connection)
        {
            self.add(nodes_of(&slots, node));
        }
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
