//! An aggregator over real daemons and over hosts that misbehave.
#![expect(clippy::disallowed_methods, reason = "a host of a test needs threads")]

mod flat; // two hundred hosts, against the clock

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::github::tls::{self, certificates};
use crate::metrics::check_with_promtool;
use crate::support::daemon::Daemon;
use crate::support::redis::Server;
use crate::support::wire::ask;
use crate::support::world::free_port;
use crate::support::{World, eventually, pause};

const SOON: Duration = Duration::from_secs(15);
const PAGE: &str = r#"{"total_running_vms":2,"host_cpu_count":8,"plugins":[]}"#;
/// Of the Go program, as the order shows one.
const OLD: &str = r#"{
  "total_running_vms": 1, "total_successful_runs_since_start": 2, "total_failed_runs_since_start": 0,
  "host_cpu_count": 12, "host_cpu_used_count": 1, "host_cpu_usage_percentage": 11.765251850227692,
  "host_memory_total_bytes": 38654705664, "host_memory_used_bytes": 27379499008,
  "host_memory_available_bytes": 11275206656, "host_memory_usage_percentage": 70.83095974392361,
  "host_disk_total_bytes": 994662584320, "host_disk_used_bytes": 540768464896,
  "host_disk_available_bytes": 453894119424, "host_disk_usage_percentage": 54.367025906146424,
  "plugins": [{
    "name": "RUNNER1", "plugin_name": "github", "repo_name": "app", "owner_name": "acme", "status": "idle",
    "last_successful_run_job_url": "", "last_failed_run_job_url": "",
    "last_successful_run": "0001-01-01T00:00:00Z", "last_failed_run": "0001-01-01T00:00:00Z",
    "status_since": "2024-06-11T13:57:43.332009-05:00"
  }]
}"#;

/// A host that gives every client this answer, as long as it lives.
struct Host {
    port: u16,
    ends: Arc<AtomicBool>,
}

