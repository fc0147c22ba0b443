//! From a VM that runs to a runner that has its job.

use std::time::{Duration, Instant};

use crate::anka::scripts::{
    GROUP, INSTALL, JIT_CONFIG, LABELS, NAME, REGISTER_AND_START, START_JUST_IN_TIME, TOKEN, URL,
};
use crate::anka::{AnkaError, RunnerCall, Var};
use crate::domain::event::{Event, Verdict};
use crate::domain::ids::RunnerName;
use crate::domain::job::Job;
use crate::domain::outcome::Reason;
use crate::domain::undo::{RunnerTicket, VmTicket};
use crate::plugins::handler::Handler;
use crate::plugins::handler::boot::journal_reason;
use crate::plugins::handler::error::{anka_reason, github_reason, store_reason};
use crate::plugins::handler::news::News;
use crate::plugins::handler::release;
use crate::plugins::handler::schedule::Asks;
use crate::plugins::handler::streak::Effort;
use crate::plugins::handler::work::Work;
use crate::runtime::stop::{Stop, Urgency, Woken};

/// How long scripts may go on that register the runner of a job that was given up.
const GRACE: Duration = Duration::from_secs(10);

/// How the wait for the scripts ended.
enum Scripts {
    /// They did, well or badly.
    Ended,
    /// The job has started, whatever they still do.
    GoOn,
}

impl Handler {
    /// Install, register, start; returns when GitHub says that the job has started.
    pub(super) fn start_runner(
        &mut self,
        work: &mut Work,
        ticket: &VmTicket,
        stop: &Stop,
    ) -> Result<(), Reason> {
        self.install(&work.entry.job, ticket, stop)?;
        let call = if self.options.just_in_time {
            let (runner, made) = self.make_runner(work, ticket, stop)?;
            let config = [Var::secret(JIT_CONFIG, made.config.expose())];
            log::info!("starting the runner");
            self.anka(stop).start_runner(ticket, &runner, START_JUST_IN_TIME, &config)
        } else {
            self.register(work, ticket, stop)?
        };
        let call = call.map_err(|error| anka_reason(&error, Reason::ScriptFailed))?;
        self.while_starting(work, call, stop)?;
        self.watch_before_start(work, stop)
    }

    /// Starts the scripts that register the runner and start it.
    fn register(
        &mut self,
        work: &mut Work,
        ticket: &VmTicket,
        stop: &Stop,
    ) -> Result<Result<RunnerCall, AnkaError>, Reason> {
        let asker = self.asker(stop, Urgency::Drain);
        let token = self.tools.github.registration_token(&asker, &self.options.scope);
        let token = token.map_err(|error| github_reason(&error))?;
        let runner = self.promise_runner(work, ticket)?;
        let url = self.tools.github.registration_url(&self.options.scope);
        let labels = work.entry.job.labels.join(",");
        let values = [
            Var::open(NAME, &work.vm.0),
            Var::secret(TOKEN, token.expose()),
            Var::open(URL, &url),
            Var::open(LABELS, &labels),
            Var::open(GROUP, self.options.runner_group.as_deref().unwrap_or_default()),
        ];
        log::info!("registering and starting the runner");
        Ok(self.anka(stop).start_runner(ticket, &runner, REGISTER_AND_START, &values))
    }

    /// Uses the runner of the template; when there is none, names the release to fetch.
    fn install(&mut self, job: &Job, ticket: &VmTicket, stop: &Stop) -> Result<(), Reason> {
        let anka = self.anka(stop);
        let mut ran = anka.run_script(ticket, INSTALL, &[]);
        if ran.as_ref().is_err_and(release::is_wanted_by) {
            let release = self.release(job, stop)?;
            ran = anka.run_script(ticket, INSTALL, &release.as_environment());
        }
        ran.map(drop).map_err(|error| anka_reason(&error, Reason::ScriptFailed))
    }

