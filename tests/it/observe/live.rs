//! A real Prometheus, with the configuration and the rules that are shipped, scrapes real daemons and their
//! aggregator: both are up all the time, and each alert fires when its fault is made.
//!
//! Only times are made shorter: the intervals to a second, each `for:` to nothing, half an hour of waiting to 3 s.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{LATER, read};
use crate::aggregator::aggregator;
use crate::metrics::check_with_promtool;
use crate::support::redis::Server;
use crate::support::wire::{ask, post};
use crate::support::world::free_port;
use crate::support::{Daemon, World, eventually, web};

const SOON: Duration = Duration::from_secs(30);

/// A Prometheus in a folder of its own; gone when it is dropped.
struct Prometheus {
    process: Child,
    dir: PathBuf,
    port: u16,
    /// The alerts that have fired so far.
    fired: BTreeSet<String>,
}

impl Prometheus {
    /// Scrapes these daemons and this aggregator.
    fn start(daemons: &[u16], aggregator: u16) -> Prometheus {
        let port = free_port();
        let dir = std::env::temp_dir().join(format!("anklet-prometheus-{}-{port}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let targets: Vec<String> = daemons.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let config = read("config/prometheus.yml")
            .replace("15s", "1s")
            .replace("127.0.0.1:8080", &targets.join("\n          - "))
            .replace("127.0.0.1:8081", &format!("127.0.0.1:{aggregator}"));
        let lines = read("config/prometheus-rules.yml").replace("> 1800", "> 3");
        let rules = lines.lines().filter(|line| !line.trim_start().starts_with("for: "));
        fs::write(dir.join("prometheus.yml"), config).unwrap();
        fs::write(dir.join("prometheus-rules.yml"), rules.collect::<Vec<_>>().join("\n")).unwrap();
        let process = Command::new("prometheus")
            .arg("--config.file=prometheus.yml")
            .arg("--storage.tsdb.path=data")
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .current_dir(&dir)
            .stdout(Stdio::null())
            .stderr(fs::File::create(dir.join("log")).unwrap())
            .spawn()
            .expect("prometheus (Debian's package prometheus); scripts/test installs it");
        let server = Prometheus { process, dir, port, fired: BTreeSet::new() };
        eventually("Prometheus is ready", SOON, || ask(port, "GET", "/-/ready", &[]).status == 200);
        server
    }

    /// The values of an expression, by instance.
    fn values(&self, expression: &str) -> Vec<(String, String)> {
        let expression = expression.replace('{', "%7B").replace('}', "%7D").replace('"', "%22");
        let told = web::get_json(&format!("http://127.0.0.1:{}/api/v1/query?query={expression}", self.port));
        let of = |sample: &Value| {
            let instance = sample["metric"]["instance"].as_str()?.to_owned();
            Some((instance, sample["value"][1].as_str()?.to_owned()))
        };
        told["data"]["result"].as_array().into_iter().flatten().filter_map(of).collect()
    }

    /// Notes what fires now, and says whether this alert has fired by now.
    fn has_fired(&mut self, alert: &str) -> bool {
        let told = web::get_json(&format!("http://127.0.0.1:{}/api/v1/alerts", self.port));
        let firing = told["data"]["alerts"].as_array().into_iter().flatten();
        let firing = firing.filter(|alert| alert["state"] == "firing");
        self.fired.extend(firing.filter_map(|alert| Some(alert["labels"]["alertname"].as_str()?.to_owned())));
        self.fired.contains(alert)
    }

    #[track_caller]
    fn fires(&mut self, alert: &str) {
        eventually(alert, SOON, || self.has_fired(alert));
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// The alerts whose series there are.
fn alerts() -> BTreeSet<String> {
    let rules = read("config/prometheus-rules.yml");
    let blocks = rules.split("- alert: ").skip(1);
    let there = blocks.filter(|block| !LATER.iter().any(|series| block.contains(series)));
    there.map(|block| block.lines().next().unwrap().to_owned()).collect()
}

fn on_redis(world: &World, redis: &Server) -> Daemon {
    world.start_with(&world.configuration(
        2,
        &format!(
            "global_job_retry_attempts: 1\nglobal_queue_name: shared\nglobal_database_url: 127.0.0.1\n\
             global_database_port: {}",
            redis.port
        ),
    ))
}

#[test]
fn a_real_prometheus_scrapes_and_each_alert_fires_when_its_fault_is_made() {
    let (redis, world, poor, here) = (Server::start(&[]), World::new(), World::new(), World::new());
    let _daemon = on_redis(&world, &redis);
    let mut other = poor.start(1);
    let ports = [world.metrics_port, poor.metrics_port];
    let urls = ports.map(|port| format!("http://127.0.0.1:{port}/metrics"));
    let (_aggregator, gathered) = aggregator(&here, &urls, &[]);
    let mut prometheus = Prometheus::start(&ports, gathered);
    eventually("all three are up", SOON, || {
        let up = prometheus.values("up");
        up.len() == 3 && up.iter().all(|(_, value)| value == "1")
    });
    let hosts = ports.map(|port| format!("127.0.0.1:{port}"));
    eventually("what the aggregator says of a host is that host's", SOON, || {
        let said = prometheus.values("anklet_host_up");
        said.len() == 2 && said.iter().all(|(instance, _)| hosts.contains(instance))
    });
    assert_accepted_while_a_job_runs(&world, gathered);
    assert!(!prometheus.has_fired("") && prometheus.fired.is_empty(), "{:?}", prometheus.fired);

    make_jobs_fail(&world, &mut prometheus);
    make_jobs_wait(&world, &mut prometheus);
    for _ in 0..6 {
        assert_eq!(post(world.port, "/jobs/v1/receiver", &[], b"{}").status, 401);
    }
    prometheus.fires("AnkletSignatureFailures");
    make_hosts_fail(&poor, &mut other, &mut prometheus);
    redis.signal(Signal::SIGSTOP);
    prometheus.fires("AnkletStoreAway");
    redis.signal(Signal::SIGCONT);

    assert_eq!(prometheus.fired, alerts());
    let up = prometheus.values("min_over_time(up[10m])");
    let steady = [ports[0], gathered].map(|port| (format!("127.0.0.1:{port}"), "1".to_owned()));
    assert!(steady.iter().all(|wanted| up.contains(wanted)), "{up:?}");
}

/// promtool is silent on the daemon's page; on the aggregator's it says that the order's label is camelCase.
fn assert_accepted_while_a_job_runs(world: &World, gathered: u16) {
    let job = world.order(json!({ "duration_ms": 60_000 }))[0];
    world.until(job, "in_progress", SOON);
    let page = |port| ask(port, "GET", "/metrics?format=prometheus", &[]).body;
    let running = "status=\"in_progress\"";
    let is_shown =
        |page: &str| page.lines().any(|line| line.contains(running) && line.trim_end().ends_with(" 1"));
    eventually("it shows", SOON, || is_shown(&page(world.metrics_port)) && is_shown(&page(gathered)));
    assert_eq!(check_with_promtool(&page(world.metrics_port)), "");
    let said = check_with_promtool(&page(gathered));
    assert!(said.lines().all(|line| line.ends_with("written in 'snake_case' not 'camelCase'")), "{said}");
    world.control(&format!("runs/{}/cancel", world.state()["jobs"][0]["run_id"]), &json!({}));
    world.until(job, "completed", SOON);
}

/// Runs that fail, and then tries that fail. What is given up is cancelled, and GitHub says how little is left.
fn make_jobs_fail(world: &World, prometheus: &mut Prometheus) {
    world.order(json!({ "count": 6, "conclusion": "failure", "duration_ms": 50 }));
    prometheus.fires("AnkletJobsFail");
    world.control("settings", &json!({ "rate_limit": 1 }));
    world.fault(&json!({ "call": "clone", "do": "fail", "times": 0 }));
    world.order(json!({ "count": 5 }));
    prometheus.fires("AnkletAttemptsFail");
    prometheus.fires("AnkletQuotaLow");
}

fn make_jobs_wait(world: &World, prometheus: &mut Prometheus) {
    let drain = world.dir.join(".config/anklet/.drain");
    fs::write(&drain, "").unwrap();
    eventually("no job is taken", SOON, || world.metrics()["plugins"][1]["status"] == "draining");
    world.order(json!({}));
    prometheus.fires("AnkletJobsWait");
}

/// A handler that cannot work, and then a host that is gone.
fn make_hosts_fail(host: &World, daemon: &mut Daemon, prometheus: &mut Prometheus) {
    daemon.stop();
    fs::remove_dir_all(host.dir.join(".config/anklet/plugins")).unwrap();
    *daemon = host.start(1);
    prometheus.fires("AnkletPluginStopped");
    daemon.kill();
    prometheus.fires("AnkletDown");
    prometheus.fires("AnkletHostGone");
}
