//! Opening, closing, and what is left behind.

use std::fs;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anklet::http::{Limits, OpenError, open};

use super::{Client, House, echo, get, options, scratch};

fn took(deed: impl FnOnce()) -> Duration {
    let start = Instant::now();
    deed();
    start.elapsed()
}

#[test]
fn an_idle_house_closes_at_once_and_its_port_is_free() {
    let mut house = House::new();
    let closing = took(|| house.close());
    assert!(closing < Duration::from_millis(500), "{closing:?}");
    let again = open(options(&house.addr.to_string(), house.dir.clone(), Limits::default()), echo());
    again.unwrap().close();
    assert_eq!(fs::read_dir(&house.dir).unwrap().count(), 0, "sockets are left behind");
}

#[test]
fn guests_that_wait_do_not_hold_up_the_close() {
    let mut house = House::new();
    let (mut kept, mut half, mut silent) = (house.client(), house.client(), house.client());
    kept.send(get("/"));
    assert_eq!(kept.answer().status, 200);
    half.send("POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf");
    thread::sleep(Duration::from_millis(50));
    let closing = took(|| house.close());
    assert!(closing < Duration::from_millis(500), "{closing:?}");
    assert!(kept.is_ended() && half.is_ended() && silent.is_ended());
    assert!(TcpStream::connect(house.addr).is_err());
}

#[test]
fn what_is_in_hand_is_answered_before_the_close() {
    let mut house = House::new();
    let mut client = house.client();
    client.send(get("/slow"));
    thread::sleep(Duration::from_millis(100));
    let closing = took(|| house.close());
    assert!((200..900).contains(&closing.as_millis()), "{closing:?}");
    let answer = client.answer();
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert!(client.is_ended());
}

#[test]
fn a_client_that_does_not_take_its_answer_cannot_hold_up_the_close() {
    let mut house = House::new();
    let mut client = house.client();
    client.send(get("/huge"));
    thread::sleep(Duration::from_millis(800)); // all buffers are full now
    let closing = took(|| house.close());
    assert!((900..2500).contains(&closing.as_millis()), "{closing:?}");
}

#[test]
fn dropping_a_listener_closes_it() {
    let mut house = House::new();
    drop(house.listener.take());
    assert!(TcpStream::connect(house.addr).is_err());
}

#[test]
fn an_address_in_use_is_named() {
    let house = House::new();
    let second = open(options(&house.addr.to_string(), scratch(), Limits::default()), echo());
    let error = second.err().unwrap();
    assert!(matches!(error, OpenError::InUse(addr) if addr == house.addr));
    assert!(error.to_string().contains(&house.addr.to_string()));
}

#[test]
fn it_listens_everywhere_and_closes_there_too() {
    for (everywhere, here) in [("0.0.0.0:0", "127.0.0.1"), ("[::]:0", "[::1]")] {
        let dir = scratch();
        let listener = match open(options(everywhere, dir.clone(), Limits::default()), echo()) {
            Err(OpenError::Public(..)) if everywhere.starts_with('[') => continue, // no IPv6 here
            opened => opened.unwrap(),
        };
        let addr = format!("{here}:{}", listener.addr().port()).parse().unwrap();
        let mut client = Client::of(addr);
        client.send(get("/"));
        assert_eq!(client.answer().status, 200);
        let closing = took(|| listener.close());
        assert!(closing < Duration::from_millis(500), "{closing:?}");
        fs::remove_dir_all(dir).unwrap();
    }
}
