//! Daemons and Redis are killed, frozen and stopped at random moments: every job is done once, and nothing is left.
//!
//! The short siege is part of the suite. `scripts/chaos` runs longer ones: `ANKLET_CHAOS` holds their size,
//! `HOSTS JOBS SECONDS BLOWS`.
#![expect(clippy::disallowed_methods, reason = "a test has no configuration")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;

use super::plan::{self, Act, At, Size};
use super::verdict;
use crate::life::dice::{Dice, seed};
use crate::support::redis::Server;
use crate::support::{Daemon, Fleet, pause};

/// In the suite. Two hosts of two places are busy all the time.
const SHORT: Size = Size { hosts: 2, jobs: 40, seconds: 15, blows: 6, lease: 5 };
/// Starts the runner and returns at once.
const QUICK_START: &str =
    "cd actions-runner && { setsid bash ./run.sh </dev/null >>anklet-runner.log 2>&1 & }\n";
/// Handlers of each daemon: as many as a host has places for VMs.
const HANDLERS: usize = 2;

fn size() -> Size {
    let Ok(text) = std::env::var("ANKLET_CHAOS") else { return SHORT };
    let words: Vec<u64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let [hosts, jobs, seconds, blows] = words[..] else { panic!("ANKLET_CHAOS: HOSTS JOBS SECONDS BLOWS") };
    Size { hosts, jobs, seconds, blows, ..SHORT }
}

/// What is to be undone, and when.
#[derive(Clone, Copy, Debug)]
enum Undo {
    StartRedis,
    ThawRedis,
    Start(usize),
    Thaw(usize),
    StartOnceEnded(usize),
}

struct Siege {
    fleet: Fleet,
    daemons: Vec<Daemon>,
    /// Whoever is down or frozen is left alone until this is undone.
    redis: Option<(At, Undo)>,
    hosts: BTreeMap<usize, (At, Undo)>,
    begun: Instant,
    jobs: Vec<u64>,
}

impl Siege {
    fn new(size: Size, newest: bool) -> Siege {
        let redis = Server::start(&["--appendonly", "yes"]);
        let mut fleet = Fleet::on(redis, size.hosts as usize);
        fleet.lease = size.lease as u32;
        for host in &fleet.hosts {
            let folder = host.dir.join(".config/anklet/plugins/handlers/github");
            std::fs::write(folder.join("start-runner.bash"), QUICK_START).unwrap();
        }
        if newest {
            fleet.hosts[0].control("settings", &json!({ "pick": "newest" }));
        }
        let daemons = (0..fleet.hosts.len()).map(|host| fleet.start(host, HANDLERS)).collect();
        let (redis, hosts) = (None, BTreeMap::new());
        Siege { fleet, daemons, redis, hosts, begun: Instant::now(), jobs: Vec::new() }
    }

    fn now(&self) -> At {
        self.begun.elapsed().as_millis() as At
    }

    fn say(&self, what: impl std::fmt::Display) {
        println!("{:>7.3} s  {what}", self.begun.elapsed().as_secs_f64());
    }

    fn act(&mut self, act: &Act) {
        let now = self.now();
        match act {
            Act::Order(job) => {
                let jobs = self.fleet.hosts[0].order(job.clone());
                self.jobs.extend(jobs);
                return;
            }
            Act::KillRedis(_) | Act::FreezeRedis(_) if self.redis.is_some() => return,
            Act::Kill(host, _) | Act::Freeze(host, _) | Act::Stop(host, ..)
                if self.hosts.contains_key(host) =>
            {
                return;
            }
            _ => self.say(act),
        }
        match *act {
            Act::KillRedis(ms) => {
                self.fleet.redis.kill();
                self.redis = Some((now + ms, Undo::StartRedis));
            }
            Act::FreezeRedis(ms) => {
                self.fleet.redis.signal(Signal::SIGSTOP);
                self.redis = Some((now + ms, Undo::ThawRedis));
            }
            Act::Kill(host, ms) => {
                self.daemons[host].kill();
                self.hosts.insert(host, (now + ms, Undo::Start(host)));
            }
            Act::Freeze(host, ms) => {
                self.daemons[host].signal(Signal::SIGSTOP);
                self.hosts.insert(host, (now + ms, Undo::Thaw(host)));
            }
            Act::Stop(host, signals, ms) => {
                for _ in 0..signals {
                    self.daemons[host].signal(Signal::SIGTERM);
                    pause(30);
                }
                self.hosts.insert(host, (now + ms, Undo::StartOnceEnded(host)));
            }
            Act::Order(_) => {}
        }
    }

    /// Ends what is due.
    fn undo(&mut self) {
        let now = self.now();
        let due: Vec<Undo> = self
            .redis
            .iter()
            .chain(self.hosts.values())
            .filter(|(at, _)| *at <= now)
            .map(|(_, u)| *u)
            .collect();
        for undo in due {
            match undo {
                Undo::StartRedis => self.fleet.redis.restart(),
                Undo::ThawRedis => self.fleet.redis.signal(Signal::SIGCONT),
                Undo::Thaw(host) => self.daemons[host].signal(Signal::SIGCONT),
                Undo::StartOnceEnded(host) if self.daemons[host].is_running() => continue,
                Undo::Start(host) | Undo::StartOnceEnded(host) => {
                    let text = self.fleet.configuration(host, HANDLERS);
                    self.daemons[host] = Daemon::start(&self.fleet.hosts[host], &text, &[], &[]);
                }
            }
            self.say(format!("{undo:?}"));
            match undo {
                Undo::StartRedis | Undo::ThawRedis => self.redis = None,
                Undo::Start(host) | Undo::StartOnceEnded(host) | Undo::Thaw(host) => {
                    self.hosts.remove(&host);
                }
            }
        }
    }

    /// Plays the whole plan, and lets everybody get up again.
    fn play(&mut self, plan: &[(At, Act)]) {
        let mut looked = Instant::now();
        let mut next = plan.iter().peekable();
        while next.peek().is_some() || self.redis.is_some() || !self.hosts.is_empty() {
            if let Some((_, act)) = next.next_if(|(at, _)| *at <= self.now()) {
                self.act(act);
            }
            self.undo();
            if looked.elapsed() > Duration::from_secs(1) {
                looked = Instant::now();
                self.fleet.hosts[0].bring_back_lost();
            }
            pause(5);
        }
    }
}

#[test]
fn at_random_moments_all_are_killed_and_frozen_and_every_job_is_done_once() {
    let (seed, size) = (seed(), size());
    let plan = plan::of(seed, size);
    println!("{size:?}");
    let mut siege = Siege::new(size, Dice::new(seed).one_in(2));
    siege.play(&plan);
    siege.say("all are up again");
    // Less than the five minutes after which a runner that does not come is given up: nothing may need them.
    let limit = Duration::from_secs(120 + size.jobs / 2);
    verdict::all_is_done(&siege.fleet, &siege.jobs, limit);
    siege.say("all is done");
    let blows = plan.iter().filter(|(_, act)| !matches!(act, Act::Order(_))).count();
    verdict::each_was_done_once(&siege.fleet, &siege.jobs, blows);
    for daemon in &mut siege.daemons {
        assert_eq!(daemon.stop(), 0);
    }
    verdict::nothing_is_left(&mut siege.fleet);
}