impl Host {
    fn new(answer: impl Fn(&mut TcpStream, &str) + Send + Sync + 'static) -> Host {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, ends) = (listener.local_addr().unwrap().port(), Arc::new(AtomicBool::new(false)));
        let (over, answer) = (Arc::clone(&ends), Arc::new(answer));
        std::thread::spawn(move || {
            for guest in listener.incoming().flatten() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let answer = Arc::clone(&answer);
                std::thread::spawn(move || {
                    let mut guest = guest;
                    let mut head = [0; 2048];
                    let read = guest.read(&mut head).unwrap_or(0);
                    answer(&mut guest, &String::from_utf8_lossy(&head[..read]));
                });
            }
        });
        Host { port, ends }
    }

    fn saying(body: impl Into<String>) -> Host {
        let body = body.into();
        Host::new(move |guest, _| {
            let head =
                format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = guest.write_all(head.as_bytes()).and_then(|()| guest.write_all(body.as_bytes()));
        })
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/metrics", self.port)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// An aggregator that is configured by the environment alone.
pub fn aggregator(world: &World, urls: &[String], more: &[(&str, &str)]) -> (Daemon, u16) {
    let port = free_port();
    let (urls, text) = (urls.join(","), port.to_string());
    let mut env = vec![
        ("ANKLET_METRICS_AGGREGATOR", "true"),
        ("ANKLET_METRICS_URLS", urls.as_str()),
        ("ANKLET_METRICS_SLEEP_INTERVAL", "1"),
        ("ANKLET_METRICS_PORT", text.as_str()),
        ("ANKLET_METRICS_BIND", "127.0.0.1"),
        ("ANKLET_STATE_DIR", "aggregator-state"),
    ];
    env.extend(more);
    let daemon = Daemon::start(world, "", &[], &env);
    eventually("it serves", SOON, || TcpStream::connect(("127.0.0.1", port)).is_ok());
    (daemon, port)
}

fn page(port: u16) -> Value {
    serde_json::from_str(&ask(port, "GET", "/metrics?format=json", &[]).body).unwrap()
}

fn exposition(port: u16) -> String {
    ask(port, "GET", "/metrics?format=prometheus", &[]).body
}

#[test]
fn real_hosts_are_shown_each_by_its_url() {
    let (worlds, here) = ([World::new(), World::new()], World::new());
    let mut daemons: Vec<Daemon> = worlds.iter().map(|world| world.start(1)).collect();
    let urls: Vec<String> =
        worlds.iter().map(|world| format!("http://127.0.0.1:{}/metrics", world.metrics_port)).collect();
    let with_password = urls[0].replace("http://", "http://bob:canary@");
    let written = [urls[0].clone(), format!("{}?format=prometheus", urls[1]), urls[0].clone(), with_password];
    let (mut daemon, port) = aggregator(&here, &written, &[]);
    eventually("both are up", SOON, || page(port)[&written[1]]["up"] == json!(true));
    let both = page(port);
    assert_eq!(both.as_object().unwrap().len(), 2, "twice is once");
    let host = &both[&urls[0]];
    assert_eq!(host["plugins"][1]["name"], "RUNNER1");
    assert!(host["age_seconds"].as_f64().unwrap() < 5.0 && host["error"].is_null(), "{host:#}");
    let text = exposition(port);
    let labels = format!(
        r#"plugin_name="RUNNER1",plugin="github",owner="acme",repo="app",status="idle",metricsUrl="{}""#,
        urls[0]
    );
    assert!(text.contains(&format!("plugin_status{{{labels}}} 1\n")), "{text}");
    for own in
        ["anklet_build_info{", "anklet_store_errors_total{store=\"embedded\"} 0\n", "anklet_fleet_hosts 2\n"]
    {
        assert!(text.contains(own), "{own}: {text}");
    }
    let said = check_with_promtool(&text);
    assert!(said.lines().all(|line| line.ends_with("written in 'snake_case' not 'camelCase'")), "{said}");
    let plain = ask(port, "GET", "/metrics?format=plain", &[]).body;
    let since = plain.lines().find(|line| line.starts_with("plugin_status_since")).unwrap();
    assert!(!since.split_once("} ").unwrap().1.contains('.'), "{since}");
    assert!(plain.contains(&format!("total_running_vms{{metricsUrl={}}} 0\n", urls[0])), "{plain}");
    assert_eq!(ask(port, "GET", "/readyz", &[]).status, 200);

    daemons[0].kill();
    eventually("it is seen to be down", SOON, || page(port)[&urls[0]]["up"] == json!(false));
    assert_eq!(page(port)[&urls[0]]["plugins"][1]["name"], "RUNNER1", "its last page stays");
    let text = exposition(port);
    let of_it: Vec<&str> = text.lines().filter(|line| line.contains(&urls[0])).collect();
    assert!(
        of_it.len() == 2 && of_it[0].starts_with("anklet_host_up") && of_it[0].ends_with(" 0"),
        "{of_it:#?}"
    );
    assert!(here.log_text().contains("is asked again"));
    assert!(here.has_said("WARN", "stands twice and counts once") && !here.log_text().contains("canary"));
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn a_host_that_misbehaves_harms_no_other() {
    let world = World::new();
    let good = Host::saying(PAGE);
    let bad = [
        Host::saying("<html>no</html>"),
        Host::saying("{}"),
        Host::saying(r#"{"total_running_vms":"two","host_cpu_count":8}"#),
        Host::saying(r#"{"total_running_vms":2,"plugins":"x"}"#),
        Host::saying(format!("{{\"total_running_vms\":1,\"x\":\"{}\"}}", "x".repeat(5 << 20))),
        Host::new(|guest, _| drop(guest.write_all(b"HTTP/1.1 503 Gone\r\nContent-Length: 0\r\n\r\n"))),
        Host::new(|guest, _| drop(guest.write_all(b"SSH-2.0-OpenSSH_9.6\r\n"))),
        Host::new(|guest, _| {
            let _ = guest.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{");
            pause(20_000);
        }),
        Host::new(|_, _| pause(20_000)),
        Host::new(|guest, _| drop(guest.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{\xe9}"))),
        Host::new(|guest, _| {
            drop(guest.write_all(
                b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            ));
        }),
    ];
    let urls: Vec<String> = bad.iter().chain([&good]).map(Host::url).collect();
    let begun = Instant::now();
    let (mut daemon, port) = aggregator(&world, &urls, &[]);
    eventually("the good one is up", Duration::from_secs(5), || page(port)[&good.url()]["up"] == json!(true));
    eventually("all have been asked", SOON, || {
        page(port)
            .as_object()
            .unwrap()
            .values()
            .all(|host| !host["error"].as_str().unwrap_or("").starts_with("not asked"))
    });
    assert!(begun.elapsed() < Duration::from_secs(10));
    let known = page(port);
    for host in &bad {
        let said = &known[host.url()];
        assert_eq!((&said["up"], said["error"].is_string()), (&json!(false), true), "{said:#}");
    }
    assert_eq!(known[bad[bad.len() - 2].url()]["error"], "the answer is no text in UTF-8");
    assert!(exposition(port).contains("anklet_fleet_hosts_up 1\n"));
    assert_eq!(daemon.stop(), 0);
    assert!(
        world.has_said("INFO", "stopping") && !world.log_text().contains("running ones"),
        "it has no jobs"
    );
}

#[test]
fn a_certificate_that_is_not_trusted_is_told_as_such() {
    let world = World::new();
    let folder = world.dir.join("tls");
    certificates(&folder, "localhost");
    let url = format!("{}/metrics", tls::start(&folder));
    let (mut daemon, port) = aggregator(&world, std::slice::from_ref(&url), &[]);
    let why = || page(port)[&url]["error"].as_str().unwrap_or_default().to_owned();
    eventually("it has been asked", SOON, || !why().is_empty() && !why().starts_with("not asked"));
    let told = why();
    assert!(told.starts_with("no trusted TLS connection: ") && told.contains("UnknownIssuer"), "{told}");
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn a_page_of_wrong_types_is_no_page_and_the_last_good_one_stays() {
    let world = World::new();
    let is_broken = Arc::new(AtomicBool::new(false));
    let broken = Arc::clone(&is_broken);
    let host = Host::new(move |guest, _| {
        let body = if broken.load(Ordering::SeqCst) { OLD.replace("\"idle\"", "7") } else { OLD.to_owned() };
        drop(write!(
            guest,
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
    });
    let (mut daemon, port) = aggregator(&world, &[host.url()], &[]);
    let known = || page(port)[host.url()].clone();
    eventually("it is up", SOON, || known()["up"] == json!(true));
    assert!(exposition(port).contains("anklet_fleet_running_vms 1\n"));
    is_broken.store(true, Ordering::SeqCst);
    eventually("it is down", SOON, || known()["up"] == json!(false));
    let last = known();
    assert_eq!(last["error"], "plugins[0].status is a number in the answer, not a text");
    assert_eq!((&last["total_running_vms"], &last["plugins"][0]["status"]), (&json!(1), &json!("idle")));
    assert!(exposition(port).contains("anklet_fleet_running_vms 0\n"));
    is_broken.store(false, Ordering::SeqCst);
    eventually("it is up again", SOON, || known()["up"] == json!(true) && known()["error"].is_null());
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn what_was_known_is_known_after_a_restart_and_a_password_is_sent_but_not_shown() {
    let redis = Server::start(&[]);
    let port = redis.port.to_string();
    let shared = [
        ("ANKLET_METRICS_DATABASE_ENABLED", "true"),
        ("ANKLET_METRICS_DATABASE_URL", "127.0.0.1"),
        ("ANKLET_METRICS_DATABASE_PORT", port.as_str()),
    ];
    for database in [&[][..], &shared[..]] {
        let world = World::new();
        let host = Host::new(|guest, head| {
            // "operator:canary-secret"
            let authorized = head.to_ascii_lowercase().contains(
                "authorization: basic b3blcmf0b3i6y2fuyxj5lxnly3jldA==".to_ascii_lowercase().as_str(),
            );
            let (status, body) = if authorized { ("200 OK", PAGE) } else { ("401 No", "") };
            drop(write!(
                guest,
                "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ));
        });
        let written = host.url().replace("http://", "http://operator:canary%2Dsecret@");
        let shown = host.url();
        let (mut daemon, port) = aggregator(&world, std::slice::from_ref(&written), database);
        eventually("it is up", SOON, || page(port)[&shown]["up"] == json!(true));
        pause(1000);
        assert_eq!(daemon.stop(), 0);
        drop(host);
        let (mut daemon, port) = aggregator(&world, std::slice::from_ref(&written), database);
        eventually("it is known again", SOON, || page(port)[&shown]["total_running_vms"] == json!(2));
        let known = page(port)[&shown].clone();
        assert_eq!(known["up"], json!(false));
        assert!(known["last_seen"].is_string() && known["age_seconds"].as_f64().unwrap() > 0.0, "{known:#}");
        assert!(!exposition(port).contains("total_running_vms{"), "never shown as fresh");
        for text in [page(port).to_string(), exposition(port), world.log_text()] {
            assert!(!text.contains("canary"), "{text}");
        }
        assert_eq!(daemon.stop(), 0);
    }
}
