//! The simulated GitHub as a child, and its control API.

use super::folder::Folder;
use super::process::{Child, MARK};
use super::programs;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// Long enough for a busy machine.
const START: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(20);

pub struct Github {
    child: Child,
    agent: ureq::Agent,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    dir: PathBuf,
}

impl Github {
    /// Starts it on a free port.
    pub fn start(folder: &Folder) -> Result<Self, String> {
        let dir = folder.path().join("github");
        crate::files::make_folder(&dir)?;
        let mut command = Command::new(programs()?.join("anklet-sim"));
        command.args(["github", "--port", "0", "--dir"]).arg(&dir).env(MARK, folder.anka());
        let mut child = Child::start(&mut command, &dir.join("output"))?;
        let end = Instant::now() + START;
        let port: u16 = loop {
            if let Some(port) = crate::files::read_json(&dir.join("port")).ok().flatten() {
                break port;
            }
            if child.ended().is_some() || Instant::now() > end {
                return Err(format!(
                    "the simulated GitHub does not start; see {}",
                    dir.join("output").display()
                ));
            }
            thread::sleep(Duration::from_millis(10));
        };
        Ok(Self { child, agent: agent(), url: format!("http://127.0.0.1:{port}"), dir })
    }

    /// The log of its REST calls.
    pub fn calls(&self) -> PathBuf {
        self.dir.join("calls.log")
    }

    /// `GET /_sim/…`
    pub fn get(&self, path: &str) -> Result<Value, String> {
        let url = format!("{}/_sim/{path}", self.url);
        read(&url, self.agent.get(&url).call())
    }

    /// `POST /_sim/…`
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        let url = format!("{}/_sim/{path}", self.url);
        read(&url, self.agent.post(&url).send(body.to_string()))
    }

    pub fn stop(&mut self) {
        self.child.kill();
    }
}

/// For calls to this machine.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_global(Some(ANSWER))
        .build()
        .new_agent()
}

type Answer = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

/// The JSON of a good answer.
pub fn read(url: &str, answer: Answer) -> Result<Value, String> {
    let mut answer = answer.map_err(|e| format!("{url}: {e}"))?;
    let text = answer.body_mut().read_to_string().map_err(|e| format!("{url}: {e}"))?;
    if answer.status() != 200 {
        return Err(format!("{url}: {}: {}", answer.status().as_u16(), text.trim()));
    }
    serde_json::from_str(&text).map_err(|e| format!("{url}: {e}"))
}
