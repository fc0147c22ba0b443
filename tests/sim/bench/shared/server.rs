//! A Redis that loses nothing: it flushes its append-only file before it answers, as the embedded store and the bare
//! server flush theirs.

use super::super::{Options, beside};
use crate::stage::config::Redis;
use crate::stage::folder::Folder;
use crate::stage::process::{Child, MARK};
use redis::{Connection, cmd};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const START: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(20);

/// Ends with its owner.
pub struct Server {
    _child: Child,
    port: u16,
    _folder: Folder,
}

/// Whether this machine has the program.
pub fn is_there() -> bool {
    let version =
        Command::new("redis-server").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

impl Server {
    /// Starts it on a free port, in a folder beside the bench's.
    pub fn start(options: &Options) -> Result<Self, String> {
        let folder = Folder::take(&beside(&options.folder, "redis"))?;
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .map_err(|e| format!("no free port: {e}"))?
            .port();
        let mut command = Command::new("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
            .args(["--appendonly", "yes", "--appendfsync", "always"])
            // A rewrite of the file would fall into some rounds and not into others.
            .args(["--auto-aof-rewrite-percentage", "0", "--dir"])
            .arg(folder.path())
            .env(MARK, folder.anka());
        let child = Child::start(&mut command, &folder.path().join("output"))?;
        let server = Self { _child: child, port, _folder: folder };
        let end = Instant::now() + START;
        while server.client(0).is_err() {
            if Instant::now() > end {
                return Err(format!("redis-server does not answer on port {port}"));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(server)
    }

    /// One of its databases, as a configuration names it.
    pub fn database(&self, database: u8) -> Redis {
        Redis { port: self.port, database }
    }

    /// Empties a database.
    pub fn empty(&self, database: u8) -> Result<(), String> {
        let mut client = self.client(database)?;
        cmd("FLUSHDB").arg("SYNC").query(&mut client).map_err(|e| e.to_string())
    }

    /// The seconds of processor time that it has used so far.
    pub fn processor_seconds(&self) -> Result<f64, String> {
        let text = self.info("cpu")?;
        let used = |name: &str| -> Option<f64> {
            text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')?.trim().parse().ok())
        };
        used("used_cpu_sys")
            .zip(used("used_cpu_user"))
            .map(|(system, user)| system + user)
            .ok_or_else(|| "INFO cpu says nothing".into())
    }

    /// How many commands it has carried out so far, those inside scripts too.
    pub fn commands(&self) -> Result<u64, String> {
        let calls = |line: &str| line.split_once("calls=")?.1.split(',').next()?.parse::<u64>().ok();
        Ok(self.info("commandstats")?.lines().filter_map(calls).sum())
    }

    fn info(&self, section: &str) -> Result<String, String> {
        cmd("INFO").arg(section).query(&mut self.client(0)?).map_err(|e| e.to_string())
    }

    fn client(&self, database: u8) -> Result<Connection, String> {
        let open = || -> redis::RedisResult<Connection> {
            let client = redis::Client::open(format!("redis://127.0.0.1:{}/{database}", self.port))?;
            let mut connection = client.get_connection_with_timeout(Duration::from_secs(1))?;
            connection.set_read_timeout(Some(ANSWER))?;
            cmd("PING").query::<()>(&mut connection)?;
            Ok(connection)
        };
        open().map_err(|e| e.to_string())
    }
}
