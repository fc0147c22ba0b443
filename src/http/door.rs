//! The door: a fixed number of threads in `accept`, each of which attends one guest at a time.

use std::net::TcpListener;

use super::budget::Budget;
use super::guests::Guests;
use super::lanes::Lanes;
use super::options::Limits;
use super::visit;
use crate::runtime::thread;

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
        while self.guests.stand() {
            match self.listener.accept() {
                Ok((stream, peer)) => {
                    let Some(place) = self.guests.enter(stream, peer.ip()) else { return };
                    if let Err(panic) = thread::caught(|| visit::attend(self, &place.guest)) {
                        log::error!("a visit to {} panicked: {panic}", self.name);
                    }
                }
                Err(_) => self.guests.park(),
            }
        }
    }
}
