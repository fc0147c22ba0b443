//! Children that end with their owner, and what still runs in a folder.

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const LOOK: Duration = Duration::from_millis(10);

/// A child in a process group of its own: Ctrl+C on the terminal is for us alone. Dropped, its group is killed.
pub struct Child {
    child: std::process::Child,
    ended: Option<ExitStatus>,
}

/// A process that still runs.
pub struct Found {
    pub pid: i32,
    pub command: String,
}

impl Child {
    /// Starts it with both outputs in one file.
    pub fn start(command: &mut Command, output: &Path) -> Result<Self, String> {
        let file = File::create(output).map_err(|e| format!("{}: {e}", output.display()))?;
        let second = file.try_clone().map_err(|e| format!("{}: {e}", output.display()))?;
        command.process_group(0).stdin(Stdio::null()).stdout(file).stderr(second);
        let child = command
            .spawn()
            .map_err(|e| format!("failed to start {}: {e}", command.get_program().to_string_lossy()))?;
        Ok(Self { child, ended: None })
    }

    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    pub fn interrupt(&self) {
        let _ = kill(Pid::from_raw(self.pid()), Signal::SIGINT);
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended
    }

    /// Waits for its end.
    pub fn ends_within(&mut self, within: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + within;
        while self.ended().is_none() && Instant::now() < end {
            thread::sleep(LOOK);
        }
        self.ended
    }

    pub fn kill(&mut self) {
        if self.ended().is_none() {
            let _ = killpg(Pid::from_raw(self.pid()), Signal::SIGKILL);
            self.ended = self.child.wait().ok();
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The variable that all of a stage carry: its value is the folder of the simulated Anka.
/// A shell that a user opened in the folder does not have it.
pub const MARK: &str = "ANKA_SIM_DIR";

/// Everything that carries the mark with this value.
pub fn marked(value: &Path) -> Vec<Found> {
    let mark = format!("{MARK}={}", value.display());
    if cfg!(target_os = "linux") { from_proc(&mark) } else { from_ps(&mark) }
}

pub fn end_all(processes: &[Found]) {
    for found in processes {
        let _ = kill(Pid::from_raw(found.pid), Signal::SIGKILL);
    }
}

/// A zombie has no environment, so it does not count.
fn from_proc(mark: &str) -> Vec<Found> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let carries = |process: &Path| {
        std::fs::read(process.join("environ"))
            .is_ok_and(|all| all.split(|byte| *byte == 0).any(|one| one == mark.as_bytes()))
    };
    processes
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .filter(|(_, process)| carries(process))
        .map(|(pid, process)| {
            let command = std::fs::read(process.join("cmdline")).unwrap_or_default();
            Found { pid, command: String::from_utf8_lossy(&command).replace('\0', " ").trim().to_owned() }
        })
        .collect()
}

/// macOS: `-E` shows the environment of one's own processes behind the command, parted by spaces.
fn from_ps(mark: &str) -> Vec<Found> {
    let listed = Command::new("ps").args(["-A", "-ww", "-E", "-o", "pid=,command="]).output();
    let text = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines()
        .filter(|line| line.ends_with(mark) || line.contains(&format!("{mark} ")))
        .filter_map(|line| line.trim().split_once(' '))
        .filter_map(|(pid, command)| Some(Found { pid: pid.parse().ok()?, command: command.into() }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_carries_the_mark_until_it_is_ended() {
        let folder = std::env::temp_dir().join(format!("marked-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let start = |value: &Path, output: &str| {
            Child::start(Command::new("sleep").arg("60").env(MARK, value), &folder.join(output)).unwrap()
        };
        let mut child = start(&folder, "out");
        let other = start(&folder.with_extension("2"), "other");
        let pids = || marked(&folder).iter().map(|one| one.pid).collect::<Vec<_>>();
        assert_eq!(pids(), [child.pid()]);
        end_all(&marked(&folder));
        assert!(child.ends_within(Duration::from_secs(5)).is_some());
        assert!(pids().is_empty());
        drop(other);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
