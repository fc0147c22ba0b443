//! Shared by the tests: a world of its own for each (simulated Anka and GitHub, a home folder), and daemons in it.

pub mod daemon;
pub mod fleet;
pub mod prism;
pub mod redis;
pub mod spread;
pub mod web;
pub mod wire;
pub mod world;

pub use daemon::Daemon;
pub use fleet::Fleet;
pub use world::World;

use std::time::{Duration, Instant};

/// Waits until `what` holds, and fails with `name` when it does not in time.
#[track_caller]
pub fn eventually(name: &str, limit: Duration, mut what: impl FnMut() -> bool) {
    let end = Instant::now() + limit;
    while !what() {
        assert!(Instant::now() < end, "in vain for {limit:?}: {name}");
        pause(10);
    }
}

/// Sleeps.
#[expect(clippy::disallowed_methods, reason = "a test may wait")]
pub fn pause(millis: u64) {
    std::thread::sleep(Duration::from_millis(millis));
}
