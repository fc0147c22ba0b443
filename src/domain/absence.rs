//! What a handler has learned to be "not here", and of which jobs that tells.

use super::entry::Entry;
use super::ids::Millis;
use super::job::VmRequest;

/// Neither the host nor its registry had it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// What was asked for.
    pub request: VmRequest,
    /// When, by the store's clock. Of a job that was queued later it tells nothing: somebody may have mended it.
    pub at: Millis,
}

impl Absence {
    /// Whether the job need not be tried for that.
    pub fn tells_of(&self, entry: &Entry) -> bool {
        // 0: since when it is queued is not known.
        entry.queued_at > Millis(0)
            && entry.queued_at <= self.at
            && entry.job.vm_request().as_ref() == Ok(&self.request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entry::State;
    use crate::domain::ids::{JobId, RunId};
    use crate::domain::job::Job;

    #[test]
    fn it_tells_of_jobs_that_wait_already_and_want_the_same() {
        let job = |tag: &str| Job {
            id: JobId(1),
            run_id: RunId(1),
            run_attempt: 1,
            owner: "acme".into(),
            repo: "app".into(),
            name: "build".into(),
            workflow_name: String::new(),
            labels: vec!["x".into(), "Anka-Template:T".into(), format!("anka-template-tag:{tag}")],
            url: String::new(),
        };
        let entry = |tag, at| {
            let queued_at = Millis(at);
            Entry { queued_at, ..Entry::new(job(tag), State::Queued, Millis(1)) }
        };
        let request = job("v1").vm_request().unwrap();
        let absence = Absence { request, at: Millis(10) };
        let tells = [("v1", 10), ("v1", 11), ("v1", 0), ("v2", 10)]
            .map(|(tag, at)| absence.tells_of(&entry(tag, at)));
        assert_eq!(tells, [true, false, false, false]);
    }
}
