//! `anklet queue list` and `anklet queue show`: what waits, who holds what, why nobody takes it. Changes nothing.

pub mod help;

mod gather; // from what a store shows to what is told
mod list; // as text: all jobs
mod report; // what is told: the shape of the JSON
mod show; // as text: one job
mod why; // why a handler does not take a job
mod words; // times and names, for people

use std::io::{self, Write};
use std::path::PathBuf;

use crate::app::exit::Exit;
use crate::app::views::{self, Queue};
use crate::config::{Checked, Faults};
use crate::domain::ids::JobId;
use crate::store::StoreError;
use crate::store::look::Wanted;
use report::{QueueReport, Report};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// `-c`.
    pub config: Option<PathBuf>,
    /// `--queue`: only this one.
    pub queue: Option<String>,
    /// `--json`.
    pub json: bool,
    /// The subject.
    pub subject: Subject,
}

/// Which jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// `list`: all that are not over, of each state at most `limit`.
    All {
        /// `--limit`.
        limit: usize,
    },
    /// `show ID`.
    One(u64),
}

/// Answers on standard output; what cannot be answered, on standard error.
pub fn run(loaded: &Result<Checked, Faults>, query: &Query) -> Exit {
    let checked = match loaded {
        Ok(checked) => checked,
        Err(faults) => return complain(Exit::Configuration, &faults.to_string()),
    };
    let all = match views::of(&checked.config) {
        Ok(all) => all,
        Err(fault) => return complain(Exit::StoreAway, &fault),
    };
    let names: Vec<String> = all.iter().map(|queue| queue.name.clone()).collect();
    let wanted =
        |queue: &Queue| query.queue.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(&queue.name));
    let queues: Vec<Queue> = all.into_iter().filter(wanted).collect();
    if let (Some(name), true) = (&query.queue, queues.is_empty()) {
        return complain(
            Exit::Usage,
            &format!("no plugin has a queue {name:?}; there are: {}", listed(&names)),
        );
    }
    let seen = queues.into_iter().map(|queue| look(&queue, query.subject)).collect();
    answer(query, Report { queues: seen }, &names)
}

fn look(queue: &Queue, subject: Subject) -> QueueReport {
    let wanted = match subject {
        Subject::All { limit } => Wanted::First(limit),
        Subject::One(job) => Wanted::Job(JobId(job)),
    };
    let mut report = QueueReport::of(queue);
    match queue.look.look(wanted) {
        Ok(Some(view)) => gather::fill(&mut report, &view, wanted),
        Ok(None) => report.exists = false,
        Err(fault) => match (wanted, &fault, queue.look.look(Wanted::First(0))) {
            // Only its own record cannot be read.
            (Wanted::Job(_), StoreError::Unreadable(why), Ok(Some(view))) => {
                gather::fill(&mut report, &view, wanted);
                (report.unreadable, report.unreadable_because) = (1, Some(why.clone()));
            }
            _ => report.error = Some(fault.to_string()),
        },
    }
    report
}

fn answer(query: &Query, mut report: Report, names: &[String]) -> Exit {
    let faults: Vec<String> = report
        .queues
        .iter()
        .filter_map(|queue| Some(format!("queue {}: {}", queue.queue, queue.error.as_ref()?)))
        .collect();
    if let Subject::One(_) = query.subject {
        report.queues.retain(|queue| !queue.jobs.is_empty() || queue.unreadable > 0);
    }
    let text = match (query.json, query.subject) {
        (true, _) => serde_json::to_string_pretty(&report).unwrap_or_default(),
        (false, Subject::All { .. }) => list::page(&report),
        (false, Subject::One(_)) => show::page(&report),
    };
    if !text.is_empty() {
        // A reader that has gone away wants no more lines.
        let _ = writeln!(io::stdout().lock(), "{}", text.trim_end());
    }
    let fault = faults.join("\n");
    match (query.subject, report.queues.is_empty(), faults.is_empty()) {
        (Subject::One(_), false, true) | (Subject::All { .. }, _, true) => Exit::Done,
        (Subject::One(job), true, true) => complain(Exit::NotFound, &unknown(job, names)),
        (_, _, false) => complain(Exit::StoreAway, &fault),
    }
}

fn unknown(job: u64, names: &[String]) -> String {
    format!(
        "job {job} is not known in {}; a job that is over is forgotten after 7 days",
        if names.len() == 1 {
            format!("queue {}", names[0])
        } else {
            format!("any of the queues {}", listed(names))
        }
    )
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

fn complain(exit: Exit, what: &str) -> Exit {
    let _ = writeln!(io::stderr().lock(), "anklet: {what}");
    exit
}
