//! GitHub's own description as the judge between a daemon and the simulated GitHub: `scripts/prism` runs tests so.
//!
//! prism is a proxy that refuses every request and every answer that breaks the description. What the description
//! does not declare at all (a 403, a 502) it lets pass as a warning; a path that it does not know is an error.
#![expect(clippy::disallowed_methods, reason = "starts the judge, which the environment names")]

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::eventually;
use super::world::free_port;

const DESCRIPTION: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/github-description/github-rest.openapi.json");

/// The judge before one simulated GitHub; ends with it.
pub struct Prism {
    /// Where daemons find GitHub's API.
    pub url: String,
    log: PathBuf,
    process: Child,
}

impl Prism {
    /// A judge before this GitHub, if the environment names one: `ANKLET_IT_PRISM` is its program.
    pub fn before(github: &str, dir: &Path) -> Option<Prism> {
        let program = std::env::var_os("ANKLET_IT_PRISM")?;
        let (port, log) = (free_port(), dir.join("prism.log"));
        let (out, errors) = (File::create(&log).unwrap(), File::create(dir.join("prism.err")).unwrap());
        let process = Command::new(program)
            .args(["proxy", "--errors", "--host", "127.0.0.1", "--port", &port.to_string()])
            .args([DESCRIPTION, github])
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(errors)
            .spawn()
            .unwrap();
        eventually("prism serves", Duration::from_mins(1), || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Some(Prism { url: format!("http://127.0.0.1:{port}"), log, process })
    }

    /// What broke the description so far, a line each. An answer that was broken off on purpose breaks nothing.
    pub fn violations(&self) -> Vec<String> {
        let is_one = |line: &String| line.contains("✖") && !line.contains("socket hang up");
        self.lines().into_iter().filter(is_one).collect()
    }

    fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// What was judged, for the script to count: `ANKLET_IT_PRISM_JUDGED` is its file.
    fn note(&self) {
        let Some(file) = std::env::var_os("ANKLET_IT_PRISM_JUDGED") else { return };
        let judged = self.lines().into_iter().filter_map(|line| {
            let (_, rest) = line.split_once("[HTTP SERVER] ")?;
            rest.contains("Request received").then(|| rest.split(' ').take(2).collect::<Vec<_>>().join(" "))
        });
        let text: String = judged.map(|line| line + "\n").collect();
        let mut file = OpenOptions::new().create(true).append(true).open(file).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.note();
        let violations = self.violations();
        if !std::thread::panicking() {
            assert!(violations.is_empty(), "GitHub's description is broken:\n{}", violations.join("\n"));
        }
    }
}
