//! The only place that starts a child: a process group of its own, bounded output, an end that is waited for.
//!
//! Three threads a child, started before it: `anka:out` and `anka:err` read, `anka:wait` reaps.
//! The end of the output is no sign of the child's end, nor the other way round: each is waited for with a limit
//! of its own.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, after, bounded, select};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::error::AnkaError;
use super::tail::{self, Feed, STACK, Tail};
use crate::runtime::children::{ChildLock, KILL_GRACE, Mark, TERM_GRACE, ask_to_end};
use crate::runtime::stop::{Never, breathe};
use crate::runtime::thread;

/// How long the output of a child that has ended may be held open by what it left behind.
const OUTPUT_GRACE: Duration = Duration::from_millis(200);
/// How long the output is waited for once those have been ended.
const LAST_GRACE: Duration = Duration::from_millis(20);
/// How often a group that was asked to end is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// What to start.
pub struct Order<'a> {
    /// An absolute path.
    pub program: &'a Path,
    /// All arguments.
    pub args: &'a [OsString],
    /// The whole environment.
    pub env: &'a [(OsString, OsString)],
    /// Its standard input.
    pub input: Input,
    /// Its output and errors.
    pub output: Sink,
    /// Whether processes that it leaves behind are meant to live.
    pub leaves: bool,
}

/// A child's standard input.
pub enum Input {
    /// Nothing.
    Nothing,
    /// The lock by which it is known when it outlives the daemon.
    Lock(ChildLock),
    /// A share of a lock that somebody else holds.
    Share(OwnedFd),
}

/// Where a child's output goes.
pub enum Sink {
    /// Two pipes.
    Pipes,
    /// Two files, opened for appending: for a child that may outlive the daemon, which a pipe would kill.
    Files(File, File),
}

/// A child that was started. Dropping it ends it and waits for that.
pub struct Running {
    group: Pid,
    ended: Receiver<()>,
    /// None once it was left alone or has been waited for.
    waiter: Option<JoinHandle<io::Result<ExitStatus>>>,
    output: Output,
    leaves: bool,
}

enum Output {
    Pipes(Tail, Tail),
    Files(File, File),
}

/// A child that has ended by itself.
pub struct Ran {
    /// Its exit code; none when a signal ended it.
    pub exit: Option<i32>,
    /// The last bytes of its output.
    pub out: Vec<u8>,
    /// The last bytes of its errors.
    pub err: Vec<u8>,
}

/// A program of this name in the folders of a PATH, or the path itself when the name is one.
pub fn find(path_var: &OsStr, name: &str) -> Option<PathBuf> {
    let is_program =
        |path: &PathBuf| fs::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
    if name.contains('/') {
        return std::path::absolute(name).ok().filter(is_program);
    }
    std::env::split_paths(path_var).filter(|dir| dir.is_absolute()).map(|dir| dir.join(name)).find(is_program)
}

/// Starts a child.
/// Errors: no such program, not executable, or no more processes, threads or files to be had.
pub fn spawn(order: Order<'_>) -> io::Result<Running> {
    let (give, waiter, ended, gone) = waiter()?;
    let mut command = command(&order);
    let (pipes, output) = direct(&mut command, order.output, gone)?;
    let lock = connect(&mut command, order.input)?;
    let mut child = command.spawn()?;
    // It holds our copies of the child's files: the child's locks would live as long as it.
    drop(command);
    let group = Pid::from_raw(child.id() as i32);
    if let Some((out, err)) = pipes {
        let _ = child.stdout.take().map(|pipe| out.send(pipe));
        let _ = child.stderr.take().map(|pipe| err.send(pipe));
    }
    let _ = give.send((child, lock.map(|lock| lock.hand_over(group))));
    Ok(Running { group, ended, waiter: Some(waiter), output, leaves: order.leaves })
}

#[expect(clippy::disallowed_methods, reason = "the one room that starts children")]
fn command(order: &Order<'_>) -> Command {
    let mut command = Command::new(order.program);
    command.args(order.args).env_clear().envs(order.env.iter().map(|(name, value)| (name, value)));
    command.process_group(0);
    command
}

type Feeds = (Feed<ChildStdout>, Feed<ChildStderr>);

fn direct(command: &mut Command, sink: Sink, gone: Receiver<Never>) -> io::Result<(Option<Feeds>, Output)> {
    match sink {
        Sink::Pipes => {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let (out_feed, out) = Tail::new("anka:out")?;
            let (err_feed, err) = Tail::new("anka:err")?;
            Ok((Some((out_feed, err_feed)), Output::Pipes(out, err)))
        }
        Sink::Files(out, err) => {
            command.stdout(out.try_clone()?).stderr(err.try_clone()?);
            tail::bound_files([out.try_clone()?, err.try_clone()?], gone)?;
            Ok((None, Output::Files(out, err)))
        }
    }
}