    /// The promise to remove the runner, the store's note of its name, and one more look whether the claim is ours.
    pub(super) fn promise_runner(&mut self, work: &Work, ticket: &VmTicket) -> Result<RunnerTicket, Reason> {
        let Some(claim) = work.claim.as_ref() else { return Err(Reason::Lost) };
        let runner = self.undo.promise_runner(ticket).map_err(|error| journal_reason(&error))?;
        let event = Event::Checkpoint { claim: claim.id().clone(), runner: runner.runner().clone() };
        match self.tools.store.apply(&event).map_err(|error| store_reason(&error))?.verdict {
            Verdict::Lost => Err(Reason::Lost),
            _ => Ok(runner),
        }
    }

    /// Waits for the scripts, or for the job to start under a script that does not return.
    fn while_starting(&mut self, work: &mut Work, call: RunnerCall, stop: &Stop) -> Result<(), Reason> {
        match self.await_scripts(work, &call, stop) {
            Ok(Scripts::Ended) => self.started(call),
            Ok(Scripts::GoOn) => {
                call.leave();
                Ok(())
            }
            Err(reason) => {
                if !self.is_registered_or_never_will_be(&call, &work.runner(), stop) {
                    work.cut_short = Some(Instant::now());
                }
                call.kill();
                Err(reason)
            }
        }
    }

    fn await_scripts(&mut self, work: &mut Work, call: &RunnerCall, stop: &Stop) -> Result<Scripts, Reason> {
        let until = Instant::now() + self.tools.anka.script_timeout();
        let (mut asks, mut asked_last) = (Asks::from_now(), false);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let limit = work.longest_wait().min(left).min(asks.left());
            match stop.before_start_beside(&self.bell, call.ended(), limit) {
                Woken::Ended => return Ok(Scripts::Ended),
                Woken::Stop(_) => return Err(Reason::Stopped),
                Woken::Bell | Woken::Time => self.tick(),
            }
            match self.news(work) {
                News::Running => return Ok(Scripts::GoOn),
                News::Over if work.ran().is_some() => return Ok(Scripts::GoOn),
                _ if left.is_zero() && asked_last => {
                    return Err(Reason::ScriptFailed("they did not end in time, and no job started".into()));
                }
                news => self.heed(work, &news)?,
            }
            if left.is_zero() {
                // The delivery may be lost: a job that runs must not be ended with its script.
                asked_last = true;
                asks.hurry();
            }
            if asks.is_due(|| self.tools.github.is_scarce())
                && self.asked_before_start(work, &mut asks, stop)?
            {
                return Ok(Scripts::GoOn);
            }
        }
    }

    /// Whether GitHub's word on the runner will be the last. Scripts that are cut short may leave a registration under
    /// way, and a runner that appears after GitHub was asked may be given a job: so they are given a moment to end.
    fn is_registered_or_never_will_be(
        &mut self,
        call: &RunnerCall,
        runner: &RunnerName,
        stop: &Stop,
    ) -> bool {
        if self.undo.page().is_some_and(|page| page.runner_id.is_some()) {
            return true;
        }
        if stop.urgency() == Urgency::Interrupt {
            return false;
        }
        match self.tools.github.find_runner(&self.asker_cleaning(stop), &self.options.scope, runner) {
            Ok(Some(found)) => {
                match self.undo.runner_made(found.id) {
                    Ok(()) => self.streaks.worked(Effort::Journal),
                    Err(error) => self.streaks.failed(
                        Effort::Journal,
                        format_args!("failed to write the runner's number to the journal: {error}"),
                    ),
                }
                true
            }
            _ => stop.ends_within(Urgency::Interrupt, call.ended(), GRACE),
        }
    }

    fn started(&self, call: RunnerCall) -> Result<(), Reason> {
        call.finish().map(drop).map_err(|error| {
            // The token may be the reason: the next job gets a new one.
            self.tools.github.forget_registration_token(&self.options.scope);
            anka_reason(&error, Reason::ScriptFailed)
        })
    }
}
