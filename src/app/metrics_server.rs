//! The metrics page and the daemon's health, on a listener of their own.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use crate::config::Config;
use crate::host::stats::Stats;
use crate::http::{self, Limits, Listener, Method, OpenError, Reply, Request};
use crate::metrics::{self, Page, Snapshot, health};
use crate::runtime::board::Board;
use crate::runtime::outlook::Outlook;

/// Of the process's places: enough for a few scrapers.
pub const PLACES: usize = 8;
/// How many ports `metrics.port_auto` tries.
const PORTS: u16 = 100;

/// The open page. Its note of the port goes with it.
pub struct MetricsServer {
    listener: Option<Listener>,
    note: PathBuf,
}

/// Writes the page for a query and an `Accept` header.
type Write = dyn Fn(&str, Option<&str>) -> Page + Send + Sync;

/// What is shown.
pub struct Sources {
    /// The page for a query and an `Accept` header.
    pub page: Box<Write>,
    /// What keeps the process from its work.
    pub unready: Box<dyn Fn() -> Vec<String> + Send + Sync>,
}

/// What a daemon with plugins shows: the board, the looks and the host's figures.
pub fn of_daemon(config: &Config, board: Board, outlook: Outlook) -> Sources {
    let stats = Stats::new(&config.state_dir);
    let snapshot = Arc::new(move || Snapshot::of(&board, &outlook, stats.look()));
    let again = Arc::clone(&snapshot);
    Sources {
        page: Box::new(move |query, accept| metrics::page(query, accept, &snapshot())),
        unready: Box::new(move || health::unready(&again())),
    }
}

/// Opens the page, and notes its port in the run folder for who looks for it.
pub fn open(config: &Config, sources: Sources) -> Result<MetricsServer, OpenError> {
    let sources = Arc::new(sources);
    let wanted = SocketAddr::from((config.metrics.bind, config.metrics.port));
    let listener = listen(config, wanted, &sources)?;
    let addr = listener.addr();
    log::info!("metrics are at http://{addr}/metrics{}", hint(addr));
    let note = note_of_port(config);
    if let Err(error) = fs::write(&note, format!("{}\n", addr.port())) {
        log::warn!("the port of the metrics could not be noted in {}: {error}", note.display());
    }
    Ok(MetricsServer { listener: Some(listener), note })
}

/// On the wanted port, or with `metrics.port_auto` on the first free one from there.
fn listen(config: &Config, wanted: SocketAddr, sources: &Arc<Sources>) -> Result<Listener, OpenError> {
    let last = if config.metrics.port_auto { wanted.port().saturating_add(PORTS - 1) } else { wanted.port() };
    let mut addr = wanted;
    loop {
        let sources = Arc::clone(sources);
        let options = http::Options {
            name: "metrics".into(),
            addr,
            places: PLACES,
            workers: 1,
            socket_dir: config.run_dir.clone(),
            limits: Limits::default(),
        };
        match http::open(options, Arc::new(move |request| answer(request, &sources))) {
            Err(OpenError::InUse(_)) if addr.port() < last => addr.set_port(addr.port() + 1),
            Err(OpenError::InUse(_)) if wanted.port() < last => {
                return Err(OpenError::AllInUse(wanted, last));
            }
            opened => return opened,
        }
    }
}

/// Where a process of this configuration answers: the port that it noted, else the configured one.
pub fn address(config: &Config) -> SocketAddr {
    let noted = fs::read_to_string(note_of_port(config)).ok().and_then(|text| text.trim().parse().ok());
    let ip = match config.metrics.bind {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::from((ip, noted.unwrap_or(config.metrics.port)))
}

/// One a daemon: who holds the pid file holds the note.
fn note_of_port(config: &Config) -> PathBuf {
    config.run_dir.join(format!("metrics-{}.port", short_name(&[&config.pid_file])))
}

/// Tells the files of a few daemons apart by these paths; the same in each process.
pub fn short_name(paths: &[&Path]) -> String {
    let paths: Vec<&[u8]> = paths.iter().map(|path| path.as_os_str().as_encoded_bytes()).collect();
    let digest = ring::digest::digest(&ring::digest::SHA256, &paths.join(&0));
    let hex: Vec<String> = digest.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    hex.concat()
}

fn hint(addr: SocketAddr) -> &'static str {
    if addr.ip().is_loopback() {
        "; set metrics.bind to an address of this host to open them to an aggregator"
    } else {
        ""
    }
}

fn answer(request: &Request<'_>, sources: &Sources) -> Reply {
    if !metrics::page::PATHS.contains(&request.path)
        && ![health::ALIVE, health::READY].contains(&request.path)
    {
        return json_reply(404, &json!({ "error": "there is nothing here; the page is /metrics" }));
    }
    if request.method != Method::Get {
        return json_reply(405, &json!({ "error": "only GET, HEAD here" })).with("Allow", "GET, HEAD");
    }
    if request.path == health::ALIVE {
        return json_reply(200, &json!({ "status": "alive" }));
    }
    if request.path == health::READY {
        let (status, body) = health::answer(&(sources.unready)());
        return json_reply(status, &body);
    }
    let page = (sources.page)(request.query.unwrap_or_default(), request.header("accept"));
    Reply {
        status: page.status,
        content_type: page.content_type,
        headers: Vec::new(),
        body: page.body.into_bytes(),
    }
}

fn json_reply(status: u16, body: &serde_json::Value) -> Reply {
    Reply::json(status, body.to_string())
}

impl MetricsServer {
    /// Stops answering.
    pub fn close(self) {
        drop(self);
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        if let Some(listener) = self.listener.take() {
            listener.close();
        }
        match fs::remove_file(&self.note) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                log::debug!("{} stays behind: {error}", self.note.display());
            }
            _ => {}
        }
    }
}
