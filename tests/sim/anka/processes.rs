//! What runs in a VM ends with it, however far it has detached itself.

use super::world;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// Ends all processes of the VM: on Linux all that carry its mark, elsewhere those that left a note in its folder.
/// A note alone proves little: by now its number may be another process's.
pub fn end(dir: &Path, uuid: &str) {
    let noted = if Path::new("/proc/self").exists() { Vec::new() } else { noted(dir, uuid) };
    for pid in noted {
        let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    let folder = fs::canonicalize(world::vm_folder(dir, uuid));
    let folder = folder.unwrap_or_else(|_| world::vm_folder(dir, uuid));
    for _ in 0..20 {
        let found = marked(uuid, &folder);
        if found.is_empty() {
            return;
        }
        for pid in found {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn noted(dir: &Path, uuid: &str) -> Vec<i32> {
    let Ok(notes) = fs::read_dir(world::vm_folder(dir, uuid).join("pids")) else { return Vec::new() };
    notes.flatten().filter_map(|note| note.file_name().to_str()?.parse().ok()).collect()
}

/// Processes whose environment names the VM, or that are in its folder. A zombie has neither.
fn marked(uuid: &str, folder: &Path) -> Vec<i32> {
    let mark = format!("ANKA_SIM_VM={uuid}");
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let belongs = |process: &Path| {
        fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder))
            || fs::read(process.join("environ"))
                .is_ok_and(|env| env.split(|byte| *byte == 0).any(|value| value == mark.as_bytes()))
    };
    processes
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .filter(|(_, process)| belongs(process))
        .map(|(pid, _)| pid)
        .collect()
}
