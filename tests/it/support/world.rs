//! A world of one test: its folder, its simulated Anka, its simulated GitHub.
#![expect(clippy::disallowed_methods, reason = "starts the simulated world")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::spread::{self, Spread};
use super::{Daemon, eventually, web};

/// The simulated world's program.
pub const SIM: &str = env!("CARGO_BIN_EXE_anklet-sim");
/// The webhook's secret.
pub const SECRET: &str = "It's a Secret to Everybody";
/// The token that the simulated GitHub knows; looked for in every log.
pub const TOKEN: &str = "sim-token-canary-5f2a";

/// One world; gone with its processes when it is dropped.
pub struct World {
    /// Its folder, which is also the daemons' home.
    pub dir: PathBuf,
    /// The simulated GitHub's address.
    pub github: String,
    /// The receiver's port.
    pub port: u16,
    /// The metrics' port.
    pub metrics_port: u16,
    /// The GitHub that this world has started; none where it is a guest of another's.
    process: Option<Child>,
    /// The other machines, where there are any.
    pub(super) spread: Option<Box<Spread>>,
}

impl World {
    /// A world with `macos-15:v1` on the host, and `macos-15:v1,v2` and `macos-14:v1` in the registry.
    pub fn new() -> World {
        World::with(&[])
    }

    /// A world with other templates, as `anklet-sim world init` names them.
    pub fn with(templates: &[&str]) -> World {
        let dir = new_host(templates);
        let (process, github) = start_github(&dir);
        let (port, metrics_port) = (free_port(), free_port());
        let mut world = World { dir, github, port, metrics_port, process: Some(process), spread: None };
        world.control("hook", &json!({ "url": world.receiver(), "secret": SECRET }));
        world.spread = spread::is_wanted().then(|| Box::new(Spread::of(&world, templates)));
        world
    }

    /// Another host of this one's GitHub.
    pub fn another_host(&self, templates: &[&str]) -> World {
        let (port, metrics_port, github) = (free_port(), free_port(), self.github.clone());
        World { dir: new_host(templates), github, port, metrics_port, process: None, spread: None }
    }

    /// This machine, and all others of its world.
    pub fn machines(&self) -> impl Iterator<Item = &World> {
        std::iter::once(self).chain(self.spread.iter().flat_map(|spread| &spread.hosts))
    }

    /// The URL that deliveries go to.
    pub fn receiver(&self) -> String {
        format!("http://127.0.0.1:{}/jobs/v1/receiver", self.port)
    }

    /// The metrics page in JSON.
    pub fn metrics(&self) -> Value {
        let page = |port| web::get_json(&format!("http://127.0.0.1:{port}/metrics?format=json"));
        if self.spread.is_none() {
            return page(self.metrics_port);
        }
        let ports = self.machines().map(|machine| machine.metrics_port);
        let pages: Vec<Value> = ports.filter(|port| spread::listens(*port)).map(page).collect();
        spread::joined(&pages)
    }

    /// The usual configuration: a receiver and `handlers` handlers, with more lines at the top.
    pub fn configuration(&self, handlers: usize, top: &str) -> String {
        let github = &self.github;
        let mut text = format!(
            "github_url: {github}\ngithub_api_url: {github}\nglobal_token: {TOKEN}\n\
             global_receiver_secret: \"{SECRET}\"\nmetrics:\n  port: {}\n{top}\nplugins:\n\
             - name: RECEIVER\n  plugin: github_receiver\n  port: {}\n  bind: 127.0.0.1\n  skip_redeliver: true\n  \
             owner: acme\n  repo: app\n",
            self.metrics_port, self.port
        );
        for number in 1..=handlers {
            let _ = writeln!(text, "- name: RUNNER{number}\n  plugin: github\n  owner: acme\n  repo: app");
        }
        text
    }

    /// Starts a daemon with the usual configuration and waits until it serves.
    pub fn start(&self, handlers: usize) -> Daemon {
        self.start_with(&self.configuration(handlers, ""))
    }

