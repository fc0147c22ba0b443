//! The daemon's configuration: usually one receiver and two handlers on the embedded store.

use super::folder::Folder;
use std::fmt::Write;

pub const OWNER: &str = "veertuinc";
pub const REPO: &str = "anklet";
pub const SECRET: &str = "a secret that GitHub and the receiver share";
/// The one that the simulated GitHub knows by itself.
const TOKEN: &str = "sim-token";

/// Ports that the daemon listens on.
#[derive(Clone, Copy)]
pub struct Ports {
    pub receiver: u16,
    pub metrics: u16,
}

/// Which plugins the daemon runs, and where their queue is.
#[derive(Clone, Copy)]
pub struct Cast {
    pub receiver: bool,
    pub handlers: usize,
    /// None: the embedded store.
    pub redis: Option<Redis>,
}

/// A Redis on this machine.
#[derive(Clone, Copy)]
pub struct Redis {
    pub port: u16,
    pub database: u8,
}

impl Cast {
    /// One host that does everything.
    pub const USUAL: Self = Self { receiver: true, handlers: 2, redis: None };
}

/// The text of `config.yml`. A JSON string is a YAML string, whatever the folder is called.
pub fn text(folder: &Folder, github: &str, ports: Ports, cast: Cast) -> String {
    let home = serde_json::Value::from(folder.path().to_string_lossy());
    let Ports { receiver, metrics } = ports;
    let mut text = format!(
        "\
# The queue of this host is in ~/.config/anklet/state, unless a database is named.
github_url: {github}
github_api_url: {github}
global_token: {TOKEN}
global_receiver_secret: {SECRET}
work_dir: {home}
pid_file_dir: {home}
log:
  file_dir: {home}
metrics:
  port: {metrics}
"
    );
    if let Some(Redis { port, database }) = cast.redis {
        let _ = write!(
            text,
            "global_database_url: 127.0.0.1\nglobal_database_port: {port}\nglobal_database_database: {database}\n"
        );
    }
    text.push_str("plugins:\n");
    if cast.receiver {
        let _ = write!(
            text,
            "  - name: RECEIVER\n    plugin: github_receiver\n    bind: 127.0.0.1\n    port: {receiver}\n    \
             owner: {OWNER}\n    repo: {REPO}\n    skip_redeliver: true\n"
        );
    }
    for number in 1..=cast.handlers {
        let _ = write!(
            text,
            "  - name: RUNNER{number}\n    plugin: github\n    owner: {OWNER}\n    repo: {REPO}\n"
        );
    }
    text
}
