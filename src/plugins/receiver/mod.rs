//! A receiver: takes GitHub's deliveries, verifies them, and has them stored before it says 2xx.

mod arrivals; // what a run-once waits for
pub mod intake; // delivery → what is to be done with it; pure
mod outage; // a store that is away
pub mod redeliver; // what was lost is asked for again
mod routes; // the order of the checks, and the answers

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::scope::Scope;
use crate::github::webhook::SigningKeys;
use crate::http::{self, Limits, Listener};
use crate::log::Fields;
use crate::runtime::plugin::{Line, Plugin, Turn};
use crate::runtime::stop::Stop;
use crate::store::Store;

use arrivals::Arrivals;
use outage::Outage;
use redeliver::Redelivery;

/// Without redelivery a receiver has nothing to do in its turns but to be there.
const REST: Duration = Duration::from_hours(1);
/// Threads that verify and store.
const WORKERS: usize = 8;

/// A receiver's settings.
pub struct Options {
    /// The plugin's name.
    pub name: String,
    /// What its log lines carry.
    pub fields: Fields,
    /// Where it listens.
    pub addr: SocketAddr,
    /// Its share of the process's places.
    pub places: usize,
    /// For the socket between door and server.
    pub socket_dir: PathBuf,
    /// Whose deliveries it takes.
    pub scope: Scope,
    /// The webhook's secrets.
    pub keys: SigningKeys,
    /// Present: deliveries that were lost are asked for again.
    pub redelivery: Option<redeliver::Options>,
    /// Run-once: what was asked for is waited for, before the next plugin begins.
    pub once: bool,
}

/// A receiver plugin. Its port closes when it is dropped.
pub struct Receiver {
    listener: Option<Listener>,
    outage: Arc<Outage>,
    arrivals: Option<Arc<Arrivals>>,
    redelivery: Option<Redelivery>,
}

impl Receiver {
    /// Opens the port.
    pub fn open(options: Options, store: Arc<dyn Store>) -> Result<Receiver, http::OpenError> {
        let outage = Arc::new(Outage::new());
        let arrivals = options.once.then(|| Arc::new(Arrivals::new()));
        let redelivery =
            options.redelivery.map(|options| Redelivery::new(options, store.clone(), outage.clone()));
        let (fields, scope, keys) = (options.fields, options.scope, options.keys);
        let desk = routes::Desk::new(fields, scope, keys, store, outage.clone(), arrivals.clone());
        let listener = http::open(
            http::Options {
                name: options.name,
                addr: options.addr,
                places: options.places,
                workers: WORKERS,
                socket_dir: options.socket_dir,
                limits: Limits::default(),
            },
            Arc::new(move |request| desk.answer(request)),
        )?;
        Ok(Receiver { listener: Some(listener), outage, arrivals, redelivery })
    }

    /// Where it listens.
    pub fn addr(&self) -> Option<SocketAddr> {
        self.listener.as_ref().map(Listener::addr)
    }
}

impl Plugin for Receiver {
    fn turn(&mut self, stop: &Stop, line: &mut Line) -> Turn {
        if self.arrivals.is_none() {
            line.pass();
        }
        let Some(redelivery) = &mut self.redelivery else { return Turn::Pause(REST) };
        let (pause, seen) = redelivery.turn(stop);
        if let (Some(arrivals), Some(seen)) = (&self.arrivals, seen) {
            arrivals.wait_for(&seen.asked, stop);
        }
        Turn::Pause(pause)
    }

    fn bell(&self) -> Option<crossbeam_channel::Receiver<()>> {
        self.redelivery.as_ref().map(|_| self.outage.bell())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(listener) = self.listener.take() {
            listener.close();
        }
    }
}
