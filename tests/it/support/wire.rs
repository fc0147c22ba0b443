//! HTTP by hand, for what a client library would not send.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// An answer as it came over the wire.
#[derive(Clone, Debug)]
pub struct Answer {
    /// 0 when the connection closed without one.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Everything behind the head.
    pub body: String,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A request of this method without a body.
pub fn ask(port: u16, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    raw(
        port,
        format!("{method} {path} HTTP/1.1\r\nHost: x\r\n{}Connection: close\r\n\r\n", lines(headers))
            .as_bytes(),
    )
}

/// A POST with just these headers and a length.
pub fn post(port: u16, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\n{}Content-Length: {length}\r\nConnection: close\r\n\r\n",
        lines(headers)
    );
    raw(port, &[head.as_bytes(), body].concat())
}

/// Sends bytes and reads until the other side closes; no answer where nobody listens.
pub fn raw(port: u16, bytes: &[u8]) -> Answer {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return read("") };
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // An early refusal may close before all is sent.
    let _ = stream.write_all(bytes);
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    let _ = stream.shutdown(Shutdown::Both);
    read(&String::from_utf8_lossy(&text))
}

fn lines(headers: &[(&str, &str)]) -> String {
    headers.iter().map(|(name, value)| [name, ": ", value, "\r\n"].concat()).collect()
}

fn read(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let pairs = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let headers = pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    Answer { status, headers, body: body.to_owned() }
}
