//! tiny_http behind the door: one server on a Unix socket, and the worker threads that run the handler.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use tiny_http::{Header, Response, Server, StatusCode};

use super::budget::make_room;
use super::lane::{Lane, OPENING, PEER};
use super::message::{Handler, Method, Reply, Request};
use super::sockets::{self, OpenError, SocketFile};
use crate::runtime::stop::Never;
use crate::runtime::thread;

/// What a service is built from, once or anew.
pub struct Plan {
    pub name: String,
    pub socket_dir: PathBuf,
    pub workers: usize,
    pub handler: Handler,
}

/// A running server with its workers.
pub struct Service {
    /// Counted from 0; each that is built anew has the next number.
    pub number: u32,
    crew: Arc<Crew>,
    workers: Vec<JoinHandle<()>>,
    ended: Receiver<Never>,
}

/// What the workers share.
struct Crew {
    /// Its drop dials the socket file to wake its own thread, so the file goes after it.
    server: Server,
    file: SocketFile,
    handler: Handler,
    busy: AtomicUsize,
    leaving: AtomicBool,
}

impl Service {
    /// Listens on a fresh socket and starts the workers.
    pub fn start(plan: &Plan, number: u32) -> Result<Service, OpenError> {
        let (listener, file) = sockets::inner(&plan.socket_dir)?;
        let server = Server::from_listener(listener, None)
            .map_err(|error| OpenError::Inner(file.path().to_owned(), io::Error::other(error)))?;
        let crew = Crew {
            server,
            file,
            handler: plan.handler.clone(),
            busy: AtomicUsize::new(0),
            leaving: AtomicBool::new(false),
        };
        let (alive, ended) = bounded(0);
        let mut service = Service { number, crew: Arc::new(crew), workers: Vec::new(), ended };
        for n in 0..plan.workers.max(1) {
            service.hire(format!("http:{}:{n}", plan.name), alive.clone()).map_err(OpenError::Thread)?;
        }
        Ok(service)
    }

    fn hire(&mut self, name: String, alive: Sender<Never>) -> io::Result<()> {
        let crew = Arc::clone(&self.crew);
        self.workers.push(thread::start(name, move || {
            crew.work();
            drop(alive);
        })?);
        Ok(())
    }

    /// Opens one lane to this server; one at a time.
    pub fn lane(&self, deadline: Instant) -> io::Result<Lane> {
        Lane::open(self.crew.file.path(), self.number, deadline)
    }

    /// No worker is free: silence proves nothing against the server.
    pub fn is_busy(&self) -> bool {
        self.crew.busy.load(Ordering::Relaxed) >= self.workers.len()
    }

    /// Ends the workers; false when some still ran a handler at `deadline` and were left behind.
    pub fn end(mut self, deadline: Instant) -> bool {
        self.dismiss();
        if matches!(self.ended.recv_deadline(deadline), Err(RecvTimeoutError::Timeout)) {
            return false;
        }
        self.workers.drain(..).all(|worker| worker.join().is_ok())
    }

    /// Tells the workers to leave once what is queued is answered. `unblock` frees one of them each time.
    fn dismiss(&mut self) {
        if !self.crew.leaving.swap(true, Ordering::Relaxed) {
            self.workers.iter().for_each(|_| self.crew.server.unblock());
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.dismiss();
    }
}

impl Crew {
    fn work(&self) {
        loop {
            match self.server.recv() {
                Ok(request) => {
                    self.busy.fetch_add(1, Ordering::Relaxed);
                    self.serve(request);
                    self.busy.fetch_sub(1, Ordering::Relaxed);
                }
                Err(_) if self.leaving.load(Ordering::Relaxed) => return,
                // It accepts no lane any more; those that are open go on. The next lane that is missed mends it.
                Err(error) => log::warn!("the inner web server accepts no more connections: {error}"),
            }
        }
    }

    fn serve(&self, mut request: tiny_http::Request) {
        let length = request.body_length().unwrap_or(0);
        let mut body = Vec::new();
        make_room(&mut body, length);
        body.resize(length, 0);
        if request.as_reader().read_exact(&mut body).is_err() {
            return; // the lane was given up half-way; the handler must not see half a request
        }
        let reply =
            if request.url() == OPENING { Reply::json(200, "{}") } else { self.reply(&request, &body) };
        if let Err(error) = request.respond(response(&reply)) {
            log::debug!("a lane was lost before its answer: {error}");
        }
    }

    fn reply(&self, request: &tiny_http::Request, body: &[u8]) -> Reply {
        let headers: Vec<(&str, &str)> = request
            .headers()
            .iter()
            .map(|header| (header.field.as_str().as_str(), header.value.as_str()))
            .collect();
        let (path, query) = Request::split(request.url());
        let method = Method::of(request.method().as_str());
        let mut asked = Request { method, path, query, headers: &headers, body, peer: None };
        asked.peer = asked.header(PEER).and_then(|peer| peer.parse().ok());
        thread::caught(|| (self.handler)(&asked)).unwrap_or_else(|panic| {
            log::error!("the handler of {path} panicked: {panic}");
            Reply::json(500, r#"{"error":"internal error"}"#)
        })
    }
}

/// With a length always, so that a lane knows where it ends.
fn response(reply: &Reply) -> Response<&[u8]> {
    let own = [("Server", "anklet"), ("Content-Type", reply.content_type)];
    let more = reply.headers.iter().map(|(name, value)| (*name, value.as_str()));
    let headers = own
        .into_iter()
        .chain(more)
        .filter(|(_, value)| value.bytes().all(|byte| matches!(byte, b' '..=b'~')))
        .filter_map(|(name, value)| Header::from_bytes(name, value).ok());
    Response::new(StatusCode(reply.status), headers.collect(), &*reply.body, Some(reply.body.len()), None)
        .with_chunked_threshold(usize::MAX)
}
