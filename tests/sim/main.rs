//! The simulated world: an `anka` CLI and a GitHub in one program, `anklet-sim`.
//!
//! It stands in for what a test cannot have, and judges what the daemon does to it.
//! It shares no code with the daemon: a misreading there must not be repeated here.
//! `README.md` beside this file is the manual.

#![expect(
    clippy::disallowed_methods,
    reason = "a program of its own: it sleeps, spawns, reads the environment and the clock as it likes"
)]

mod anka;
mod bench;
mod calls;
mod clock;
mod files;
mod flood;
mod github;
mod pick;
mod runner;
mod secret;
mod stage;
mod tour;

use std::path::Path;
use std::process::ExitCode;

const HELP: &str = "\
anklet-sim: a simulated Anka CLI and a simulated GitHub, for tests

  anka …                         (or by a link named `anka`) one call of the Anka CLI; state in $ANKA_SIM_DIR
  anklet-sim world …             makes and changes such a state folder; `anklet-sim world --help`
  anklet-sim fault DIR JSON…     adds faults to DIR/faults.json
  anklet-sim calls DIR           the calls of `anka` so far: counts, durations, overlaps, as JSON
  anklet-sim github …            the simulated GitHub; `anklet-sim github --help`
  anklet-sim runner …            what the fake config.sh and run.sh in a VM call
  anklet-sim pick PATH…          values out of the JSON on standard input: `ids.0`, `jobs.*.status`
  anklet-sim flood …             sends signed deliveries as fast as it can; `anklet-sim flood --help`
  anklet-sim tour …              shows eight jobs of the real `anklet` (scripts/quickstart); `anklet-sim tour --help`
  anklet-sim bench …             measures the real `anklet` (scripts/bench); `anklet-sim bench --help`
  anklet-sim bare …              what `bench` compares it with; `anklet-sim bare --help`
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let own_name = args.first().and_then(|path| Path::new(path).file_name()).and_then(|name| name.to_str());
    if own_name == Some("anka") {
        return ExitCode::from(anka::main(&args[0], &args[1..]));
    }
    let rest = args.get(2..).unwrap_or_default().to_vec();
    let ended = match args.get(1).map(String::as_str) {
        Some("anka") => return ExitCode::from(anka::main(&args[0], &rest)),
        Some("world") => anka::seed::main(rest),
        Some("fault") => anka::fault::main(&rest),
        Some("calls") => calls::main(&rest),
        Some("github") => github::main(rest),
        Some("runner") => return ExitCode::from(runner::main(rest)),
        Some("pick") => pick::main(&rest),
        Some("flood") => flood::main(rest),
        Some("tour") => tour::main(rest),
        Some("bench") => bench::main(rest),
        Some("bare") => bench::bare::main(rest),
        Some("help" | "-h" | "--help") => {
            print!("{HELP}");
            Ok(())
        }
        _ => Err(format!("no such command\n{HELP}")),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("anklet-sim: {why}");
            ExitCode::FAILURE
        }
    }
}
