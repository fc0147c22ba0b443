//! The forward path of a job: a straight line.

use crate::domain::outcome::Reason;
use crate::plugins::handler::Handler;
use crate::plugins::handler::error::github_reason;
use crate::plugins::handler::work::{Ran, Work};
use crate::runtime::meters;
use crate::runtime::pace::millis;
use crate::runtime::status::Activity;
use crate::runtime::stop::{Stop, Urgency};

impl Handler {
    /// From the claim to the end of the job that the VM ran.
    pub(super) fn drive(&mut self, work: &mut Work, stop: &Stop) -> Result<Ran, Reason> {
        let request = work.entry.job.vm_request().map_err(Reason::Malformed)?;
        let waited = millis().since(work.entry.age);
        self.still_wanted(&work.entry, &self.asker(stop, Urgency::Drain))?;
        self.dispel_doubt(stop)?;
        self.group_is_still_there(stop)?;
        let (slot, source) = self.place_unless_absent(work, &request, stop)?;
        if work.entry.attempts == 0 {
            meters::QUEUE_WAIT.add(waited);
        }
        self.still_to_start(work)?;
        let ticket = self.promise_vm(work, slot)?;
        self.boot(work, &ticket, &source, stop)?;
        self.still_to_start(work)?;
        let timer = meters::RUNNER_REGISTRATION.timer();
        self.start_runner(work, &ticket, stop)?;
        timer.done();
        self.tools.cell.set(Activity::InProgress);
        log::info!("the job runs");
        self.streaks.started();
        let timer = meters::JOB.timer();
        let ran = self.watch_running(work, stop);
        if ran == Ran::Over {
            timer.done();
        }
        Ok(ran)
    }

    /// After a refusal, no VM is spent until GitHub gives a registration token.
    fn dispel_doubt(&mut self, stop: &Stop) -> Result<(), Reason> {
        if self.doubted {
            let asker = self.asker_once(stop, Urgency::Drain);
            let token = self.tools.github.registration_token(&asker, &self.options.scope);
            token.map_err(|error| github_reason(&error))?;
            self.doubted = false;
        }
        Ok(())
    }
}
