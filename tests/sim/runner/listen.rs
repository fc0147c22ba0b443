//! `run.sh`: comes online, waits for one job, takes its time, says how it ended.

use super::{Configured, DEPRECATED, Ended, guest, line, terminated};
use crate::files;
use lexopt::prelude::*;
use serde_json::{Value, json};
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

pub fn run(args: Vec<String>) -> Ended {
    let (jit, version) = run_options(args).map_err(|e| terminated(e.to_string()))?;
    let configured = match jit {
        Some(config) => just_in_time(&config)?,
        None => files::read_json::<Configured>(Path::new(".runner"))
            .map_err(terminated)?
            .ok_or_else(|| terminated("Not configured. Run config.sh"))?,
    };
    let note = guest::vm_folder().map(|vm| vm.join("pids").join(std::process::id().to_string()));
    if let Some(note) = &note {
        let _ = std::fs::write(note, "");
    }
    let ended = serve(&configured, &version);
    if let Some(note) = &note {
        let _ = std::fs::remove_file(note);
    }
    ended
}

fn run_options(args: Vec<String>) -> Result<(Option<String>, String), lexopt::Error> {
    let mut jit = std::env::var("ACTIONS_RUNNER_INPUT_JITCONFIG").ok();
    let mut version = String::new();
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("jitconfig") => jit = Some(parser.value()?.string()?),
            Long("runner-version") => version = parser.value()?.string()?,
            other => return Err(other.unexpected()),
        }
    }
    Ok((jit, version))
}

/// The simulated configuration: `c2lt`, the runner's secret, a dot, the host in hexadecimal.
fn just_in_time(config: &str) -> Result<Configured, (u8, String)> {
    let wrong = || terminated("the just-in-time configuration is none of this GitHub");
    let (secret, host) =
        config.trim().strip_prefix("c2lt").and_then(|it| it.split_once("0x")).ok_or_else(wrong)?;
    let bytes: Option<Vec<u8>> = (0..host.len() / 2)
        .map(|at| host.get(at * 2..at * 2 + 2).and_then(|two| u8::from_str_radix(two, 16).ok()))
        .collect();
    let host = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(wrong)?;
    Ok(Configured { host, secret: secret.into(), name: String::new() })
}

/// Waits for one job and carries it out.
fn serve(configured: &Configured, version: &str) -> Ended {
    let hello = json!({ "secret": configured.secret, "version": version, "leaks": guest::leaks() });
    let (stream, reader) = match line::open(&configured.host, &hello.to_string()).map_err(terminated)? {
        Ok(open) => open,
        Err((403, why)) => return Err((DEPRECATED, why)),
        Err((_, why)) => return Err(terminated(why)),
    };
    println!("\n√ Connected to GitHub\n\nCurrent runner version: '{version}'");
    println!("{}: Listening for Jobs", crate::clock::date());
    let words = line::words(reader);
    loop {
        let word = words.recv().map_err(|_| terminated("the connection to GitHub was lost"))?;
        if word["deleted"] == true {
            return Err(terminated("The runner registration has been deleted from the server."));
        }
        if word["job"].is_number() {
            carry_out(&word, &words, &stream)?;
        }
        if word["bye"] == true {
            return Ok(());
        }
    }
}

fn carry_out(job: &Value, words: &Receiver<Value>, mut stream: &TcpStream) -> Ended {
    println!("{}: Running job: {}", crate::clock::date(), job["name"].as_str().unwrap_or_default());
    let mut left = Duration::from_millis(job["duration_ms"].as_u64().unwrap_or(0));
    let mut conclusion = job["conclusion"].as_str().unwrap_or("success").to_owned();
    loop {
        match words.recv_timeout(left) {
            Ok(word) if word["cancel_ms"].is_number() => {
                left = Duration::from_millis(word["cancel_ms"].as_u64().unwrap_or(0));
                conclusion = "cancelled".into();
            }
            Ok(word) if word["bye"] == true => return Ok(()),
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(terminated("the connection to GitHub was lost"));
            }
        }
    }
    println!("{}: Job completed with result: {conclusion}", crate::clock::date());
    let done = json!({ "done": job["job"], "conclusion": conclusion });
    stream.write_all(format!("{done}\n").as_bytes()).map_err(|e| terminated(e.to_string()))
}
