//! What a listener is told when it is opened.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What to open.
#[derive(Clone, Debug)]
pub struct Options {
    /// Names the threads and the log lines; an operator's word, such as the plugin's name.
    pub name: String,
    /// The public address; port 0 takes a free one, see [`super::Listener::addr`].
    pub addr: SocketAddr,
    /// Guests at once, one thread each.
    pub places: usize,
    /// Threads that run the handler.
    pub workers: usize,
    /// A 0700 folder for the inner Unix socket; the temporary folder serves where its path is too long.
    pub socket_dir: PathBuf,
    /// Bounds for each guest.
    pub limits: Limits,
}

/// Bounds for each guest; the defaults were found under siege.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of request line and headers together.
    pub head: usize,
    /// Bytes of a body; GitHub's own limit.
    pub body: usize,
    /// Bytes of all large bodies at once; a worker holds each a second time.
    pub budget: usize,
    /// From a request's first byte to its last.
    pub whole: Duration,
    /// From an answer to the next request's first byte.
    pub idle: Duration,
    /// From the last byte of a request to its answer: under GitHub's 10 seconds.
    pub handling: Duration,
    /// For a client to take its answer.
    pub taking: Duration,
    /// A full house lets a guest this long to say what it wants.
    /// Places divided by grace is the rate at which attackers are shown out; it must exceed the rate at which
    /// they come back. A shorter one shows out honest clients in a burst.
    pub grace: Duration,
    /// For threads to end when the listener is closed.
    pub closing: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            head: 16 << 10,
            body: 26_214_400,
            budget: 32 << 20,
            whole: Duration::from_secs(10),
            idle: Duration::from_secs(15),
            handling: Duration::from_secs(9),
            taking: Duration::from_secs(10),
            grace: Duration::from_millis(30),
            closing: Duration::from_secs(10),
        }
    }
}
