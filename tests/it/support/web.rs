//! Small HTTP for tests.

use std::time::Duration;

use ring::hmac;
use serde_json::Value;

/// Status and body.
pub type Answer = (u16, String);

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(30)))
        .proxy(None)
        .build();
    config.new_agent()
}

/// GET.
pub fn get(url: &str) -> Answer {
    let mut response = agent().get(url).call().unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

/// GET of JSON.
pub fn get_json(url: &str) -> Value {
    serde_json::from_str(&get(url).1).unwrap()
}

/// POST of JSON; fails unless it is taken.
pub fn post_json(url: &str, body: &Value) -> Value {
    let mut response = agent().post(url).send(body.to_string()).unwrap();
    let text = response.body_mut().read_to_string().unwrap();
    assert_eq!(response.status().as_u16(), 200, "{url}: {text}");
    serde_json::from_str(&text).unwrap()
}

/// DELETE.
pub fn delete(url: &str) {
    assert_eq!(agent().delete(url).call().unwrap().status().as_u16(), 200);
}

/// A delivery with this event, signed with `secret`.
pub fn deliver(url: &str, secret: &str, event: &str, body: &str) -> Answer {
    deliver_with(url, &[("X-GitHub-Event", event), ("X-Hub-Signature-256", &signature(secret, body))], body)
}

/// A POST with just these headers.
pub fn deliver_with(url: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = agent().post(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = request.send(body).unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

/// The value of `X-Hub-Signature-256`.
pub fn signature(secret: &str, body: &str) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body.as_bytes());
    let hex: Vec<String> = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={}", hex.concat())
}
