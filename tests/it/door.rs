//! The listener as strangers see it: whole requests, broken bounds, opening and closing, sieges.
#![expect(
    clippy::disallowed_methods,
    reason = "the strangers sleep, spawn and start processes as they please"
)]
#![expect(clippy::unwrap_used, reason = "the helpers of the tests fail as the tests do")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use anklet::http::{Handler, Limits, Listener, Options, Reply, Request, open};

mod bounds; // 400, 408, 413, 417, 431, 503
mod life; // opening, closing, what is left behind
mod siege; // 2,000 clients that drip, no descriptors left
mod whole; // requests that are answered

/// An open listener on a free port, in a folder of its own.
struct House {
    listener: Option<Listener>,
    addr: SocketAddr,
    dir: PathBuf,
}

impl House {
    fn new() -> House {
        House::with(Limits::default())
    }

    fn with(limits: Limits) -> House {
        let dir = scratch();
        let options = options("127.0.0.1:0", dir.clone(), limits);
        let listener = open(options, echo()).unwrap();
        House { addr: listener.addr(), listener: Some(listener), dir }
    }

    fn client(&self) -> Client {
        Client::of(self.addr)
    }

    /// One exchange on a connection of its own.
    fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut client = self.client();
        client.send(request.as_ref());
        client.answer()
    }

    fn close(&mut self) {
        if let Some(listener) = self.listener.take() {
            listener.close();
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.close();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn scratch() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("anklet-door-{}-{number}", std::process::id()))
}

const PLACES: usize = 16;

fn options(addr: &str, socket_dir: PathBuf, limits: Limits) -> Options {
    let addr = addr.parse().unwrap();
    Options { name: "test".into(), addr, places: PLACES, workers: 2, socket_dir, limits }
}

/// Says what it was asked; some paths do more.
fn echo() -> Handler {
    Arc::new(|request: &Request<'_>| match request.path {
        "/panic" => panic!("as asked"),
        "/slow" => {
            thread::sleep(Duration::from_millis(400));
            Reply::json(200, "{}")
        }
        "/large" => Reply::json(200, vec![b' '; 1 << 20]),
        "/huge" => Reply::json(200, vec![b' '; 32 << 20]),
        "/none" => Reply::json(204, "not sent"),
        "/retry" => Reply::json(503, "{}").with("Retry-After", "7").with("X-Bad", "a\r\nInjected: yes"),
        _ => Reply::json(
            200,
            format!(
                "{:?} {} {:?} event={:?} cookie={:?} accept={:?} peer={:?} body={} {}",
                request.method,
                request.path,
                request.query,
                request.header("X-GitHub-Event"),
                request.header("cookie"),
                request.header("accept"),
                request.peer,
                request.body.len(),
                String::from_utf8_lossy(&request.body[..request.body.len().min(100)]),
            ),
        ),
    })
}

/// A stranger.
struct Client {
    stream: TcpStream,
    held: Vec<u8>,
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Client {
    fn of(addr: SocketAddr) -> Client {
        let stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream, held: Vec::new() }
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// The next answer on this connection.
    fn answer(&mut self) -> Answer {
        self.answer_to(false)
    }

    /// The next answer; `bare` when it has no body whatever its length says.
    fn answer_to(&mut self, bare: bool) -> Answer {
        let end = loop {
            if let Some(end) = self.held.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            assert!(self.more() > 0, "closed before an answer: {:?}", String::from_utf8_lossy(&self.held));
        };
        let head = String::from_utf8(self.held.drain(..end).collect()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: Vec::new() };
        if !bare && status >= 200 && status != 204 {
            let length: usize = answer.header("content-length").expect("a length").parse().unwrap();
            while self.held.len() < length {
                assert!(self.more() > 0, "closed within an answer");
            }
            answer.body = self.held.drain(..length).collect();
        }
        answer
    }

    /// Whether the connection ends with nothing more on it.
    fn is_ended(&mut self) -> bool {
        self.held.is_empty() && self.more() == 0
    }

    fn more(&mut self) -> usize {
        let mut chunk = vec![0; 64 << 10];
        let count = self.stream.read(&mut chunk).unwrap_or(0);
        self.held.extend_from_slice(&chunk[..count]);
        count
    }
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
}

fn post(path: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
