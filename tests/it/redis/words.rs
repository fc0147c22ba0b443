//! What an operator reads of a server that is not as the configuration says.

#![expect(clippy::disallowed_methods, reason = "small servers that only refuse")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use anklet::domain::secret::Secret;
use anklet::store::redis::{Options, Retries, Tls};

use super::tls::certificates;
use crate::life::model::queued;
use crate::store::world::Folder;
use crate::support::World;
use crate::support::daemon::command;
use crate::support::redis::{Server, TlsServer, options, say, store};

/// What is said of a delivery that cannot be stored.
fn refusal(options: Options) -> String {
    let retries = Retries { most: 0, delay: Duration::from_millis(1), factor: 1.0 };
    let queue = store(Options { retries, ..options }).queue("acme");
    queue.apply(&queued(1)).unwrap_err().to_string()
}

#[test]
fn what_is_refused_at_the_door_is_said_with_its_remedy() {
    let server = Server::start(&[]);
    let password = Some(Secret::new("canary-77"));
    let why = refusal(Options { password: password.clone(), ..server.options() });
    assert!(why.contains("it has no password set: leave ours out"), "{why}");
    let user = Some("nobody".into());
    let why = refusal(Options { user, password, ..server.options() });
    assert!(why.contains("it refuses the user or the password"), "{why}");
    let why = refusal(Options { database: 99, ..server.options() });
    assert!(why.contains("it has no database of this number"), "{why}");
    let cluster = Server::start(&["--cluster-enabled", "yes"]);
    let why = refusal(Options { database: 1, ..cluster.options() });
    assert!(why.contains("database 0 only"), "{why}");
}

#[test]
fn tls_on_one_side_only_is_said() {
    // As main does.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let plain = Server::start(&[]);
    let why = refusal(Options { tls: Tls::Insecure, ..plain.options() });
    assert!(why.contains("it speaks no TLS on this port"), "{why}");
    let folder = Folder::new();
    let (authority, certificate, key) = certificates(folder.path());
    let server = TlsServer::start(&authority, &certificate, &key);
    let why = refusal(options(server.port));
    assert!(why.contains("set tls_enabled: true"), "{why}");
}

#[test]
fn one_without_a_client_to_spare_says_so_and_one_that_only_closes_is_not_told_as_tls() {
    let server = Server::start(&[]);
    let mut held = server.client();
    say::<()>(&mut held, &["CONFIG", "SET", "maxclients", "1"]);
    let why = refusal(server.options());
    assert!(why.contains("as many clients as it may have (maxclients)"), "{why}");
    // As a proxy whose Redis is away.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().flatten().for_each(drop));
    let why = refusal(options(port));
    assert!(!why.contains("tls") && !why.contains("maxclients"), "{why}");
    // As one in protected mode; as a TLS proxy, which answers with an alert.
    let why = refusal(options(answering(b"", b"-DENIED Redis is running in protected mode\r\n")));
    assert!(why.contains("it closes the connection: DENIED Redis is running in protected"), "{why}");
    let why = refusal(options(answering(b"P*", &[0x15, 3, 1, 0, 2, 2, 22])));
    assert!(why.contains("set tls_enabled: true"), "{why}");
}

/// A server that says this to everybody, once it has heard one of these bytes, if any, and closes.
fn answering(first: &'static [u8], answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut heard = [0; 1000];
                if !first.is_empty() {
                    let _ = stream.read(&mut heard);
                    assert!(first.contains(&heard[0]));
                }
                let _ = stream.write_all(answer);
            });
        }
    });
    port
}

#[test]
fn what_cannot_be_written_is_away_at_the_start() {
    let redis = Server::start(&["--appendonly", "yes", "--maxmemory-policy", "noeviction"]);
    let world = World::new();
    let top = format!("global_database_url: 127.0.0.1\nglobal_database_port: {}", redis.port);
    std::fs::write(world.dir.join("own.yml"), world.configuration(1, &top)).unwrap();
    let told = |words: &[&str]| {
        let told = command(&world).args(words).args(["-c", "own.yml"]).output().unwrap();
        (told.status.code(), String::from_utf8(told.stderr).unwrap())
    };
    let mut admin = redis.client();
    let place = format!("Redis at 127.0.0.1:{}", redis.port);
    let cases = [
        (["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"], "memory is full"),
        (["REPLICAOF", "127.0.0.1", "1", ""], ["REPLICAOF", "NO", "ONE", ""], "is a replica"),
    ];
    for (spoil, mend, why) in cases {
        let say = |admin: &mut redis::Connection, words: [&str; 4]| {
            let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
            say::<()>(admin, &words);
        };
        say(&mut admin, spoil);
        for words in [&["check"] as &[&str], &["--once"]] {
            let (code, said) = told(words);
            assert_eq!(code, Some(6), "{why}: {words:?}: {said}");
            assert!(said.contains(&place) && said.contains(why), "{words:?}: {said}");
        }
        assert_eq!(told(&["queue", "list"]).0, Some(0), "what can be read is shown");
        say(&mut admin, mend);
        assert_eq!(told(&["check"]).0, Some(0));
    }
    assert_eq!(say::<u64>(&mut admin, &["DBSIZE"]), 0, "check makes nothing");
    assert_eq!(told(&["--once"]).0, Some(0));
}

#[test]
fn check_warns_of_a_server_that_may_lose_jobs_and_of_a_cluster_that_is_none() {
    let world = World::new();
    let check = |server: &Server, more: &str| {
        let top = format!("global_database_url: 127.0.0.1\nglobal_database_port: {}\n{more}", server.port);
        std::fs::write(world.dir.join("own.yml"), world.configuration(1, &top)).unwrap();
        let told = command(&world).args(["check", "-c", "own.yml"]).output().unwrap();
        assert_eq!(told.status.code(), Some(0), "{}", String::from_utf8_lossy(&told.stderr));
        String::from_utf8(told.stdout).unwrap()
    };
    let careless = Server::start(&["--appendonly", "no", "--maxmemory-policy", "allkeys-lru"]);
    let said = check(&careless, "global_database_cluster_mode: true");
    for words in ["warning: Redis at", "appendonly is no", "policy is allkeys-lru", "it is no cluster"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(said.contains("; 3 warnings"), "{said}");
    let careful = Server::start(&["--appendonly", "yes", "--maxmemory-policy", "noeviction"]);
    let said = check(&careful, "");
    assert!(said.contains("; 0 warnings") && !said.contains("warning:"), "{said}");
}
