//! A folder with an `anka` of its own, and what else makes a test a few lines.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::anka::{Anka, Options};
use crate::domain::ids::{ClaimId, JobId, Owner, RunId, VmName};
use crate::domain::job::Job;
use crate::domain::slots::{Lock, Places, PullSlot, SlotTable};
use crate::domain::undo::{Ledger, Page, UndoLog, VmTicket};

/// Far longer than anything takes that works.
pub const LONG: Duration = Duration::from_secs(20);
/// Short enough to wait for.
pub const SHORT: Duration = Duration::from_millis(300);
pub const VM: &str = "anklet-vm-1";

/// A folder with an `anka` of its own.
pub struct World {
    pub dir: PathBuf,
    pub anka: Anka,
}

impl World {
    /// `script` sees its call as `$1 …`, without `-j`, and writes into the current `$FAKE_DIR`.
    pub fn new(name: &str, script: &str) -> World {
        World::with(name, script, |_| ())
    }

    pub fn with(name: &str, script: &str, change: impl FnOnce(&mut Options)) -> World {
        let dir = std::env::temp_dir().join(format!("anklet-anka-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(dir.join("work")).unwrap();
        let prelude = "#!/bin/bash\necho \"$*\" >> \"$FAKE_DIR/calls\"\nshift\n";
        program(&dir, "anka", &format!("{prelude}{script}\n"));
        let path = std::env::var_os("PATH").unwrap();
        let mut options = Options {
            program: dir.join("anka"),
            env: vec![("PATH".into(), path), ("FAKE_DIR".into(), dir.clone().into())],
            children_dir: dir.join("children"),
            work_dir: dir.join("work"),
            command_timeout: LONG,
            start_timeout: LONG,
            script_timeout: LONG,
            pull_stall: LONG,
        };
        change(&mut options);
        World { dir, anka: Anka::new(options) }
    }

    /// What was called, a line a call.
    pub fn calls(&self) -> Vec<String> {
        lines(&self.dir.join("calls"))
    }

    /// The text of a file that the script made, as soon as it has a whole line.
    pub fn told(&self, file: &str) -> String {
        let path = self.dir.join(file);
        assert!(comes_true(|| fs::read_to_string(&path).is_ok_and(|text| text.ends_with('\n'))), "{file}");
        fs::read_to_string(path).unwrap().trim().to_owned()
    }

    /// Whether the process whose number the script wrote into `file` ends soon.
    pub fn ends(&self, file: &str) -> bool {
        let pid = self.told(file);
        comes_true(|| !is_alive(&pid))
    }

    pub fn litter(&self) -> usize {
        let count = |dir: &str| fs::read_dir(self.dir.join(dir)).map_or(0, Iterator::count);
        count("work") + count("children")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// Written by another process: a file that one of our own threads has open for writing cannot be executed, and
/// a child that another test is just starting would have it open.
fn program(dir: &Path, name: &str, text: &str) {
    let draft = dir.join("draft");
    fs::write(&draft, text).unwrap();
    let script = "cp draft \"$1\" && chmod 755 \"$1\"";
    let status = Command::new("sh").args(["-c", script, "sh", name]).current_dir(dir).status();
    assert!(status.unwrap().success());
}

pub fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

pub fn comes_true(mut what: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + LONG;
    while !what() {
        if Instant::now() > end {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
    true
}

/// A zombie does not live.
pub fn is_alive(pid: &str) -> bool {
    let state = Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap().stdout;
    !state.trim_ascii().is_empty() && state.trim_ascii()[0] != b'Z'
}

pub struct Free;
impl Lock for Free {
    fn note(&mut self, _vm: &VmName) {}
}
impl Places for Free {
    fn lock_slot(&self, _slot: usize) -> Option<Box<dyn Lock>> {
        Some(Box::new(Free))
    }
    fn reclaim_slot(&self, _slot: usize) -> Option<Box<dyn Lock>> {
        Some(Box::new(Free))
    }
    fn lock_pull(&self) -> Option<Box<dyn Lock>> {
        Some(Box::new(Free))
    }
    fn noted(&self) -> Vec<VmName> {
        Vec::new()
    }
}
impl Ledger for Free {
    fn write(&mut self, _page: &Page) -> std::io::Result<()> {
        Ok(())
    }
    fn clear(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A promised VM.
pub fn ticket() -> (UndoLog, VmTicket) {
    let vm = VmName(VM.into());
    let slot = SlotTable::new(Arc::new(Free)).take_vm(&vm, &[]).unwrap();
    let claim = ClaimId { owner: Owner { host: "h".into(), plugin: "p".into() }, turn: 1 };
    let job = Job {
        id: JobId(1),
        run_id: RunId(1),
        run_attempt: 1,
        owner: "acme".into(),
        repo: "app".into(),
        name: String::new(),
        workflow_name: String::new(),
        labels: Vec::new(),
        url: String::new(),
    };
    let mut log = UndoLog::new(Box::new(Free), None);
    let ticket = log.promise_vm(slot, &claim, &job, vm).unwrap();
    (log, ticket)
}

pub fn pull_slot() -> PullSlot {
    SlotTable::new(Arc::new(Free)).take_pull().unwrap()
}
