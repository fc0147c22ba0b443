//! Alive, ready, `anklet healthcheck`, and the port that the page really has.
#![expect(clippy::disallowed_methods, reason = "a stranger of a test needs a thread")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::daemon::{Daemon, command};
use crate::support::redis::Server;
use crate::support::wire::ask;
use crate::support::{World, eventually};

const SOON: Duration = Duration::from_secs(15);

fn status(world: &World, path: &str) -> (u16, Value) {
    let answer = ask(world.metrics_port, "GET", path, &[]);
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

/// Whoever listens there says this to each guest, until the test's process ends.
fn stranger(port: u16, answer: &'static str) {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    std::thread::spawn(move || {
        for mut guest in listener.incoming().flatten() {
            let _ = guest.read(&mut [0; 2048]).and_then(|_| guest.write_all(answer.as_bytes()));
        }
    });
}

/// Exit code and standard error of `anklet healthcheck`.
fn healthcheck(world: &World) -> (i32, String) {
    let output = command(world).arg("healthcheck").output().unwrap();
    assert!(output.stdout.is_empty());
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_daemon_is_alive_and_ready_and_a_stopped_plugin_is_named() {
    let world = World::new();
    let mut daemon = world.start(1);
    assert_eq!(status(&world, "/healthz"), (200, json!({ "status": "alive" })));
    assert_eq!(status(&world, "/readyz"), (200, json!({ "status": "ready" })));
    assert_eq!(healthcheck(&world), (0, String::new()));
    assert_eq!(ask(world.metrics_port, "POST", "/readyz", &[]).status, 405);
    assert_eq!(daemon.stop(), 0);
    let (code, said) = healthcheck(&world);
    assert!(code == 1 && said.contains(&format!("127.0.0.1:{}", world.metrics_port)), "{code} {said}");

    fs::remove_dir_all(world.dir.join(".config/anklet/plugins")).unwrap();
    let _daemon = world.start(1);
    eventually("the handler has stopped", SOON, || {
        status(&world, "/readyz")
            == (503, json!({ "status": "not ready", "reasons": ["plugin RUNNER1 is stopped"] }))
    });
    assert_eq!(status(&world, "/healthz").0, 200);
    let (code, said) = healthcheck(&world);
    assert!(code == 1 && said.contains("plugin RUNNER1 is stopped"), "{code} {said}");
}

#[test]
fn another_s_answer_is_not_readiness() {
    for (answer, status) in [
        ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", 200),
        ("HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", 503),
    ] {
        let world = World::new();
        stranger(world.metrics_port, answer);
        fs::write(world.dir.join(".config/anklet/config.yml"), world.configuration(1, "")).unwrap();
        let port = world.metrics_port;
        let said =
            format!("anklet: not ready: what answers at 127.0.0.1:{port} (status {status}) is no anklet\n");
        assert_eq!(healthcheck(&world), (1, said));
    }
}

#[test]
fn a_store_that_is_away_for_long_makes_it_unready_until_it_is_back() {
    let world = World::new();
    let redis = Server::start(&[]);
    let database = format!(
        "global_queue_name: shared\nglobal_database_url: 127.0.0.1\nglobal_database_port: {}",
        redis.port
    );
    let mut daemon = world.start_with(&world.configuration(1, &database));
    let jobs = || ask(world.metrics_port, "GET", "/metrics?format=prometheus", &[]).body;
    eventually("the queue is shown", SOON, || {
        jobs().contains("anklet_queue_jobs{queue=\"shared\",state=\"queued\"} 0")
    });
    redis.signal(Signal::SIGSTOP);
    assert_eq!(status(&world, "/readyz").0, 200, "not for a moment's silence");
    eventually("it is not ready", Duration::from_secs(25), || status(&world, "/readyz").0 == 503);
    let reasons = status(&world, "/readyz").1["reasons"][0].as_str().unwrap().to_owned();
    assert!(reasons.starts_with("queue shared: "), "{reasons}");
    assert!(!jobs().contains("anklet_queue_jobs"), "an old depth must not look like a new one");
    redis.signal(Signal::SIGCONT);
    eventually("it is ready again", SOON, || status(&world, "/readyz").0 == 200);
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn the_next_free_port_is_taken_noted_and_found() {
    let world = World::new();
    // The port that is wanted, and the one after it: far from those that other tests are given.
    let first = 61_000 + (std::process::id() % 4_000) as u16;
    let taken = (first..).step_by(2).find_map(|port| {
        let [one, other] = [port, port + 1].map(|port| TcpListener::bind(("127.0.0.1", port)).ok());
        Some([one?, other?])
    });
    let taken = taken.unwrap();
    let wanted = taken[0].local_addr().unwrap().port();
    let configuration = |auto: bool| {
        let text = world.configuration(0, "");
        text.replace(
            &format!("  port: {}\n", world.metrics_port),
            &format!("  port: {wanted}\n  port_auto: {auto}\n"),
        )
    };
    let mut refused = Daemon::start(&world, &configuration(false), &[], &[]);
    assert_eq!(refused.wait(SOON).code(), Some(5));

    assert!(world.log_text().contains(&format!("listen on 127.0.0.1:{wanted}: the address is in use")));

    let mut daemon = world.start_with(&configuration(true));
    let notes = || -> Vec<u16> {
        let entries = fs::read_dir(world.dir.join(".config/anklet/run")).unwrap().flatten();
        let ports = entries.filter(|entry| entry.path().extension().is_some_and(|end| end == "port"));
        ports.map(|entry| fs::read_to_string(entry.path()).unwrap().trim().parse().unwrap()).collect()
    };
    let port = notes()[0];
    assert!(port > wanted + 1 && port < wanted + 100, "{port} for {wanted}");
    assert_eq!(ask(port, "GET", "/metrics", &[]).status, 200);
    assert_eq!(healthcheck(&world), (0, String::new()));
    assert_eq!(daemon.stop(), 0);
    assert!(notes().is_empty(), "the note goes with the daemon");
}

#[test]
fn a_hundred_taken_ports_are_counted() {
    let world = World::new();
    // Ports that no system gives by itself, and not those of the test before.
    let first = 61_000 + ((std::process::id() + 2_000) % 4_000) as u16;
    let _taken: Vec<TcpListener> =
        (first..first + 100).filter_map(|port| TcpListener::bind(("127.0.0.1", port)).ok()).collect();
    let wanted = format!("  port: {first}\n  port_auto: true\n");
    let configuration =
        world.configuration(0, "").replace(&format!("  port: {}\n", world.metrics_port), &wanted);
    let mut refused = Daemon::start(&world, &configuration, &[], &[]);
    assert_eq!(refused.wait(SOON).code(), Some(5));
    let said = format!(
        "listen on 127.0.0.1:{first}: this port and those up to {}, 100 in all, are in use",
        first + 99
    );
    assert!(world.log_text().contains(&said), "{}", world.log_text());
}
