//! The door: a fixed number of threads in `accept`, each of which attends one guest at a time.

use std::net::TcpListener;
use std::time::Duration;

use super::budget::Budget;
use super::guests::Guests;
use super::lanes::Lanes;
use super::options::Limits;
use super::visit;
use crate::runtime::{stop, thread};

/// After a failed `accept`, so that a lasting fault does not turn into a busy loop.
const AFTER_FAULT: Duration = Duration::from_millis(20);

/// What the threads of one listener share.
pub struct Door {
    pub name: String,
    pub listener: TcpListener,
    pub limits: Limits,
    pub guests: Guests,
    pub budget: Budget,
    pub lanes: Lanes,
}

impl Door {
    /// The work of one place: guest after guest, until the house closes.
    /// A failed `accept` (no descriptors, a client that has left) is not the end.
    pub fn stand(&self) {
        while !self.guests.is_closing() {
            match self.listener.accept() {
                Ok((stream, peer)) => {
                    let Some(place) = self.guests.enter(stream, peer.ip()) else { return };
                    if let Err(panic) = thread::caught(|| visit::attend(self, &place.guest)) {
                        log::error!("a visit to {} panicked: {panic}", self.name);
                    }
                }
                Err(_) if self.guests.is_closing() => return,
                Err(_) => {
                    self.guests.starve();
                    stop::breathe(AFTER_FAULT);
                }
            }
        }
    }
}
