//! The order of the checks: path 404, method 405, signature 401, JSON 400.

use super::{PATH, deliver, deliver_text, job, status, word};
use crate::support::wire::{ask, post, raw};
use crate::support::{World, web, world};

/// GitHub's published vector: `Hello, World!` under [`world::SECRET`].
const VECTOR: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

#[test]
fn the_path_comes_before_the_method_and_that_before_the_signature() {
    let world = World::new();
    let _daemon = world.start(0);
    for path in
        ["/", "/jobs/v1/receiver/", "/jobs/v1/Receiver", "/jobs/v1", "/metrics", "/metrics/v1", "/readyz"]
    {
        for method in ["GET", "POST", "DELETE", "OPTIONS"] {
            assert_eq!(status(&ask(world.port, method, path, &[])), 404, "{method} {path}");
        }
    }
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
        let answer = ask(world.port, method, PATH, &[]);
        assert_eq!((status(&answer), answer.header("allow")), (405, Some("POST")), "{method}");
    }
    let head = ask(world.port, "HEAD", PATH, &[]);
    assert_eq!((head.status, head.header("allow"), head.body.as_str()), (405, Some("POST"), ""));
    // Not JSON, and not signed: the signature is looked at first.
    assert_eq!(status(&post(world.port, PATH, &[("X-GitHub-Event", "workflow_job")], b"nonsense")), 401);
    // A query changes nothing.
    let asked = ask(world.port, "GET", "/healthcheck?verbose=1", &[]);
    assert_eq!(status(&asked), 200);
}

#[test]
fn the_healthcheck_is_got_and_nothing_else() {
    let world = World::new();
    let _daemon = world.start(0);
    let answer = ask(world.port, "GET", "/healthcheck", &[]);
    assert_eq!((status(&answer), word(&answer).as_str()), (200, "ok"));
    let head = ask(world.port, "HEAD", "/healthcheck", &[]);
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), answer.header("content-length"));
    let posted = ask(world.port, "POST", "/healthcheck", &[]);
    assert_eq!((status(&posted), posted.header("allow")), (405, Some("GET, HEAD")));
}

#[test]
fn only_the_right_signature_opens() {
    let world = World::new();
    let _daemon = world.start(0);
    let body = b"Hello, World!";
    let answer = |signature: Option<&str>| {
        let mut headers = vec![("X-GitHub-Event", "workflow_job")];
        headers.extend(signature.map(|text| ("X-Hub-Signature-256", text)));
        status(&post(world.port, PATH, &headers, body))
    };
    assert_eq!(answer(Some(VECTOR)), 400, "GitHub's vector is signed well, and is not JSON");
    assert_eq!(answer(Some(&VECTOR.replace("757107EA", "757107ea"))), 400);
    let hex = &VECTOR["sha256=".len()..];
    assert_eq!(answer(Some(&format!("sha256={}", hex.to_uppercase()))), 400, "hex has no case");
    let twice = format!("{VECTOR}, {VECTOR}");
    let wrong = VECTOR.replace('7', "8");
    let short = &VECTOR[..VECTOR.len() - 2];
    let long = format!("{VECTOR}00");
    let signs = VECTOR.replace("75", "+5");
    for bad in [hex, short, &long, &twice, &wrong, &signs, "sha256=", "sha256", "=", "", "sha1=abc"] {
        assert_eq!(answer(Some(bad)), 401, "{bad:?}");
    }
    assert_eq!(answer(None), 401);
}

#[test]
fn sha1_is_never_enough() {
    let world = World::new();
    let _daemon = world.start(0);
    let body = job("queued", 11).to_string();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, world::SECRET.as_bytes());
    let tag = ring::hmac::sign(&key, body.as_bytes());
    let hex: Vec<String> = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let sha1 = format!("sha1={}", hex.concat());
    for name in ["X-Hub-Signature", "X-Hub-Signature-256"] {
        let headers = [("X-GitHub-Event", "workflow_job"), (name, sha1.as_str())];
        assert_eq!(status(&post(world.port, PATH, &headers, body.as_bytes())), 401, "{name}");
    }
    assert_eq!(status(&deliver_text(world.port, "workflow_job", &body)), 202, "and it was not stored before");
}

#[test]
fn a_changed_byte_is_noticed() {
    let world = World::new();
    let _daemon = world.start(0);
    let body = job("queued", 12).to_string();
    let signature = web::signature(world::SECRET, &body);
    let headers = [("X-GitHub-Event", "workflow_job"), ("X-Hub-Signature-256", signature.as_str())];
    for changed in
        [body.replacen('1', "2", 1), format!("{body}\n"), format!(" {body}"), body.replace("acme", "Acme")]
    {
        assert_eq!(status(&post(world.port, PATH, &headers, changed.as_bytes())), 401);
    }
    assert_eq!(status(&post(world.port, PATH, &headers, body.as_bytes())), 202);
}

