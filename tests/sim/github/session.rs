//! A runner's line to GitHub: JSON objects both ways on one connection, whose end is the runner's death.

use super::http::{Answer, Reply, Request, json};
use super::hub::Hub;
use super::rules::message;
use super::state::Runner;
use super::{jobs, runners};
use serde::Deserialize;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Instant;

/// What a runner says when it comes, and when its job is over.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Word {
    secret: String,
    version: String,
    leaks: Vec<String>,
    done: u64,
    conclusion: String,
}

/// Tells a runner something; one that is gone hears it no more, and its end is noticed by its reader.
pub fn tell(runner: &mut Runner, what: &Value) {
    if let Some(stream) = &mut runner.session {
        let _ = stream.write_all(format!("{what}\n").as_bytes());
    }
}

/// The runner comes online, or is told why not.
pub fn open(hub: &Arc<Hub>, request: &Request) -> Reply {
    let Ok(word) = serde_json::from_slice::<Word>(&request.body) else {
        return Reply::Send(message(400, "Bad request"));
    };
    let state = hub.state();
    let Some(id) = state.runners.iter().find(|runner| runner.secret == word.secret).map(|runner| runner.id)
    else {
        return Reply::Send(message(404, "The runner registration has been deleted from the server"));
    };
    if runners::deprecated(&state, &word.version) {
        return Reply::Send(refusal(&word.version));
    }
    drop(state);
    let hub = Arc::clone(hub);
    Reply::Upgrade(Box::new(move |stream, reader| {
        let own = stream.try_clone().ok();
        hub.change(|state| {
            if let Some(runner) = state.runner_mut(id) {
                runner.session = own;
                runner.online = true;
                runner.lost_at = None;
                runner.leaks.clone_from(&word.leaks);
            }
        });
        listen(&hub, id, reader);
        let _ = stream.shutdown(Shutdown::Both);
    }))
}

fn listen(hub: &Hub, id: u64, mut reader: BufReader<TcpStream>) {
    let mut line = String::new();
    while matches!(reader.read_line(&mut line), Ok(1..)) {
        if let Ok(word) = serde_json::from_str::<Word>(&line)
            && word.done != 0
        {
            hub.change(|state| jobs::finish(state, &hub.outbox, word.done, &word.conclusion));
        }
        line.clear();
    }
    hub.change(|state| {
        if let Some(runner) = state.runner_mut(id) {
            runner.online = false;
            runner.session = None;
            runner.lost_at = Some(Instant::now());
        }
    });
}

fn refusal(version: &str) -> Answer {
    json(
        403,
        &serde_json::json!({
            "message": format!("Runner version v{version} is deprecated and cannot receive messages."),
        }),
    )
}
