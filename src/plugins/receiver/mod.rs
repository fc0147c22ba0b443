//! A receiver: takes GitHub's deliveries, verifies them, and has them stored before it says 2xx.

pub mod intake; // delivery → what is to be done with it; pure
mod outage; // a store that is away
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

/// A receiver has nothing to do in its turns but to be there.
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
}

/// A receiver plugin. Its port closes when it is dropped.
pub struct Receiver {
    listener: Option<Listener>,
}

impl Receiver {
    /// Opens the port.
    pub fn open(options: Options, store: Arc<dyn Store>) -> Result<Receiver, http::OpenError> {
        let desk = routes::Desk::new(options.fields, options.scope, options.keys, store);
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
        Ok(Receiver { listener: Some(listener) })
    }

    /// Where it listens.
    pub fn addr(&self) -> Option<SocketAddr> {
        self.listener.as_ref().map(Listener::addr)
    }
}

impl Plugin for Receiver {
    fn turn(&mut self, _stop: &Stop, _line: &mut Line) -> Turn {
        Turn::Pause(REST)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(listener) = self.listener.take() {
            listener.close();
        }
    }
}
