//! `anklet-sim bare`: the least that a durable receiver on tiny_http can do. It is what `anklet` is compared with.
//!
//! Four workers; each delivery is read, its HMAC verified, and one row written before the answer, in a transaction of
//! its own (write-ahead log, `synchronous=FULL`). It parses nothing, bounds nothing, and forgets nothing.

use lexopt::prelude::*;
use ring::hmac;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use tiny_http::{Request, Response, Server};

const HELP: &str = "\
anklet-sim bare --dir DIR --secret S

Serves on a free port of 127.0.0.1, which it writes to DIR/port; its rows are in DIR/bare.sqlite.
";
const WORKERS: usize = 4;

pub fn main(args: Vec<String>) -> Result<(), String> {
    let Some((dir, secret)) = read(args).map_err(|e| e.to_string())? else {
        print!("{HELP}");
        return Ok(());
    };
    crate::files::make_folder(&dir)?;
    let rows = Arc::new(Mutex::new(open(&dir.join("bare.sqlite")).map_err(|e| e.to_string())?));
    let key = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()));
    let server = Arc::new(Server::http("127.0.0.1:0").map_err(|e| e.to_string())?);
    let port = server.server_addr().to_ip().map(|addr| addr.port());
    crate::files::write_json(&dir.join("port"), &port)?;
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let (server, rows, key) = (Arc::clone(&server), Arc::clone(&rows), Arc::clone(&key));
            thread::spawn(move || work(&server, &rows, &key))
        })
        .collect();
    for worker in workers {
        worker.join().map_err(|_| "a worker panicked")?;
    }
    Ok(())
}

fn work(server: &Server, rows: &Mutex<Connection>, key: &hmac::Key) {
    while let Ok(mut request) = server.recv() {
        let status = match taken(&mut request, key) {
            Some(guid) => written(rows, &guid),
            None => 401,
        };
        let _ = request.respond(Response::empty(status));
    }
}

/// The delivery's GUID, when its signature is good.
fn taken(request: &mut Request, key: &hmac::Key) -> Option<String> {
    let mut body = Vec::new();
    request.as_reader().read_to_end(&mut body).ok()?;
    let header = |name: &'static str| {
        let found = request.headers().iter().find(|header| header.field.equiv(name))?;
        Some(found.value.as_str().to_owned())
    };
    let signature = header("X-Hub-Signature-256")?;
    let digits = signature.strip_prefix("sha256=")?;
    let bytes: Option<Vec<u8>> = (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(digits.get(at * 2..at * 2 + 2)?, 16).ok())
        .collect();
    hmac::verify(key, &body, &bytes?).ok()?;
    header("X-GitHub-Delivery")
}

fn written(rows: &Mutex<Connection>, guid: &str) -> u16 {
    let rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
    let row = rows.prepare_cached("insert into delivery (guid) values (?1)");
    if row.and_then(|mut row| row.execute([guid])).is_ok() { 202 } else { 503 }
}

fn open(file: &Path) -> rusqlite::Result<Connection> {
    let rows = Connection::open(file)?;
    rows.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    rows.pragma_update(None, "synchronous", "full")?;
    rows.pragma_update(None, "fullfsync", true)?;
    rows.pragma_update(None, "checkpoint_fullfsync", true)?;
    rows.execute_batch("create table delivery (id integer primary key, guid text not null)")?;
    Ok(rows)
}

fn read(args: Vec<String>) -> Result<Option<(PathBuf, String)>, lexopt::Error> {
    let (mut dir, mut secret) = (None, None);
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("dir") => dir = Some(PathBuf::from(parser.value()?)),
            Long("secret") => secret = Some(parser.value()?.string()?),
            Short('h') | Long("help") => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some((dir.ok_or("--dir is missing")?, secret.ok_or("--secret is missing")?)))
}
