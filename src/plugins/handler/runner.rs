//! From a VM that runs to a runner that has its job.

use std::time::Duration;

use crate::anka::{AnkaError, Ending, Running};
use crate::domain::event::{Event, Verdict};
use crate::domain::outcome::Reason;
use crate::domain::undo::VmTicket;
use crate::plugins::handler::boot::journal_reason;
use crate::plugins::handler::error::{anka_reason, github_reason, store_reason};
use crate::plugins::handler::release;
use crate::plugins::handler::watch::News;
use crate::plugins::handler::work::Work;
use crate::plugins::handler::{Handler, TICK};
use crate::runtime::stop::{Stop, Urgency, Woken};

/// Installs nothing but what the template carries, or says that a version must be named.
const INSTALL: &str = "exec bash ./install-runner.bash";
/// No value of a label is part of the command: all come from the environment.
const REGISTER_AND_START: &str = "bash ./register-runner.bash \"$ANKLET_RUNNER_NAME\" \"$ANKLET_RUNNER_TOKEN\" \
     \"$ANKLET_RUNNER_URL\" \"$ANKLET_RUNNER_LABELS\" \"$ANKLET_RUNNER_GROUP\" || exit 1; \
     unset ANKLET_RUNNER_TOKEN; exec bash ./start-runner.bash";

impl Handler {
    /// Install, register, start; returns when GitHub says that the job has started.
    pub(super) fn start_runner(
        &mut self,
        work: &mut Work,
        ticket: &VmTicket,
        stop: &Stop,
    ) -> Result<(), Reason> {
        self.install(ticket, stop)?;
        let asker = self.asker(stop, Urgency::Drain);
        let token = self.tools.github.registration_token(&asker, &self.options.scope);
        let token = token.map_err(|error| github_reason(&error))?;
        self.promise_runner(work, ticket)?;
        let job = &work.entry.job;
        let values = [
            ("ANKLET_RUNNER_NAME", work.vm.0.clone()),
            ("ANKLET_RUNNER_TOKEN", token.reveal().to_owned()),
            ("ANKLET_RUNNER_URL", self.tools.github.registration_url(&self.options.scope)),
            ("ANKLET_RUNNER_LABELS", job.labels.join(",")),
            ("ANKLET_RUNNER_GROUP", self.options.runner_group.clone().unwrap_or_default()),
        ];
        log::info!("registering and starting the runner");
        let call = self.tools.anka.run_script(ticket, "start-runner", REGISTER_AND_START, &values, stop);
        let call = call.map_err(|error| anka_reason(&error, Reason::ScriptFailed))?;
        self.while_starting(work, call, stop)?;
        self.watch_before_start(work, stop)
    }

    /// Uses the runner of the template; when there is none, names the version to fetch.
    fn install(&mut self, ticket: &VmTicket, stop: &Stop) -> Result<(), Reason> {
        let failed = |error: AnkaError| anka_reason(&error, Reason::ScriptFailed);
        let ended =
            self.tools.anka.run_to_end(ticket, "install-runner", INSTALL, &[], stop).map_err(failed)?;
        if release::is_wanted_by(&ended) {
            let release = self.release(stop)?;
            let values = release.as_environment();
            let ended = self
                .tools
                .anka
                .run_to_end(ticket, "install-runner", INSTALL, &values, stop)
                .map_err(failed)?;
            return ended.success().map_err(Reason::ScriptFailed);
        }
        ended.success().map_err(Reason::ScriptFailed)
    }

    /// The promise to remove the runner, the store's note of its name, and one more look whether the claim is ours.
    fn promise_runner(&mut self, work: &Work, ticket: &VmTicket) -> Result<(), Reason> {
        let Some(claim) = work.claim.as_ref() else { return Err(Reason::Lost) };
        let runner = self.undo.promise_runner(ticket).map_err(|error| journal_reason(&error))?;
        let event = Event::Checkpoint { claim: claim.id().clone(), runner: runner.runner().clone() };
        match self.tools.store.apply(&event).map_err(|error| store_reason(&error))?.verdict {
            Verdict::Lost => Err(Reason::Lost),
            _ => Ok(()),
        }
    }

    /// Waits for the scripts, or for the job to start under a script that does not return.
    fn while_starting(&mut self, work: &mut Work, mut call: Running, stop: &Stop) -> Result<(), Reason> {
        loop {
            match stop.before_start_beside(&self.bell, call.ended(), TICK.min(call.left())) {
                Woken::Ended => return self.started(call),
                Woken::Stop(_) => {
                    call.kill();
                    return Err(Reason::Stopped);
                }
                Woken::Bell | Woken::Time => self.tick(),
            }
            match self.news(work) {
                News::Running => return Ok(call.leave()),
                News::Over if work.ran().is_some() => return Ok(call.leave()),
                News::Parked => {
                    call.kill();
                    return Err(Reason::Parked);
                }
                News::Over => {
                    call.kill();
                    return Err(Reason::AlreadyOver);
                }
                _ if call.left() == Duration::ZERO => {
                    call.kill();
                    return Err(Reason::ScriptFailed(
                        "start-runner.bash did not end in time, and no job started".into(),
                    ));
                }
                _ => (),
            }
        }
    }

    fn started(&self, call: Running) -> Result<(), Reason> {
        let ended: Result<Ending, AnkaError> = call.finish();
        let ended = ended.map_err(|error| anka_reason(&error, Reason::ScriptFailed))?;
        ended.success().map_err(|why| {
            // The token may be the reason: the next job gets a new one.
            self.tools.github.forget_registration_token(&self.options.scope);
            Reason::ScriptFailed(why)
        })
    }
}
