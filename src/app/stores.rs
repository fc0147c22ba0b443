//! The queues: one embedded store a process, a queue a name.

use std::sync::Arc;

use crate::config::{Config, Database};
use crate::runtime::clock;
use crate::store::Store;
use crate::store::embedded::{Embedded, Options};

/// The stores of a configuration.
pub struct Stores {
    embedded: Embedded,
}

/// Opens the embedded store. A daemon goes on without it and tries again; run-once ends.
pub fn open(config: &Config, once: bool) -> Result<Stores, String> {
    let options = Options {
        file: config.state_dir.join("queue.sqlite"),
        bells_dir: config.run_dir.join("bells"),
        locks_dir: config.state_dir.join("journal"),
        clock: Arc::new(clock::millis),
    };
    let embedded = match Embedded::open(options.clone()) {
        Err(fault) if !once => {
            log::error!("{fault}; receivers answer 503 and handlers wait until it is back");
            Embedded::open_later(options)
        }
        opened => opened,
    };
    Ok(Stores { embedded: embedded.map_err(|fault| fault.to_string())? })
}

impl Stores {
    /// The queue of this name in this database.
    pub fn queue(&self, database: &Database, name: &str) -> Arc<dyn Store> {
        match database {
            // The configuration has said that Redis comes later, and that the embedded store serves meanwhile.
            Database::Embedded | Database::Redis(_) => self.embedded.queue(name),
        }
    }
}
