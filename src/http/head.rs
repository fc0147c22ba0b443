//! The head of a request: parsed strictly, then written anew for the way inward.
//!
//! The client's own head never goes further: only the method, the target and the headers that handlers read.

use super::message::PASSED;
use super::refusal::Refusal;

/// Most headers in a head.
const HEADERS: usize = 64;

/// One parsed head.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// Request line and passed headers as tiny_http shall see them; length and empty line are still to come.
    pub inward: Vec<u8>,
    /// How the body is framed.
    pub framing: Framing,
    /// HEAD: its answer goes out without its body.
    pub bare: bool,
    /// No further request is wanted on this connection.
    pub closes: bool,
    /// The client sends its body after a `100 Continue` only.
    pub waits: bool,
    /// Bytes of the head as it arrived.
    pub length: usize,
}

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// So many bytes; `usize::MAX` stands for any number above.
    Length(usize),
    /// In chunks, the last one empty.
    Chunked,
}

/// The head at the front of `bytes`, `None` when more must come first.
pub fn parse(bytes: &[u8], most: usize) -> Result<Option<Head>, Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length <= most => length,
        Ok(httparse::Status::Partial) if bytes.len() < most => return Ok(None),
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(Refusal::HeadTooLarge),
        Err(_) => return Err(Refusal::Malformed("this is not an HTTP/1 request")),
    };
    if has_bare_lf(&bytes[..length]) {
        return Err(Refusal::Malformed("a line of the head does not end in CRLF"));
    }
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version) else {
        return Err(Refusal::Malformed("this is not an HTTP/1 request"));
    };
    let expectation = expects(request.headers)?;
    Ok(Some(Head {
        inward: inward(method, origin_form(target)?, request.headers),
        framing: framing(request.headers, minor)?,
        bare: method == "HEAD",
        closes: minor == 0 || names(request.headers, "connection", "close"),
        waits: minor == 1 && expectation,
        length,
    }))
}

/// httparse takes a lone LF for the end of a line; a proxy before us may not.
fn has_bare_lf(head: &[u8]) -> bool {
    head.iter().enumerate().any(|(at, byte)| *byte == b'\n' && (at == 0 || head[at - 1] != b'\r'))
}

/// The target as a path and query: `http://host/path` is as good as `/path`.
fn origin_form(target: &str) -> Result<&str, Refusal> {
    if !target.is_ascii() {
        return Err(Refusal::Malformed("the target is not ASCII"));
    }
    if target.starts_with('/') || target == "*" {
        return Ok(target);
    }
    let scheme = ["http://", "https://"]
        .into_iter()
        .find(|scheme| target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    let Some(scheme) = scheme else { return Err(Refusal::Malformed("the target is not a path")) };
    let after = &target[scheme.len()..];
    Ok(after.find('/').map_or("/", |slash| &after[slash..]))
}

/// Exactly one framing, told exactly once: anything else is how requests are smuggled.
/// A framing header that cannot be read is never dropped, as others are.
fn framing(headers: &[httparse::Header<'_>], minor: u8) -> Result<Framing, Refusal> {
    let (mut length, mut chunked) = (None, false);
    for header in headers {
        let value = header.value.trim_ascii();
        if header.name.eq_ignore_ascii_case("content-length") {
            if length.replace(digits(value)?).is_some() {
                return Err(Refusal::Malformed("the length is told twice"));
            }
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            if chunked || minor == 0 || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Refusal::Malformed("the only transfer encoding understood is one chunked"));
            }
            chunked = true;
        }
    }
    match (length, chunked) {
        (Some(_), true) => Err(Refusal::Malformed("the body has a length and is chunked")),
        (None, true) => Ok(Framing::Chunked),
        (length, false) => Ok(Framing::Length(length.unwrap_or(0))),
    }
}

fn digits(value: &[u8]) -> Result<usize, Refusal> {
    let all = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| all);
    let text = text.ok_or(Refusal::Malformed("the length is not a number"))?;
    Ok(text.parse().unwrap_or(usize::MAX))
}

