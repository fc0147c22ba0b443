//! A guest user's home folder, a machine as its tools show it, and archives of a runner.
//!
//! Only GitHub's runner is played: its `config.sh` and `run.sh` are the test's own.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

pub const TOKEN: &str = "AABBCCDDEEFFTOKEN";
const VERSION: &str = "2.999.1";

/// What a script answered.
pub struct Answer {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A guest user's home folder, with a `PATH` folder before the system's; gone when dropped, as is what runs in it.
pub struct Guest {
    pub home: PathBuf,
    env: Vec<(String, String)>,
}

impl Guest {
    pub fn new() -> Guest {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("anklet guest {} {}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let home = std::env::temp_dir().join(name);
        fs::create_dir_all(home.join("bin")).unwrap();
        let path = format!("{}:{}", home.join("bin").display(), std::env::var("PATH").unwrap());
        Guest { home, env: vec![("PATH".into(), path)] }.intel()
    }

    pub fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Guest {
        self.env.push((name.into(), value.as_ref().to_str().unwrap().into()));
        self
    }

    /// The machine as its tools show it.
    fn intel(self) -> Guest {
        self.tool("uname", "echo x86_64\n").tool("sysctl", "echo 'unknown oid' >&2\nexit 1\n")
    }

    pub fn rosetta(self) -> Guest {
        self.tool("sysctl", "echo 1\n")
    }

    pub fn apple_silicon(self) -> Guest {
        self.tool("uname", "echo arm64\n")
    }

    fn tool(self, name: &str, body: &str) -> Guest {
        let file = self.home.join("bin").join(name);
        fs::write(&file, format!("#!/bin/sh\n{body}")).unwrap();
        fs::set_permissions(file, PermissionsExt::from_mode(0o755)).unwrap();
        self
    }

    /// Leaves only these programs on the `PATH`, bash among them.
    pub fn only(mut self, tools: &[&str]) -> Guest {
        let path = std::env::var("PATH").unwrap();
        let bin = self.home.join("only");
        fs::create_dir(&bin).unwrap();
        for tool in tools {
            let found = path.split(':').map(|folder| Path::new(folder).join(tool)).find(|file| file.exists());
            symlink(found.unwrap(), bin.join(tool)).unwrap();
        }
        self.env.retain(|(name, _)| name != "PATH");
        self.with("PATH", bin)
    }

    /// A runner that the template carries.
    pub fn carries(self, config: &str, run: &str) -> Guest {
        let runner = self.runner();
        fs::create_dir_all(&runner).unwrap();
        fs::write(runner.join("config.sh"), config).unwrap();
        fs::write(runner.join("run.sh"), run).unwrap();
        self
    }

    pub fn runner(&self) -> PathBuf {
        self.home.join("actions-runner")
    }

    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.runner().join(file)).unwrap_or_default()
    }

    pub fn run(&self, script: &str, arguments: &[&str]) -> Answer {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/runner").join(script);
        let done = Command::new("bash")
            .arg(script)
            .args(arguments)
            .env_clear()
            .env("HOME", &self.home)
            .envs(self.env.iter().cloned())
            .current_dir(&self.home)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Answer {
            code: done.status.code().unwrap_or(-1),
            out: String::from_utf8(done.stdout).unwrap(),
            err: String::from_utf8(done.stderr).unwrap(),
        }
    }

    pub fn install(&self) -> Answer {
        self.run("install-runner.bash", &[])
    }

    pub fn register(&self, group: &[&str]) -> Answer {
        let url = "https://github.com/acme/app";
        let given = ["anklet-vm-1", TOKEN, url, "anka-template:my mac,a$(touch owned)"];
        self.run("register-runner.bash", &[&given[..], group].concat())
    }

    pub fn start(&self) -> Answer {
        self.run("start-runner.bash", &[])
    }

    /// What lies in the home folder beside the fakes' own folders.
    pub fn litter(&self) -> Vec<String> {
        let names =
            fs::read_dir(&self.home).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !["bin", "only", "actions-runner", "releases"].contains(&name.as_str())).collect()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let pid = self.read("pid");
        if !pid.is_empty() {
            let _ = Command::new("kill").args(["-9", pid.trim()]).stderr(Stdio::null()).status();
        }
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// An archive of a runner whose `config.sh` says `word`; with its SHA-256.
pub fn archive(at: &Path, word: &str) -> String {
    let folder = at.with_extension("unpacked");
    fs::create_dir_all(folder.join("bin")).unwrap();
    fs::write(folder.join("config.sh"), format!("# {word}\n")).unwrap();
    fs::write(folder.join("run.sh"), "true\n").unwrap();
    fs::write(folder.join("bin/Runner.Listener"), word).unwrap();
    let tar = Command::new("tar").arg("-czf").arg(at).arg("-C").arg(&folder).arg(".").status().unwrap();
    assert!(tar.success());
    fs::remove_dir_all(folder).unwrap();
    hex(&fs::read(at).unwrap())
}

fn hex(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// A guest to which the host has resolved a release that lies in a folder instead of at GitHub.
pub fn resolved(guest: Guest) -> Guest {
    let release = guest.home.join("releases").join(format!("v{VERSION}"));
    fs::create_dir_all(&release).unwrap();
    let base = format!("file://{}", guest.home.join("releases").display()).replace(' ', "%20");
    let x64 = archive(&release.join(format!("actions-runner-osx-x64-{VERSION}.tar.gz")), "for Intel");
    let arm64 =
        archive(&release.join(format!("actions-runner-osx-arm64-{VERSION}.tar.gz")), "for Apple silicon");
    guest
        .with("ANKLET_RUNNER_VERSION", VERSION)
        .with("ANKLET_RUNNER_SHA256_X64", x64)
        .with("ANKLET_RUNNER_SHA256_ARM64", arm64.to_uppercase())
        .with("ANKLET_RUNNER_URL_BASE", base)
}
