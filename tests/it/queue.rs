//! `anklet queue`: through the real binary, on stores that the test has filled and on ones that daemons use.

mod away; // no store, none that answers, none that can be read
mod daemons; // what handlers say of themselves, while they run
mod told; // what is told of each state, as text and as JSON
mod usage; // the command line

use std::process::Output;

use serde_json::Value;

use crate::support::World;
use crate::support::daemon::command;

/// What a command has said, and its exit code.
struct Told {
    code: Option<i32>,
    out: String,
    err: String,
}

/// `anklet …` with this configuration.
fn anklet(world: &World, configuration: &str, args: &[&str]) -> Told {
    std::fs::write(world.dir.join("own.yml"), configuration).unwrap();
    let Output { status, stdout, stderr } =
        command(world).args(args).args(["-c", "own.yml"]).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Told { code: status.code(), out: text(stdout), err: text(stderr) }
}

impl Told {
    /// The first queue of the JSON.
    #[track_caller]
    fn queue(&self) -> Value {
        let all: Value = serde_json::from_str(&self.out).unwrap_or_else(|why| panic!("{why}: {}", self.out));
        all["queues"][0].clone()
    }
}

/// The job of this number.
fn job(queue: &Value, id: u64) -> &Value {
    let jobs = queue["jobs"].as_array().unwrap();
    jobs.iter().find(|job| job["id"] == id).unwrap_or_else(|| panic!("no job {id}: {queue:#}"))
}
