//! `anklet-sim flood`: signed deliveries over kept-alive connections, as fast as they are answered.

use crate::github::queued_payload;
use crate::secret;
use lexopt::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const HELP: &str = "\
anklet-sim flood --url http://HOST:PORT/PATH --secret S [--count N] [--connections C] [--unique]
                 [--owner O] [--repo R] [--label L]… [--first-id N] [--seconds S]

Sends N (1000) signed `workflow_job` deliveries of action `queued` over C (16) kept-alive connections.
--unique: each a job of its own, from --first-id on; else all are the same job.
--seconds: ends after so long, whatever is left.
Prints one JSON object: requests_per_second, p50_us, p99_us, max_us, count by status, errors.
";

pub struct Options {
    host: String,
    path: String,
    secret: String,
    count: u64,
    connections: u64,
    unique: bool,
    owner: String,
    repo: String,
    labels: Vec<String>,
    first_id: u64,
    seconds: u64,
}

/// A kept-alive connection.
pub type Line = BufReader<TcpStream>;

impl Options {
    /// The body of the first job's delivery.
    pub fn template(&self) -> String {
        queued_payload(&self.owner, &self.repo, &self.labels, self.first_id)
    }
}

/// What the connections have seen.
#[derive(Default)]
struct Seen {
    micros: Vec<u64>,
    statuses: BTreeMap<u16, u64>,
    errors: u64,
}

pub fn main(args: Vec<String>) -> Result<(), String> {
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        print!("{HELP}");
        return Ok(());
    }
    let options = read(args).map_err(|e| e.to_string())?;
    let template = options.template();
    let sent = AtomicU64::new(0);
    let begun = Instant::now();
    let seen = thread::scope(|scope| {
        let senders: Vec<_> = (0..options.connections)
            .map(|_| scope.spawn(|| send_all(&options, &template, &sent, begun)))
            .collect();
        senders.into_iter().filter_map(|sender| sender.join().ok()).fold(Seen::default(), Seen::with)
    });
    println!("{}", seen.report(begun.elapsed()));
    Ok(())
}

impl Seen {
    fn with(mut self, other: Self) -> Self {
        self.micros.extend(other.micros);
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.errors += other.errors;
        self
    }

    fn report(mut self, took: Duration) -> Value {
        self.micros.sort_unstable();
        let at = |share: usize| self.micros.get(self.micros.len() * share / 100).copied();
        json!({
            "requests": self.micros.len(), "seconds": took.as_secs_f64(),
            "requests_per_second": self.micros.len() as f64 / took.as_secs_f64(),
            "p50_us": at(50), "p99_us": at(99), "max_us": self.micros.last(),
            "statuses": self.statuses, "errors": self.errors,
        })
    }
}

fn send_all(options: &Options, template: &str, sent: &AtomicU64, begun: Instant) -> Seen {
    let mut seen = Seen::default();
    let mut line = None;
    let first = options.first_id.to_string();
    loop {
        let number = sent.fetch_add(1, Ordering::Relaxed);
        let late = options.seconds > 0 && begun.elapsed().as_secs() >= options.seconds;
        if number >= options.count || late {
            return seen;
        }
        let body = if options.unique {
            template.replace(&first, &(options.first_id + number).to_string())
        } else {
            template.to_owned()
        };
        let asked = Instant::now();
        if let Ok(status) = deliver(options, &mut line, &body) {
            seen.micros.push(u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX));
            *seen.statuses.entry(status).or_default() += 1;
        } else {
            seen.errors += 1;
            line = None;
        }
    }
}

/// One delivery over the line, which is opened when it is not.
pub fn deliver(options: &Options, line: &mut Option<Line>, body: &str) -> io::Result<u16> {
    let open = match line.take() {
        Some(open) => line.insert(open),
        None => line.insert(dial(&options.host)?),
    };
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: GitHub-Hookshot/5ab2c91\r\nAccept: */*\r\n\
         Content-Type: application/json\r\nX-GitHub-Event: workflow_job\r\nX-GitHub-Delivery: {}\r\n\
         X-GitHub-Hook-ID: 480000001\r\nX-Hub-Signature-256: {}\r\nContent-Length: {}\r\n\r\n{body}",
        options.path,
        options.host,
        secret::random_uuid(),
        secret::signature(&options.secret, body.as_bytes()),
        body.len(),
    );
    open.get_mut().write_all(request.as_bytes())?;
    let (status, close) = answer(open)?;
    if close {
        *line = None;
    }
    Ok(status)
}

fn dial(host: &str) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(host)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(BufReader::new(stream))
}

/// The status, and whether the connection is over.
fn answer(reader: &mut BufReader<TcpStream>) -> io::Result<(u16, bool)> {
    let (mut status, mut length, mut close, mut text) = (0, 0, false, String::new());
    while reader.read_line(&mut text)? > 2 {
        let lower = text.to_ascii_lowercase();
        if status == 0 {
            status = lower.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
            close = lower.starts_with("http/1.0");
        } else if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        } else if let Some(value) = lower.strip_prefix("connection:") {
            close |= value.trim() == "close";
        }
        text.clear();
    }
    if status == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
    Ok((status, close))
}

pub fn read(args: Vec<String>) -> Result<Options, lexopt::Error> {
    let mut options = Options {
        host: String::new(),
        path: "/".into(),
        secret: String::new(),
        count: 1000,
        connections: 16,
        unique: false,
        owner: "veertuinc".into(),
        repo: "anklet".into(),
        labels: Vec::new(),
        first_id: 7_000_000_000,
        seconds: 0,
    };
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("url") => {
                let url = parser.value()?.string()?;
                let rest = url.strip_prefix("http://").ok_or("the URL must begin with http://")?;
                let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
                (options.host, options.path) = (host.into(), format!("/{path}"));
            }
            Long("secret") => options.secret = parser.value()?.string()?,
            Long("count") => options.count = parser.value()?.parse()?,
            Long("connections") => options.connections = parser.value()?.parse()?,
            Long("owner") => options.owner = parser.value()?.string()?,
            Long("repo") => options.repo = parser.value()?.string()?,
            Long("label") => options.labels.push(parser.value()?.string()?),
            Long("first-id") => options.first_id = parser.value()?.parse()?,
            Long("seconds") => options.seconds = parser.value()?.parse()?,
            Long("unique") => options.unique = true,
            other => return Err(other.unexpected()),
        }
    }
    if options.labels.is_empty() {
        options.labels = vec!["self-hosted".into(), "anka-template:macos-15".into()];
    }
    if options.host.is_empty() { Err("--url is missing".into()) } else { Ok(options) }
}
