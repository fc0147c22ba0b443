//! A Redis that is frozen, refuses, or is reached in another way, through the real binary.
#![expect(clippy::disallowed_methods, reason = "a small server that only refuses, and certificates")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anklet::domain::ids::JobId;
use anklet::runtime::filename::encode;
use nix::sys::signal::Signal;
use serde_json::json;

use crate::redis::tls::certificates;
use crate::store::world::Folder;
use crate::support::daemon::command;
use crate::support::redis::{Cluster, Server, TlsServer, say};
use crate::support::world::{SECRET, TOKEN};
use crate::support::{Daemon, Fleet, World, eventually, pause, web};

const SOON: Duration = Duration::from_secs(25);
const PASSWORD: &str = "correct-horse-battery";

/// A delivery's answer, which must come within five seconds.
fn delivered(world: &World) -> (u16, String) {
    let begun = Instant::now();
    let labels = ["self-hosted", "anka-template:macos-15"];
    let body = json!({
        "action": "queued", "repository": { "full_name": "acme/app" },
        "workflow_job": { "id": 7, "run_id": 8, "run_attempt": 1, "name": "build", "workflow_name": "Build",
            "status": "queued", "conclusion": null, "labels": labels, "runner_name": null, "html_url": "u" },
    });
    let answer = web::deliver(&world.receiver(), SECRET, "workflow_job", &body.to_string());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    answer
}

#[test]
fn while_redis_is_frozen_deliveries_are_refused_in_time_and_all_goes_on_by_itself() {
    let fleet = Fleet::new(1);
    let mut daemon = fleet.start(0, 1);
    let running = fleet.order(json!({ "duration_ms": 8000 }));
    fleet.hosts[0].until(running[0], "in_progress", SOON);
    fleet.redis.signal(Signal::SIGSTOP);
    for _ in 0..2 {
        let (code, said) = delivered(&fleet.hosts[0]);
        assert_eq!(code, 503, "{said}");
    }
    let lost = fleet.hosts[0].order(json!({ "duration_ms": 50 }));
    eventually("its delivery is refused", SOON, || {
        let all = web::get_json(&format!("{}/_sim/deliveries", fleet.hosts[0].github));
        all.as_array().unwrap().iter().any(|delivery| delivery["job"] == lost[0])
    });
    assert_eq!(web::get(&format!("http://127.0.0.1:{}/healthcheck", fleet.hosts[0].port)).0, 200);
    fleet.redis.signal(Signal::SIGCONT);
    eventually("it is delivered again", SOON, || {
        fleet.hosts[0].bring_back_lost();
        pause(200);
        fleet.queue().entry(JobId(lost[0])).is_ok_and(|entry| entry.is_some())
    });
    fleet.all_succeed(&[running, lost].concat(), Duration::from_mins(1));
    fleet.nothing_is_left(Duration::from_mins(1));
    assert_eq!(daemon.stop(), 0);
}

