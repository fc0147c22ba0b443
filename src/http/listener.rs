//! Opens a port with all that stands behind it, and closes it again.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use socket2::SockRef;

use super::budget::Budget;
use super::door::Door;
use super::doorkeeper;
use super::guests::Guests;
use super::lanes::Lanes;
use super::message::Handler;
use super::options::Options;
use super::serve::Plan;
use super::sockets::{self, OpenError};
use crate::runtime::stop::Never;
use crate::runtime::thread;

/// Stack of a door thread in kibibytes: it parses and copies, the handler runs elsewhere.
const STACK: usize = 128;

/// For clients to take their answers once the listener closes.
const HURRY: Duration = Duration::from_secs(1);

/// An open port. Dropping it closes it as [`Listener::close`] does.
pub struct Listener {
    door: Arc<Door>,
    addr: SocketAddr,
    threads: Vec<JoinHandle<()>>,
    /// Ends when the last of `threads` does.
    ended: Receiver<Never>,
}

/// Opens `options.addr` and answers what comes by `handler`.
pub fn open(options: Options, handler: Handler) -> Result<Listener, OpenError> {
    let listener = sockets::public(options.addr)?;
    let addr = listener.local_addr().map_err(|error| OpenError::Public(options.addr, error))?;
    let (name, places, limits) = (options.name, options.places.max(1), options.limits);
    let plan = Plan { name: name.clone(), socket_dir: options.socket_dir, workers: options.workers, handler };
    let lanes = Lanes::open(plan)?;
    let guests = Guests::new(places, limits.grace);
    let budget = Budget::new(limits.budget);
    let door = Arc::new(Door { name, listener, limits, guests, budget, lanes });
    let (alive, ended) = bounded(0);
    let mut opened = Listener { door, addr, threads: Vec::with_capacity(places + 1), ended };
    opened.start(places, alive).map_err(OpenError::Thread)?;
    Ok(opened)
}

impl Listener {
    /// Where it listens, with the port that port 0 became.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How many guests were shown out of a full house so far.
    pub fn shown_out(&self) -> u64 {
        self.door.guests.shown_out()
    }

    /// Stops accepting, answers what is in hand, ends its threads.
    /// Threads that have not ended within `limits.closing` are left behind with a WARN.
    pub fn close(self) {
        drop(self);
    }

    /// Starts the doorkeeper and the threads of the places. `alive` ends with the last of them.
    fn start(&mut self, places: usize, alive: Sender<Never>) -> io::Result<()> {
        let (door, here) = (Arc::clone(&self.door), alive.clone());
        self.threads.push(thread::start_small(format!("doorkeeper:{}", door.name), STACK, move || {
            doorkeeper::keep(&door.guests, &door.name);
            drop(here);
        })?);
        for place in 0..places {
            let (door, here) = (Arc::clone(&self.door), alive.clone());
            self.threads.push(thread::start_small(
                format!("door:{}:{place}", door.name),
                STACK,
                move || {
                    door.stand();
                    drop(here);
                },
            )?);
        }
        drop(alive);
        Ok(())
    }

    fn shut(&mut self) {
        let deadline = Instant::now() + self.door.limits.closing;
        self.door.guests.close();
        let left = self.empty_door(deadline);
        let served = self.door.lanes.end(deadline);
        if !left || !served {
            log::warn!("some threads of {} were still at work when it closed", self.door.name);
        }
    }

    /// Wakes the threads that sit in `accept` until all have ended; false when some had not at `deadline`.
    /// Linux wakes them all when the socket is shut down; macOS does not, so each is dialled.
    fn empty_door(&mut self, deadline: Instant) -> bool {
        let _ = SockRef::from(&self.door.listener).shutdown(Shutdown::Both);
        let hurry_at = Instant::now() + HURRY;
        let mut dials = 0;
        loop {
            let hurried = dials < 2 * self.threads.len();
            let pause = if hurried { Duration::from_micros(200) } else { Duration::from_millis(10) };
            match self.ended.recv_timeout(pause) {
                Err(RecvTimeoutError::Timeout) if Instant::now() < deadline => {
                    if Instant::now() > hurry_at {
                        self.door.guests.hurry();
                    }
                    let _ = TcpStream::connect_timeout(&reachable(self.addr), Duration::from_millis(50));
                    dials += 1;
                }
                told => {
                    let ended = matches!(told, Err(RecvTimeoutError::Disconnected));
                    let threads = self.threads.drain(..).filter(|_| ended);
                    return threads.map(JoinHandle::join).filter(Result::is_err).count() == 0 && ended;
                }
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.shut();
    }
}

/// An address that is listened on everywhere is reached here.
fn reachable(mut addr: SocketAddr) -> SocketAddr {
    match addr {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => addr.set_ip(Ipv4Addr::LOCALHOST.into()),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => addr.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => (),
    }
    addr
}
