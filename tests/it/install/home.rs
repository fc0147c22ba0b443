//! An empty home folder, a package to install from, and programs that stand for others.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::support::World;

/// What a script answered.
pub struct Answer {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Answer {
    pub fn of(command: &mut Command) -> Answer {
        let output = command.output().unwrap();
        Answer {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The folder, with a copy of what the package has for the scripts; gone when it is dropped.
pub struct Home {
    pub dir: PathBuf,
    pub package: PathBuf,
    pub env: Vec<(String, String)>,
}

impl Home {
    /// Empty, with a program `anklet 1` to install.
    pub fn new() -> Home {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("anklet-install-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let root = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&root);
        // Spaces, and what sed takes for its own.
        let (dir, package) = (root.join("a home & more"), root.join("package"));
        for folder in [&dir, &root.join("bin")] {
            fs::create_dir_all(folder).unwrap();
        }
        for part in ["scripts", "man", "config"] {
            copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(part), &package.join(part));
        }
        let path = format!("{}:{}", root.join("bin").display(), std::env::var("PATH").unwrap());
        let env = [("HOME", dir.to_str().unwrap()), ("PATH", &path), ("LANG", "C")];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let home = Home { dir, package, env };
        home.program("1");
        home
    }

    /// A package whose user is the one of this world.
    pub fn of(world: &World) -> Home {
        let mut home = Home::new();
        home.env.retain(|(name, _)| name != "HOME");
        home.env.push(("HOME".into(), world.dir.to_str().unwrap().into()));
        home
    }

    /// The program to install is from now on of this version; its `check` finds faults in a file that has some.
    pub fn program(&self, version: &str) {
        let text = format!(
            "#!/bin/sh\ncase $1 in\n--version) echo anklet {version} ;;\ncheck) echo checked; grep -q faulty \
             \"$HOME/.config/anklet/config.yml\" && exit 3; exit 0 ;;\nesac\n"
        );
        program(&self.package.join("anklet"), &text);
    }

    /// Stands for a program of the system.
    pub fn tool(&self, name: &str, body: &str) {
        program(
            &self.dir.parent().unwrap().join("bin").join(name),
            &format!("#!/usr/bin/env bash\n{body}\n"),
        );
    }

    pub fn command(&self, script: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.package.join("scripts").join(script));
        let env = self.env.iter().map(|(name, value)| (name, value));
        command.args(arguments).env_clear().envs(env).current_dir(&self.dir).stdin(Stdio::null());
        command
    }

    pub fn run(&self, script: &str, arguments: &[&str]) -> Answer {
        Answer::of(&mut self.command(script, arguments))
    }

    /// `scripts/install`, which must work.
    #[track_caller]
    pub fn install(&self, arguments: &[&str]) -> Answer {
        let answer = self.run("install", arguments);
        assert_eq!(answer.code, 0, "{}{}", answer.out, answer.err);
        answer
    }

    /// A path below the home folder.
    pub fn at(&self, path: &str) -> PathBuf {
        self.dir.join(path)
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap_or_default()
    }

    pub fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), text).unwrap();
    }

    pub fn mode(&self, path: &str) -> u32 {
        fs::metadata(self.at(path)).unwrap().mode() & 0o777
    }

    /// Every file of the home folder, with its inode, its time and its size.
    pub fn tree(&self) -> BTreeMap<PathBuf, (u64, i64, i64, u64)> {
        let (mut open, mut found) = (vec![self.dir.clone()], BTreeMap::new());
        while let Some(folder) = open.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                let about = fs::symlink_metadata(&path).unwrap();
                if about.is_dir() {
                    open.push(path);
                } else {
                    found.insert(path, (about.ino(), about.mtime(), about.mtime_nsec(), about.len()));
                }
            }
        }
        found
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.dir.parent().unwrap());
    }
}

fn program(file: &Path, text: &str) {
    // By rename: one that runs cannot be written to.
    let fresh = file.with_extension("fresh");
    fs::write(&fresh, text).unwrap();
    fs::set_permissions(&fresh, PermissionsExt::from_mode(0o755)).unwrap();
    fs::rename(fresh, file).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