/// A server that answers whatever it is asked with this line, and counts.
fn refusing(line: &'static str) -> (u16, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            let counted = Arc::clone(&counted);
            std::thread::spawn(move || {
                let mut text = vec![0; 65_536];
                while let Ok(length @ 1..) = stream.read(&mut text) {
                    counted.fetch_add(1, Ordering::SeqCst);
                    let asked = String::from_utf8_lossy(&text[..length]).to_string();
                    // The handshake asks several things at once.
                    let count =
                        asked.matches("\r\nSETINFO\r\n").count() + asked.matches("\r\nAUTH\r\n").count();
                    let answer = if count > 0 { "+OK\r\n".repeat(count) } else { format!("{line}\r\n") };
                    if stream.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, asked)
}

fn configuration(world: &World, port: u16, more: &str) -> String {
    world.configuration(
        1,
        &format!(
            "global_database_url: 127.0.0.1\nglobal_database_port: {port}\nglobal_database_password: {PASSWORD}\n\
             global_database_retry_delay: 100\n{more}"
        ),
    )
}

/// The reason is said with host and port and without the password; deliveries get 503; nobody hurries; a stop works.
#[track_caller]
fn is_refused(line: &'static str, why: &str) {
    let (port, asked) = refusing(line);
    let world = World::new();
    let mut daemon = world.start_with(&configuration(&world, port, ""));
    let place = format!("Redis at 127.0.0.1:{port}");
    eventually(why, SOON, || {
        ["WARN", "ERROR"]
            .iter()
            .any(|level| world.said(level).iter().any(|line| line.contains(&place) && line.contains(why)))
    });
    assert_eq!(delivered(&world).0, 503);
    pause(1000);
    let before = asked.load(Ordering::SeqCst);
    pause(5000);
    let count = asked.load(Ordering::SeqCst) - before;
    println!("{why}: {count} calls and connections in five seconds");
    assert!(count < 100, "{why}: {count} in five seconds");
    let begun = Instant::now();
    assert_eq!(daemon.stop(), 0);
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    let log = world.log_text();
    assert!(!log.contains(PASSWORD) && !log.contains(TOKEN), "a secret is in the log");
}

#[test]
fn a_server_that_loads_is_waited_for() {
    is_refused("-LOADING Redis is loading the dataset in memory", "loading its data");
}

#[test]
fn a_replica_is_said_to_be_one() {
    is_refused("-READONLY You can't write against a read only replica.", "replica");
}

#[test]
fn a_full_server_is_said_to_be_full() {
    is_refused("-OOM command not allowed when used memory > 'maxmemory'.", "memory is full");
}

#[test]
fn a_server_that_wants_a_password_says_so() {
    is_refused("-NOAUTH Authentication required.", "wants a password");
}

/// One that does not know the password; and once it does, all goes on by itself.
#[test]
fn a_wrong_password_is_said_without_it() {
    let redis = Server::start(&["--requirepass", "another", "--appendonly", "yes"]);
    let world = World::new();
    let mut daemon = world.start_with(&configuration(&world, redis.port, ""));
    let place = format!("Redis at 127.0.0.1:{}: it refuses the user or the password", redis.port);
    eventually("it is said", SOON, || world.has_said("ERROR", &place) || world.has_said("WARN", &place));
    assert_eq!(delivered(&world).0, 503);
    let mut admin = crate::support::redis::client(redis.port, Some("another"));
    say::<()>(&mut admin, &["CONFIG", "SET", "requirepass", PASSWORD]);
    let job = world.order(json!({ "duration_ms": 50 }))[0];
    eventually("it is done", Duration::from_mins(1), || {
        world.bring_back_lost();
        pause(300);
        web::get_json(&format!("{}/_sim/jobs/{job}", world.github))["ended_as"] == "success"
    });
    assert_eq!(daemon.stop(), 0);
    assert!(!world.log_text().contains(PASSWORD));
}

#[track_caller]
fn serves_a_job(world: &World, configuration: &str) {
    let mut daemon = world.start_with(configuration);
    let job = world.order(json!({ "duration_ms": 50 }))[0];
    assert_eq!(world.until(job, "completed", SOON)["ended_as"], "success", "{}", world.log_text());
    eventually("the host is clean", SOON, || world.vms().is_empty() && world.pages().is_empty());
    assert_eq!(daemon.stop(), 0);
    for level in ["WARN", "ERROR"] {
        assert_eq!(world.said(level), [""; 0]);
    }
}

#[test]
fn through_tls_with_an_authority_of_ones_own() {
    let folder = Folder::new();
    let (authority, certificate, key) = certificates(folder.path());
    let server = TlsServer::start(&authority, &certificate, &key);
    let world = World::new();
    let more = format!("global_database_tls_enabled: true\nca_file: {}", authority.display());
    serves_a_job(
        &world,
        &world.configuration(
            1,
            &format!("global_database_url: localhost\nglobal_database_port: {}\n{more}", server.port),
        ),
    );
    // In one line, as a URL.
    let url =
        format!("global_database_url: rediss://127.0.0.1:{}\nca_file: {}", server.port, authority.display());
    serves_a_job(&world, &world.configuration(1, &url));
    let stranger =
        world.configuration(1, &format!("global_database_url: rediss://127.0.0.1:{}", server.port));
    let mut once = Daemon::start(&world, &stranger, &["--once"], &[]);
    assert_eq!(once.wait(SOON).code(), Some(6), "whom nobody vouches for is not trusted");
}

#[test]
fn through_a_cluster_whichever_node_is_named() {
    let cluster = Cluster::start();
    for node in &cluster.nodes {
        let world = World::new();
        let top = format!(
            "global_database_url: 127.0.0.1\nglobal_database_port: {}\nglobal_database_cluster_mode: true",
            node.port
        );
        serves_a_job(&world, &world.configuration(1, &top));
    }
}

/// Two of three masters are named, and the one that is named first is dead when the daemon starts.
#[test]
fn through_a_cluster_whose_first_named_node_is_dead() {
    let mut cluster = Cluster::start();
    for node in &cluster.nodes {
        // What the dead one served is not served; the queue lies elsewhere.
        say::<()>(&mut node.client(), &["CONFIG", "SET", "cluster-require-full-coverage", "no"]);
    }
    let world = World::new();
    let queue = format!("{}/acme", world.github.trim_start_matches("http://"));
    let key = format!("anklet:{{{}}}:jobs", encode(&queue));
    let owner = cluster.node_of(&key);
    let dead = (owner + 1) % 3;
    cluster.nodes[dead].kill();
    let [first, second] = [dead, (dead + 1) % 3].map(|at| format!("127.0.0.1:{}", cluster.nodes[at].port));
    let top = |mode: bool, url: &str| {
        world.configuration(1, &format!("global_database_cluster_mode: {mode}\nglobal_database_url: {url}"))
    };
    let url = format!("{first},redis://{second}");
    let check = |text: &str, variable: &str| {
        std::fs::write(world.dir.join("own.yml"), text).unwrap();
        let mut check = command(&world);
        check.args(["check", "-c", "own.yml"]).env("ANKLET_GLOBAL_DATABASE_URL", variable);
        let told = check.output().unwrap();
        (
            told.status.code(),
            String::from_utf8(told.stdout).unwrap() + &String::from_utf8(told.stderr).unwrap(),
        )
    };
    eventually("the others know that it is gone", SOON, || check(&top(true, &url), "").0 == Some(0));
    assert_eq!(check(&top(true, "elsewhere"), &url).0, Some(0));
    let (code, said) = check(&top(true, &first), "");
    assert!(code == Some(6) && said.contains(&first), "{code:?}: {said}");
    let (code, said) = check(&top(false, &url), "");
    assert!(code == Some(3) && said.contains("write cluster_mode: true"), "{code:?}: {said}");
    serves_a_job(&world, &top(true, &url));
    assert_eq!(
        say::<u64>(&mut cluster.nodes[owner].client(), &["EXISTS", &key]),
        1,
        "it lies where it was thought"
    );
}

/// What two hosts of two handlers and a receiver ask in their idle time, as `redis-cli monitor` shows it. What a script
/// does inside Redis is no call.
#[test]
fn an_idle_handler_asks_at_most_once_a_second() {
    const SECONDS: u32 = 12;
    const HANDLERS: u32 = 4;
    let mut fleet = Fleet::new(2);
    // As it is where nothing else is said.
    fleet.lease = 60;
    let _daemons = [fleet.start(0, 2), fleet.start(1, 2)];
    let done = fleet.order(json!({ "count": 4, "duration_ms": 50 }));
    fleet.all_succeed(&done, SOON);
    fleet.nothing_is_left(SOON);
    pause(2000);
    let lines = monitored(fleet.redis.port, Duration::from_secs(SECONDS.into()));
    let calls = lines.iter().filter(|line| !line.contains(" lua] ")).count();
    println!("{calls} calls, {} commands in {SECONDS} s of {HANDLERS} handlers", lines.len());
    assert!(calls > 4 && calls <= (SECONDS * HANDLERS) as usize, "{lines:#?}");
}

/// All that a server is asked within this time.
fn monitored(port: u16, time: Duration) -> Vec<String> {
    let mut line = TcpStream::connect(("127.0.0.1", port)).unwrap();
    line.write_all(b"MONITOR\r\n").unwrap();
    line.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let (mut all, mut bytes, end) = (Vec::new(), vec![0; 65_536], Instant::now() + time);
    while Instant::now() < end {
        let length = line.read(&mut bytes).unwrap_or(0);
        all.extend_from_slice(&bytes[..length]);
    }
    let text = String::from_utf8_lossy(&all).to_string();
    text.lines().filter(|line| *line != "+OK").map(str::to_owned).collect()
}
