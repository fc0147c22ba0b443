//! The locks by which a child that outlived its daemon is known.
//!
//! Each child that works on a VM has a locked file as its standard input.
//! The lock belongs to the open file, which only the child holds, so it lasts exactly as long as the child.
//! The file's name says whose it is (`<slot>.<vm>.<call>.<pid of the daemon>.<sequence>`), its content is the
//! number of the child's process group. A file that nobody holds is litter of a dead daemon.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::same_file::is_at;
use super::stop::{Never, breathe};
use crate::domain::ids::VmName;

/// Where a child that reads its standard input stands in the file: far behind its end.
pub const BEHIND_THE_END: u64 = 1 << 20;
/// How long a process group has between the request to end and the kill, and after the kill.
pub const TERM_GRACE: Duration = Duration::from_millis(500);
/// How long a killed group is waited for. Only a kernel that hangs needs longer.
pub const KILL_GRACE: Duration = Duration::from_secs(2);
/// How often a left child is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// Calls whose descendants are meant to outlive them: what started there may have inherited the lock.
const LEAVING: [&str; 2] = ["start", "run"];

/// The lock of a child that is about to be started. Dropped before [`ChildLock::hand_over`], it is undone.
#[derive(Debug)]
pub struct ChildLock {
    file: File,
    mark: Mark,
}

/// The name of a lock file; dropping it removes the file.
#[derive(Debug)]
pub struct Mark(PathBuf);

impl ChildLock {
    /// A new locked file in `dir`, which is made when it is not there.
    pub fn new(dir: &Path, slot: usize, vm: &VmName, call: &str) -> io::Result<ChildLock> {
        static SEQUENCE: AtomicU64 = AtomicU64::new(0);
        loop {
            let sequence = SEQUENCE.fetch_add(1, Ordering::Relaxed);
            let path = dir.join(format!("{slot}.{vm}.{call}.{}.{sequence}", process::id()));
            let mut file = match create(&path) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made?,
            };
            file.lock()?;
            // Another daemon may have taken the file for litter before it was locked.
            if !is_at(&file, &path) {
                continue;
            }
            file.seek(SeekFrom::Start(BEHIND_THE_END))?;
            return Ok(ChildLock { file, mark: Mark(path) });
        }
    }

    /// The child's standard input.
    pub fn stdin(&self) -> io::Result<Stdio> {
        self.file.try_clone().map(Stdio::from)
    }

    /// From here on only the child holds the lock. Not being able to write its group down is no reason to
    /// give it up: it can then be waited for, but not be ended.
    pub fn hand_over(self, group: Pid) -> Mark {
        let _ = self.file.write_all_at(format!("{group}\n").as_bytes(), 0);
        self.mark
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(0o600);
    match options.open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let parent = path.parent().unwrap_or(Path::new("."));
            DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
            options.open(path)
        }
        opened => opened,
    }
}

/// A child that some daemon started and that still lives.
#[derive(Debug)]
pub struct Left {
    /// The slot that it works for.
    pub slot: usize,
    /// The VM that it works on.
    pub vm: VmName,
    /// The `anka` command, by its first word.
    pub call: String,
    path: PathBuf,
}

/// The children that work for a slot.
pub fn of_slot(dir: &Path, slot: usize) -> Vec<Left> {
    living(dir, |left| left.slot == slot)
}

/// The children that work on a VM.
pub fn of_vm(dir: &Path, vm: &VmName) -> Vec<Left> {
    living(dir, |left| left.vm == *vm)
}

/// Removes the litter that it meets.
fn living(dir: &Path, wanted: impl Fn(&Left) -> bool) -> Vec<Left> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    entries.flatten().filter_map(|e| Left::read(e.path())).filter(wanted).filter(Left::alive).collect()
}

impl Left {
    fn read(path: PathBuf) -> Option<Left> {
        let name = path.file_name()?.to_str()?;
        let [slot, vm, call, _pid, _sequence] = name.split('.').collect::<Vec<_>>().try_into().ok()?;
        Some(Left { slot: slot.parse().ok()?, vm: VmName(vm.to_owned()), call: call.to_owned(), path })
    }

