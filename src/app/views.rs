//! The queues of a configuration, to look at: nothing is made, nothing is changed.

use std::sync::Arc;

use super::stores::{self, embedded_file};
use crate::config::{Config, Database};
use crate::runtime::pace;
use crate::store::embedded::Onlooker;
use crate::store::look::Look;

/// A queue that plugins of the configuration use.
pub struct Queue {
    /// Its name.
    pub name: String,
    /// `embedded` or `redis`.
    pub store: &'static str,
    /// The file, or `HOST:PORT/DATABASE`.
    pub place: String,
    /// The way to see it.
    pub look: Box<dyn Look>,
}

/// Each once, in the order of the file.
pub fn of(config: &Config) -> Result<Vec<Queue>, String> {
    let clients = stores::clients(config)?;
    let mut queues: Vec<Queue> = Vec::new();
    for plugin in &config.plugins {
        let common = plugin.common();
        let (store, place) = match &common.database {
            Database::Embedded => ("embedded", embedded_file(config).display().to_string()),
            Database::Redis(redis) => ("redis", redis.place()),
        };
        let known = |queue: &Queue| queue.name == common.queue && queue.place == place;
        if queues.iter().any(known) {
            continue;
        }
        let look: Box<dyn Look> = match &common.database {
            Database::Embedded => {
                Box::new(Onlooker::new(embedded_file(config), &common.queue, Arc::new(pace::millis)))
            }
            Database::Redis(of) => {
                let client = clients.iter().find(|(known, _)| known == of);
                client.ok_or("its database is none of the configuration's")?.1.view(&common.queue)
            }
        };
        queues.push(Queue { name: common.queue.clone(), store, place, look });
    }
    Ok(queues)
}
