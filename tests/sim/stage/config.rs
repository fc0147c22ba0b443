//! The daemon's configuration: one receiver and two handlers on the embedded store.

use super::folder::Folder;

/// The receiver and the two handlers.
const PLUGINS: [&str; 3] = ["RECEIVER", "RUNNER1", "RUNNER2"];
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

/// The text of `config.yml`. A JSON string is a YAML string, whatever the folder is called.
pub fn text(folder: &Folder, github: &str, ports: Ports, handlers: bool) -> String {
    let home = serde_json::Value::from(folder.path().to_string_lossy());
    let Ports { receiver, metrics } = ports;
    let [first, second, third] = PLUGINS;
    let receiver = format!(
        "\
# One receiver and two handlers on one host, with the queue in ~/.config/anklet/state.
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
plugins:
  - name: {first}
    plugin: github_receiver
    bind: 127.0.0.1
    port: {receiver}
    owner: {OWNER}
    repo: {REPO}
    skip_redeliver: true
"
    );
    let handlers = if handlers { [second, third].map(handler).concat() } else { String::new() };
    receiver + &handlers
}

fn handler(name: &str) -> String {
    format!("  - name: {name}\n    plugin: github\n    owner: {OWNER}\n    repo: {REPO}\n")
}
