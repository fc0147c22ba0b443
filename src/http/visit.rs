//! One visit: request after request of one connection, each read whole, answered, and the answer written.

use std::io::Read;
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::body;
use super::door::Door;
use super::guest::Guest;
use super::head::{self, Head};
use super::inlet::{Inlet, time_left, write_by};
use super::refusal::{Refusal, Trouble};

/// How long a leaving guest is listened to: closing over unread bytes would reset the connection, and the client
/// would lose the answer.
const LEAVING: Duration = Duration::from_secs(2);

/// How many bytes are read and dropped meanwhile.
const LAST_WORDS: usize = 256 << 10;

/// The same for a client that is in the middle of a body that is too long.
const LAST_BODY: usize = 32 << 20;

/// Attends a guest until it leaves, breaks a bound, or is shown out.
pub fn attend(door: &Door, guest: &Guest) {
    let mut visit = Visit { door, guest, inlet: Inlet::new(&guest.stream) };
    let _ = guest.stream.set_nodelay(true);
    let mut patience = visit.first();
    let ended = loop {
        match patience.and_then(|deadline| visit.exchange(deadline)) {
            Ok(true) => patience = visit.next(),
            Ok(false) => break Ok(()),
            Err(trouble) => break Err(trouble),
        }
    };
    match ended {
        Ok(()) => take_leave(&guest.stream, LAST_WORDS),
        Err(Trouble::Refused(refusal)) => visit.refuse(refusal),
        Err(Trouble::Gone) => (),
    }
}

struct Visit<'a> {
    door: &'a Door,
    guest: &'a Guest,
    inlet: Inlet<&'a TcpStream>,
}

impl Visit<'_> {
    /// The deadline of the first request: it counts from the start of the connection.
    fn first(&mut self) -> Result<Instant, Trouble> {
        let deadline = Instant::now() + self.door.limits.whole;
        if self.inlet.more(deadline)? == 0 { Err(Trouble::Gone) } else { Ok(deadline) }
    }

    /// The deadline of a further request: it counts from its first byte. A guest that asks for nothing more leaves
    /// without a word.
    fn next(&mut self) -> Result<Instant, Trouble> {
        if self.inlet.held().is_empty() {
            match self.inlet.more(Instant::now() + self.door.limits.idle) {
                Ok(0) | Err(_) => return Err(Trouble::Gone),
                Ok(_) => (),
            }
        }
        if !self.door.guests.waits(self.guest) {
            return Err(Trouble::Gone);
        }
        Ok(Instant::now() + self.door.limits.whole)
    }

    /// One request and its answer; whether the guest may ask again.
    fn exchange(&mut self, deadline: Instant) -> Result<bool, Trouble> {
        let limits = &self.door.limits;
        let head = self.head(deadline)?;
        body::admit(head.framing, limits.body)?;
        if head.waits {
            write_by(&self.guest.stream, b"HTTP/1.1 100 Continue\r\n\r\n", deadline)?;
        }
        let mut purse = self.door.budget.hold();
        let body = body::read(&mut self.inlet, head.framing, limits.body, &mut purse, deadline)?;
        if !self.guest.serve() {
            return Err(Trouble::Gone);
        }
        let handled_by = Instant::now() + limits.handling;
        let answer = self.door.lanes.carry(&head.inward, self.guest.peer, &body, handled_by)?;
        drop((body, purse));
        // A full house gives no second helping: pipelining clients would keep their places for ever.
        let last = head.closes || self.door.guests.is_crowded();
        // From here on it can be shown out again: a client that does not read its answer must not keep a place.
        let _ = self.door.guests.waits(self.guest);
        write_by(&self.guest.stream, &answer.outward(head.bare, last), Instant::now() + limits.taking)
            .map_err(|_| Trouble::Gone)?;
        Ok(!last)
    }

    /// Reads until the head is whole. A head is parsed again only when a line has ended.
    fn head(&mut self, deadline: Instant) -> Result<Head, Trouble> {
        let most = self.door.limits.head;
        let mut seen = 0;
        loop {
            let held = self.inlet.held();
            let has_news = seen == 0 || held.len() >= most || held[seen..].contains(&b'\n');
            if has_news && let Some(head) = head::parse(held, most)? {
                self.inlet.understood(head.length);
                return Ok(head);
            }
            seen = held.len();
            if self.inlet.more(deadline)? == 0 {
                return Err(Refusal::Malformed("the request ended before it was whole").into());
            }
        }
    }

    fn refuse(&self, refusal: Refusal) {
        let deadline = Instant::now() + LEAVING;
        let here = self.door.guests.waits(self.guest);
        if here && write_by(&self.guest.stream, &refusal.answer(), deadline).is_ok() {
            let most = if refusal == Refusal::BodyTooLong { LAST_BODY } else { LAST_WORDS };
            take_leave(&self.guest.stream, most);
        }
    }
}

/// Closes the way out, then reads and drops what still comes, `most` bytes at most, until the client closes too.
fn take_leave(stream: &TcpStream, most: usize) {
    let deadline = Instant::now() + LEAVING;
    let mut stream = stream;
    let mut left = most;
    let mut sink = [0; 8 << 10];
    if stream.shutdown(Shutdown::Write).is_err() {
        return;
    }
    while left > 0 {
        let Ok(patience) = time_left(deadline) else { return };
        if stream.set_read_timeout(Some(patience)).is_err() {
            return;
        }
        match stream.read(&mut sink) {
            Ok(0) | Err(_) => return,
            Ok(count) => left = left.saturating_sub(count),
        }
    }
}