fn connect(command: &mut Command, input: Input) -> io::Result<Option<ChildLock>> {
    match input {
        Input::Nothing => command.stdin(Stdio::null()),
        Input::Share(share) => command.stdin(Stdio::from(share)),
        Input::Lock(lock) => {
            command.stdin(lock.stdin()?);
            return Ok(Some(lock));
        }
    };
    Ok(None)
}

type Reaper =
    (Sender<(Child, Option<Mark>)>, JoinHandle<io::Result<ExitStatus>>, Receiver<()>, Receiver<Never>);

/// The thread that waits for the child that it will be given, and removes the child's mark once it has ended.
fn waiter() -> io::Result<Reaper> {
    let (give, take) = bounded::<(Child, Option<Mark>)>(1);
    let (tell, ended) = bounded(1);
    let (keep, gone) = bounded(0);
    let wait = move || {
        let _until_it_is_gone = keep;
        let (mut child, mark) = take.recv().map_err(io::Error::other)?;
        let status = child.wait();
        drop(mark);
        let _ = tell.send(());
        status
    };
    Ok((give, thread::start_small("anka:wait", STACK, wait)?, ended, gone))
}

impl Running {
    /// Rings once, when the child has ended.
    pub fn ended(&self) -> &Receiver<()> {
        &self.ended
    }

    /// The output so far, when it goes through a pipe.
    pub fn said(&self) -> Option<&Tail> {
        match &self.output {
            Output::Pipes(out, _) => Some(out),
            Output::Files(..) => None,
        }
    }

    /// Waits for the end; the time limit and `cut` end the child.
    pub fn wait(self, limit: Duration, cut: &Receiver<Never>) -> Result<Ran, AnkaError> {
        select! {
            recv(self.ended) -> _ => self.finish(),
            recv(after(limit)) -> _ => { self.kill(); Err(AnkaError::TimeLimit(limit)) }
            recv(cut) -> _ => { self.kill(); Err(AnkaError::Stopped) }
        }
    }

    /// What a child that has ended leaves: its exit code and its output.
    pub fn finish(mut self) -> Result<Ran, AnkaError> {
        let joined = self.waiter.take().map(JoinHandle::join);
        let status = match joined {
            Some(Ok(status)) => status.map_err(AnkaError::NotStarted)?,
            _ => return Err(AnkaError::NotStarted(io::Error::other("nobody waited for the child"))),
        };
        let (out, err) = match &self.output {
            Output::Files(out, err) => (tail::end_of(out), tail::end_of(err)),
            Output::Pipes(out, err) => {
                self.await_output(out, err);
                (out.take(), err.take())
            }
        };
        Ok(Ran { exit: status.code(), out, err })
    }

    /// Ends the child and all that is in its group, and waits for that.
    pub fn kill(mut self) {
        self.end();
    }

    /// Leaves it alone: alive, unwatched, its output read and dropped, as long as it likes.
    pub fn leave(mut self) {
        self.waiter = None;
        if let Output::Pipes(out, err) = &self.output {
            out.forget();
            err.forget();
        }
    }

    /// The child is gone. What it left behind may hold the pipes: a moment of grace, then it is ended, unless
    /// it is meant to live; then nobody listens any longer.
    fn await_output(&self, out: &Tail, err: &Tail) {
        let grace = Instant::now() + OUTPUT_GRACE;
        if all_said(out, grace) && all_said(err, grace) {
            return;
        }
        if !self.leaves {
            let _ = killpg(self.group, Signal::SIGKILL);
        }
        let last = Instant::now() + LAST_GRACE;
        let _ = all_said(out, last) && all_said(err, last);
    }

    fn end(&mut self) {
        let Some(waiter) = self.waiter.take() else { return };
        let limit = Instant::now() + TERM_GRACE;
        ask_to_end(self.group);
        let mut ended = !matches!(self.ended.recv_deadline(limit), Err(RecvTimeoutError::Timeout));
        while ended && killpg(self.group, None).is_ok() && Instant::now() < limit {
            breathe(LOOK);
        }
        let _ = killpg(self.group, Signal::SIGKILL);
        ended = ended || !matches!(self.ended.recv_timeout(KILL_GRACE), Err(RecvTimeoutError::Timeout));
        if ended {
            let _ = waiter.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

fn all_said(tail: &Tail, limit: Instant) -> bool {
    loop {
        match tail.heard().recv_deadline(limit) {
            Ok(()) => (),
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => return true,
        }
    }
}
