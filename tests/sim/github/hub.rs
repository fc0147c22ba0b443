//! The parts that all connections share, and the clockwork that makes things happen when they are due.

use super::outbox::Outbox;
use super::state::State;
use super::{assign, jobs};
use crate::{clock, files};
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

pub struct Hub {
    state: Mutex<State>,
    changed: Condvar,
    pub outbox: Outbox,
    /// `http://127.0.0.1:PORT`, as the world outside names this GitHub.
    pub url: String,
    dir: PathBuf,
}

impl Hub {
    pub fn new(url: String, dir: PathBuf, state: State) -> Self {
        let outbox = Outbox::new(url.clone());
        Self { state: Mutex::new(state), changed: Condvar::new(), outbox, url, dir }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, gives out what can be given out, and wakes who waits for a change.
    pub fn change<T>(&self, deed: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let result = deed(&mut state);
        assign::assign(&mut state, &self.outbox);
        self.changed.notify_all();
        result
    }

    /// Waits until the look says something, or the time is up.
    pub fn wait<T>(&self, within: Duration, mut look: impl FnMut(&State) -> Option<T>) -> Option<T> {
        let end = Instant::now() + within;
        let mut state = self.state();
        loop {
            if let Some(found) = look(&state) {
                return Some(found);
            }
            let left = end.checked_duration_since(Instant::now())?;
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Every 5 ms: jobs whose runner is lost, cancels that are due, jobs of strangers that end.
    pub fn tick(&self) {
        loop {
            thread::sleep(Duration::from_millis(5));
            if jobs::anything_due(&self.state()) {
                self.change(|state| jobs::tick(state, &self.outbox));
            }
        }
    }

    /// One line a REST call: time, method, path, status, the last four characters of its token.
    pub fn log(&self, method: &str, path: &str, status: u16, token: &str) {
        let tail: String = token.chars().skip(token.chars().count().saturating_sub(4)).collect();
        let tail = if tail.is_empty() { "-" } else { &tail };
        let line = format!("{} {method} {path} {status} {tail}", clock::stamp());
        if let Err(why) = files::append_line(&self.dir.join("calls.log"), &line) {
            eprintln!("anklet-sim github: {why}");
        }
    }
}