#[test]
fn while_a_secret_is_changed_both_open() {
    let world = World::new();
    let two = world.configuration(0, "").replace(
        &format!("global_receiver_secret: \"{}\"", world::SECRET),
        &format!("global_receiver_secret: [\"the new one\", \"{}\"]", world::SECRET),
    );
    let _daemon = world.start_with(&two);
    for (id, secret, wanted) in
        [(1, "the new one", 202), (2, world::SECRET, 202), (3, "the newer one", 401), (3, "", 401)]
    {
        let told = web::deliver(&world.receiver(), secret, "workflow_job", &job("queued", id).to_string());
        assert_eq!(told.0, wanted, "{secret}: {}", told.1);
    }
}

#[test]
fn a_secret_of_digits_is_the_text_that_was_written() {
    let world = World::new();
    let digits = world.configuration(0, "").replace(&format!("\"{}\"", world::SECRET), "00000000");
    let _daemon = world.start_with(&digits);
    let body = job("queued", 1).to_string();
    for (secret, wanted) in [("0", 401), ("00000000", 202)] {
        assert_eq!(web::deliver(&world.receiver(), secret, "workflow_job", &body).0, wanted, "{secret}");
    }
}

#[test]
fn what_is_not_json_is_told_where() {
    let world = World::new();
    let _daemon = world.start(0);
    let deep = "[".repeat(100_000);
    for body in ["", " ", "{", "nonsense", "{\"action\": queued}", "\u{feff}{}", "{}{}", "'{}'", &deep] {
        for event in ["workflow_job", "push", "ping"] {
            let answer = deliver_text(world.port, event, body);
            assert_eq!(status(&answer), 400, "{event} {:?}", &body[..body.len().min(20)]);
        }
    }
    let told = word(&deliver_text(world.port, "workflow_job", "{\n \"action\": queued}"));
    assert!(told.contains("line 2"), "{told}");
    assert_eq!(status(&deliver(world.port, "workflow_job", &job("queued", 5))), 202, "it serves on");
}

#[test]
fn forms_are_taken_and_signed_as_they_are_sent() {
    let world = World::new();
    let _daemon = world.start(0);
    let send = |kind: &str, body: &str| {
        let signature = web::signature(world::SECRET, body);
        let headers = [
            ("Content-Type", kind),
            ("X-GitHub-Event", "workflow_job"),
            ("X-Hub-Signature-256", signature.as_str()),
        ];
        status(&post(world.port, PATH, &headers, body.as_bytes()))
    };
    let form = |id: u64| {
        let mut payload = job("queued", id);
        payload["workflow_job"]["name"] = "build & test + 100% für alle".into();
        let text = payload.to_string();
        let encoded = text.bytes().map(|byte| match byte {
            b' ' => "+".to_owned(),
            plain if plain.is_ascii_alphanumeric() => char::from(plain).to_string(),
            other => format!("%{other:02X}"),
        });
        format!("payload={}", encoded.collect::<Vec<_>>().concat())
    };
    let kind = "application/x-www-form-urlencoded";
    assert_eq!(send(kind, &form(1)), 202);
    assert_eq!(send("Application/X-WWW-Form-URLencoded; charset=utf-8", &form(2)), 202);
    assert_eq!(send("application/json; charset=utf-8", &job("queued", 3).to_string()), 202);
    assert_eq!(send("text/plain", &job("queued", 4).to_string()), 202);
    assert_eq!(send(kind, &form(1)), 200, "the same job");
    for bad in ["payload=", "payload=%7B%7", "payload=%zz", "other=1", "", &job("queued", 9).to_string()] {
        assert_eq!(send(kind, bad), 400, "{:?}", &bad[..bad.len().min(30)]);
    }
    assert_eq!(send("application/json", &form(5)), 400, "a form that says it is JSON");
}

#[test]
fn a_body_in_chunks_is_as_good_as_one_with_a_length() {
    let world = World::new();
    let _daemon = world.start(0);
    let body = job("queued", 1).to_string();
    let signature = web::signature(world::SECRET, &body);
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: x\r\nX-GitHub-Event: workflow_job\r\nX-Hub-Signature-256: {signature}\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    );
    let chunks: Vec<Vec<u8>> = body
        .as_bytes()
        .chunks(1000)
        .map(|part| [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat())
        .collect();
    let whole = [head.as_bytes(), &chunks.concat(), b"0\r\n\r\n"].concat();
    assert_eq!(status(&raw(world.port, &whole)), 202);
    assert_eq!(status(&raw(world.port, &whole)), 200, "the same job");
}
