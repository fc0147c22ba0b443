//! The runner in a VM: what the fake `config.sh` and `run.sh` call. It behaves as GitHub's own does outwardly.
//!
//! `configure` registers it, `listen` waits for its one job and carries it out over the `line` to the simulated
//! GitHub. `guest` looks around: what of the daemon's secrets a workflow could see is reported as `leaks`.

mod configure;
mod guest;
mod line;
mod listen;

use serde::{Deserialize, Serialize};

/// The exit codes of GitHub's runner.
const TERMINATED: u8 = 1;
const DEPRECATED: u8 = 7;

/// What `config.sh` leaves behind for `run.sh`, in the runner's folder.
#[derive(Serialize, Deserialize)]
struct Configured {
    host: String,
    secret: String,
    name: String,
}

pub fn main(args: Vec<String>) -> u8 {
    let mut args = args.into_iter();
    let done = match args.next().as_deref() {
        Some("configure") => configure::configure(args.collect()),
        Some("run") => listen::run(args.collect()),
        _ => Err((TERMINATED, "usage: runner configure|run …".into())),
    };
    match done {
        Ok(()) => 0,
        Err((code, why)) => {
            eprintln!("An error occurred: {why}");
            code
        }
    }
}

type Ended = Result<(), (u8, String)>;

fn terminated(why: impl Into<String>) -> (u8, String) {
    (TERMINATED, why.into())
}
