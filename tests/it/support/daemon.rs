//! The real binary, as a child of the test.
#![expect(clippy::disallowed_methods, reason = "starts the daemon")]

use std::fs;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{World, pause};

/// The daemon.
pub const ANKLET: &str = env!("CARGO_BIN_EXE_anklet");

/// A daemon of a world; killed when it is dropped.
pub struct Daemon {
    child: Child,
}

/// A command for the daemon's binary in this world.
pub fn command(world: &World) -> Command {
    let mut command = Command::new(ANKLET);
    let path = std::env::var("PATH").unwrap_or_default();
    command
        .current_dir(&world.dir)
        .env_clear()
        .env("HOME", &world.dir)
        .env("PATH", format!("{}:{path}", world.dir.join("anka/bin").display()))
        .env("ANKA_SIM_DIR", world.dir.join("anka"))
        .stdin(Stdio::null());
    command
}

impl Daemon {
    /// Starts it with a configuration, arguments and variables.
    pub fn start(world: &World, configuration: &str, args: &[&str], env: &[(&str, &str)]) -> Daemon {
        let folder = world.dir.join(".config/anklet");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("config.yml"), configuration).unwrap();
        let errors = fs::OpenOptions::new().create(true).append(true).open(world.dir.join("stderr")).unwrap();
        Daemon::of(command(world).args(args).envs(env.iter().copied()).stderr(errors))
    }

    /// The daemon that this command starts.
    pub fn of(command: &mut Command) -> Daemon {
        Daemon { child: command.stdout(Stdio::null()).spawn().unwrap() }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
        // Signals are not queued: two in a row would arrive as one.
        pause(20);
    }

    /// `kill -9`, and the end of it.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Its process.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// How it ended; fails when it does not in time.
    #[track_caller]
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let end = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "the daemon did not end in {limit:?}");
            pause(10);
        }
    }

    /// Ctrl+C, and its exit code.
    #[track_caller]
    pub fn stop(&mut self) -> i32 {
        self.signal(Signal::SIGINT);
        self.wait(Duration::from_secs(20)).code().unwrap_or(-1)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}
