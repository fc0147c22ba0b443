//! One guest: a connection, and whether it waits, is served, or was shown out.

use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};

/// States; any number below is the time since which the guest waits, in microseconds of the house's clock.
const SERVED: u64 = u64::MAX;
const GONE: u64 = u64::MAX - 1;

/// One connection.
#[derive(Debug)]
pub struct Guest {
    /// Read and written by the guest's own thread, shut down by the doorkeeper.
    pub stream: TcpStream,
    /// Who is at the other end.
    pub peer: IpAddr,
    state: AtomicU64,
}

impl Guest {
    /// A guest that waits since `now`.
    pub fn new(stream: TcpStream, peer: IpAddr, now: u64) -> Guest {
        Guest { stream, peer, state: AtomicU64::new(now) }
    }

    /// It waits from `now` on. False when it was shown out.
    pub fn wait(&self, now: u64) -> bool {
        self.turn(|state| state != GONE, now)
    }

    /// Its request is whole: it cannot be shown out until it waits again. False when it was shown out.
    pub fn serve(&self) -> bool {
        self.turn(|state| state != GONE, SERVED)
    }

    /// Since when it waits; `None` while it is served or once it was shown out.
    pub fn waits_since(&self) -> Option<u64> {
        Some(self.state.load(Ordering::Relaxed)).filter(|state| *state < GONE)
    }

    /// Shows it out if it has waited since `time` or longer.
    pub fn show_out(&self, time: u64) -> bool {
        let gone = self.turn(|state| state <= time, GONE);
        if gone {
            let _ = self.stream.shutdown(Shutdown::Both);
        }
        gone
    }

    /// Nothing more is read from it: if it waits it goes, if it is served it goes after the answer.
    pub fn end(&self) {
        let _ = self.turn(|state| state < GONE, GONE);
        let _ = self.stream.shutdown(Shutdown::Read);
    }

    /// Unless it is served, nothing more is written to it either.
    pub fn hurry(&self) {
        if self.state.load(Ordering::Relaxed) != SERVED {
            let _ = self.stream.shutdown(Shutdown::Both);
        }
    }

    fn turn(&self, from: impl Fn(u64) -> bool, to: u64) -> bool {
        let order = Ordering::Relaxed;
        self.state.fetch_update(order, order, |state| from(state).then_some(to)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    #[test]
    fn only_who_waits_long_enough_is_shown_out_and_for_good() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let guest = Guest::new(stream, Ipv4Addr::LOCALHOST.into(), 5);
        assert_eq!(guest.waits_since(), Some(5));
        assert!(!guest.show_out(4));
        assert!(guest.serve());
        assert!(!guest.show_out(u64::MAX - 2) && guest.waits_since().is_none());
        assert!(guest.wait(7) && guest.show_out(7));
        assert!(!guest.wait(8) && !guest.serve() && !guest.show_out(9));
    }
}