fn expects(headers: &[httparse::Header<'_>]) -> Result<bool, Refusal> {
    match headers.iter().find(|header| header.name.eq_ignore_ascii_case("expect")) {
        None => Ok(false),
        Some(header) if header.value.trim_ascii().eq_ignore_ascii_case(b"100-continue") => Ok(true),
        Some(_) => Err(Refusal::Expectation),
    }
}

/// Whether a header that is a list names `token`.
fn names(headers: &[httparse::Header<'_>], field: &str, token: &str) -> bool {
    headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case(field))
        .flat_map(|header| header.value.split(|byte| *byte == b','))
        .any(|word| word.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// HEAD goes in as GET: tiny_http would announce a body that it does not send.
/// A header that is not ASCII is left out: tiny_http would close the lane over it.
fn inward(method: &str, target: &str, headers: &[httparse::Header<'_>]) -> Vec<u8> {
    let method = if method == "HEAD" { "GET" } else { method };
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: door\r\n").into_bytes();
    for header in headers {
        let passes = PASSED.iter().any(|name| header.name.eq_ignore_ascii_case(name));
        if passes && header.value.is_ascii() {
            head.extend_from_slice(header.name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(header.value);
            head.extend_from_slice(b"\r\n");
        }
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 16 << 10;

    fn whole(text: &str) -> Head {
        parse(text.as_bytes(), MOST).unwrap().unwrap()
    }

    fn refused(text: &[u8]) -> Refusal {
        parse(text, MOST).unwrap_err()
    }

    fn malformed(text: &str) -> bool {
        matches!(refused(text.as_bytes()), Refusal::Malformed(_))
    }

    #[test]
    fn only_the_named_headers_go_inward_and_only_as_ascii() {
        let head = parse(
            b"POST /jobs/v1/receiver?a=1 HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nX-GitHub-Event: ping\r\n\
              Content-Length: 3\r\nContent-Type: \xc3\xa4\r\nCookie: a\r\n\r\nabc",
            MOST,
        );
        let head = head.unwrap().unwrap();
        let inward = "POST /jobs/v1/receiver?a=1 HTTP/1.1\r\nHost: door\r\nX-GitHub-Event: ping\r\n";
        assert_eq!(String::from_utf8(head.inward).unwrap(), inward);
        assert_eq!(head.framing, Framing::Length(3));
        assert!(!head.closes && !head.waits && !head.bare);
    }

    #[test]
    fn every_prefix_of_a_head_asks_for_more() {
        let text = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        for end in 0..text.len() {
            assert_eq!(parse(&text[..end], MOST), Ok(None), "{end}");
        }
    }

    #[test]
    fn what_two_readers_could_read_differently_is_malformed() {
        for rest in [
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
            "Content-Length: 1, 1\r\n\r\n",
            "Content-Length: +1\r\n\r\n",
            "Content-Length: 0x1\r\n\r\n",
            "Content-Length:\r\n\r\n",
            "Content-Length: ä\r\n\r\n",
            "Content-Length : 1\r\n\r\n",
            "Transfer-Encoding: gzip, chunked\r\n\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "Transfer-Encoding: \u{b}chunked\r\n\r\n",
            "A: b\r\n folded\r\n\r\n",
            "A: b\n\r\n",
            "A: b\r\n\n",
            "A: b\rC: d\r\n\r\n",
        ] {
            assert!(malformed(&format!("POST / HTTP/1.1\r\n{rest}")), "{rest:?}");
        }
        assert!(malformed("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"));
        assert!(malformed("GET /\u{e4} HTTP/1.1\r\n\r\n"));
        assert!(malformed("CONNECT host:443 HTTP/1.1\r\n\r\n"));
        assert!(malformed("GET / HTTP/2.0\r\n\r\n"));
        assert!(malformed("GET /\r\n\r\n"));
    }

    #[test]
    fn a_length_beyond_all_numbers_is_still_a_length() {
        let told =
            |digits: &str| whole(&format!("POST / HTTP/1.1\r\nContent-Length: {digits}\r\n\r\n")).framing;
        assert_eq!(told("99999999999999"), Framing::Length(99_999_999_999_999));
        assert_eq!(told(&"9".repeat(40)), Framing::Length(usize::MAX));
        assert_eq!(told("0007"), Framing::Length(7));
    }

    #[test]
    fn too_large_is_told_apart_from_not_yet_whole() {
        let line = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(MOST));
        assert_eq!(refused(line.as_bytes()), Refusal::HeadTooLarge);
        assert_eq!(refused(&line.as_bytes()[..MOST]), Refusal::HeadTooLarge);
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(HEADERS + 1));
        assert_eq!(refused(many.as_bytes()), Refusal::HeadTooLarge);
        let just = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(HEADERS));
        assert!(parse(just.as_bytes(), MOST).unwrap().is_some());
    }

    #[test]
    fn closing_waiting_and_bare_answers_are_noticed() {
        assert!(whole("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").closes);
        assert!(whole("GET / HTTP/1.1\r\nConnection: TE, Close\r\n\r\n").closes);
        assert!(whole("POST / HTTP/1.1\r\nExpect: 100-Continue\r\n\r\n").waits);
        assert!(!whole("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").waits);
        assert_eq!(refused(b"POST / HTTP/1.1\r\nExpect: tea\r\n\r\n"), Refusal::Expectation);
        let head = whole("HEAD /healthcheck HTTP/1.1\r\n\r\n");
        assert!(head.bare && head.inward.starts_with(b"GET /healthcheck "));
    }

    #[test]
    fn an_absolute_target_loses_its_host() {
        let line = |target: &str| {
            let inward = whole(&format!("GET {target} HTTP/1.1\r\n\r\n")).inward;
            String::from_utf8(inward).unwrap().split(' ').nth(1).unwrap().to_owned()
        };
        assert_eq!(line("HTTP://host:80/metrics?format=json"), "/metrics?format=json");
        assert_eq!(line("http://host"), "/");
        assert_eq!(line("*"), "*");
    }
}
