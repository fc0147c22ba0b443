//! A daemon that has nothing to do: what it holds in memory, and how often it wakes up. Read from `/proc`.

use super::stopped;
use crate::stage::interrupt::Interrupt;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

const LOOK: Duration = Duration::from_millis(100);

/// `None`: not measured on this system.
pub struct Idle {
    pub resident_bytes: Option<u64>,
    /// Voluntary context switches of all threads, a second.
    pub wakeups_per_second: Option<f64>,
    pub threads: Option<usize>,
}

/// Watches a process for so long.
pub fn measured(pid: i32, time: Duration, interrupt: &Interrupt) -> Result<Idle, String> {
    thread::sleep(Duration::from_secs(1));
    let begun = Instant::now();
    let before = switches(pid);
    while begun.elapsed() < time {
        stopped(interrupt)?;
        thread::sleep(LOOK);
    }
    let after = switches(pid);
    let woken = before.zip(after).map(|(before, after)| after.saturating_sub(before));
    Ok(Idle {
        resident_bytes: memory(pid),
        wakeups_per_second: woken.map(|woken| woken as f64 / begun.elapsed().as_secs_f64()),
        threads: statuses(pid).map(|all| all.len()),
    })
}

/// Resident memory in bytes.
pub fn memory(pid: i32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    Some(number(&status, "VmRSS:")? << 10)
}

fn switches(pid: i32) -> Option<u64> {
    Some(statuses(pid)?.iter().filter_map(|status| number(status, "voluntary_ctxt_switches:")).sum())
}

fn statuses(pid: i32) -> Option<Vec<String>> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    Some(tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("status")).ok()).collect())
}

fn number(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
