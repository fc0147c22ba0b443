//! Requests that break a bound: each is told, in JSON, and its connection closed.

use std::io::Write;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use anklet::http::Limits;

use super::{Answer, Client, House, get, post};

/// The answer of the door itself, after which the connection ends.
fn refusal(house: &House, request: impl AsRef<[u8]>) -> Answer {
    let mut client = house.client();
    client.send(request);
    refused(&mut client)
}

fn refused(client: &mut Client) -> Answer {
    let answer = client.answer();
    assert!(answer.text().starts_with("{\"error\":\"") && answer.text().ends_with("\"}"), "{answer:?}");
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(client.is_ended());
    answer
}

#[test]
fn what_could_be_smuggled_is_malformed() {
    let house = House::new();
    for rest in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
        "Content-Length: 4\r\nContent-Length: 40\r\n\r\nabcd",
        "Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
        "Content-Length: -4\r\n\r\nabcd",
        "Content-Length: 4,4\r\n\r\nabcd",
        "Content-Length : 4\r\n\r\nabcd",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "X: a\r\n b\r\nContent-Length: 4\r\n\r\nabcd",
        "X: a\nContent-Length: 4\r\n\r\nabcd",
        "X: a\r\nContent-Length: 4\n\nabcd",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n",
    ] {
        let answer = refusal(&house, format!("POST / HTTP/1.1\r\nHost: x\r\n{rest}"));
        assert_eq!(answer.status, 400, "{rest:?}");
    }
}

#[test]
fn what_is_not_http_is_malformed() {
    let house = House::new();
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" as &[u8], // TLS
        b"GET /\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET /\xc3\xa4 HTTP/1.1\r\n\r\n",
        b"GET /\x7f HTTP/1.1\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\n\r\n",
        b"GET lane HTTP/1.1\r\n\r\n",
        b"\0\0\0\0",
    ] {
        assert_eq!(refusal(&house, bytes).status, 400, "{:?}", String::from_utf8_lossy(bytes));
    }
    assert_eq!(refusal(&house, "GET / HTTP/1.1\r\nExpect: tea\r\n\r\n").status, 417);
}

#[test]
fn a_request_that_ends_early_is_told_so() {
    let house = House::new();
    for part in ["GET / HT", "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab"] {
        let mut client = house.client();
        client.send(part);
        client.stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(refused(&mut client).status, 400);
    }
    let mut silent = house.client();
    silent.stream.shutdown(Shutdown::Write).unwrap();
    assert!(silent.is_ended());
}

#[test]
fn a_length_over_the_bound_is_refused_before_the_body() {
    let house = House::new();
    for length in ["26214401", "99999999999999", "99999999999999999999999999999999"] {
        let mut client = house.client();
        client.send(format!("POST / HTTP/1.1\r\nContent-Length: {length}\r\n\r\n"));
        assert_eq!(refused(&mut client).status, 413, "{length}");
    }
    assert_eq!(house.ask(get("/")).status, 200);
}

#[test]
fn a_client_that_sends_its_too_long_body_first_still_reads_the_answer() {
    let house = House::new();
    let mut client = house.client();
    client.send("POST / HTTP/1.1\r\nContent-Length: 26214401\r\n\r\n");
    for _ in 0..25 {
        client.send(vec![b'a'; 1 << 20]);
    }
    client.send("a");
    client.stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(refused(&mut client).status, 413);
}

#[test]
fn endless_chunks_are_counted() {
    let house = House::with(Limits { body: 1 << 20, ..Limits::default() });
    let mut client = house.client();
    client.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = [b"10000\r\n" as &[u8], &vec![b'a'; 1 << 16], b"\r\n"].concat();
    let sent = (0..1000).take_while(|_| client.stream.write_all(&chunk).is_ok()).count();
    assert!(sent < 1000);
    let first = refusal(&house, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n");
    assert_eq!(first.status, 413);
}

#[test]
fn endless_heads_are_refused() {
    let house = House::new();
    let line = format!("GET /{}", "a".repeat(20 << 10));
    assert_eq!(refusal(&house, line).status, 431);
    let headers = format!("GET / HTTP/1.1\r\n{}", "A: b\r\n".repeat(4 << 10));
    assert_eq!(refusal(&house, headers).status, 431);
    let one = format!("GET / HTTP/1.1\r\nA: {}", "b".repeat(20 << 10));
    assert_eq!(refusal(&house, one).status, 431);
}

#[test]
fn the_whole_request_has_one_deadline() {
    let house = House::with(Limits { whole: Duration::from_millis(300), ..Limits::default() });
    for part in ["", "GET / HTTP/1.1\r\nA", "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nab"] {
        let (mut client, start) = (house.client(), Instant::now());
        client.send(part);
        assert_eq!(refused(&mut client).status, 408, "{part:?}");
        let took = start.elapsed();
        assert!((250..1000).contains(&took.as_millis()), "{part:?}: {took:?}");
    }
}

#[test]
fn a_dripping_client_moves_no_deadline() {
    let house = House::with(Limits { whole: Duration::from_millis(300), ..Limits::default() });
    let (mut client, start) = (house.client(), Instant::now());
    while client.stream.write_all(b"G").is_ok() && start.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn a_kept_alive_guest_that_asks_nothing_more_leaves_without_a_word() {
    let limits = Limits { idle: Duration::from_millis(200), ..Limits::default() };
    let house = House::with(limits);
    let mut client = house.client();
    client.send(get("/"));
    assert_eq!(client.answer().status, 200);
    let start = Instant::now();
    assert!(client.is_ended());
    assert!((150..1000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
}

#[test]
fn large_bodies_share_one_budget() {
    let house = House::with(Limits { budget: 1 << 20, ..Limits::default() });
    let mut first = house.client();
    first.send("POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n");
    first.send(vec![b'a'; 900_000]);
    std::thread::sleep(Duration::from_millis(100));
    let large = post("/", &"b".repeat(300_000));
    let answer = refusal(&house, large.as_bytes());
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    assert_eq!(house.ask(post("/", &"c".repeat(50_000))).status, 200);
    first.send(vec![b'a'; 100_000]);
    assert!(first.answer().text().contains("body=1000000"));
    assert_eq!(house.ask(large).status, 200);
}

#[test]
fn a_handler_that_takes_too_long_is_not_waited_for() {
    let house = House::with(Limits { handling: Duration::from_millis(200), ..Limits::default() });
    assert_eq!(refusal(&house, get("/slow")).status, 503);
    assert_eq!(house.ask(get("/")).status, 200);
}
