//! The queues: one embedded store a process, one client a Redis, a queue a name.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::aggregate;
use crate::config::{self, Config, Database};
use crate::runtime::meters::STORE_ERRORS;
use crate::runtime::{pace, random};
use crate::store::embedded::{self, Embedded};
use crate::store::redis as server;
use crate::store::{Change, Store, StoreError};

/// What the memos, and the queue, of a write that is only tried are called.
const HEALTH: &str = "health";

/// The stores of a configuration.
pub struct Stores {
    /// Only opened when somebody uses it.
    embedded: Option<Embedded>,
    shared: Vec<(config::Redis, server::Redis)>,
}

/// Opens the stores that the plugins use. A daemon goes on without one that is away, and tries again; run-once ends.
pub fn open(config: &Config, once: bool) -> Result<Stores, String> {
    for database in databases(config) {
        STORE_ERRORS.begin(&[kind(database)]);
    }
    let embedded = if uses_embedded(config) { Some(open_embedded(config, once)?) } else { None };
    if let Some(store) = embedded.as_ref().filter(|_| once) {
        bear(takes_writes(&*store.queue(HEALTH)), config, once)?;
    }
    let shared = clients(config)?;
    for (of, redis) in &shared {
        bear(serves(config, of, redis), config, once)?;
    }
    Ok(Stores { embedded, shared })
}

/// What is wrong with the embedded store of a configuration; nothing is written to it, and none is made.
pub fn damaged(config: &Config) -> Option<String> {
    let examined = uses_embedded(config).then(|| embedded::examine(&embedded_file(config)))?;
    examined.err().map(|fault| fault.to_string())
}

/// Of each server of a configuration: what an operator should know, or why it cannot be used now. Nothing is written.
pub fn examine(config: &Config) -> Vec<Result<Vec<String>, String>> {
    let told = |(of, redis): &(config::Redis, server::Redis)| match serves(config, of, redis) {
        Ok(()) => Ok(redis.remarks()),
        Err(fault) => Err(fault.to_string()),
    };
    match clients(config) {
        Ok(shared) => shared.iter().map(told).collect(),
        Err(fault) => vec![Err(fault)],
    }
}

/// Whether each queue that is kept there can be written; the first that cannot says why.
fn serves(config: &Config, of: &config::Redis, redis: &server::Redis) -> Result<(), StoreError> {
    let plugins = config.plugins.iter().map(config::Plugin::common);
    let mut queues: Vec<&str> = plugins
        .filter(|common| matches!(&common.database, Database::Redis(its) if its == of))
        .map(|common| common.queue.as_str())
        .collect();
    queues.sort_unstable();
    queues.dedup();
    if config.metrics.aggregator.is_some() {
        queues.push(aggregate::QUEUE);
    }
    queues.into_iter().try_for_each(|queue| redis.takes_writes(queue))
}

/// Where the embedded store is, or would be.
pub fn embedded_file(config: &Config) -> PathBuf {
    config.state_dir.join("queue.sqlite")
}

fn uses_embedded(config: &Config) -> bool {
    databases(config).any(|database| *database == Database::Embedded)
}

/// Whether the store takes what it is told: a memo is made and thrown away.
pub fn takes_writes(store: &dyn Store) -> Result<(), StoreError> {
    let name = format!("probe-{:016x}", random::number());
    let change = |before: Option<&str>, after: Option<&str>| {
        let text = |text: Option<&str>| text.map(ToOwned::to_owned);
        store.write_memos(HEALTH, &[Change { name: name.clone(), before: text(before), after: text(after) }])
    };
    change(None, Some("1"))?;
    change(Some("1"), None).map(drop)
}

impl Stores {
    /// The queue of this name in this database.
    pub fn queue(&self, database: &Database, name: &str) -> Result<Arc<dyn Store>, String> {
        let found = match database {
            Database::Embedded => self.embedded.as_ref().map(|store| store.queue(name)),
            Database::Redis(of) => {
                self.shared.iter().find(|(known, _)| known == of).map(|(_, redis)| redis.queue(name))
            }
        };
        found.ok_or_else(|| "its database is none of the configuration's".to_owned())
    }
}

/// Its word in the metrics.
fn kind(database: &Database) -> &'static str {
    match database {
        Database::Embedded => "embedded",
        Database::Redis(_) => "redis",
    }
}

/// Of the plugins, or of the aggregator.
fn databases(config: &Config) -> impl Iterator<Item = &Database> {
    let aggregator = config.metrics.aggregator.iter().map(|aggregator| &aggregator.database);
    config.plugins.iter().map(|plugin| &plugin.common().database).chain(aggregator)
}

fn open_embedded(config: &Config, once: bool) -> Result<Embedded, String> {
    let options = embedded::Options {
        file: embedded_file(config),
        bells_dir: config.run_dir.join("bells"),
        locks_dir: config.state_dir.join("journal"),
        clock: Arc::new(pace::millis),
    };
    let opened = Embedded::open(options.clone());
    match opened {
        Ok(store) => Ok(store),
        Err(fault) => {
            bear(Err(fault), config, once)?;
            Embedded::open_later(options).map_err(|fault| fault.to_string())
        }
    }
}

/// A daemon says that a store is away and goes on.
fn bear(outcome: Result<(), StoreError>, config: &Config, once: bool) -> Result<(), String> {
    let meanwhile = match config.metrics.aggregator {
        Some(_) => "what the hosts say is not kept over a restart",
        None => "receivers answer 503 and handlers wait",
    };
    match outcome {
        Err(fault) if !once => {
            log::error!("{fault}; {meanwhile} until it is back");
            Ok(())
        }
        outcome => outcome.map_err(|fault| fault.to_string()),
    }
}

/// One client for each different database block.
pub fn clients(config: &Config) -> Result<Vec<(config::Redis, server::Redis)>, String> {
    let authorities = match &config.ca_file {
        Some(file) => {
            Some(fs::read(file).map_err(|error| format!("failed to read {}: {error}", file.display()))?)
        }
        None => None,
    };
    let mut clients: Vec<(config::Redis, server::Redis)> = Vec::new();
    for database in databases(config) {
        if let Database::Redis(redis) = database
            && !clients.iter().any(|(known, _)| known == redis)
        {
            clients
                .push((redis.clone(), server::Redis::new(options(redis, config.lease, authorities.clone()))));
        }
    }
    Ok(clients)
}

fn options(redis: &config::Redis, lease: Duration, authorities: Option<Vec<u8>>) -> server::Options {
    server::Options {
        nodes: redis.nodes.clone(),
        user: redis.user.clone(),
        password: redis.password.clone(),
        database: redis.database,
        cluster: redis.cluster_mode,
        tls: match redis.tls {
            config::Tls::Off => server::Tls::Off,
            config::Tls::Verified => server::Tls::Verified(authorities),
            config::Tls::Insecure => server::Tls::Insecure,
        },
        retries: server::Retries {
            most: redis.max_retries,
            delay: redis.retry_delay,
            factor: redis.retry_backoff_factor,
        },
        lease,
        clock: None,
    }
}
