//! Gone, frozen, full, refusing: what is said, how long it takes, and that all goes on by itself.
#![expect(clippy::disallowed_methods, reason = "a small server that only refuses")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anklet::domain::secret::Secret;
use anklet::store::redis::{Options, Retries};
use anklet::store::{Store, StoreError};
use nix::sys::signal::Signal;

use crate::life::model::{claim_id, owner, queued};
use crate::store::world::{acme, ask, claimed, word};
use crate::support::eventually;
use crate::support::redis::{Server, options, say, store};

/// Whoever delivers wants an answer within this time.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a delivery was not taken, and how long that took.
fn refusal(queue: &dyn Store, id: u64) -> String {
    let begun = Instant::now();
    let error = queue.apply(&queued(id)).unwrap_err();
    assert!(begun.elapsed() < PATIENCE, "{:?}: {error}", begun.elapsed());
    let StoreError::Away(why) = error else { panic!("{error}") };
    why
}

fn queue(server: &Server) -> Arc<dyn Store> {
    store(server.options()).queue("acme")
}

#[test]
fn killed_and_started_again() {
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let queue = queue(&server);
    let bell = queue.bell(&owner("h1"));
    queue.apply(&queued(1)).unwrap();
    assert_eq!(claimed(&*queue, &ask(&claim_id(1), &acme())), Some(1));
    server.kill();
    while bell.try_recv().is_ok() {}
    let why = refusal(&*queue, 2);
    assert!(why.contains(&format!("Redis at 127.0.0.1:{}", server.port)), "{why}");
    assert!(queue.held(&claim_id(1)).is_err());
    server.restart();
    queue.apply(&queued(2)).unwrap();
    assert_eq!(queue.held(&claim_id(1)).unwrap().unwrap().job.id.0, 1);
    assert!(bell.recv_timeout(Duration::from_secs(8)).is_ok(), "something may have been missed");
}

#[test]
fn frozen_and_thawed() {
    let server = Server::start(&[]);
    let queue = queue(&server);
    queue.apply(&queued(1)).unwrap();
    server.signal(Signal::SIGSTOP);
    // On a connection that was open, then on one that cannot be made.
    assert!(refusal(&*queue, 2).contains("no answer in time"));
    assert!(refusal(&*queue, 3).contains("no answer in time"));
    server.signal(Signal::SIGCONT);
    for id in 2..=3 {
        queue.apply(&queued(id)).unwrap();
    }
    assert_eq!(queue.depth().unwrap().queued, 3, "what was in doubt was done once");
}

#[test]
fn retries_wait_for_a_server_that_comes_at_once() {
    let mut server = Server::start(&["--appendonly", "yes"]);
    let patient = Options {
        retries: Retries { most: 40, delay: Duration::from_millis(100), factor: 1.0 },
        ..server.options()
    };
    let queue = store(patient).queue("acme");
    queue.apply(&queued(1)).unwrap();
    server.kill();
    std::thread::scope(|scope| {
        let delivery = scope.spawn(|| queue.apply(&queued(2)));
        crate::support::pause(300);
        server.restart();
        assert!(delivery.join().unwrap().is_ok());
    });
}

#[test]
fn a_replica_cannot_be_written() {
    let server = Server::start(&[]);
    let queue = queue(&server);
    queue.apply(&queued(1)).unwrap();
    say::<()>(&mut server.client(), &["REPLICAOF", "127.0.0.1", "1"]);
    assert!(refusal(&*queue, 2).contains("replica"));
    assert_eq!(word(&*queue, 1), "queued");
    say::<()>(&mut server.client(), &["REPLICAOF", "NO", "ONE"]);
    queue.apply(&queued(2)).unwrap();
}

#[test]
fn a_full_one_lets_jobs_go_on_and_takes_none() {
    let server = Server::start(&["--maxmemory-policy", "noeviction"]);
    let queue = queue(&server);
    for id in 1..=3 {
        queue.apply(&queued(id)).unwrap();
    }
    say::<()>(&mut server.client(), &["CONFIG", "SET", "maxmemory", "1"]);
    assert!(refusal(&*queue, 4).contains("memory is full"));
    assert_eq!(word(&*queue, 4), "unknown");
    assert_eq!(claimed(&*queue, &ask(&claim_id(1), &acme())), Some(1));
    queue.apply(&crate::life::model::release(1, true)).unwrap();
    assert_eq!(claimed(&*queue, &ask(&claim_id(2), &acme())), Some(1));
    say::<()>(&mut server.client(), &["CONFIG", "SET", "maxmemory", "0"]);
    queue.apply(&queued(4)).unwrap();
    assert_eq!(queue.depth().unwrap().queued, 3);
}

