//! README.md: each command in it is run here as a newcomer would run it, or is marked as not run; its configuration
//! loads, its links lead somewhere, and it has a word on each key of the Go program.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;

use super::{read, root, sorted};
use crate::install::home::{Answer, Home};
use crate::support::daemon::ANKLET;
use crate::support::wire::ask;
use crate::support::{Daemon, World, eventually};

/// What stands behind a command that is not run here: at once, or in a block at the end of its line.
const MARK: &str = " †";
const SOON: Duration = Duration::from_secs(20);
/// What an inline text that is a command begins with, beside `scripts/`. In a block every line is a command.
const PROGRAMS: [&str; 15] = [
    "anka",
    "anklet",
    "brew",
    "cargo",
    "curl",
    "docker",
    "git",
    "launchctl",
    "man",
    "open",
    "redis-cli",
    "redis-server",
    "systemctl",
    "touch",
    "xattr",
];

/// Keys of the old program that its own examples do not have.
const SELDOM: [&str; 12] = [
    "global_database_max_retries",
    "global_database_retry_delay",
    "global_database_retry_backoff_factor",
    "global_database_cluster_mode",
    "global_database_tls_enabled",
    "global_database_tls_insecure",
    "enabled",
    "global_token",
    "global_receiver_secret",
    "skip_pull",
    "template_disk_buffer",
    "host_to_guest_folder_mounts",
];

/// Commands that other tests run, and where.
const ELSEWHERE: [(&str, &str); 1] = [("scripts/check-release", "tests/it/release.rs")];

/// The commands of the page, those with a mark apart.
fn commands() -> [BTreeSet<String>; 2] {
    let (page, mut in_block) = (read("README.md"), None);
    let (mut run, mut marked) = (BTreeSet::new(), BTreeSet::new());
    for line in page.lines() {
        if let Some(kind) = line.strip_prefix("```") {
            in_block = in_block.is_none().then_some(kind);
            continue;
        }
        let parts: Vec<&str> = line.split('`').skip(1).collect();
        let found: Vec<(&str, &str)> = match in_block {
            Some("sh" | "console") => vec![line.split_once(" #").unwrap_or((line, ""))],
            Some(_) => continue,
            None => parts.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect(),
        };
        for (command, behind) in found.into_iter().filter(|(text, _)| in_block.is_some() || is_command(text))
        {
            let is_marked =
                if in_block.is_some() { behind.ends_with(MARK) } else { behind.starts_with(MARK) };
            let set = if is_marked { &mut marked } else { &mut run };
            set.extend(Some(command.trim().to_owned()).filter(|command| !command.is_empty()));
        }
    }
    // Once is enough.
    run.retain(|command| !marked.contains(command));
    [run, marked]
}

fn is_command(text: &str) -> bool {
    let mut words = text.split(' ').skip_while(|word| word.contains('='));
    words.next().is_some_and(|word| PROGRAMS.contains(&word) || word.starts_with("scripts/"))
}

/// Somebody with an empty home folder and the package, in the simulated world.
struct Newcomer {
    world: World,
    home: Home,
    /// What was run, as the page has it.
    run: BTreeSet<String>,
}

impl Newcomer {
    fn new() -> Newcomer {
        let (world, mut home) = (World::new(), Home::new());
        fs::remove_dir_all(world.dir.join(".config")).unwrap();
        let program = home.package.join("fresh");
        fs::copy(ANKLET, &program).unwrap();
        fs::rename(program, home.package.join("anklet")).unwrap();
        home.tool("systemctl", "echo \"$*\" >>\"$HOME/calls\"; case $* in *is-active*) exit 3 ;; esac");
        home.tool("uname", "echo Linux");
        let dir = world.dir.to_str().unwrap().to_owned();
        for (name, value) in &mut home.env {
            match name.as_str() {
                "HOME" => value.clone_from(&dir),
                "PATH" => *value = format!("{dir}/.local/bin:{dir}/anka/bin:{value}"),
                _ => {}
            }
        }
        let more = [("ANKA_SIM_DIR", format!("{dir}/anka")), ("ANKLET_LOG_FILE_DIR", dir)];
        home.env.extend(more.map(|(name, value)| (name.to_owned(), value)));
        Newcomer { world, home, run: BTreeSet::new() }
    }

    /// A shell that runs the command; what stands for a value is replaced by one.
    fn shell(&mut self, command: &str, value: &str) -> Command {
        self.run.insert(command.to_owned());
        let mut shell = Command::new("bash");
        let env = self.home.env.iter().map(|(name, value)| (name, value));
        shell.args(["-c", &format!("exec env {}", command.replace(" ID", &format!(" {value}")))]);
        shell.env_clear().envs(env).current_dir(&self.home.package).stdin(Stdio::null());
        shell
    }

    #[track_caller]
    fn does(&mut self, command: &str, value: &str) -> Answer {
        let answer = Answer::of(&mut self.shell(command, value));
        assert_eq!(answer.code, 0, "{command}: {}{}", answer.out, answer.err);
        answer
    }

