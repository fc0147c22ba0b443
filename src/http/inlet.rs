//! Bytes of one connection, read under a deadline and held until they are understood.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::budget::make_room;
use super::refusal::{Refusal, Trouble};

/// Most bytes that one read of a head asks for.
const SIP: usize = 8 << 10;

/// Most bytes that one read of a body asks for: it grows as it comes, so that an announcement alone costs no memory.
const BITE: usize = 64 << 10;

const ENDED_EARLY: Refusal = Refusal::Malformed("the request ended before it was whole");

/// Where bytes come from; zero bytes are the end.
pub trait Source {
    /// Reads some bytes until `deadline`; then `WouldBlock` or `TimedOut`.
    fn read_by(&mut self, into: &mut [u8], deadline: Instant) -> io::Result<usize>;
}

/// What has arrived and is not yet understood.
pub struct Inlet<S> {
    source: S,
    held: Vec<u8>,
    /// Bytes at the front of `held` that are done with.
    done: usize,
}

impl<S: Source> Inlet<S> {
    /// Nothing has arrived yet.
    pub fn new(source: S) -> Self {
        Inlet { source, held: Vec::new(), done: 0 }
    }

    /// What has arrived and is not yet understood.
    pub fn held(&self) -> &[u8] {
        &self.held[self.done..]
    }

    /// Marks the first `count` bytes as understood.
    pub fn understood(&mut self, count: usize) {
        self.done += count;
        if self.done >= self.held.len() {
            self.held.clear();
            self.done = 0;
        }
    }

    /// Waits for more; answers how many came, zero at the end.
    pub fn more(&mut self, deadline: Instant) -> io::Result<usize> {
        self.held.drain(..self.done);
        self.done = 0;
        grow(&mut self.source, &mut self.held, SIP, deadline)
    }

    /// One line of at most `most` bytes, without its CRLF.
    /// A bare LF or CR is refused: others may read it otherwise.
    pub fn line(&mut self, most: usize, deadline: Instant) -> Result<Vec<u8>, Trouble> {
        let end = loop {
            if let Some(end) = self.held().iter().take(most + 2).position(|byte| *byte == b'\n') {
                break end;
            }
            if self.held().len() >= most + 2 {
                return Err(Refusal::Malformed("a line of the chunked body is too long").into());
            }
            if self.more(deadline)? == 0 {
                return Err(ENDED_EARLY.into());
            }
        };
        let Some(line) = self.held()[..end].strip_suffix(b"\r").filter(|line| !line.contains(&b'\r')) else {
            return Err(Refusal::Malformed("a line of the chunked body does not end in CRLF").into());
        };
        let line = line.to_vec();
        self.understood(end + 1);
        Ok(line)
    }

    /// Moves `count` bytes to the end of `into`; `covered` is asked before each growth, with the new length.
    pub fn pour(
        &mut self,
        into: &mut Vec<u8>,
        count: usize,
        deadline: Instant,
        mut covered: impl FnMut(usize) -> Result<(), Refusal>,
    ) -> Result<(), Trouble> {
        let whole = into.len() + count;
        let at_hand = count.min(self.held().len());
        covered(into.len() + at_hand)?;
        make_room(into, into.len() + at_hand);
        into.extend_from_slice(&self.held()[..at_hand]);
        self.understood(at_hand);
        while into.len() < whole {
            let bite = (whole - into.len()).min(BITE);
            covered(into.len() + bite)?;
            make_room(into, into.len() + bite);
            if grow(&mut self.source, into, bite, deadline)? == 0 {
                return Err(ENDED_EARLY.into());
            }
        }
        Ok(())
    }
}

/// What is left until `deadline`, as a socket's time limit; too little is an error, since zero means for ever.
pub fn time_left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left < Duration::from_millis(1) { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// Writes all of `bytes`, however slowly they are taken, until `deadline`.
pub fn write_by(stream: &TcpStream, mut bytes: &[u8], deadline: Instant) -> io::Result<()> {
    let mut stream = stream;
    while !bytes.is_empty() {
        stream.set_write_timeout(Some(time_left(deadline)?))?;
        match stream.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Source for &TcpStream {
    fn read_by(&mut self, into: &mut [u8], deadline: Instant) -> io::Result<usize> {
        loop {
            self.set_read_timeout(Some(time_left(deadline)?))?;
            match self.read(into) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                done => return done,
            }
        }
    }
}

/// Reads once, at most `most` bytes, to the end of `into`.
fn grow(source: &mut impl Source, into: &mut Vec<u8>, most: usize, deadline: Instant) -> io::Result<usize> {
    let old = into.len();
    into.resize(old + most, 0);
    let read = source.read_by(&mut into[old..], deadline);
    into.truncate(old + *read.as_ref().unwrap_or(&0));
    read
}

/// A source that gives out its bytes in bites, then ends.
#[cfg(test)]
pub struct Script<'a>(pub &'a [u8], pub usize);

#[cfg(test)]
impl Source for Script<'_> {
    fn read_by(&mut self, into: &mut [u8], _deadline: Instant) -> io::Result<usize> {
        let count = self.0.len().min(self.1).min(into.len());
        into[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}
