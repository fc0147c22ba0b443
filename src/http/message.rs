//! What a handler is given and what it gives back.

use std::net::IpAddr;
use std::sync::Arc;

/// Turns a request into a reply; called on a worker thread. A panic becomes a 500.
pub type Handler = Arc<dyn Fn(&Request<'_>) -> Reply + Send + Sync>;

/// The headers that handlers may ask for, in lower case; no other passes the door.
pub const PASSED: [&str; 8] = [
    "accept",
    "content-type",
    "x-github-delivery",
    "x-github-event",
    "x-github-hook-id",
    "x-github-hook-installation-target-id",
    "x-github-hook-installation-target-type",
    "x-hub-signature-256",
];

/// What is asked to be done with a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET, and HEAD: the door strips the body of its answer.
    Get,
    /// POST.
    Post,
    /// Any other, as written.
    Other(String),
}

/// One whole request within the bounds of the door.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// What to do.
    pub method: Method,
    /// The target without query; ASCII, begins with `/` (or is `*`).
    pub path: &'a str,
    /// What follows the `?`.
    pub query: Option<&'a str>,
    /// Names and values of the headers that pass the door.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body, already un-chunked.
    pub body: &'a [u8],
    /// Who is at the other end of the connection; perhaps a proxy.
    pub peer: Option<IpAddr>,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// 200 to 599.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// Further headers; a value that is not ASCII is left out.
    pub headers: Vec<(&'static str, String)>,
    /// Sent with its length.
    pub body: Vec<u8>,
}

impl<'a> Request<'a> {
    /// Splits a target (`/metrics?format=json`) into path and query.
    pub fn split(target: &'a str) -> (&'a str, Option<&'a str>) {
        match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        }
    }

    /// The value of the first header of this name, in any case, without the space around it.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

impl Method {
    /// From the word in a request line.
    pub fn of(word: &str) -> Method {
        match word {
            "GET" | "HEAD" => Method::Get,
            "POST" => Method::Post,
            other => Method::Other(other.to_owned()),
        }
    }
}

impl Reply {
    /// A reply whose body is JSON text.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Reply {
        Reply { status, content_type: "application/json", headers: Vec::new(), body: body.into() }
    }

    /// The same reply with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_found_in_any_case_and_the_first_counts() {
        let headers = [("X-GitHub-Event", "ping"), ("x-github-event", "push")];
        let request = Request {
            method: Method::of("HEAD"),
            path: "/",
            query: None,
            headers: &headers,
            body: b"",
            peer: None,
        };
        assert_eq!(request.header("x-github-event"), Some("ping"));
        assert_eq!(request.header("accept"), None);
        assert_eq!(request.method, Method::Get);
    }

    #[test]
    fn a_target_is_split_at_its_first_question_mark() {
        assert_eq!(Request::split("/metrics?format=json?x"), ("/metrics", Some("format=json?x")));
        assert_eq!(Request::split("/healthcheck"), ("/healthcheck", None));
    }
}
