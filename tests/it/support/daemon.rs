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

/// A daemon of a world, or one on each of its machines; killed when it is dropped.
pub struct Daemon {
    /// Those that signals are for.
    children: Vec<Child>,
    /// The receiver's, where it is on a machine of its own: it stops when all others have ended.
    receiver: Option<Child>,
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
        let Some(spread) = &world.spread else {
            return Daemon { children: vec![started(world, configuration, args, env)], receiver: None };
        };
        let mut children: Vec<Child> = spread
            .parts(world, configuration)
            .iter()
            .map(|(machine, text)| started(machine, text, args, env))
            .collect();
        let receiver = (children.len() > 1).then(|| children.pop()).flatten();
        Daemon { children, receiver }
    }

    /// The daemon that this command starts.
    pub fn of(command: &mut Command) -> Daemon {
        Daemon { children: vec![command.stdout(Stdio::null()).spawn().unwrap()], receiver: None }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        for child in &self.children {
            // One of several may have ended already.
            let sent = kill(Pid::from_raw(child.id() as i32), signal);
            assert!(sent.is_ok() || self.receiver.is_some(), "{sent:?}");
        }
        // Signals are not queued: two in a row would arrive as one.
        pause(20);
    }

    /// `kill -9`, and the end of it.
    pub fn kill(&mut self) {
        for child in self.children.iter_mut().chain(&mut self.receiver) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Its process.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.children[0].id() as i32)
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.children.iter_mut().any(|child| child.try_wait().unwrap().is_none())
    }

    /// How it ended; fails when it does not in time.
    #[track_caller]
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let end = Instant::now() + limit;
        let all: Vec<ExitStatus> = self.children.iter_mut().map(|child| ended(child, end, limit)).collect();
        if let Some(receiver) = &mut self.receiver {
            if receiver.try_wait().unwrap().is_none() {
                kill(Pid::from_raw(receiver.id() as i32), Signal::SIGINT).unwrap();
            }
            assert_eq!(ended(receiver, end, limit).code(), Some(0), "the receiver");
        }
        *all.iter().find(|status| !status.success()).unwrap_or(&all[0])
    }

    /// Ctrl+C, and its exit code.
    #[track_caller]
    pub fn stop(&mut self) -> i32 {
        self.signal(Signal::SIGINT);
        self.wait(Duration::from_secs(20)).code().unwrap_or(-1)
    }
}

fn started(world: &World, configuration: &str, args: &[&str], env: &[(&str, &str)]) -> Child {
    let folder = world.dir.join(".config/anklet");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.yml"), configuration).unwrap();
    let errors = fs::OpenOptions::new().create(true).append(true).open(world.dir.join("stderr")).unwrap();
    let mut command = command(world);
    command.args(args).envs(env.iter().copied()).stdout(Stdio::null()).stderr(errors);
    command.spawn().unwrap()
}

#[track_caller]
fn ended(child: &mut Child, end: Instant, limit: Duration) -> ExitStatus {
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < end, "the daemon did not end in {limit:?}");
        pause(10);
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}
