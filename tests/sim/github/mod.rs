//! The simulated GitHub: REST API, webhooks, runners, and a control API for tests, on one port.
//!
//! `http` serves; `rest`, `apps`, `runners`, `hooks` and `downloads` are GitHub's API, `session` is the line to a runner, `control` is
//! the tests' side. `state` is what it knows, `jobs` how a job lives, `assign` who gets it, `outbox` the deliveries, `past` those of former days,
//! `payload` and `shape` what things look like, `rules` what goes wrong. `hub` holds the parts together.

mod apps;
mod assign;
mod control;
mod downloads;
mod hooks;
mod http;
mod hub;
mod jobs;
mod outbox;
mod past;
mod payload;
mod rest;
mod rules;
mod runners;
mod session;
mod shape;
mod state;

use crate::{files, secret};
use http::{Handler, Reply, Request};
use hub::Hub;
use lexopt::prelude::*;
use serde_json::json;
use state::{JobSpec, State};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

const HELP: &str = "\
anklet-sim github --dir DIR [--port N] [--token T]…

Prints `listening on 127.0.0.1:PORT`, writes the port to DIR/port and every REST call to DIR/calls.log.
Without --token it knows `sim-token`. REST at / and /api/v3, control at /_sim/ (tests/sim/README.md).
";

struct Options {
    dir: PathBuf,
    port: u16,
    tokens: Vec<String>,
}

pub fn main(args: Vec<String>) -> Result<(), String> {
    let Some(options) = read(args).map_err(|e| e.to_string())? else {
        print!("{HELP}");
        return Ok(());
    };
    files::make_folder(&options.dir)?;
    let listener = TcpListener::bind(("127.0.0.1", options.port)).map_err(|e| e.to_string())?;
    let port = listener.local_addr().map_err(|e| e.to_string())?.port();
    let mut state = State::default();
    if !options.tokens.is_empty() {
        state.settings.tokens = options.tokens;
    }
    let hub = Arc::new(Hub::new(format!("http://127.0.0.1:{port}"), options.dir.clone(), state));
    outbox::start(&hub);
    let clockwork = Arc::clone(&hub);
    thread::spawn(move || clockwork.tick());
    files::write_json(&options.dir.join("port"), &json!(port))?;
    println!("listening on 127.0.0.1:{port}");
    let handler: Handler = Arc::new(move |request| answer(&hub, request));
    http::serve(&listener, &handler);
    Ok(())
}

/// The body of a `queued` delivery for a job of this id, for who sends deliveries without a GitHub.
pub fn queued_payload(owner: &str, repo: &str, labels: &[String], id: u64) -> String {
    let spec = JobSpec {
        owner: owner.into(),
        repo: repo.into(),
        labels: labels.to_vec(),
        run_id: id,
        ..JobSpec::default()
    };
    payload::workflow_job(&jobs::new(id, spec), "queued", "https://api.github.com").to_string()
}

fn answer(hub: &Arc<Hub>, request: &Request) -> Reply {
    if request.path.starts_with("/_sim/") {
        return control::answer(hub, request);
    }
    match downloads::archive(&request.path) {
        Some(archive) => Reply::Send(archive),
        None => rest::answer(hub, request),
    }
}

fn read(args: Vec<String>) -> Result<Option<Options>, lexopt::Error> {
    let mut parser = lexopt::Parser::from_args(args);
    let (mut dir, mut port, mut tokens) = (None, 0, Vec::new());
    while let Some(arg) = parser.next()? {
        match arg {
            Long("dir") => dir = Some(PathBuf::from(parser.value()?)),
            Long("port") => port = parser.value()?.parse()?,
            Long("token") => tokens.push(parser.value()?.string()?),
            Short('h') | Long("help") => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    let dir = dir.unwrap_or_else(|| std::env::temp_dir().join(format!("github-{}", secret::random_hex(4))));
    Ok(Some(Options { dir, port, tokens }))
}
