//! A VM from the inside: its home folder, the runner that its template carries, and commands that run in it.

use super::answer::{Refusal, Reply};
use super::args::Run;
use super::world::{self, World};
use crossbeam_channel::{Receiver, bounded};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const CONFIG: &str = include_str!("../guest/config.sh");
const RUN: &str = include_str!("../guest/run.sh");
/// What a command that lost its VM ends with.
const CONNECTION_LOST: u8 = 125;
/// How long output may still come when the command has ended but something in the guest holds its pipe.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Makes the home folder of a new VM.
pub fn furnish(dir: &Path, uuid: &str, runner: Option<&str>) -> Result<(), Refusal> {
    let folder = world::vm_folder(dir, uuid);
    crate::files::make_folder(&folder.join("home"))?;
    crate::files::make_folder(&folder.join("pids"))?;
    if let Some(version) = runner {
        install_runner(&folder.join("home/actions-runner"), version)?;
    }
    Ok(())
}

/// The fake runner: two scripts that call this program back.
pub fn install_runner(folder: &Path, version: &str) -> Result<(), String> {
    crate::files::make_folder(folder)?;
    let program = own_program()?;
    for (name, text) in [("config.sh", CONFIG), ("run.sh", RUN)] {
        let path = folder.join(name);
        let text = text.replace("@PROGRAM@", &program.to_string_lossy()).replace("@VERSION@", version);
        fs::write(&path, text)
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o755)))
            .map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(())
}

/// Where this program lies, links followed.
pub fn own_program() -> Result<PathBuf, String> {
    std::env::current_exe().and_then(fs::canonicalize).map_err(|e| format!("own program: {e}"))
}

/// Runs a command in the VM: its output and its exit code are the answer.
pub fn run(dir: &Path, run: &Run) -> Result<Reply, Refusal> {
    let world = World::load(dir)?;
    let uuid = world.running_vm(&run.name)?.uuid.clone();
    super::take_time(&world, "run");
    let mut command = command(dir, &uuid, run)?;
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(e) => {
            eprintln!("{}: {e}", run.command[0]);
            return Ok(Reply::Ran(127));
        }
    };
    let note = world::vm_folder(dir, &uuid).join("pids").join(child.id().to_string());
    let _ = fs::write(&note, "");
    if run.background {
        return Ok(Reply::Ran(0));
    }
    let status = passed_on(&mut child)?;
    let _ = fs::remove_file(note);
    let alive = World::load(dir)?.running_vm(&uuid).is_ok();
    Ok(Reply::Ran(if alive { code_of(status) } else { CONNECTION_LOST }))
}

/// The guest has nothing of the host: neither its environment nor its standard input, and a process group of its
/// own, which whoever ends this `anka` does not reach.
fn command(dir: &Path, uuid: &str, run: &Run) -> Result<Command, Refusal> {
    let home = world::vm_folder(dir, uuid).join("home");
    let mut command = Command::new(&run.command[0]);
    command.args(&run.command[1..]).env_clear().process_group(0).stdin(Stdio::null());
    command.current_dir(run.folder.as_ref().map_or(home.clone(), |folder| home.join(folder)));
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", &home).env("ANKA_SIM_DIR", dir).env("ANKA_SIM_VM", uuid);
    for file in &run.variable_files {
        let text = fs::read_to_string(file).map_err(|e| Refusal::plain(format!("{file}: {e}")))?;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            set(&mut command, line)?;
        }
    }
    for variable in &run.variables {
        set(&mut command, variable)?;
    }
    let output = || if run.background { Stdio::null() } else { Stdio::piped() };
    command.stdout(output()).stderr(output());
    Ok(command)
}

fn set(command: &mut Command, variable: &str) -> Result<(), Refusal> {
    let (name, value) =
        variable.split_once('=').ok_or_else(|| Refusal::plain(format!("not NAME=VALUE: {variable}")))?;
    command.env(name, value);
    Ok(())
}

/// Passes the output on until the command has ended; what it left running may hold the pipes for ever.
fn passed_on(child: &mut Child) -> Result<ExitStatus, String> {
    let out = child.stdout.take().map(|pipe| pump(pipe, std::io::stdout()));
    let err = child.stderr.take().map(|pipe| pump(pipe, std::io::stderr()));
    let status = child.wait().map_err(|e| e.to_string())?;
    let end = Instant::now() + LAST_WORDS;
    for pumped in [out, err].into_iter().flatten() {
        let _ = pumped.recv_deadline(end);
    }
    Ok(status)
}

fn pump(mut from: impl Read + Send + 'static, mut to: impl Write + Send + 'static) -> Receiver<()> {
    let (done, ended) = bounded(1);
    thread::spawn(move || {
        let mut buffer = [0; 16 << 10];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            if to.write_all(&buffer[..read]).and_then(|()| to.flush()).is_err() {
                break;
            }
        }
        let _ = done.send(());
    });
    ended
}

fn code_of(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    u8::try_from(code).unwrap_or(1)
}
