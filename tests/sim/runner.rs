//! The runner in a VM: what the fake `config.sh` and `run.sh` call. It behaves as GitHub's own does outwardly.
//!
//! It also looks around: what of the daemon's secrets it could see is reported to the simulated GitHub as `leaks`.

use crate::files;
use lexopt::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// What `config.sh` leaves behind for `run.sh`, in the runner's folder.
#[derive(Serialize, Deserialize)]
struct Configured {
    host: String,
    secret: String,
    name: String,
}

/// The exit codes of GitHub's runner.
const TERMINATED: u8 = 1;
const DEPRECATED: u8 = 7;

pub fn main(args: Vec<String>) -> u8 {
    let mut args = args.into_iter();
    let done = match args.next().as_deref() {
        Some("configure") => configure(args.collect()),
        Some("run") => run(args.collect()),
        _ => Err((TERMINATED, "usage: runner configure|run …".into())),
    };
    match done {
        Ok(()) => 0,
        Err((code, why)) => {
            eprintln!("An error occurred: {why}");
            code
        }
    }
}

type Ended = Result<(), (u8, String)>;

fn terminated(why: impl Into<String>) -> (u8, String) {
    (TERMINATED, why.into())
}

#[derive(Serialize, Default)]
struct Wish {
    url: String,
    token: String,
    name: String,
    labels: Vec<String>,
    group: String,
    ephemeral: bool,
    replace: bool,
    version: String,
    #[serde(skip)]
    unattended: bool,
    #[serde(skip)]
    default_labels: bool,
}

fn configure(args: Vec<String>) -> Ended {
    if args.first().is_some_and(|word| word == "remove") {
        let _ = std::fs::remove_file(".runner");
        return Ok(());
    }
    let mut wish = wished(args).map_err(|e| terminated(e.to_string()))?;
    if !wish.unattended {
        return Err(terminated("it would ask on the terminal: --unattended is missing"));
    }
    if Path::new(".runner").exists() {
        return Err(terminated("Cannot configure the runner because it is already configured."));
    }
    if wish.default_labels {
        wish.labels.extend(["self-hosted", "macOS", "ARM64"].map(String::from));
    }
    let host = host_of(&wish.url).ok_or_else(|| terminated("the URL is none of this GitHub"))?;
    if let Some(vm) = vm_folder() {
        let _ = std::fs::write(vm.join("registration-token"), &wish.token);
    }
    let body = serde_json::to_vec(&wish).map_err(|e| terminated(e.to_string()))?;
    let (status, answer) = ask(&host, "/_sim/runner/register", &body).map_err(terminated)?;
    if status != 200 {
        return Err(terminated(format!("Http response code: {status}: {}", answer["message"])));
    }
    let secret = answer["secret"].as_str().unwrap_or_default().to_owned();
    files::write_json(Path::new(".runner"), &Configured { host, secret, name: wish.name })
        .map_err(terminated)?;
    println!("\n√ Runner successfully added\n√ Runner connection is good\n√ Settings Saved.");
    Ok(())
}

fn wished(args: Vec<String>) -> Result<Wish, lexopt::Error> {
    let mut wish = Wish { default_labels: true, ..Wish::default() };
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("url") => wish.url = parser.value()?.string()?,
            Long("token") => wish.token = parser.value()?.string()?,
            Long("name") => wish.name = parser.value()?.string()?,
            Long("labels") => {
                let all = parser.value()?.string()?;
                wish.labels = all.split(',').filter(|label| !label.is_empty()).map(Into::into).collect();
            }
            Long("runnergroup") => wish.group = parser.value()?.string()?,
            Long("work") => drop(parser.value()?),
            Long("runner-version") => wish.version = parser.value()?.string()?,
            Long("unattended") => wish.unattended = true,
            Long("ephemeral") => wish.ephemeral = true,
            Long("replace") => wish.replace = true,
            Long("no-default-labels") => wish.default_labels = false,
            Long("disableupdate") => {}
            other => return Err(other.unexpected()),
        }
    }
    Ok(wish)
}

fn run(args: Vec<String>) -> Ended {
    let (jit, version) = run_options(args).map_err(|e| terminated(e.to_string()))?;
    let configured = match jit {
        Some(config) => just_in_time(&config)?,
        None => files::read_json::<Configured>(Path::new(".runner"))
            .map_err(terminated)?
            .ok_or_else(|| terminated("Not configured. Run config.sh"))?,
    };
    let note = vm_folder().map(|vm| vm.join("pids").join(std::process::id().to_string()));
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
    let hello = json!({ "secret": configured.secret, "version": version, "leaks": leaks() });
    let (stream, reader) = match session(&configured.host, &hello.to_string()).map_err(terminated)? {
        Ok(open) => open,
        Err((403, why)) => return Err((DEPRECATED, why)),
        Err((_, why)) => return Err(terminated(why)),
    };
    println!("\n√ Connected to GitHub\n\nCurrent runner version: '{version}'");
    println!("{}: Listening for Jobs", crate::clock::date());
    let words = words(reader);
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

fn words(mut reader: BufReader<TcpStream>) -> Receiver<Value> {
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

type Line = (TcpStream, BufReader<TcpStream>);

/// Opens the line to GitHub, or says how it was refused.
fn session(host: &str, hello: &str) -> Result<Result<Line, (u16, String)>, String> {
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

fn ask(host: &str, path: &str, body: &[u8]) -> Result<(u16, Value), String> {
    let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().new_agent();
    let mut response =
        agent.post(format!("http://{host}{path}")).send(body).map_err(|e| format!("{host}: {e}"))?;
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string().map_err(|e| e.to_string())?;
    Ok((status, serde_json::from_str(&text).unwrap_or_default()))
}

/// The host and port of a URL.
fn host_of(url: &str) -> Option<String> {
    let rest = url.strip_prefix("http://")?;
    Some(rest.split('/').next()?.to_owned())
}

/// The VM that this runs in, if it runs in one.
fn vm_folder() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let vm =
        here.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "home"))?.parent()?;
    vm.join("pids").is_dir().then(|| vm.to_path_buf())
}

/// What a workflow could read of the daemon's: variables of ours, and files that hold the registration token.
fn leaks() -> Vec<String> {
    let ours = |name: &str| name.starts_with("ANKLET_");
    let mut leaks: Vec<String> = std::env::vars().map(|(name, _)| name).filter(|name| ours(name)).collect();
    let Some(vm) = vm_folder() else { return leaks };
    let Ok(token) = std::fs::read_to_string(vm.join("registration-token")) else { return leaks };
    for folder in [vm.join("home"), vm.join("home/actions-runner")] {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for entry in entries.flatten().filter(|entry| entry.path().is_file()) {
            let holds = std::fs::read(entry.path())
                .is_ok_and(|bytes| bytes.windows(token.len().max(1)).any(|part| part == token.as_bytes()));
            if holds {
                leaks.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }
    leaks
}
