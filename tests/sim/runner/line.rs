//! The runner's line to the simulated GitHub: JSON objects both ways on one connection.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

type Line = (TcpStream, BufReader<TcpStream>);

/// Opens the line to GitHub, or says how it was refused.
pub fn open(host: &str, hello: &str) -> Result<Result<Line, (u16, String)>, String> {
    let mut stream = TcpStream::connect(host).map_err(|e| e.to_string())?;
    let head = format!(
        "POST /_sim/runner/session HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n\r\n{hello}",
        hello.len()
    );
    stream.write_all(head.as_bytes()).map_err(|e| e.to_string())?;
    let mut reader = BufReader::new(stream.try_clone().map_err(|e| e.to_string())?);
    let (mut status, mut length, mut line) = (0, 0, String::new());
    while reader.read_line(&mut line).map_err(|e| e.to_string())? > 2 {
        if status == 0 {
            status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(500);
        }
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    if status == 101 {
        return Ok(Ok((stream, reader)));
    }
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body).map_err(|e| e.to_string())?;
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    Ok(Err((status, answer["message"].as_str().unwrap_or_default().to_owned())))
}

/// What comes in over the line; it ends with it.
pub fn words(mut reader: BufReader<TcpStream>) -> Receiver<Value> {
    let (tell, heard) = channel();
    thread::spawn(move || {
        let mut line = String::new();
        while matches!(reader.read_line(&mut line), Ok(1..)) {
            if tell.send(serde_json::from_str(&line).unwrap_or_default()).is_err() {
                break;
            }
            line.clear();
        }
    });
    heard
}
