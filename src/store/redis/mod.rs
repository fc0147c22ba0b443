//! The store that a fleet shares: Redis, alone or as a cluster.
//!
//! Every verb is at most two calls: one script reads what the verb can touch, `domain::life` decides on the host,
//! one script writes the outcome if nothing of what was read has changed meanwhile; else the verb begins again.
//! So no rule is written twice, and whatever the queue's length, a verb touches the same few records.
//!
//! - [`options`] how Redis is reached
//! - [`dial`], [`seeds`], [`link`], [`order`], [`pool`] connections: made, found, moved along, on threads, shared
//! - [`fault`] what went wrong, and whether it may be tried again
//! - [`safety`] whether the server keeps what it is given
//! - [`keys`], [`index`], [`card`] what is written where
//! - [`script`] the scripts (`lua/`)
//! - [`read`] asking the scripts; [`snapshot`] what was read, as a shelf to play on
//! - [`plan`] what is to be written; [`write`] steps that begin again when somebody was faster
//! - [`seat`], [`wait`] who waits for work, and the thread `store:wait:<plugin>` that hears for him
//! - [`lease`] claims live as long as their daemon
//! - [`forget`] what is remembered no longer
//! - [`memos`] what plugins remember beside jobs
//! - [`queue`] the verbs; [`view`] the queue as people see it

mod card;
mod dial;
mod fault;
mod forget;
mod index;
mod keys;
mod lease;
mod link;
mod memos;
mod options;
mod order;
mod plan;
mod pool;
mod queue;
mod read;
mod safety;
mod script;
mod seat;
mod seeds;
mod snapshot;
mod view;
mod wait;
mod write;

use std::sync::Arc;
use std::time::Instant;

use redis::cmd;

use super::look::Look;
use super::{Store, StoreError};

pub use options::{Options, Retries, Tls};

/// One Redis, as a process uses it.
#[derive(Clone)]
pub struct Redis {
    options: Arc<Options>,
    seeds: Arc<seeds::Seeds>,
}

impl Redis {
    /// Nothing is connected yet: each verb connects when it must.
    pub fn new(options: Options) -> Redis {
        let seeds = Arc::new(seeds::Seeds::new(&options));
        Redis { options: Arc::new(options), seeds }
    }

    /// Whether the queue of this name could be written now; asked once, without patience. Nothing is: what is pushed
    /// only onto a list that is there is refused like any write (a replica, full, its disk broken), and that list never is.
    pub fn takes_writes(&self, queue: &str) -> Result<(), StoreError> {
        let pool = pool::Pool::new(self.impatient(), Arc::clone(&self.seeds));
        let mut push = cmd("LPUSHX");
        push.arg(keys::Keys::new(queue).nowhere()).arg("");
        pool.ask::<redis::Value>(&push.into(), true, Instant::now() + pool::VERB).map(drop)
    }

    /// What an operator should know of the server, each with its remedy; none where it does not tell. Asked once.
    pub fn remarks(&self) -> Vec<String> {
        let pool = pool::Pool::new(self.impatient(), Arc::clone(&self.seeds));
        let info = pool.ask::<String>(&cmd("INFO").into(), true, Instant::now() + pool::VERB);
        let node = dial::shown(&self.seeds.current());
        let warnings = safety::warnings(&info.unwrap_or_default(), self.options.cluster);
        warnings.into_iter().map(|warning| format!("Redis at {node}: {warning}")).collect()
    }

    /// One queue. Queues of different names do not see each other's jobs.
    pub fn queue(&self, name: &str) -> Arc<dyn Store> {
        Arc::new(queue::Queue::new(&self.options, &self.seeds, name))
    }

    /// One queue, to look at only; asked once, without patience.
    pub fn view(&self, name: &str) -> Box<dyn Look> {
        Box::new(queue::Queue::new(&self.impatient(), &self.seeds, name))
    }

    fn impatient(&self) -> Arc<Options> {
        let retries = Retries { most: 0, ..self.options.retries };
        Arc::new(Options { retries, ..(*self.options).clone() })
    }
}
