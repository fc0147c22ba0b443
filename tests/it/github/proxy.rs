//! A proxy with a password before an Enterprise Server with a certificate of one's own, through the real binary.
#![expect(clippy::disallowed_methods, reason = "a test's proxy")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use super::tls::{certificates, server};
use crate::support::{Daemon, World, eventually, pause};

const SOON: Duration = Duration::from_secs(25);
const NAME: &str = "github.corp.test";
const PASSWORD: &str = "proxy-canary-77c1";

/// A proxy that is itself the server which it is asked for, with the simulated GitHub behind it.
struct Proxy {
    port: u16,
    /// The heads of what it was asked, for a tunnel and within one.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(github: &str, config: &Arc<ServerConfig>) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, asked) = (listener.local_addr().unwrap().port(), Arc::default());
        let proxy = Proxy { port, asked: Arc::clone(&asked) };
        let (github, config) = (github.trim_start_matches("http://").to_owned(), Arc::clone(config));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (github, config, asked) = (github.clone(), Arc::clone(&config), Arc::clone(&asked));
                thread::spawn(move || tunnel(stream.unwrap(), &github, config, &asked));
            }
        });
        proxy
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// One tunnel, with one request in it.
fn tunnel(mut stream: TcpStream, github: &str, config: Arc<ServerConfig>, asked: &Mutex<Vec<String>>) {
    asked.lock().unwrap().push(head(&mut stream));
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
    let mut tls = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    let request = head(&mut tls);
    if request.is_empty() {
        return;
    }
    let mut behind = TcpStream::connect(github).unwrap();
    behind.write_all(request.replacen("\r\n", "\r\nconnection: close\r\n", 1).as_bytes()).unwrap();
    asked.lock().unwrap().push(request);
    let mut answer = String::new();
    behind.read_to_string(&mut answer).unwrap();
    let _ = tls.write_all(answer.replacen("\r\n", "\r\nConnection: close\r\n", 1).as_bytes());
    tls.conn.send_close_notify();
    let _ = tls.flush();
}

/// Up to the empty line: none of these requests has a body.
fn head(from: &mut impl Read) -> String {
    let (mut text, mut byte) = (Vec::new(), [0]);
    while !text.ends_with(b"\r\n\r\n") && matches!(from.read(&mut byte), Ok(1)) {
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

#[test]
fn an_enterprise_server_behind_a_proxy_with_an_authority_of_its_own() {
    let world = World::new();
    let ca = certificates(&world.dir.join("tls"), NAME);
    let proxy = Proxy::start(&world.github, &server(&world.dir.join("tls")));
    let text = world.configuration(1, &format!("ca_file: {}", ca.display()));
    let addresses = format!("github_url: {}\ngithub_api_url: {}\n", world.github, world.api);
    let text = text.replace(&addresses, &format!("github_url: https://{NAME}\n"));
    let url = format!("http://mona:{PASSWORD}@127.0.0.1:{}", proxy.port);
    let env = [("HTTPS_PROXY", url.as_str()), ("HTTP_PROXY", "http://127.0.0.1:1"), ("LOG_LEVEL", "DEBUG")];
    let mut daemon = Daemon::start(&world, &text, &[], &env);
    world.wait_until_it_serves();
    // Its run is cancelled, for which GitHub is called and no runner is needed.
    let job = world.order(json!({ "labels": ["anka-template:"] }))[0];
    assert_eq!(world.until(job, "completed", SOON)["ended_as"], "cancelled");
    assert_eq!(daemon.stop(), 0);
    let asked = proxy.asked();
    assert!(asked[0].starts_with(&format!("CONNECT {NAME}:443 HTTP/1.1\r\n")), "{}", asked[0]);
    // "mona:proxy-canary-77c1"
    assert!(asked[0].contains("Basic bW9uYTpwcm94eS1jYW5hcnktNzdjMQ=="), "{}", asked[0]);
    let cancels = asked.iter().filter(|head| head.starts_with("POST /api/v3/repos/acme/app/actions/runs/"));
    assert_eq!(cancels.count(), 1, "{asked:#?}");
    for said in [world.log_text(), std::fs::read_to_string(world.dir.join("stderr")).unwrap()] {
        assert!(!said.contains(PASSWORD) && !said.contains("bW9uYTpw"), "{said}");
    }
}

#[test]
fn what_no_proxy_names_goes_by_it_and_a_stranger_s_certificate_gets_no_token() {
    let world = World::new();
    let proxy = Proxy::start(&world.github, &server_of_nobody(&world));
    let addresses = format!("github_url: {}\ngithub_api_url: {}\n", world.github, world.api);
    let text = world.configuration(1, "").replace(&addresses, &format!("github_url: https://{NAME}\n"));
    let url = format!("http://mona:{PASSWORD}@127.0.0.1:{}", proxy.port);
    let by = [("ALL_PROXY", url.as_str()), ("NO_PROXY", "example.com,.corp.test")];
    let mut daemon = Daemon::start(&world, &text, &[], &by);
    world.wait_until_it_serves();
    world.order(json!({ "labels": ["anka-template:"] }));
    eventually("GitHub has no address", SOON, || world.has_said("WARN", "GitHub cannot be reached"));
    daemon.kill();
    assert_eq!(proxy.asked(), [""; 0]);
    let mut daemon = Daemon::start(&world, &text, &[], &[("ALL_PROXY", &url)]);
    eventually("the certificate is nobody's", SOON, || {
        world.has_said("WARN", "name its authority in ca_file")
    });
    assert!(proxy.asked().iter().all(|head| head.starts_with("CONNECT")), "no token was sent");
    pause(100);
    daemon.kill();
    assert!(!world.log_text().contains(PASSWORD));
}

fn server_of_nobody(world: &World) -> Arc<ServerConfig> {
    certificates(&world.dir.join("tls"), NAME);
    server(&world.dir.join("tls"))
}
