//! Sieges, with the listener in a process of its own that may open 256 descriptors.
//!
//! `tests/siege.py` runs all attacks against the real binary; these are the two that end a bare tiny_http for good.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anklet::http::{Limits, Options, open};

use super::{Client, echo, get, post, scratch};

/// Not a test: the other process. It serves until its standard input ends.
#[test]
#[ignore = "the process that the sieges start"]
fn besieged() {
    let places = std::env::var("ANKLET_TEST_PLACES").map_or(120, |places| places.parse().unwrap());
    let options = Options {
        name: "siege".into(),
        addr: "127.0.0.1:0".parse().unwrap(),
        places,
        workers: 4,
        socket_dir: scratch(),
        limits: Limits::default(),
    };
    let dir = options.socket_dir.clone();
    let listener = open(options, echo()).unwrap();
    println!("\nbesieged {}", listener.addr());
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    listener.close();
    let _ = std::fs::remove_dir_all(dir);
}

struct Besieged {
    child: Child,
    addr: SocketAddr,
}

impl Besieged {
    fn with(descriptors: u32, places: u32) -> Besieged {
        let itself = std::env::current_exe().unwrap();
        let mut child = Command::new("bash")
            .args([
                "-c",
                "ulimit -n \"$1\"; exec \"$2\" --ignored --exact --nocapture door::siege::besieged",
                "bash",
            ])
            .args([descriptors.to_string().as_ref(), itself.as_os_str()])
            .env("ANKLET_TEST_PLACES", places.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let addr = lines.find_map(|line| line.strip_prefix("besieged ")?.parse().ok());
        Besieged { child, addr: addr.expect("the other process tells its address") }
    }

    /// A good delivery on a connection of its own, each 50 ms; how long the slowest took.
    fn slowest(&self, for_how_long: Duration) -> Duration {
        let start = Instant::now();
        let mut slowest = Duration::ZERO;
        while start.elapsed() < for_how_long {
            let asked = Instant::now();
            let mut client = Client::of(self.addr);
            client.send(post("/jobs/v1/receiver", "a good delivery"));
            assert_eq!(client.answer().status, 200);
            slowest = slowest.max(asked.elapsed());
            std::thread::sleep(Duration::from_millis(50));
        }
        slowest
    }
}

impl Drop for Besieged {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[test]
fn two_thousand_clients_that_drip_keep_no_good_delivery_out() {
    let house = Besieged::with(256, 120);
    let mut drips: Vec<Option<TcpStream>> = (0..2000).map(|_| TcpStream::connect(house.addr).ok()).collect();
    let addr = house.addr;
    let attack = std::thread::spawn(move || {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(4) {
            for drip in &mut drips {
                if drip.as_mut().is_none_or(|stream| stream.write_all(b"P").is_err()) {
                    *drip = TcpStream::connect(addr).ok();
                }
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    });
    let slowest = house.slowest(Duration::from_secs(3));
    attack.join().unwrap();
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}

#[test]
fn a_process_without_descriptors_serves_on_and_recovers() {
    let house = Besieged::with(60, 120);
    let silent: Vec<_> = (0..100).map(|_| TcpStream::connect(house.addr).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(300));
    let slowest = house.slowest(Duration::from_secs(2));
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    drop(silent);
    std::thread::sleep(Duration::from_millis(300));
    let mut client = Client::of(house.addr);
    for _ in 0..20 {
        client.send(get("/"));
        assert_eq!(client.answer().status, 200);
    }
}
