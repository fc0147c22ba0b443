//! How soon a waiting fleet takes jobs, and what that costs Redis.
//!
//! The jobs' labels name an empty template: whoever claims one asks GitHub to cancel its run and waits again, so that
//! a machine without Macs can play hundreds of handlers. The way from the delivery to the claim is that of any job.

use super::super::load::{self, FIRST_ID};
use super::super::{Options, say, set_up, stopped};
use super::fleet::{self, HANDLERS, HOSTS, Host};
use super::server::Server;
use crate::flood;
use crate::stage::config::Cast;
use crate::stage::interrupt::Interrupt;
use crate::stage::tail::Tail;
use crate::stage::when;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// The database of the fleet's queue.
const DATABASE: u8 = 2;
const EVERY: Duration = Duration::from_millis(20);
const JOBS: u64 = 1000;
/// Other ids than those of `depth`.
const FIRST: u64 = FIRST_ID + 900_000_000;
/// What handlers do when they begin is over.
const SETTLED: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_millis(200);

/// What was found.
pub struct Claims {
    /// From the delivery's answer to the claim, in order.
    pub waits_ms: Vec<f64>,
    /// Jobs that nobody claimed in time.
    pub unclaimed: usize,
    /// Jobs that were claimed more than once.
    pub doubled: usize,
    /// The share of one processor that Redis used meanwhile.
    pub cores: f64,
    /// Its commands for each job, those of the waiting and those inside scripts too.
    pub commands_a_job: f64,
    /// The share that it uses while nothing happens.
    pub idle_cores: f64,
}

pub fn measured(options: &Options, server: &Server, interrupt: &Interrupt) -> Result<Claims, String> {
    say(&format!("{} handlers on {HOSTS} hosts begin to wait on Redis", HOSTS * HANDLERS));
    let redis = server.database(DATABASE);
    let stage = set_up(options, Cast { receiver: true, handlers: 0, redis: Some(redis) })?;
    // Its GitHub has none of these runs, and a 404 to a cancel is not believed at once.
    let cancels = json!({ "method": "POST", "path": "/cancel", "status": 202, "body": "{}", "times": 0 });
    stage.github.post("rules", &cancels)?;
    let hosts = fleet::start(options, &stage.github.url, redis, interrupt)?;
    thread::sleep(SETTLED);
    let idle = Meter::start(server)?;
    pause(SETTLED, interrupt)?;
    let (idle_cores, _) = idle.read(server)?;
    say(&format!("{JOBS} jobs, one every {} ms", EVERY.as_millis()));
    let meter = Meter::start(server)?;
    let answered = deliver(&stage.daemon.receiver(), interrupt)?;
    let (cores, commands) = meter.read(server)?;
    let claimed = claimed(&hosts, answered.len(), interrupt)?;
    let wait = |(job, answered): (&u64, &OffsetDateTime)| {
        Some(((*claimed.get(job)?.first()? - *answered).as_seconds_f64() * 1000.0).max(0.0))
    };
    let mut waits_ms: Vec<f64> = answered.iter().filter_map(wait).collect();
    waits_ms.sort_by(f64::total_cmp);
    Ok(Claims {
        unclaimed: answered.len() - waits_ms.len(),
        doubled: claimed.values().filter(|claims| claims.len() > 1).count(),
        waits_ms,
        cores,
        commands_a_job: commands as f64 / answered.len() as f64,
        idle_cores,
    })
}

/// What Redis uses from one moment to another.
struct Meter {
    begun: Instant,
    seconds: f64,
    commands: u64,
}

impl Meter {
    fn start(server: &Server) -> Result<Self, String> {
        Ok(Self { begun: Instant::now(), seconds: server.processor_seconds()?, commands: server.commands()? })
    }

    /// The share of a processor, and the commands.
    fn read(&self, server: &Server) -> Result<(f64, u64), String> {
        let used = server.processor_seconds()? - self.seconds;
        Ok((used / self.begun.elapsed().as_secs_f64(), server.commands()? - self.commands))
    }
}

/// At the moments of the plan, whatever a delivery takes. When each job's delivery was answered.
fn deliver(url: &str, interrupt: &Interrupt) -> Result<HashMap<u64, OffsetDateTime>, String> {
    let options = load::options(url, &["--label", "self-hosted", "--label", "anka-template:"])?;
    let template = options.template();
    let (mut answered, mut line) = (HashMap::new(), None);
    let mut at = Instant::now();
    for job in FIRST..FIRST + JOBS {
        stopped(interrupt)?;
        thread::sleep(at.saturating_duration_since(Instant::now()));
        at += EVERY;
        let body = template.replace(&FIRST_ID.to_string(), &job.to_string());
        match flood::deliver(&options, &mut line, &body) {
            Ok(202) => answered.insert(job, when::now()),
            other => return Err(format!("{url} answers {other:?}")),
        };
    }
    Ok(answered)
}

/// When each job was claimed, as the hosts' logs say.
fn claimed(
    hosts: &[Host],
    wanted: usize,
    interrupt: &Interrupt,
) -> Result<HashMap<u64, Vec<OffsetDateTime>>, String> {
    let mut logs: Vec<Tail> = hosts.iter().map(|host| Tail::of(host.folder.log())).collect();
    let mut claims: HashMap<u64, Vec<OffsetDateTime>> = HashMap::new();
    let end = Instant::now() + PATIENCE;
    while claims.len() < wanted && Instant::now() < end {
        pause(LOOK, interrupt)?;
        for (job, at) in logs.iter_mut().flat_map(Tail::lines).filter_map(|line| claim(&line)) {
            claims.entry(job).or_default().push(at);
        }
    }
    Ok(claims)
}

/// The job and the moment of a line that tells of a claim.
fn claim(line: &str) -> Option<(u64, OffsetDateTime)> {
    let line: Value = serde_json::from_str(line).ok()?;
    let is_claim = line["msg"] == "handling the job";
    is_claim.then(|| Some((line["workflowJobId"].as_u64()?, when::read(line["time"].as_str()?)?)))?
}

fn pause(time: Duration, interrupt: &Interrupt) -> Result<(), String> {
    let end = Instant::now() + time;
    while Instant::now() < end {
        stopped(interrupt)?;
        thread::sleep(LOOK.min(end.saturating_duration_since(Instant::now())));
    }
    Ok(())
}
