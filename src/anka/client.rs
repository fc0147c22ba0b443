//! `Anka`: how its program is called, with which limits, and what may cut a call short.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, TryRecvError, never};
use serde_json::Value;

use super::command::{self, Input, Order, Running, Sink};
use super::envelope;
use super::error::{AnkaError, with};
use crate::domain::ids::VmName;
use crate::runtime::children::ChildLock;
use crate::runtime::effect::{Effect, effect};
use crate::runtime::stop::Never;

/// Limit of the calls that only look something up.
const LOOK_UP: Duration = Duration::from_secs(30);

/// What the calls need to know. It has no `Debug`: the environment may hold passwords.
#[derive(Clone)]
pub struct Options {
    /// The program, an absolute path.
    pub program: PathBuf,
    /// The whole environment of its children.
    pub env: Vec<(OsString, OsString)>,
    /// Where the children's locks lie.
    pub children_dir: PathBuf,
    /// Where the files with a script's values lie while they are needed.
    pub work_dir: PathBuf,
    /// Limit of clone, cp, stop, delete.
    pub command_timeout: Duration,
    /// Limit of start.
    pub start_timeout: Duration,
    /// Limit of each script.
    pub script_timeout: Duration,
    /// Longest pull without progress.
    pub pull_stall: Duration,
}

/// The Anka of this host. Clones are cheap.
#[derive(Clone)]
pub struct Anka {
    pub(super) options: Arc<Options>,
    pub(super) cut: Receiver<Never>,
}

/// One call that is to be made.
pub(super) struct Call {
    name: &'static str,
    args: Vec<OsString>,
    limit: Duration,
    on: On,
}

/// What a call works on, and so which lock its child carries.
enum On {
    Nothing,
    Vm(usize, VmName),
    Pull(Option<OwnedFd>),
}

impl Anka {
    /// Calls that nothing cuts short but their own limits.
    pub fn new(options: Options) -> Anka {
        Anka { options: Arc::new(options), cut: never() }
    }

    /// The same, whose calls end as soon as `cut` does.
    #[must_use]
    pub fn until(&self, cut: &Receiver<Never>) -> Anka {
        Anka { options: self.options.clone(), cut: cut.clone() }
    }

    /// Where the children's locks lie.
    pub fn children_dir(&self) -> &Path {
        &self.options.children_dir
    }

    /// Longest time for a script.
    pub fn script_timeout(&self) -> Duration {
        self.options.script_timeout
    }

    /// Makes the call and reads its answer.
    pub(super) fn ask(&self, call: Call) -> Result<Value, AnkaError> {
        let (name, limit) = (call.name, call.limit);
        effect(Effect::Anka(name), || {
            let ran = self.spawn(call, Sink::Pipes)?.wait(limit, &self.cut)?;
            envelope::body(&ran.out, &ran.err, ran.exit)
        })
    }

    /// Starts the call's child; whoever waits for it brackets the effect.
    pub(super) fn spawn(&self, call: Call, output: Sink) -> Result<Running, AnkaError> {
        if matches!(self.cut.try_recv(), Err(TryRecvError::Disconnected)) {
            return Err(AnkaError::Stopped);
        }
        let input = self.input(call.name, call.on).map_err(AnkaError::NotStarted)?;
        let order = Order {
            program: &self.options.program,
            args: &call.args,
            env: &self.options.env,
            input,
            output,
            leaves: matches!(call.name, "start" | "run"),
        };
        command::spawn(order).map_err(AnkaError::NotStarted)
    }

    /// A VM can always be deleted: there a lock that cannot be had (disk full) is done without.
    fn input(&self, name: &str, on: On) -> io::Result<Input> {
        let (slot, vm) = match on {
            On::Nothing | On::Pull(None) => return Ok(Input::Nothing),
            On::Pull(Some(share)) => return Ok(Input::Share(share)),
            On::Vm(slot, vm) => (slot, vm),
        };
        match ChildLock::new(&self.options.children_dir, slot, &vm, name) {
            Ok(lock) => Ok(Input::Lock(lock)),
            Err(_) if matches!(name, "delete" | "stop") => Ok(Input::Nothing),
            Err(e) => Err(with("its lock cannot be made", e)),
        }
    }
}

impl Call {
    /// `anka -j NAME`, with the limit of a look-up.
    pub fn of(name: &'static str) -> Call {
        Call { name, args: vec!["-j".into(), name.into()], limit: LOOK_UP, on: On::Nothing }
    }

    /// Another limit.
    pub fn limit(self, limit: Duration) -> Call {
        Call { limit, ..self }
    }

    /// It works on this VM.
    pub fn on_vm(self, slot: usize, vm: &VmName) -> Call {
        Call { on: On::Vm(slot, vm.clone()), ..self }
    }

    /// It pulls, under this share of the pull lock.
    pub fn on_pull(self, share: Option<OwnedFd>) -> Call {
        Call { on: On::Pull(share), ..self }
    }

    /// One more argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Call {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// A flag with its value, when there is one.
    pub fn opt(self, flag: &str, value: Option<impl AsRef<OsStr>>) -> Call {
        match value {
            Some(value) => self.arg(flag).arg(value),
            None => self,
        }
    }
}
