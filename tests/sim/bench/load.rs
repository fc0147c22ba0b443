//! Deliveries over kept-alive connections, to the daemon and to the bare server in turn.

use super::stopped;
use crate::flood::{self, Line};
use crate::stage::config::{OWNER, REPO, SECRET};
use crate::stage::interrupt::Interrupt;
use crate::stage::process::{Child, MARK};
use crate::stage::{Stage, programs};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 16;
const START: Duration = Duration::from_secs(10);
/// So far from each other that no two jobs of a bench are the same.
pub const FIRST_ID: u64 = 7_000_000_000;

/// One round.
pub struct Round {
    pub anklet: Rate,
    pub bare: Rate,
}

/// What one server has answered in one round.
#[derive(Default)]
pub struct Rate {
    pub seconds: f64,
    /// Microseconds of each good answer, in order.
    pub micros: Vec<u64>,
    pub failed: u64,
}

/// Rounds of so long each, after connections are warm.
pub fn measured(
    stage: &Stage,
    rounds: u64,
    each: Duration,
    interrupt: &Interrupt,
) -> Result<Vec<Round>, String> {
    let dir = stage.folder.path().join("bare");
    let (_bare, bare) = start_bare(&dir, &stage.folder.anka())?;
    let anklet = stage.daemon.receiver();
    let next = AtomicU64::new(FIRST_ID);
    let mut all = Vec::new();
    for _ in 0..rounds {
        stopped(interrupt)?;
        let round = Round { anklet: sent(&anklet, each, &next)?, bare: sent(&bare, each, &next)? };
        all.push(round);
    }
    Ok(all)
}

impl Round {
    /// How many times as fast as the bare server the daemon was.
    pub fn ratio(&self) -> f64 {
        self.anklet.per_second() / self.bare.per_second()
    }
}

impl Rate {
    pub fn per_second(&self) -> f64 {
        self.micros.len() as f64 / self.seconds
    }

    /// The milliseconds within which so many percent were answered.
    pub fn answer_ms(&self, share: usize) -> Option<f64> {
        let last = self.micros.len().checked_sub(1)?;
        Some(self.micros[(self.micros.len() * share / 100).min(last)] as f64 / 1000.0)
    }

    fn with(mut self, other: Self) -> Self {
        self.micros.extend(other.micros);
        self.failed += other.failed;
        self
    }
}

/// The bare server, and where deliveries to it go.
pub fn start_bare(dir: &Path, mark: &Path) -> Result<(Child, String), String> {
    crate::files::make_folder(dir)?;
    let mut command = Command::new(programs()?.join("anklet-sim"));
    command.args(["bare", "--secret", SECRET, "--dir"]).arg(dir).env(MARK, mark);
    let mut child = Child::start(&mut command, &dir.join("output"))?;
    let end = Instant::now() + START;
    while child.ended().is_none() && Instant::now() < end {
        if let Some(port) = crate::files::read_json::<u16>(&dir.join("port")).ok().flatten() {
            return Ok((child, format!("http://127.0.0.1:{port}/jobs/v1/receiver")));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Err(format!("the bare server does not start; see {}", dir.join("output").display()))
}

/// Deliveries to `url`, as `anklet-sim flood` is told of them.
pub fn options(url: &str, more: &[&str]) -> Result<flood::Options, String> {
    let usual = ["--url", url, "--secret", SECRET, "--owner", OWNER, "--repo", REPO];
    let args = usual.iter().chain(more).map(|arg| (*arg).to_owned()).collect();
    flood::read(args).map_err(|e| e.to_string())
}

/// Sends for so long over all connections.
/// Each is opened and answered before the next: tiny_http starves some that come at once.
pub fn sent(url: &str, each: Duration, next: &AtomicU64) -> Result<Rate, String> {
    let options = options(url, &["--unique"])?;
    let load = Load { template: options.template(), options, next };
    let mut lines: Vec<Option<Line>> = (0..CONNECTIONS).map(|_| None).collect();
    for line in &mut lines {
        load.deliver(line).map_err(|e| format!("{url}: {e}"))?;
    }
    let begun = Instant::now();
    let end = begun + each;
    let rate = thread::scope(|scope| {
        let load = &load;
        let senders: Vec<_> =
            lines.into_iter().map(|line| scope.spawn(move || load.send_until(end, line))).collect();
        senders.into_iter().filter_map(|sender| sender.join().ok()).fold(Rate::default(), Rate::with)
    });
    let mut micros = rate.micros;
    micros.sort_unstable();
    Ok(Rate { seconds: begun.elapsed().as_secs_f64(), micros, failed: rate.failed })
}

struct Load<'l> {
    options: flood::Options,
    template: String,
    next: &'l AtomicU64,
}

impl Load<'_> {
    fn send_until(&self, end: Instant, mut line: Option<Line>) -> Rate {
        let mut rate = Rate::default();
        while Instant::now() < end {
            let asked = Instant::now();
            match self.deliver(&mut line) {
                Ok(202) => rate.micros.push(asked.elapsed().as_micros() as u64),
                _ => rate.failed += 1,
            }
        }
        rate
    }

    /// One delivery of a job of its own.
    fn deliver(&self, line: &mut Option<Line>) -> std::io::Result<u16> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let body = self.template.replace(&FIRST_ID.to_string(), &id.to_string());
        flood::deliver(&self.options, line, &body)
    }
}
