//! The configuration: files and variables in, faults or settings out. Nothing is started.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod environment; // variables, names, the file that is read
mod example; // config/example.yml and two files of the Go program
mod faults; // one wrong value a case: place, key, value, remedy
mod meaning; // what valid configurations mean
mod secrets; // what no note may show
mod syntax; // files that are not YAML, or not as one expects

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use anklet::config::{Checked, Config, Inputs, Plugin, load};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A home folder, which is also the current one, with a file `config.yml` in it.
struct Home {
    path: PathBuf,
    env: Vec<(String, String)>,
}

impl Home {
    fn new() -> Home {
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("anklet-config-{}-{n}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Home { path, env: Vec::new() }
    }

    fn env(mut self, variables: &[(&str, &str)]) -> Home {
        self.env.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self
    }

    fn file(self, name: &str, content: impl AsRef<[u8]>) -> Home {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    fn inputs(&self, explicit: Option<&str>) -> Inputs {
        Inputs {
            explicit_file: explicit.map(PathBuf::from),
            env: self.env.iter().cloned().collect(),
            home: Some(self.path.clone()),
            cwd: self.path.clone(),
        }
    }

    /// Loads this text as `config.yml`; faults as a person sees them.
    fn load(self, text: impl AsRef<[u8]>) -> Result<Checked, Vec<String>> {
        let home = self.file("config.yml", text);
        load(home.inputs(Some("config.yml")))
            .map_err(|faults| faults.faults.iter().map(ToString::to_string).collect())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A handler's five first lines; what follows is line 6.
fn handler(more: &[&str]) -> String {
    plugin(&["name: RUNNER1", "plugin: github", "owner: acme", "token: tokentokentoken"], more)
}

/// A receiver's seven first lines; what follows is line 8.
fn receiver(more: &[&str]) -> String {
    let keys = [
        "name: HOOK",
        "plugin: github_receiver",
        "owner: acme",
        "port: 54321",
        "secret: s3cr3t",
        "skip_redeliver: yes",
    ];
    plugin(&keys, more)
}

fn plugin(keys: &[&str], more: &[&str]) -> String {
    let lines: Vec<&str> = keys.iter().chain(more).copied().collect();
    format!("plugins:\n  - {}\n", lines.join("\n    "))
}

/// A handler's file with these lines at its top, so that they begin at line 1.
fn top(lines: &[&str]) -> String {
    format!("{}\n{}", lines.join("\n"), handler(&[]))
}

fn faults(text: impl AsRef<[u8]>) -> Vec<String> {
    Home::new().load(text).map(|_| ()).unwrap_err()
}

fn config(text: &str) -> Config {
    checked(text).config
}

fn checked(text: &str) -> Checked {
    Home::new().load(text).unwrap_or_else(|faults| panic!("{text}\n{faults:?}"))
}

fn warnings(text: &str) -> Vec<String> {
    checked(text).warnings.iter().map(ToString::to_string).collect()
}

fn one_handler(config: &Config) -> &anklet::config::HandlerConfig {
    let found =
        config.plugins.iter().find_map(|plugin| if let Plugin::Handler(h) = plugin { Some(h) } else { None });
    found.expect("a handler")
}

fn one_receiver(config: &Config) -> &anklet::config::ReceiverConfig {
    let found = config
        .plugins
        .iter()
        .find_map(|plugin| if let Plugin::Receiver(r) = plugin { Some(r) } else { None });
    found.expect("a receiver")
}
