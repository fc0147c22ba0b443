//! The metrics page: the board and the host's figures, on a listener of their own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use crate::host::stats::Stats;
use crate::http::{self, Limits, Listener, Method, OpenError, Reply, Request};
use crate::metrics::{self, Snapshot};
use crate::runtime::board::Board;

/// Of the process's places: enough for a few scrapers.
pub const PLACES: usize = 8;

/// Opens the page.
pub fn open(
    addr: SocketAddr,
    socket_dir: PathBuf,
    board: Board,
    folder: &Path,
) -> Result<Listener, OpenError> {
    let stats = Stats::new(folder);
    let options = http::Options {
        name: "metrics".into(),
        addr,
        places: PLACES,
        workers: 1,
        socket_dir,
        limits: Limits::default(),
    };
    let listener = http::open(options, Arc::new(move |request| answer(request, &board, &stats)))?;
    log::info!("metrics are at http://{}/metrics{}", listener.addr(), hint(addr));
    Ok(listener)
}

fn hint(addr: SocketAddr) -> &'static str {
    if addr.ip().is_loopback() {
        "; set metrics.bind to an address of this host to open them to an aggregator"
    } else {
        ""
    }
}

fn answer(request: &Request<'_>, board: &Board, stats: &Stats) -> Reply {
    if !metrics::page::PATHS.contains(&request.path) {
        return Reply::json(
            404,
            json!({ "error": "there is nothing here; the page is /metrics" }).to_string(),
        );
    }
    if request.method != Method::Get {
        let mut reply = Reply::json(405, json!({ "error": "only GET, HEAD here" }).to_string());
        reply.headers.push(("Allow", "GET, HEAD".into()));
        return reply;
    }
    let snapshot = Snapshot::of(board, stats.look());
    let page = metrics::page(request.query.unwrap_or_default(), request.header("accept"), &snapshot);
    Reply {
        status: page.status,
        content_type: page.content_type,
        headers: Vec::new(),
        body: page.body.into_bytes(),
    }
}