    /// Whether it works on. What `start` and `run` leave behind may have inherited the lock: there the child
    /// itself must live.
    pub fn alive(&self) -> bool {
        let Ok(file) = File::open(&self.path) else { return false };
        if matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
            let leaves = LEAVING.contains(&self.call.as_str());
            return !leaves || self.group().is_none_or(|group| kill(group, None) != Err(Errno::ESRCH));
        }
        let _ = fs::remove_file(&self.path);
        false
    }

    /// Waits for its end; false when the limit or `cut` came first.
    pub fn wait(&self, limit: Duration, cut: &Receiver<Never>) -> bool {
        let end = Instant::now() + limit;
        while self.alive() {
            let rest = end.saturating_duration_since(Instant::now());
            let pause = cut.recv_timeout(rest.min(LOOK));
            if rest.is_zero() || !matches!(pause, Err(RecvTimeoutError::Timeout)) {
                return !self.alive();
            }
        }
        true
    }

    /// Ends its process group; false when it lives on, or when its group was never written down.
    pub fn end_group(&self) -> bool {
        if !self.alive() {
            return true;
        }
        let Some(group) = self.group() else { return false };
        ask_to_end(group);
        if self.ends_within(TERM_GRACE) {
            return true;
        }
        let _ = killpg(group, Signal::SIGKILL);
        self.ends_within(KILL_GRACE)
    }

    fn ends_within(&self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        while self.alive() {
            if Instant::now() >= end {
                return false;
            }
            breathe(LOOK);
        }
        true
    }

    /// 0 and 1 would be our own group and everybody's.
    fn group(&self) -> Option<Pid> {
        let number: i32 = fs::read_to_string(&self.path).ok()?.trim().parse().ok()?;
        (number > 1).then(|| Pid::from_raw(number))
    }
}

/// Asks a process group to end, also one that was stopped.
pub fn ask_to_end(group: Pid) {
    let _ = killpg(group, Signal::SIGTERM);
    let _ = killpg(group, Signal::SIGCONT);
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "tests start children of their own")]

    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command};

    use crossbeam_channel::never;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("anklet-children-{name}-{}", process::id()));
        let _ = fs::remove_dir_all(&dir);
        dir
    }

    fn vm() -> VmName {
        VmName("anklet-vm-1".into())
    }

    /// A child as a killed daemon leaves it: the mark is never dropped.
    fn leave(dir: &Path, slot: usize, call: &str, script: &str) -> Child {
        let lock = ChildLock::new(dir, slot, &vm(), call).unwrap();
        let mut command = Command::new("bash");
        command.arg("-c").arg(script).process_group(0).stdin(lock.stdin().unwrap());
        let child = command.spawn().unwrap();
        std::mem::forget(lock.hand_over(Pid::from_raw(child.id() as i32)));
        child
    }

    /// Reaps it, as init does for a dead daemon.
    fn reap(mut child: Child) {
        std::thread::spawn(move || child.wait());
    }

    #[test]
    fn a_left_child_is_known_until_it_ends() {
        let dir = folder("known");
        reap(leave(&dir, 1, "clone", "sleep 0.4"));
        assert!(of_slot(&dir, 0).is_empty());
        assert!(of_vm(&dir, &VmName("anklet-vm-2".into())).is_empty());
        let left = of_slot(&dir, 1);
        assert_eq!((left.len(), left[0].call.as_str(), &left[0].vm), (1, "clone", &vm()));
        assert!(!left[0].wait(Duration::from_millis(20), &never()));
        assert!(left[0].wait(Duration::from_secs(20), &never()));
        assert!(of_slot(&dir, 1).is_empty());
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0, "litter is removed");
    }

    #[test]
    fn the_group_of_a_left_child_can_be_ended_also_when_it_is_stopped_or_deaf() {
        for script in ["sleep 600 & wait", "trap '' TERM; sleep 600 & sleep 600", "kill -STOP $$"] {
            let dir = folder("ended");
            reap(leave(&dir, 0, "start", script));
            let left = of_vm(&dir, &vm());
            assert!(left[0].end_group(), "{script}");
            assert!(of_slot(&dir, 0).is_empty());
        }
    }

    #[test]
    fn what_a_start_leaves_behind_is_no_child_but_what_a_clone_does_is() {
        for (call, lives) in [("start", false), ("clone", true)] {
            let dir = folder(call);
            let mut child = leave(&dir, 0, call, "exec sleep 600 0<&0 & echo");
            let group = Pid::from_raw(child.id() as i32);
            child.wait().unwrap();
            // A background job of bash has another standard input unless it is told; so this one keeps ours.
            assert_eq!(!of_slot(&dir, 0).is_empty(), lives, "{call}");
            killpg(group, Signal::SIGKILL).unwrap();
        }
    }

    #[test]
    fn a_child_that_reads_its_lock_meets_the_end() {
        let dir = folder("read");
        let mut child = leave(&dir, 0, "clone", &format!("sleep 0.1; cat > {}", dir.join("read").display()));
        child.wait().unwrap();
        assert_eq!(fs::read_to_string(dir.join("read")).unwrap(), "");
    }

    #[test]
    fn a_lock_that_was_never_handed_over_leaves_nothing() {
        let dir = folder("undone");
        drop(ChildLock::new(&dir, 0, &vm(), "clone").unwrap());
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
        fs::write(dir.join("0.anklet-vm-1.clone.7.1"), "1\n").unwrap();
        fs::write(dir.join("something else"), "").unwrap();
        assert!(of_slot(&dir, 0).is_empty());
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
    }
}