    /// Starts a daemon with this configuration and waits until its receiver serves.
    pub fn start_with(&self, configuration: &str) -> Daemon {
        let daemon = Daemon::start(self, configuration, &[], &[]);
        self.wait_until_it_serves();
        daemon
    }

    /// Waits for the receiver's `/healthcheck`.
    pub fn wait_until_it_serves(&self) {
        eventually("the receiver serves", Duration::from_secs(10), || {
            std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
    }

    /// Orders jobs of `acme/app`; the fields that are not given are the usual ones.
    pub fn order(&self, mut job: Value) -> Vec<u64> {
        let usual = json!({
            "owner": "acme", "repo": "app", "duration_ms": 200,
            "labels": ["self-hosted", "anka-template:macos-15", "anka-template-tag:v1"],
        });
        for (key, value) in usual.as_object().unwrap() {
            job.as_object_mut().unwrap().entry(key).or_insert_with(|| value.clone());
        }
        let told = self.control("jobs", &job);
        told["ids"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap()).collect()
    }

    /// Waits until GitHub shows the job in this status, and gives it.
    #[track_caller]
    pub fn until(&self, job: u64, status: &str, limit: Duration) -> Value {
        let url = format!(
            "{}/_sim/jobs/{job}?until={status}&within_ms={}",
            self.github,
            limit.as_millis().min(25_000)
        );
        let found = web::get_json(&url);
        assert_eq!(found["status"], status, "job {job}: {found:#}\n{}", self.log_text());
        found
    }

    /// The control API: POST.
    pub fn control(&self, what: &str, body: &Value) -> Value {
        web::post_json(&format!("{}/_sim/{what}", self.github), body)
    }

    /// Everything that the simulated GitHub knows.
    pub fn state(&self) -> Value {
        web::get_json(&format!("{}/_sim/state", self.github))
    }

    /// The simulated Anka: `anklet-sim world VERB DIR …`.
    pub fn anka(&self, verb: &str, rest: &[&str]) {
        for machine in self.machines() {
            let dir = machine.dir.join("anka");
            assert!(Command::new(SIM).args(["world", verb]).arg(dir).args(rest).status().unwrap().success());
        }
    }

    /// Adds a fault of Anka.
    pub fn fault(&self, fault: &Value) {
        for machine in self.machines() {
            let dir = machine.dir.join("anka");
            assert!(
                Command::new(SIM).arg("fault").arg(dir).arg(fault.to_string()).status().unwrap().success()
            );
        }
    }

    /// The argument lists of all `anka` calls so far.
    pub fn anka_calls(&self) -> Vec<Vec<String>> {
        let text: Vec<String> = self
            .machines()
            .map(|machine| fs::read_to_string(machine.dir.join("anka/calls.log")).unwrap_or_default())
            .collect();
        let text = text.concat();
        let started = text.lines().filter(|line| line.split(' ').nth(2) == Some("start"));
        started.filter_map(|line| serde_json::from_str(line.splitn(5, ' ').nth(4)?).ok()).collect()
    }

    /// VMs of ours that there are.
    pub fn vms(&self) -> Vec<String> {
        let vms = |machine: &World| -> Vec<String> {
            let text = fs::read_to_string(machine.dir.join("anka/world.json")).unwrap();
            let world: Value = serde_json::from_str(&text).unwrap();
            let names = world["vms"].as_array().unwrap().iter().filter_map(|vm| vm["name"].as_str());
            names.filter(|name| name.starts_with("anklet-vm-")).map(str::to_owned).collect()
        };
        self.machines().flat_map(vms).collect()
    }

    /// Runners of ours that GitHub knows.
    pub fn runners(&self) -> Vec<String> {
        let state = self.state();
        let names =
            state["runners"].as_array().unwrap().iter().filter_map(|r| r["name"].as_str().map(str::to_owned));
        names.filter(|name| name.starts_with("anklet-vm-")).collect()
    }

    /// No VM, no runner, no journal page is left.
    #[track_caller]
    pub fn assert_clean(&self) {
        assert_eq!(self.vms(), [""; 0], "VMs are left\n{}", self.log_text());
        assert_eq!(self.runners(), [""; 0], "runners are left\n{}", self.log_text());
        assert_eq!(self.pages(), [""; 0], "pages are left\n{}", self.log_text());
    }

    /// Journal pages that are open.
    pub fn pages(&self) -> Vec<String> {
        let journals = self.machines().map(|machine| machine.dir.join(".config/anklet/state/journal"));
        let files = journals.flat_map(fs::read_dir).flatten().flatten().map(|file| file.path());
        let pages = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
        pages.map(|path| path.display().to_string()).collect()
    }

    /// The daemons' log.
    pub fn log_text(&self) -> String {
        let log = |machine: &World| fs::read_to_string(machine.dir.join("anklet.log")).unwrap_or_default();
        self.machines().map(log).collect()
    }

    /// The daemons' log lines.
    pub fn log(&self) -> Vec<Value> {
        // A line that is just being written is not there yet.
        let text = self.log_text();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let mut lines: Vec<Value> =
            whole.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        lines.sort_by(|a, b| a["time"].as_str().cmp(&b["time"].as_str()));
        lines
    }

    /// Whether a line of this level says this.
    pub fn has_said(&self, level: &str, words: &str) -> bool {
        self.log()
            .iter()
            .any(|line| line["level"] == level && line["msg"].as_str().is_some_and(|m| m.contains(words)))
    }

    /// What a person, or a later look of the receiver, does: has GitHub deliver again what was not taken.
    pub fn bring_back_lost(&self) {
        let all = web::get_json(&format!("{}/_sim/deliveries", self.github));
        let deliveries = all.as_array().unwrap();
        let is_taken =
            |delivery: &Value| delivery["status_code"].as_u64().is_some_and(|code| code / 100 == 2);
        let guids = |those: &dyn Fn(&&Value) -> bool| -> BTreeMap<&str, u64> {
            let those = deliveries.iter().filter(|delivery| those(delivery));
            those
                .filter_map(|delivery| Some((delivery["guid"].as_str()?, delivery["id"].as_u64()?)))
                .collect()
        };
        let taken = guids(&|delivery| is_taken(delivery));
        for (_, id) in guids(&|_| true).iter().filter(|(guid, _)| !taken.contains_key(*guid)) {
            self.control(&format!("deliveries/{id}/redeliver"), &json!({}));
        }
    }

    /// Lines of a level.
    pub fn said(&self, level: &str) -> Vec<String> {
        let lines = self.log();
        lines
            .iter()
            .filter(|l| l["level"] == level)
            .map(|l| l["msg"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
        let _ = Command::new(SIM).args(["world", "reboot"]).arg(self.dir.join("anka")).status();
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// A folder with an Anka of its own and the runner's scripts.
fn new_host(templates: &[&str]) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::SeqCst);
    let dir = std::env::temp_dir().join(format!("anklet-it-{}-{number}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    let init =
        Command::new(SIM).args(["world", "init"]).arg(dir.join("anka")).args(templates).output().unwrap();
    assert!(init.status.success(), "{}", String::from_utf8_lossy(&init.stderr));
    copy_scripts(&dir);
    dir
}

fn start_github(dir: &Path) -> (Child, String) {
    let mut process = Command::new(SIM)
        .args(["github", "--port", "0", "--token", TOKEN, "--dir"])
        .arg(dir.join("github"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().rsplit(' ').next().unwrap().to_owned();
    (process, format!("http://{address}"))
}

fn copy_scripts(dir: &Path) {
    let folder = dir.join(".config/anklet/plugins/handlers/github");
    fs::create_dir_all(&folder).unwrap();
    for script in ["install-runner.bash", "register-runner.bash", "start-runner.bash"] {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/runner").join(script);
        fs::copy(own, folder.join(script)).unwrap();
    }
}

/// A port that nobody listens on now, and that nobody is given before this test ends: below the ports that systems
/// give by themselves, each once in a process, and other processes begin elsewhere.
pub fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const MANY: u32 = 22_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(997);
    loop {
        let nth = start.wrapping_add(NEXT.fetch_add(1, Ordering::SeqCst));
        let port = u16::try_from(FIRST + nth % MANY).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
