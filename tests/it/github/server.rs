//! An HTTP server of one thread that gives one prepared answer a connection, and keeps what it was asked.
#![expect(clippy::disallowed_methods, reason = "a test's server, not the daemon's")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What a connection gets.
pub enum Reply {
    /// These bytes, then the end.
    Whole(String),
    /// Nothing, for ever.
    Mute,
    /// The end, at once.
    Hangup,
    /// These bytes again and again, with a pause after each.
    Endless(String, Duration),
}

/// Serves until its replies are used up; afterwards connections are refused.
pub struct Server {
    pub url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn start(replies: impl IntoIterator<Item = Reply>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (replies, notes): (Vec<_>, _) = (replies.into_iter().collect(), Arc::clone(&asked));
        thread::spawn(move || {
            let mut open = Vec::new();
            for reply in replies {
                let (mut stream, _) = listener.accept().unwrap();
                notes.lock().unwrap().push(head(&mut stream));
                serve(&mut stream, reply);
                open.push(stream);
            }
            drop(listener);
            thread::park();
        });
        Server { url, asked }
    }

    /// The heads of the requests so far, in lower case after the first line.
    pub fn asked(&self) -> Vec<String> {
        let lowered = |head: String| {
            let (line, rest) = head.split_once("\r\n").unwrap_or_default();
            format!("{line}\r\n{}", rest.to_lowercase())
        };
        self.heads().into_iter().map(lowered).collect()
    }

    /// The credentials of each request so far, as they were sent.
    pub fn bearers(&self) -> Vec<String> {
        let bearer = |head: String| {
            let mut values = head.lines().filter_map(|line| line.split_once(": "));
            let (_, value) = values.find(|(name, _)| name.eq_ignore_ascii_case("authorization")).unwrap();
            value.strip_prefix("Bearer ").unwrap().to_owned()
        };
        self.heads().into_iter().map(bearer).collect()
    }

    fn heads(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Method and path of each request so far.
    pub fn lines(&self) -> Vec<String> {
        let line = |head: &String| head.lines().next().unwrap_or_default().replace(" HTTP/1.1", "");
        self.asked().iter().map(line).collect()
    }
}

/// An answer of GitHub's form, at a fixed time.
pub fn reply(status: u16, headers: &str, body: &str) -> Reply {
    let length = if status == 204 || status == 304 {
        String::new()
    } else {
        format!("content-length: {}\r\n", body.len())
    };
    Reply::Whole(format!(
        "HTTP/1.1 {status} X\r\ndate: Tue, 22 Jan 2030 20:00:00 GMT\r\nconnection: close\r\n{length}{headers}\r\n{body}"
    ))
}

fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        bytes.push(byte[0]);
    }
    String::from_utf8(bytes).unwrap()
}

fn serve(stream: &mut TcpStream, reply: Reply) {
    match reply {
        Reply::Whole(text) => {
            let _ = stream.write_all(text.as_bytes());
            let _ = stream.shutdown(std::net::Shutdown::Write);
        }
        Reply::Mute => (),
        Reply::Hangup => {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        Reply::Endless(text, pause) => {
            while stream.write_all(text.as_bytes()).is_ok() {
                thread::sleep(pause);
            }
        }
    }
}
