//! An upgrade under load: the installer has the service manager stop the old program and start the new one, while
//! jobs run in the simulated world. They live through it.

use std::fs;
use std::process::{Child, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;

use super::home::Home;
use crate::support::daemon::{ANKLET, Daemon, command};
use crate::support::{World, eventually, pause};

const SOON: Duration = Duration::from_secs(20);
const SLOW: Duration = Duration::from_secs(40);

/// systemd as far as it is needed, in two halves: this one asks, `Manager` does.
const SYSTEMCTL: &str = r#"
case $* in
  *is-active*) [[ -e $HOME/runs ]] ;;
  *restart*)
    : >"$HOME/wanted"
    while [[ -e $HOME/wanted ]]; do sleep 0.05; done
    ;;
esac"#;

/// Starts and stops the daemon as the unit file says, as a child of the test.
struct Manager<'a> {
    world: &'a World,
    home: Home,
    daemon: Option<Daemon>,
}

impl<'a> Manager<'a> {
    fn new(world: &'a World) -> Manager<'a> {
        let home = Home::of(world);
        home.tool("systemctl", SYSTEMCTL);
        home.tool("uname", "echo Linux");
        Manager { world, home, daemon: None }
    }

    /// `scripts/install --service` with this program; whatever it wants of the manager is done meanwhile.
    fn install(&mut self, program: &str) {
        let arguments = ["--service", "--binary", program];
        let mut install: Child = self
            .home
            .command("install", &arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        while install.try_wait().unwrap().is_none() {
            if self.world.dir.join("wanted").exists() {
                self.restart();
                fs::remove_file(self.world.dir.join("wanted")).unwrap();
            }
            pause(20);
        }
        let output = install.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
        assert!(output.status.success(), "{said}");
        assert!(said.contains("(re)started"), "{said}");
    }

    /// One SIGTERM, and no more patience than the unit has.
    fn restart(&mut self) {
        if let Some(mut old) = self.daemon.take() {
            old.signal(Signal::SIGTERM);
            let ended = old.wait(Duration::from_secs(30));
            assert_eq!(ended.code(), Some(0), "a service manager would start the old program again");
        }
        let unit = fs::read_to_string(self.world.dir.join(".config/systemd/user/anklet.service")).unwrap();
        let line = |key: &str| {
            let value = unit.lines().find_map(|line| line.strip_prefix(key)).unwrap();
            value.trim_matches('"').to_owned()
        };
        let (name, value) = {
            let both = line("Environment=");
            let (name, value) = both.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        };
        let folder = line("WorkingDirectory=").replace("%h", self.world.dir.to_str().unwrap());
        let mut daemon = command(self.world);
        let program = line("ExecStart=");
        assert!(program.starts_with(self.world.dir.to_str().unwrap()), "{program}");
        // `command` names the test's own build: the environment is what is wanted of it.
        let env: Vec<_> =
            daemon.get_envs().filter_map(|(n, v)| Some((n.to_owned(), v?.to_owned()))).collect();
        daemon = std::process::Command::new(program);
        daemon.env_clear().envs(env).env(name, value).env("ANKLET_LOG_FILE_DIR", &self.world.dir);
        daemon.current_dir(folder).stdin(Stdio::null());
        self.daemon = Some(Daemon::of(&mut daemon));
        fs::write(self.world.dir.join("runs"), "").unwrap();
    }

    fn program_of_the_daemon(&self) -> Option<std::path::PathBuf> {
        fs::read_link(format!("/proc/{}/exe", self.daemon.as_ref()?.pid())).ok()
    }
}

#[test]
fn running_jobs_live_through_an_upgrade() {
    let world = World::new();
    let file = world.dir.join(".config/anklet/config.yml");
    fs::write(&file, world.configuration(2, "")).unwrap();
    let mut manager = Manager::new(&world);
    manager.install(ANKLET);
    world.wait_until_it_serves();
    let jobs = world.order(json!({ "count": 2, "duration_ms": 8000 }));
    assert_eq!(jobs.len(), 2);
    for job in &jobs {
        world.until(*job, "in_progress", SLOW);
    }
    let vms = world.vms();
    let before = manager.daemon.as_ref().unwrap().pid();

    // Another build: the same program, but not the same bytes.
    let newer = manager.home.package.join("newer");
    let mut bytes = fs::read(ANKLET).unwrap();
    bytes.extend_from_slice(b"newer");
    fs::write(&newer, bytes).unwrap();
    fs::set_permissions(&newer, fs::metadata(ANKLET).unwrap().permissions()).unwrap();
    manager.install(newer.to_str().unwrap());
    assert_ne!(manager.daemon.as_ref().unwrap().pid(), before);
    let installed = world.dir.join(".local/bin/anklet");
    assert_eq!(fs::read(&installed).unwrap().len(), fs::read(&newer).unwrap().len());
    if cfg!(target_os = "linux") {
        assert_eq!(manager.program_of_the_daemon(), Some(installed));
    }
    world.wait_until_it_serves();
    assert_eq!(world.vms(), vms, "the jobs are still in their VMs");

    let queued = world.order(json!({}))[0];
    for job in jobs.iter().chain([&queued]) {
        let ended = world.until(*job, "completed", SLOW);
        assert_eq!(ended["conclusion"], "success", "{ended:#}");
        assert_eq!(ended["run_attempt"], 1);
    }
    eventually("nothing is left", SOON, || world.vms().is_empty() && world.pages().is_empty());
    eventually("all are counted", SOON, || world.metrics()["total_successful_runs_since_start"] == 3);
    world.assert_clean();
    assert_eq!(world.said("ERROR"), [""; 0]);
    let mut daemon = manager.daemon.take().unwrap();
    assert_eq!(daemon.stop(), 0);
}