    /// Begins what goes on until it is stopped.
    fn begins(&mut self, command: &str) -> Daemon {
        let daemon = Daemon::of(self.shell(command, "").stderr(Stdio::null()));
        self.world.wait_until_it_serves();
        daemon
    }

    fn installs(&mut self) {
        self.does("scripts/install", "");
        let (file, text) = (".config/anklet/config.yml", self.world.configuration(1, ""));
        assert!(self.world.dir.join(file).exists(), "the example");
        fs::write(self.world.dir.join(file), text).unwrap();
        self.does("anklet check", "");
        for page in ["man anklet", "man anklet.yml"] {
            let told = Answer::of(self.shell(page, "").env("MANPAGER", "cat").env("MANPATH", ""));
            // 127: a machine without manuals.
            assert!(told.code == 127 || told.out.contains("ANKLET"), "{page}: {}{}", told.out, told.err);
        }
    }

    fn operates(&mut self) {
        let mut daemon = self.begins("anklet");
        self.does("anklet healthcheck", "");
        let job = self.world.order(json!({}))[0];
        self.world.until(job, "completed", SOON);
        self.does("anklet queue list", "");
        assert!(self.does("anklet queue show ID", &job.to_string()).out.contains(&job.to_string()));
        self.does("touch ~/.config/anklet/.drain", "");
        let status = || self.world.metrics()["plugins"][1]["status"].clone();
        eventually("it drains", SOON, || status() == "draining");
        fs::remove_file(self.world.dir.join(".config/anklet/.drain")).unwrap();
        for url in read("README.md").split('`').filter_map(|text| text.strip_prefix("http://127.0.0.1:8080"))
        {
            assert_eq!(ask(self.world.metrics_port, "GET", url, &[]).status, 200, "{url}");
        }
        assert_eq!(daemon.stop(), 0);
        let mut daemon = self.begins("LOG_LEVEL=dev anklet");
        eventually("it is for people", SOON, || self.world.log_text().contains("INFO:\u{1b}[0m "));
        assert_eq!(daemon.stop(), 0);
    }

    fn leaves(&mut self) {
        self.does("scripts/install --service", "");
        let calls = fs::read_to_string(self.world.dir.join("calls")).unwrap();
        assert!(calls.contains("--user restart anklet.service"), "{calls}");
        self.does("scripts/uninstall", "");
        assert!(!self.world.dir.join(".local/bin/anklet").exists());
        assert!(self.world.dir.join(".config/anklet/config.yml").exists(), "it is its owner's");
    }
}

#[test]
fn every_command_is_run_or_marked() {
    let mut newcomer = Newcomer::new();
    newcomer.installs();
    newcomer.operates();
    newcomer.leaves();
    for (command, test) in ELSEWHERE {
        assert!(read(test).contains(command.trim_start_matches("scripts/")), "{test} does not run {command}");
        newcomer.run.insert(command.to_owned());
    }
    let [wanted, marked] = commands();
    assert_eq!(wanted, newcomer.run, "left: the page, right: what was run");
    assert!(marked.contains("scripts/test"), "{marked:?}");
}

#[test]
fn its_configuration_has_no_faults() {
    let (page, mut seen) = (read("README.md"), 0);
    for block in page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()) {
        if !block.contains("plugins:") {
            continue; // a workflow
        }
        let world = World::new();
        // As it stands there; only a Mac's home has that folder.
        fs::create_dir_all(world.dir.join("Library/Logs")).unwrap();
        let text = block;
        fs::write(world.dir.join(".config/anklet/config.yml"), text).unwrap();
        let told = Answer::of(crate::support::daemon::command(&world).args(["check", "--offline"]));
        assert!(told.code == 0 && told.out.contains("0 warnings"), "{}{}", told.out, told.err);
        seen += 1;
    }
    assert_eq!(seen, 1);
}

#[test]
fn its_links_lead_somewhere() {
    let page = read("README.md");
    let links = page.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
    let files: Vec<&str> = links.filter(|link| !link.starts_with("http")).collect();
    assert!(files.len() > 10, "{files:?}");
    for file in files {
        assert!(root().join(file).exists(), "{file}");
    }
}

#[test]
fn every_key_of_the_old_program_is_in_the_migration() {
    let page = read("README.md");
    let there = page.split("| there | here |").nth(1).unwrap().split("\n\n").next().unwrap();
    let old = ["plugins", "aggregator"].map(|kind| read(&format!("tests/it/config/go-{kind}.yml")));
    let keys = old
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| line.trim_start_matches([' ', '-']).split_once(':'));
    let known = |key: &str| {
        let short = key.strip_prefix("global_database_").map(|rest| format!("…_{rest}`"));
        there.contains(&format!("`{key}"))
            || there.contains(&format!(".{key}`"))
            || short.is_some_and(|key| there.contains(&key))
    };
    let keys = keys.map(|(key, _)| key).chain(SELDOM);
    for key in sorted(keys.map(ToOwned::to_owned)) {
        assert!(["plugins", "log", "http"].contains(&key.as_str()) || known(&key), "{key} is not there");
    }
}
