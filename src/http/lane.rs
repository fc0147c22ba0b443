//! One kept-alive connection from the door to tiny_http, for one request at a time.

use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

use super::inlet::time_left;

/// The target of the request that opens a lane; no stranger can ask for it, since the door wants a `/` in front.
pub const OPENING: &str = "lane";

/// The header that carries the client's address inward; a client's own of this name does not pass the door.
pub const PEER: &str = "x-door-peer";

/// Up to this size a body is sent in one piece with its head.
const ONE_PIECE: usize = 64 << 10;

/// Headers in an answer of ours, at most.
const HEADERS: usize = 32;

/// A connection that tiny_http has a thread for.
#[derive(Debug)]
pub struct Lane {
    stream: UnixStream,
    /// Which of the servers, counted from 0, is at the other end.
    pub server: u32,
}

/// An answer as tiny_http wrote it.
#[derive(Debug)]
pub struct Answer {
    bytes: Vec<u8>,
    /// Bytes of the head.
    head: usize,
}

/// How a lane failed; it must not be used again.
#[derive(Debug)]
pub enum Lost {
    /// The request did not reach the other end whole: nobody has handled it.
    Unsent(io::Error),
    /// It may have been handled.
    Unanswered(io::Error),
}

impl Lane {
    /// Connects, and has one request answered: only then does a thread of tiny_http belong to this lane.
    /// (It queues connections behind threads that are already spoken for, so lanes are opened one at a time.)
    pub fn open(path: &Path, server: u32, deadline: Instant) -> io::Result<Lane> {
        let mut lane = Lane { stream: UnixStream::connect(path)?, server };
        let opening = format!("GET {OPENING} HTTP/1.1\r\nHost: door\r\n");
        match lane.carry(opening.as_bytes(), None, &[], deadline) {
            Ok(_) => Ok(lane),
            Err(Lost::Unsent(error) | Lost::Unanswered(error)) => Err(error),
        }
    }

    /// Sends a request (its head without length and empty line) and waits for the answer.
    pub fn carry(
        &mut self,
        head: &[u8],
        peer: Option<IpAddr>,
        body: &[u8],
        deadline: Instant,
    ) -> Result<Answer, Lost> {
        self.send(head, peer, body, deadline).map_err(Lost::Unsent)?;
        self.receive(deadline).map_err(Lost::Unanswered)
    }

    fn send(&mut self, head: &[u8], peer: Option<IpAddr>, body: &[u8], deadline: Instant) -> io::Result<()> {
        let mut piece = head.to_vec();
        if let Some(peer) = peer {
            write!(piece, "{PEER}: {peer}\r\n")?;
        }
        write!(piece, "Content-Length: {}\r\n\r\n", body.len())?;
        self.stream.set_write_timeout(Some(time_left(deadline)?))?;
        if body.len() <= ONE_PIECE {
            piece.extend_from_slice(body);
            return self.stream.write_all(&piece);
        }
        self.stream.write_all(&piece)?;
        self.stream.write_all(body)
    }

    fn receive(&mut self, deadline: Instant) -> io::Result<Answer> {
        let mut bytes = Vec::with_capacity(1024);
        let (head, length) = loop {
            if let Some(ends) = ends(&bytes)? {
                break ends;
            }
            self.more(&mut bytes, 4096, deadline)?;
        };
        while bytes.len() < head + length {
            let left = head + length - bytes.len();
            self.more(&mut bytes, left.min(ONE_PIECE), deadline)?;
        }
        Ok(Answer { bytes, head })
    }

    fn more(&mut self, bytes: &mut Vec<u8>, most: usize, deadline: Instant) -> io::Result<()> {
        self.stream.set_read_timeout(Some(time_left(deadline)?))?;
        let old = bytes.len();
        bytes.resize(old + most, 0);
        let read = self.stream.read(&mut bytes[old..]);
        bytes.truncate(old + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
        }
    }
}

/// Bytes of the head and of the body of an answer, once its head is whole.
fn ends(bytes: &[u8]) -> io::Result<Option<(usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(bytes).map_err(io::Error::other)? else {
        return Ok(None);
    };
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|header| std::str::from_utf8(header.value).ok()?.parse().ok());
    match (response.code, length) {
        (Some(204 | 304), _) => Ok(Some((head, 0))),
        (_, Some(length)) => Ok(Some((head, length))),
        (_, None) => Err(io::Error::other("the answer has no length")),
    }
}

impl Answer {
    /// The answer as the client shall see it: without its body when `bare`, announcing the close when `last`.
    pub fn outward(mut self, bare: bool, last: bool) -> Vec<u8> {
        if bare {
            self.bytes.truncate(self.head);
        }
        if last {
            let line = self.bytes.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            self.bytes.splice(line..line, *b"Connection: close\r\n");
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_length_says() {
        let text = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(ends(text).unwrap(), Some((38, 5)));
        assert_eq!(ends(&text[..20]).unwrap(), None);
        assert_eq!(ends(b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n").unwrap(), Some((46, 0)));
        assert!(ends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
    }

    #[test]
    fn a_bare_answer_keeps_its_length_and_loses_its_body() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec();
        let head = bytes.len() - 2;
        let text = String::from_utf8(Answer { bytes, head }.outward(true, true)).unwrap();
        assert_eq!(text, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n");
    }
}
