//! Commands inside a VM: `anka run`, whose answer is the command's own output and exit code.
//!
//! Only when the command could not run there is an ERROR envelope as last line, or exit code 125.

use std::ffi::OsString;
use std::io;

use crossbeam_channel::Receiver;

use super::client::{Anka, Call};
use super::command::{Ran, Running, Sink};
use super::env_file::{EnvFile, Var, nameless};
use super::envelope;
use super::error::{AnkaError, for_people, not_started};
use crate::domain::undo::{RunnerTicket, VmTicket};
use crate::runtime::effect::{Effect, effect};

/// `anka run`'s exit code for a lost connection.
const DISCONNECTED: i32 = 125;
/// Shorter secrets are not looked for in an output: they would be found everywhere.
const SHORTEST_SECRET: usize = 6;

/// The call that registers and starts a runner. Dropping it ends it.
///
/// A start script may not return as long as its job runs. Whoever waits for this call waits for the job at the
/// same time, and then leaves the call alone.
pub struct RunnerCall {
    running: Running,
    env: EnvFile,
    secrets: Secrets,
}

/// Texts that must not be shown.
struct Secrets(Vec<String>);

impl Anka {
    /// Runs a shell line in the VM and returns the end of its output, as text for people.
    /// Errors: as a whole [`AnkaError`]; a value with a line break is refused as `NotStarted`.
    pub fn run_script(&self, ticket: &VmTicket, line: &str, vars: &[Var<'_>]) -> Result<String, AnkaError> {
        effect(Effect::Anka("run"), || {
            let (call, env) = self.script(ticket, line, vars)?;
            let ran = self.spawn(call, Sink::Pipes)?.wait(self.options.script_timeout, &self.cut);
            drop(env);
            verdict(&ran?, &Secrets::of(vars))
        })
    }

    /// Starts the shell line that registers and starts the runner; does not wait for it.
    /// Its output goes to a file, so that the end of this daemon does not end it.
    pub fn start_runner(
        &self,
        ticket: &VmTicket,
        _runner: &RunnerTicket,
        line: &str,
        vars: &[Var<'_>],
    ) -> Result<RunnerCall, AnkaError> {
        effect(Effect::Anka("run"), || {
            let file = || nameless(&self.options.work_dir).map_err(no_file);
            let output = Sink::Files(file()?, file()?);
            let (call, env) = self.script(ticket, line, vars)?;
            let running = self.spawn(call, output)?;
            Ok(RunnerCall { running, env, secrets: Secrets::of(vars) })
        })
    }

    fn script(&self, ticket: &VmTicket, line: &str, vars: &[Var<'_>]) -> Result<(Call, EnvFile), AnkaError> {
        let env = EnvFile::new(&self.options.work_dir, vars).map_err(no_file)?;
        let path = std::path::absolute(env.path()).map_err(no_file)?;
        let command: [OsString; 4] = [(&ticket.vm().0).into(), "bash".into(), "-lc".into(), line.into()];
        let call = Call::of("run").arg("-f").arg(path);
        let call = command.iter().fold(call, Call::arg);
        Ok((call.on_vm(ticket.slot(), ticket.vm()), env))
    }
}

impl RunnerCall {
    /// Rings once, when the call has ended.
    pub fn ended(&self) -> &Receiver<()> {
        self.running.ended()
    }

    /// What a call that has ended says.
    pub fn finish(self) -> Result<String, AnkaError> {
        let ran = self.running.finish();
        drop(self.env);
        verdict(&ran?, &self.secrets)
    }

    /// The job runs: the call is left alone, as long as it likes. No stop and no limit ends it any more.
    pub fn leave(self) {
        self.running.leave();
    }

    /// Ends the call and what it started on the host, and waits for that.
    pub fn kill(self) {
        self.running.kill();
    }
}

fn no_file(e: io::Error) -> AnkaError {
    not_started("its files cannot be made", e)
}

fn verdict(ran: &Ran, secrets: &Secrets) -> Result<String, AnkaError> {
    let said = || {
        let text = format!("{}\n{}", envelope::end_of(&ran.out).trim_end(), envelope::end_of(&ran.err));
        for_people(&secrets.hide(&text))
    };
    if let Some(answer) = envelope::last(&ran.out).filter(|answer| !answer.ok) {
        let message = secrets.hide(&answer.message);
        return Err(envelope::Answer { message, ..answer }.into_error(ran.exit));
    }
    match ran.exit {
        Some(0) => Ok(said()),
        Some(DISCONNECTED) => Err(AnkaError::Disconnected(said())),
        code => Err(AnkaError::Exited { code, output: said() }),
    }
}

impl Secrets {
    fn of(vars: &[Var<'_>]) -> Secrets {
        let secret = vars.iter().filter(|var| var.secret && var.value.len() >= SHORTEST_SECRET);
        Secrets(secret.map(|var| var.value.to_owned()).collect())
    }

    /// Before a text is cut: half a secret would not be found.
    fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "[secret]"))
    }
}
