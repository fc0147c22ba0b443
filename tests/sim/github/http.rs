//! A small HTTP/1.1 server: one thread a connection, so that an answer may hang, break off, or become a session.

use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

const MAX_HEAD: u64 = 64 << 10;
const MAX_BODY: u64 = 64 << 20;

pub struct Request {
    pub method: String,
    /// Without the query.
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn asked(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// An answer in JSON.
pub fn json(status: u16, body: &Value) -> Answer {
    let answer = Answer { status, body: body.to_string().into_bytes(), ..Answer::default() };
    answer.with("Content-Type", "application/json; charset=utf-8")
}

/// What takes over a connection: its reading half holds what has been read ahead.
pub type Session = Box<dyn FnOnce(TcpStream, BufReader<TcpStream>) + Send>;

pub enum Reply {
    Send(Answer),
    /// The connection is closed without an answer.
    Close,
    Upgrade(Session),
}

pub type Handler = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

/// Serves until the process ends.
pub fn serve(listener: &TcpListener, handler: &Handler) {
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            thread::sleep(std::time::Duration::from_millis(10));
            continue;
        };
        let handler = Arc::clone(handler);
        thread::spawn(move || {
            let _ = stream.set_nodelay(true);
            let _ = attend(stream, &handler);
        });
    }
}

fn attend(mut stream: TcpStream, handler: &Handler) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = read(&mut reader, &mut stream)? {
        match handler(&request) {
            Reply::Send(answer) => send(&mut stream, &request, &answer)?,
            Reply::Close => return stream.shutdown(Shutdown::Both),
            Reply::Upgrade(session) => {
                stream.write_all(
                    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: sim\r\n\r\n",
                )?;
                session(stream, reader);
                return Ok(());
            }
        }
        if request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            break;
        }
    }
    Ok(())
}

/// The next request, or `None` at the end of the connection.
fn read(reader: &mut BufReader<TcpStream>, stream: &mut TcpStream) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    loop {
        let line = reader.by_ref().take(MAX_HEAD).read_until(b'\n', &mut head)?;
        if line == 0 {
            return Ok(None);
        }
        if head.ends_with(b"\r\n\r\n") {
            break;
        }
    }
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Request::new(&mut headers);
    parsed.parse(&head).map_err(io::Error::other)?;
    let target = parsed.path.unwrap_or("/").to_owned();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut request = Request {
        method: parsed.method.unwrap_or("GET").to_owned(),
        path: path.to_owned(),
        query: query.split('&').filter(|text| !text.is_empty()).map(pair).collect(),
        headers: parsed
            .headers
            .iter()
            .map(|h| (h.name.to_owned(), String::from_utf8_lossy(h.value).into_owned()))
            .collect(),
        body: Vec::new(),
    };
    if request.header("expect").is_some() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    request.body = body(&request, reader)?;
    Ok(Some(request))
}

fn body(request: &Request, reader: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if request.header("transfer-encoding").is_none() {
        let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0_u64);
        reader.by_ref().take(length.min(MAX_BODY)).read_to_end(&mut body)?;
        return Ok(body);
    }
    loop {
        let mut line = String::new();
        reader.by_ref().take(MAX_HEAD).read_line(&mut line)?;
        let length = u64::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
        reader.by_ref().take(length.min(MAX_BODY)).read_to_end(&mut body)?;
        reader.by_ref().take(MAX_HEAD).read_line(&mut String::new())?;
        if length == 0 {
            return Ok(body);
        }
    }
}

/// GitHub sends no body, hence no length, with 204 and 304.
fn send(stream: &mut TcpStream, request: &Request, answer: &Answer) -> io::Result<()> {
    let mut out = format!("HTTP/1.1 {} {}\r\n", answer.status, reason(answer.status)).into_bytes();
    for (name, value) in &answer.headers {
        out.extend(format!("{name}: {value}\r\n").into_bytes());
    }
    let bodiless = matches!(answer.status, 204 | 304);
    if !bodiless {
        out.extend(format!("Content-Length: {}\r\n", answer.body.len()).into_bytes());
    }
    out.extend(b"\r\n");
    if !bodiless && request.method != "HEAD" {
        out.extend(&answer.body);
    }
    stream.write_all(&out)
}

fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (name.into(), unescaped(value))
}

/// `%41` and `+` as query strings write them.
pub fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let escaped = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match (byte, escaped.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(value)) => {
                bytes.push(value);
                rest = &after[2..];
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        304 => "Not Modified",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_values_are_unescaped() {
        assert_eq!(unescaped("anklet-vm%2D1+x%"), "anklet-vm-1 x%");
    }
}
