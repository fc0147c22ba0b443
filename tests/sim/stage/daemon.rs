//! The real `anklet`, in the folder as its home.

use super::config::{self, Cast, OWNER, Ports, REPO, SECRET};
use super::folder::Folder;
use super::process::{Child, MARK};
use super::{github, programs};
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

/// Long enough for a busy machine.
const START: Duration = Duration::from_secs(15);
/// `anklet` says that an address is in use.
const ADDRESS_IN_USE: i32 = 5;
/// Somebody else may take a port between our look and the daemon's start.
const TRIES: usize = 5;
/// What the daemon gets of our environment.
const INHERITED: [&str; 3] = ["TMPDIR", "LANG", "TZ"];

pub struct Daemon {
    child: Child,
    agent: ureq::Agent,
    ports: Ports,
    cast: Cast,
    output: PathBuf,
}

impl Daemon {
    /// Starts it on free ports and waits until it answers.
    pub fn start(folder: &Folder, github: &str, cast: Cast) -> Result<Self, String> {
        for _ in 0..TRIES {
            let ports = Ports { receiver: free_port()?, metrics: free_port()? };
            write_config(folder, &config::text(folder, github, ports, cast))?;
            let output = folder.path().join("anklet.out");
            let child = Child::start(&mut command(folder)?, &output)?;
            let mut daemon = Self { child, agent: github::agent(), ports, cast, output };
            match daemon.answers_within(START) {
                Ok(()) => return Ok(daemon),
                Err(_) if daemon.exit_code() == Some(ADDRESS_IN_USE) => {}
                Err(why) => return Err(why),
            }
        }
        Err(format!("no free port in {TRIES} tries"))
    }

    /// The hook that GitHub is to have.
    pub fn hook(&self) -> Value {
        json!({ "url": self.receiver(), "secret": SECRET, "owner": OWNER, "repo": REPO })
    }

    /// Where deliveries go.
    pub fn receiver(&self) -> String {
        format!("http://127.0.0.1:{}/jobs/v1/receiver", self.ports.receiver)
    }

    pub fn metrics_url(&self) -> String {
        format!("http://127.0.0.1:{}/metrics", self.ports.metrics)
    }

    /// The metrics in their JSON form.
    pub fn metrics(&self) -> Result<Value, String> {
        let url = format!("{}?format=json", self.metrics_url());
        github::read(&url, self.agent.get(&url).call())
    }

    pub fn pid(&self) -> i32 {
        self.child.pid()
    }

    /// Ctrl+C.
    pub fn interrupt(&self) {
        self.child.interrupt();
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.ended()
    }

    pub fn ends_within(&mut self, within: Duration) -> Option<ExitStatus> {
        self.child.ends_within(within)
    }

    pub fn kill(&mut self) {
        self.child.kill();
    }

    /// What it wrote to its standard output and error.
    pub fn output(&self) -> String {
        fs::read_to_string(&self.output).unwrap_or_default().trim().to_owned()
    }

    fn exit_code(&mut self) -> Option<i32> {
        self.ended().and_then(|status| status.code())
    }

    fn answers_within(&mut self, within: Duration) -> Result<(), String> {
        let health =
            self.cast.receiver.then(|| format!("http://127.0.0.1:{}/healthcheck", self.ports.receiver));
        let end = Instant::now() + within;
        loop {
            let serves = |url| self.agent.get(url).call().is_ok_and(|answer| answer.status() == 200);
            if health.as_ref().is_none_or(serves) && self.metrics().is_ok() {
                return Ok(());
            }
            if let Some(status) = self.ended() {
                return Err(format!("anklet did not start ({status}): {}", self.output()));
            }
            if Instant::now() > end {
                return Err(format!("anklet does not answer: {}", self.output()));
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// `anklet`, as in a shell of the folder's user.
pub fn command(folder: &Folder) -> Result<Command, String> {
    let mut command = Command::new(programs()?.join("anklet"));
    command.env_clear().current_dir(folder.path());
    for name in INHERITED {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("HOME", folder.path()).env(MARK, folder.anka());
    command.env("PATH", path_with(&folder.anka().join("bin"))?);
    Ok(command)
}

fn path_with(first: &Path) -> Result<std::ffi::OsString, String> {
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(first.to_path_buf()).chain(std::env::split_paths(&rest));
    std::env::join_paths(all).map_err(|e| format!("{}: cannot stand on the PATH: {e}", first.display()))
}

/// It holds secrets, so it is for its owner only.
fn write_config(folder: &Folder, text: &str) -> Result<(), String> {
    crate::files::make_folder(&folder.config())?;
    let path = folder.config().join("config.yml");
    fs::write(&path, text)
        .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(0o600)))
        .map_err(|e| format!("{}: {e}", path.display()))
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|e| format!("no free port: {e}"))?;
    listener.local_addr().map(|addr| addr.port()).map_err(|e| format!("no free port: {e}"))
}
