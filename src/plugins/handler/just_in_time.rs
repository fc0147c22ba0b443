//! A runner that GitHub makes by one call, in place of a registration.

use std::time::{Duration, Instant};

use crate::domain::event::{Event, Verdict};
use crate::domain::ids::RunnerName;
use crate::domain::outcome::Reason;
use crate::domain::undo::{RunnerGone, RunnerTicket, VmTicket};
use crate::github::GitHubError;
use crate::github::just_in_time::{JitFault, JitRunner};
use crate::github::runners::Removal;
use crate::plugins::handler::Handler;
use crate::plugins::handler::boot::journal_reason;
use crate::plugins::handler::error::{github_reason, store_reason};
use crate::plugins::handler::work::Work;
use crate::runtime::stop::{Stop, Urgency};

/// Before GitHub is asked for another runner.
const AGAIN: Duration = Duration::from_secs(5);

impl Handler {
    /// Has GitHub make the runner. An answer that is lost may have made one all the same: that one is removed by its
    /// name, and the next has another, which is in the journal before it is asked for.
    pub(super) fn make_runner(
        &mut self,
        work: &mut Work,
        ticket: &VmTicket,
        stop: &Stop,
    ) -> Result<(RunnerTicket, JitRunner), Reason> {
        let mut runner = self.promise_runner(work, ticket)?;
        let end = Instant::now() + self.options.registration_timeout;
        let mut refused_pause = AGAIN;
        for number in 2.. {
            let (name, labels, group) = (runner.runner().clone(), &work.entry.job.labels, self.group_id());
            let asker = self.asker_once(stop, Urgency::Drain);
            let why =
                match self.tools.github.make_jit_runner(&asker, &self.options.scope, &name, labels, group) {
                    Ok(made) => {
                        self.undo.runner_made(made.id).map_err(|error| journal_reason(&error))?;
                        return Ok((runner, made));
                    }
                    // Then GitHub has made none.
                    Err(JitFault::Failed(GitHubError::SignInRefused))
                        if Instant::now() + refused_pause <= end =>
                    {
                        if !stop.pause(Urgency::Drain, refused_pause) {
                            return Err(Reason::Stopped);
                        }
                        refused_pause *= 2;
                        continue;
                    }
                    Err(JitFault::Failed(GitHubError::Refused { status, message })) => {
                        return Err(Reason::RunnerRefused(format!("{status}: {message}")));
                    }
                    Err(JitFault::Failed(error)) => return Err(github_reason(&error)),
                    Err(JitFault::InDoubt(why)) => why,
                };
            if Instant::now() + AGAIN > end {
                return Err(Reason::GitHubAway(format!("failed to have GitHub make a runner: {why}")));
            }
            log::warn!("GitHub may have made runner {name} or not, another one is asked for: {why}");
            if !stop.pause(Urgency::Drain, AGAIN) {
                return Err(Reason::Stopped);
            }
            let gone = self.remove_doubtful(&name, stop)?;
            runner = self.promise_other(work, &gone, RunnerName(format!("{}-{number}", work.vm)))?;
        }
        Err(Reason::Stopped)
    }

    fn remove_doubtful(&self, name: &RunnerName, stop: &Stop) -> Result<RunnerGone, Reason> {
        let asker = self.asker(stop, Urgency::Drain);
        match self.tools.github.remove_runner_named(&asker, &self.options.scope, name) {
            Ok(Removal::Gone) => Ok(RunnerGone::by_github(name.clone())),
            // Nothing runs that could have started it: somebody else has a runner of this name.
            Ok(Removal::Busy) => {
                Err(Reason::GitHubAway(format!("runner {name} is busy, though it was never started")))
            }
            Err(error) => Err(github_reason(&error)),
        }
    }

    fn promise_other(
        &mut self,
        work: &mut Work,
        gone: &RunnerGone,
        name: RunnerName,
    ) -> Result<RunnerTicket, Reason> {
        let Some(claim) = work.claim.as_ref() else { return Err(Reason::Lost) };
        let runner =
            self.undo.promise_other_runner(gone, name.clone()).map_err(|error| journal_reason(&error))?;
        work.runner = name.clone();
        let event = Event::Checkpoint { claim: claim.id().clone(), runner: name };
        match self.tools.store.apply(&event).map_err(|error| store_reason(&error))?.verdict {
            Verdict::Lost => Err(Reason::Lost),
            _ => Ok(runner),
        }
    }
}
