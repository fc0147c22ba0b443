//! Requests that are answered.

use std::thread;
use std::time::{Duration, Instant};

use anklet::http::Limits;

use super::{House, get, post};

#[test]
fn method_path_query_headers_body_and_peer_reach_the_handler() {
    let house = House::new();
    let answer = house.ask(
        "POST /jobs/v1/receiver?a=1&b HTTP/1.1\r\nHost: x\r\nCookie: secret\r\nX-GITHUB-EVENT:  ping \r\n\
         X-Door-Peer: 9.9.9.9\r\nContent-Length: 5\r\n\r\nhello",
    );
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.text(),
        "Post /jobs/v1/receiver Some(\"a=1&b\") event=Some(\"ping\") cookie=None accept=None \
         peer=Some(127.0.0.1) body=5 hello"
    );
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("server"), Some("anklet"));
    assert_eq!(answer.header("connection"), None);
}

#[test]
fn a_chunked_body_arrives_whole_and_the_connection_stays() {
    let house = House::new();
    let mut client = house.client();
    for _ in 0..3 {
        client.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nT: v\r\n\r\n");
        assert!(client.answer().text().ends_with("body=7 abcdefg"));
    }
}

#[test]
fn a_header_that_is_not_ascii_is_dropped_and_the_rest_goes_on() {
    let house = House::new();
    let mut client = house.client();
    client.send(
        b"GET / HTTP/1.1\r\nAccept: caf\xe9\r\nX-GitHub-Event: \xf0\x9f\x98\x80\r\nCookie: \xff\r\n\r\n",
    );
    let answer = client.answer();
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("event=None cookie=None accept=None"), "{}", answer.text());
    client.send("GET / HTTP/1.1\r\nX-GitHub-Event: ping\r\n\r\n");
    assert!(client.answer().text().contains("event=Some(\"ping\")"));
}

#[test]
fn heads_get_the_length_without_the_body_on_every_lane() {
    let house = House::new();
    let length = house.ask(get("/")).header("content-length").unwrap().to_owned();
    let mut client = house.client();
    for _ in 0..20 {
        client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
        let answer = client.answer_to(true);
        assert_eq!((answer.status, answer.header("content-length")), (200, Some(&*length)));
    }
    client.send(get("/after"));
    assert!(client.answer().text().starts_with("Get /after "));
}

#[test]
fn a_thousand_requests_on_one_connection() {
    let house = House::new();
    let mut client = house.client();
    for number in 0..1000 {
        client.send(post(&format!("/{number}"), "x"));
        assert!(client.answer().text().starts_with(&format!("Post /{number} ")));
    }
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let house = House::new();
    let mut client = house.client();
    client.send((0..50).map(|number| post(&format!("/{number}"), "body")).collect::<String>());
    for number in 0..50 {
        assert!(client.answer().text().starts_with(&format!("Post /{number} ")));
    }
}

#[test]
fn a_full_house_gives_no_second_helping() {
    let house = House::with(Limits { grace: Duration::from_secs(9), ..Limits::default() });
    let mut clients: Vec<_> = (0..super::PLACES).map(|_| house.client()).collect();
    let mut last = clients.pop().unwrap();
    last.send(get("/"));
    assert_eq!(last.answer().header("connection"), Some("close"));
    assert!(last.is_ended());
    drop(last);
    thread::sleep(Duration::from_millis(200));
    clients[0].send(get("/"));
    assert_eq!(clients[0].answer().header("connection"), None);
}

#[test]
fn many_kept_alive_connections_at_once_starve_nobody() {
    let house = House::new();
    let clients: Vec<_> = (0..12).map(|_| house.client()).collect();
    let asked = clients.into_iter().map(|mut client| {
        thread::spawn(move || {
            (0..50).all(|_| {
                client.send(get("/"));
                client.answer().status == 200
            })
        })
    });
    let asked: Vec<_> = asked.collect();
    assert!(asked.into_iter().all(|client| client.join().unwrap()));
}

#[test]
fn a_client_that_sends_byte_by_byte_is_understood() {
    let house = House::new();
    let mut client = house.client();
    for byte in post("/drip", "slowly").bytes() {
        client.send([byte]);
        thread::sleep(Duration::from_millis(2));
    }
    assert!(client.answer().text().ends_with("body=6 slowly"));
}

#[test]
fn expect_is_answered_once_the_bounds_are_known_to_hold() {
    let house = House::new();
    let mut client = house.client();
    client.send("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(client.answer().status, 100);
    client.send("ok");
    assert!(client.answer().text().ends_with("body=2 ok"));
    let refused = house.ask("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 26214401\r\n\r\n");
    assert_eq!(refused.status, 413);
}

#[test]
fn who_wants_to_close_is_told_and_closed() {
    let house = House::new();
    for head in ["GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"] {
        let mut client = house.client();
        client.send(head);
        let answer = client.answer();
        assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
        assert!(client.is_ended());
    }
}

#[test]
fn the_largest_body_passes() {
    let house = House::new();
    let mut client = house.client();
    client.send("POST / HTTP/1.1\r\nContent-Length: 26214400\r\n\r\n");
    for _ in 0..25 {
        client.send(vec![b'a'; 1 << 20]);
    }
    assert!(client.answer().text().contains("body=26214400"));
}

#[test]
fn large_and_empty_answers_end_where_they_should() {
    let house = House::new();
    let mut client = house.client();
    client.send([get("/large"), get("/none"), get("/retry"), get("/end")].concat());
    assert_eq!(client.answer().body.len(), 1 << 20);
    assert_eq!(client.answer().status, 204);
    let retry = client.answer();
    assert_eq!((retry.status, retry.header("retry-after")), (503, Some("7")));
    assert!(!retry.head.contains("Injected"));
    assert!(client.answer().text().starts_with("Get /end "));
}

#[test]
fn a_handler_that_panics_harms_nobody_else() {
    let house = House::new();
    let mut client = house.client();
    for _ in 0..10 {
        client.send(get("/panic"));
        let answer = client.answer();
        assert_eq!((answer.status, &*answer.text()), (500, r#"{"error":"internal error"}"#));
    }
    client.send(get("/"));
    assert_eq!(client.answer().status, 200);
}

#[test]
fn slow_handlers_do_not_hold_up_more_than_their_workers() {
    let house = House::new();
    let mut slow = house.client();
    slow.send(get("/slow"));
    thread::sleep(Duration::from_millis(50));
    let start = Instant::now();
    assert_eq!(house.ask(get("/")).status, 200);
    assert!(start.elapsed() < Duration::from_millis(300), "{:?}", start.elapsed());
    assert_eq!(slow.answer().status, 200);
}
