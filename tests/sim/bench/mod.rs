//! `anklet-sim bench`: what the daemon costs and how fast it is, measured from outside beside a bare server.
//!
//! `load` sends deliveries, `bare` is what they are compared with, `jobs` times whole jobs, `idle` looks at a daemon
//! that has nothing to do, `shared` does the same on Redis, `report` holds the figures against their goals.

pub mod bare;
mod idle;
mod jobs;
mod load;
mod report;
mod shared;

use crate::stage::config::Cast;
use crate::stage::folder::Folder;
use crate::stage::interrupt::Interrupt;
use crate::stage::{Plan, Stage, programs};
use lexopt::prelude::*;
use report::Report;
use std::path::{Path, PathBuf};
use std::time::Duration;

const HELP: &str = "\
anklet-sim bench [--clone DIR] [--folder DIR] [--seconds N]

Measures the `anklet` beside this program for about N (90) seconds in DIR, then for about two minutes more on Redis,
if `redis-server` is there, in folders beside DIR; prints a table and one line of JSON.
";
const SECONDS: u64 = 90;
/// Rounds of deliveries, each to the daemon and to the bare server: many short ones, since other work comes and goes.
const ROUNDS: u64 = 9;
/// Jobs that are timed, when there is time for them.
const JOBS: u64 = 40;
/// What one job of the bench takes on a slow machine.
const A_JOB: f64 = 0.8;
const IDLE: u64 = 20;

struct Options {
    clone: PathBuf,
    folder: PathBuf,
    seconds: u64,
}

/// How the time is spent.
struct Times {
    idle: Duration,
    jobs: usize,
    round: Duration,
}

pub fn main(args: Vec<String>) -> Result<(), String> {
    let Some(options) = read(args).map_err(|e| e.to_string())? else {
        print!("{HELP}");
        return Ok(());
    };
    let interrupt = Interrupt::listen()?;
    let times = Times::within(options.seconds);
    let binary = std::fs::metadata(programs()?.join("anklet")).map_err(|e| e.to_string())?.len();
    let stage = set_up(&options, Cast::USUAL)?;
    say(&format!("a daemon with two handlers has nothing to do for {} s", times.idle.as_secs()));
    let idle = idle::measured(stage.daemon.pid(), times.idle, &interrupt)?;
    say(&format!("{} jobs, one after another", times.jobs));
    let jobs = jobs::measured(&stage, times.jobs, &interrupt)?;
    drop(stage);
    say(&format!(
        "deliveries to a daemon and to a bare server: {ROUNDS} rounds of {:.1} s each",
        times.round.as_secs_f64()
    ));
    let stage = set_up(&options, Cast { handlers: 0, ..Cast::USUAL })?;
    let rounds = load::measured(&stage, ROUNDS, times.round, &interrupt)?;
    let loaded_memory = idle::memory(stage.daemon.pid());
    drop(stage);
    let shared = shared::measured(&options, times.round, &interrupt)?;
    Report { binary, idle, jobs, rounds, loaded_memory, shared }.print();
    Ok(())
}

impl Times {
    /// A fifth for idling, half for the jobs at most, the rest for deliveries.
    fn within(seconds: u64) -> Self {
        let all = seconds.max(5);
        let idle = IDLE.min(all / 4).max(1);
        let jobs = JOBS.min((all as f64 * 0.5 / A_JOB) as u64).max(2);
        let left = all as f64 - idle as f64 - jobs as f64 * A_JOB;
        let round = (left / (2.0 * ROUNDS as f64)).clamp(0.3, 5.0);
        Self { idle: Duration::from_secs(idle), jobs: jobs as usize, round: Duration::from_secs_f64(round) }
    }
}

fn set_up(options: &Options, cast: Cast) -> Result<Stage, String> {
    let folder = Folder::take(&options.folder)?;
    Stage::set_up(Plan { folder, clone: &options.clone, anka: &[], cast })
}

/// Another folder beside this one.
fn beside(folder: &Path, name: &str) -> PathBuf {
    let mut path = folder.as_os_str().to_owned();
    path.push(format!("-{name}"));
    PathBuf::from(path)
}

/// Where we are; the figures alone go to standard output.
fn say(what: &str) {
    eprintln!("bench: {what}");
}

fn stopped(interrupt: &Interrupt) -> Result<(), String> {
    if interrupt.presses() > 0 { Err("you stopped it".into()) } else { Ok(()) }
}

fn read(args: Vec<String>) -> Result<Option<Options>, lexopt::Error> {
    let mut options =
        Options { clone: PathBuf::from("."), folder: Path::new("target").join("bench"), seconds: SECONDS };
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("clone") => options.clone = PathBuf::from(parser.value()?),
            Long("folder") => options.folder = PathBuf::from(parser.value()?),
            Long("seconds") => options.seconds = parser.value()?.parse()?,
            Short('h') | Long("help") => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}