#[test]
fn signing_in_is_refused_without_a_word_of_the_password() {
    let server = Server::start(&["--requirepass", "right-horse"]);
    let with = |password: Option<&str>| {
        let options = Options { password: password.map(Secret::new), ..server.options() };
        assert!(!format!("{:?}", options.password).contains("horse"));
        store(options).queue("acme")
    };
    let why = refusal(&*with(None), 1);
    assert!(why.contains("wants a password"), "{why}");
    let why = refusal(&*with(Some("wrong-horse")), 1);
    assert!(why.contains("refuses the user or the password") && !why.contains("horse"), "{why}");
    with(Some("right-horse")).apply(&queued(1)).unwrap();
    let users = ["ACL", "SETUSER", "anklet", "on", ">right-horse", "~anklet:*", "+@all", "-@admin"];
    say::<()>(&mut crate::support::redis::client(server.port, Some("right-horse")), &users);
    let named = Options {
        user: Some("anklet".into()),
        password: Some(Secret::new("right-horse")),
        ..server.options()
    };
    store(named).queue("acme").apply(&queued(2)).unwrap();
}

#[test]
fn databases_are_apart() {
    let server = Server::start(&[]);
    let second = Options { database: 2, ..server.options() };
    let (here, there) = (queue(&server), store(second).queue("acme"));
    here.apply(&queued(1)).unwrap();
    assert_eq!((word(&*here, 1), word(&*there, 1)), ("queued", "unknown"));
}

/// A server that answers everything behind the handshake with this line.
pub fn refusing(line: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            std::thread::spawn(move || {
                let mut text = vec![0; 65_536];
                while let Ok(length) = stream.read(&mut text) {
                    let asked = String::from_utf8_lossy(&text[..length]).to_string();
                    // The handshake asks two things at once.
                    let count = asked.matches("SETINFO").count();
                    let answer = if count > 0 { "+OK\r\n".repeat(count) } else { format!("{line}\r\n") };
                    if length == 0 || stream.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

#[test]
fn a_server_that_refuses_says_why() {
    let cases = [
        ("-LOADING Redis is loading the dataset in memory", "loading its data"),
        ("-READONLY You can't write against a read only replica.", "a replica"),
        ("-CLUSTERDOWN The cluster is down", "cluster is down"),
        ("-MASTERDOWN Link with MASTER is down", "master is down"),
        ("-OOM command not allowed when used memory > 'maxmemory'.", "memory is full"),
        ("-MISCONF Redis is configured to save RDB snapshots", "cannot write to its disk"),
        ("-NOAUTH Authentication required.", "wants a password"),
        ("-NOREPLICAS Not enough good replicas to write.", "too few replicas"),
        ("-BUSY Redis is busy running a script.", "busy with a script"),
        ("-NOPERM User default has no permissions", "may not run"),
        ("-MOVED 1 127.0.0.1:1", "efused"),
        ("+PONG", "not ours"),
    ];
    for (line, want) in cases {
        let quick = Options {
            retries: Retries { most: 1, delay: Duration::from_millis(1), factor: 1.0 },
            ..options(refusing(line))
        };
        let error = store(quick).queue("acme").apply(&queued(1)).unwrap_err().to_string();
        assert!(error.contains(want), "{line}: {error}");
    }
}

#[test]
fn one_that_takes_connections_and_says_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = store(options(listener.local_addr().unwrap().port())).queue("acme");
    assert!(refusal(&*silent, 1).contains("no answer in time"));
}

#[test]
fn a_waiter_does_not_hurry_after_a_server_that_is_gone() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let retries = Retries { most: 5, delay: Duration::from_millis(500), factor: 2.0 };
    let usual = Options { retries, ..options(listener.local_addr().unwrap().port()) };
    let queue = store(usual).queue("acme");
    let _bell = queue.bell(&owner("h1"));
    let (mut dials, begun) = (0, Instant::now());
    eventually("time passes", Duration::from_secs(20), || {
        // Closed at once, as a server that dies.
        dials += u32::from(listener.accept().is_ok());
        begun.elapsed() > Duration::from_secs(3)
    });
    assert!((2..=8).contains(&dials), "{dials} dials in three seconds");
}
