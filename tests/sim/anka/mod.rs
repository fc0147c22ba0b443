//! The simulated `anka`: one call, one process, its state in the folder `$ANKA_SIM_DIR`.
//!
//! `args` reads the call, `fault` says whether it goes wrong, `vm`, `registry`, `guest` and `copy` do the deed,
//! `answer` prints the envelope. `world` is the state between calls and `seed` the commands that make and change it.

mod answer;
mod args;
mod copy;
pub mod fault;
mod guest;
mod processes;
mod registry;
pub mod seed;
mod vm;
pub mod world;

pub use guest::install_runner;

use answer::{Body, Refusal, Reply};
use args::{Call, Line};
use fault::{Fault, Next};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;
use world::World;

/// One call of `anka`: the exit code.
pub fn main(program: &str, argv: &[String]) -> u8 {
    let dir = match world_folder(program) {
        Ok(dir) => dir,
        Err(why) => return complain(&why),
    };
    if let Err(why) = log(&dir, "start", "-", argv) {
        return complain(&why);
    }
    let code = match Line::read(argv) {
        Ok(line) => answered(&dir, &line),
        Err(why) => complain(&why),
    };
    match log(&dir, "end", &code.to_string(), argv) {
        Ok(()) => code,
        Err(why) => complain(&why),
    }
}

/// The call with what goes wrong before and after the deed.
fn answered(dir: &Path, line: &Line) -> u8 {
    let fault = match Fault::take(dir, &line.words) {
        Ok(fault) => fault,
        Err(why) => return complain(&why),
    };
    if let Some(fault) = fault.as_ref().filter(|fault| !fault.after)
        && let Next::Exit(code) = fault.play(dir, line)
    {
        return code;
    }
    let reply = carried_out(dir, line);
    if let Some(fault) = fault.as_ref().filter(|fault| fault.after)
        && let Next::Exit(code) = fault.play(dir, line)
    {
        return code;
    }
    reply.print(line.json)
}

fn carried_out(dir: &Path, line: &Line) -> Reply {
    match deed(dir, &line.call) {
        Ok(reply) => reply,
        Err(refusal) => Reply::Refused(refusal),
    }
}

fn deed(dir: &Path, call: &Call) -> Result<Reply, Refusal> {
    match call {
        Call::Version => World::load(dir).map(|world| Reply::body(version(&world))),
        Call::License => World::load(dir).map(|world| {
            Reply::body(json!({
                "license_type": world.license_type, "status": world.license_status, "expires": "2099-01-01",
            }))
        }),
        Call::List { running, names } => vm::list(dir, *running, names),
        Call::Show { tag, name } => vm::show(dir, tag.as_deref(), name),
        Call::Tags { name } => vm::tags(dir, name),
        Call::Clone { tag, template, name } => vm::clone(dir, tag.as_deref(), template, name),
        Call::Start { mount, name } => vm::start(dir, *mount, name),
        Call::Stop { name } => vm::stop(dir, name),
        Call::Delete { tag, name } => vm::delete(dir, tag.as_deref(), name),
        Call::Mount { name } => vm::mount(dir, name),
        Call::Run(run) => guest::run(dir, run),
        Call::Copy { from, to } => copy::copy(dir, from, to),
        Call::Registry { registry, call } => registry::answer(dir, registry.as_deref(), call),
    }
}

fn version(world: &World) -> Body {
    let version = match &world.version_trail {
        Some(trail) => format!("{} {trail}", world.version),
        None => world.version.clone(),
    };
    json!({ "product": "Anka Build Enterprise", "version": version, "build": world.build })
}

/// Waits as long as the world says that this call takes.
fn take_time(world: &World, call: &str) {
    if let Some(ms) = world.timing_ms.get(call) {
        thread::sleep(Duration::from_millis(*ms));
    }
}

/// `$ANKA_SIM_DIR`; else, when the program was named with its path, the folder above its own.
fn world_folder(program: &str) -> Result<PathBuf, String> {
    if let Some(dir) = std::env::var_os("ANKA_SIM_DIR").filter(|dir| !dir.is_empty()) {
        return Ok(PathBuf::from(dir));
    }
    let beside = Path::new(program).parent().and_then(Path::parent).map(Path::to_path_buf);
    beside
        .filter(|dir| dir.join("world.json").is_file())
        .ok_or_else(|| "the simulated anka needs ANKA_SIM_DIR, the folder of its state".into())
}

/// One line: time, process, start or end, exit code, and all arguments as JSON.
fn log(dir: &Path, what: &str, code: &str, argv: &[String]) -> Result<(), String> {
    crate::files::make_folder(dir)?;
    let words = serde_json::to_string(argv).map_err(|e| e.to_string())?;
    let line = format!("{} {} {what} {code} {words}", crate::clock::stamp(), std::process::id());
    crate::files::append_line(&dir.join("calls.log"), &line)
}

/// A fault of the caller or of the simulator itself, as the real program writes a wrong usage.
fn complain(why: &str) -> u8 {
    eprintln!("anka: {why}");
    2
}
