//! Hosts that share one queue in one Redis: one GitHub, an Anka and a home folder for each host, one receiver.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anklet::domain::ids::JobId;
use anklet::store::Store;
use serde_json::Value;

use super::redis::{Server, store};
use super::{Daemon, World, eventually, web};

/// The queue's name.
pub const QUEUE: &str = "fleet";

const SOON: Duration = Duration::from_secs(25);

/// Hosts and their Redis.
pub struct Fleet {
    pub redis: Server,
    /// The first one's GitHub and receiver are everybody's.
    pub hosts: Vec<World>,
    /// `lease_seconds`.
    pub lease: u32,
    /// More lines at the top of each configuration.
    pub top: String,
}

impl Fleet {
    /// With a Redis that loses nothing when it dies.
    pub fn new(hosts: usize) -> Fleet {
        Fleet::on(Server::start(&["--appendonly", "yes", "--appendfsync", "always"]), hosts)
    }

    /// On this Redis.
    pub fn on(redis: Server, hosts: usize) -> Fleet {
        let mut all = vec![World::new()];
        for _ in 1..hosts {
            all.push(all[0].another_host(&[]));
        }
        Fleet { redis, hosts: all, lease: 3, top: String::new() }
    }

    /// What a host's daemon reads: the first one has the receiver.
    pub fn configuration(&self, host: usize, handlers: usize) -> String {
        match host {
            0 => self.hosts[0].configuration(handlers, &self.top()),
            _ => self.configuration_of(&self.hosts[host], handlers),
        }
    }

    fn top(&self) -> String {
        format!(
            "global_database_url: 127.0.0.1\nglobal_database_port: {}\nglobal_database_retry_delay: 100\n\
             lease_seconds: {}\nglobal_queue_name: {QUEUE}\n{}",
            self.redis.port, self.lease, self.top
        )
    }

    /// What the daemon of a host without a receiver reads.
    pub fn configuration_of(&self, host: &World, handlers: usize) -> String {
        let text = host.configuration(handlers, &self.top());
        let (receiver, handler) =
            (text.find("- name: RECEIVER").unwrap(), text.find("- name: RUNNER1").unwrap());
        format!("{}{}", &text[..receiver], &text[handler..])
    }

    /// Starts a host's daemon; the first one serves when this returns.
    pub fn start(&self, host: usize, handlers: usize) -> Daemon {
        let daemon = Daemon::start(&self.hosts[host], &self.configuration(host, handlers), &[], &[]);
        if host == 0 {
            self.hosts[0].wait_until_it_serves();
        }
        daemon
    }

    /// Orders jobs and waits until each is in the queue, or past it.
    #[track_caller]
    pub fn order(&self, jobs: Value) -> Vec<u64> {
        let ids = self.hosts[0].order(jobs);
        let queue = self.queue();
        eventually("all are stored", SOON, || {
            ids.iter().all(|id| queue.entry(JobId(*id)).is_ok_and(|entry| entry.is_some()))
        });
        ids
    }

    /// The queue, as another host would see it.
    pub fn queue(&self) -> Arc<dyn Store> {
        store(self.redis.options()).queue(QUEUE)
    }

    /// Waits until GitHub calls each of them a success.
    #[track_caller]
    pub fn all_succeed(&self, jobs: &[u64], limit: Duration) {
        let end = Instant::now() + limit;
        for job in jobs {
            let url = format!("{}/_sim/jobs/{job}", self.hosts[0].github);
            eventually(&format!("job {job} is over"), end.saturating_duration_since(Instant::now()), || {
                web::get_json(&url)["status"] == "completed"
            });
            assert_eq!(web::get_json(&url)["ended_as"], "success", "job {job}\n{}", self.logs());
        }
    }

    /// Waits until no job is open, no runner, VM or page is left.
    #[track_caller]
    pub fn nothing_is_left(&self, limit: Duration) {
        let queue = self.queue();
        eventually("the queue is empty", limit, || queue.list().is_ok_and(|list| list.is_empty()));
        eventually("no runner is left", limit, || self.hosts[0].runners().is_empty());
        for host in &self.hosts {
            eventually("no VM is left", limit, || host.vms().is_empty() && host.pages().is_empty());
        }
    }

    /// How many VMs a host has made so far.
    pub fn clones(&self, host: usize) -> usize {
        self.hosts[host].anka_calls().iter().filter(|args| args.iter().any(|arg| arg == "clone")).count()
    }

    /// All that the daemons have logged, host by host.
    pub fn logs(&self) -> String {
        let said: Vec<String> = self.hosts.iter().map(World::log_text).collect();
        said.join("\n\n")
    }
}
