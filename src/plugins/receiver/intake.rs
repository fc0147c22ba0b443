//! What is to be done with a delivery: a pure function of what it says and whose deliveries are taken.

use crate::domain::event::Event;
use crate::domain::job::concerns_us;
use crate::domain::scope::Scope;
use crate::github;
use crate::github::{Action, JobEvent};

/// What is to be done with a delivery.
#[derive(Debug, PartialEq, Eq)]
pub enum Intake {
    /// The store is told.
    Note(Event),
    /// Nothing; the word says why.
    Ignore(&'static str),
    /// Nothing: it is another repository's, which an operator may want to know.
    OutOfScope(String),
}

/// Decides.
pub fn intake(event: github::Event, scope: &Scope) -> Intake {
    match event {
        github::Event::Ping => Intake::Ignore("pong"),
        github::Event::Other => Intake::Ignore("ignored: not a workflow_job event"),
        github::Event::UnknownAction(_) => Intake::Ignore("ignored: unknown action"),
        github::Event::WorkflowJob(event) => job_event(*event, scope),
    }
}

fn job_event(event: JobEvent, scope: &Scope) -> Intake {
    let JobEvent { action, job, status, runner, enterprise } = event;
    let other_enterprise = match scope {
        Scope::Enterprise { slug } => enterprise.is_some_and(|theirs| !theirs.eq_ignore_ascii_case(slug)),
        _ => false,
    };
    if other_enterprise || !scope.takes(&job.owner, &job.repo) {
        return Intake::OutOfScope(format!("{}/{}", job.owner, job.repo));
    }
    if !concerns_us(&job.labels, runner.as_ref()) {
        return Intake::Ignore("ignored: no label names a template");
    }
    Intake::Note(match (action, runner) {
        (Action::Queued, _) => Event::Queued { waiting: status != "queued", job },
        (Action::Waiting, _) => Event::Waiting { job: job.id },
        (Action::InProgress, Some(runner)) => Event::Started { job, runner },
        (Action::InProgress, None) => {
            return Intake::Ignore("ignored: in progress on a runner without a name");
        }
        (Action::Completed(conclusion), runner) => Event::Completed { job, runner, conclusion },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::conclusion::Conclusion;
    use crate::domain::ids::{JobId, RunId, RunnerName};
    use crate::domain::job::Job;

    fn event(action: Action, label: &str, runner: Option<&str>) -> github::Event {
        github::Event::WorkflowJob(Box::new(JobEvent {
            action,
            job: Job {
                id: JobId(1),
                run_id: RunId(2),
                run_attempt: 1,
                owner: "acme".into(),
                repo: "app".into(),
                name: String::new(),
                workflow_name: String::new(),
                labels: vec![label.into()],
                url: String::new(),
            },
            status: "queued".into(),
            runner: runner.map(|r| RunnerName(r.into())),
            enterprise: Some("big".into()),
        }))
    }

    fn taken(event: github::Event, scope: &Scope) -> bool {
        matches!(intake(event, scope), Intake::Note(_))
    }

    #[test]
    fn ours_are_noted_and_others_are_not() {
        let scope = Scope::Organization { owner: "ACME".into() };
        assert!(taken(event(Action::Queued, "anka-template:x", None), &scope));
        assert!(!taken(event(Action::Queued, "macos", None), &scope));
        assert!(taken(event(Action::InProgress, "macos", Some("anklet-vm-1")), &scope));
        assert!(!taken(event(Action::InProgress, "anka-template:x", None), &scope));
        assert!(taken(event(Action::Completed(Conclusion::Success), "anka-template:x", None), &scope));
        let other = Scope::Repository { owner: "acme".into(), repo: "api".into() };
        let out = intake(event(Action::Queued, "anka-template:x", None), &other);
        assert_eq!(out, Intake::OutOfScope("acme/app".into()));
        assert!(taken(
            event(Action::Queued, "anka-template:x", None),
            &Scope::Enterprise { slug: "BIG".into() }
        ));
        assert!(!taken(
            event(Action::Queued, "anka-template:x", None),
            &Scope::Enterprise { slug: "other".into() }
        ));
        assert_eq!(intake(github::Event::Ping, &scope), Intake::Ignore("pong"));
    }

    #[test]
    fn a_queued_job_whose_status_is_waiting_is_asked_about_first() {
        let scope = Scope::Organization { owner: "acme".into() };
        let github::Event::WorkflowJob(mut job) = event(Action::Queued, "anka-template:x", None) else {
            unreachable!()
        };
        job.status = "waiting".into();
        let noted = intake(github::Event::WorkflowJob(job), &scope);
        assert!(matches!(noted, Intake::Note(Event::Queued { waiting: true, .. })));
    }
}
