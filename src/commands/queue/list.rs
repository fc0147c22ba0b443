//! All jobs, as text: a row each, and below it who has it or why nobody takes it.

use super::gather::ORDER;
use super::report::{Job, Moment, NotTaken, QueueReport, Report};
use super::words::{count, host, ids, name, plain, row, since, widths};
use crate::domain::ids::{JobId, Millis};

/// So many handlers with one reason are named.
const NAMED: usize = 3;
/// So many handlers are listed.
const HANDLERS: usize = 50;

/// The page.
pub fn page(report: &Report) -> String {
    if report.queues.is_empty() {
        return "the configuration has no plugin, and so no queue".into();
    }
    let pages: Vec<String> = report.queues.iter().map(|queue| of(queue).join("\n")).collect();
    pages.join("\n\n")
}

fn of(queue: &QueueReport) -> Vec<String> {
    let mut lines = vec![format!("queue {}, {} store {}", plain(&queue.queue), queue.store, queue.place)];
    let Some(Moment(now)) = queue.now else {
        let empty = "is not there yet: nothing was ever queued";
        let away = "cannot be read now; why is said on standard error";
        lines.push(if queue.exists { away } else { empty }.into());
        return lines;
    };
    lines.push(counts(queue, now));
    if !queue.handlers.is_empty() {
        lines.push(String::new());
        lines.extend(handlers(queue, now));
    }
    if !queue.jobs.is_empty() {
        lines.push(String::new());
        lines.extend(jobs(queue, now));
    }
    lines.extend(left_out(queue));
    lines
}

fn counts(queue: &QueueReport, now: Millis) -> String {
    let counts: Vec<String> =
        ORDER.iter().map(|state| format!("{} {state}", count(queue.counts.of(state)))).collect();
    let eldest = queue.jobs.iter().filter(|job| job.state == "queued").map(|job| job.stored_at).min();
    let waits = eldest.map(|Moment(eldest)| format!("; the eldest waits for {}", since(now, eldest)));
    let live = queue.handlers.iter().filter(|handler| handler.live).count();
    let nobody = if live == 0 { "\nno handler of this queue is live" } else { "" };
    format!("{}{}{nobody}", counts.join(", "), waits.unwrap_or_default())
}

fn handlers(queue: &QueueReport, now: Millis) -> Vec<String> {
    let head = ["HANDLER", "HOST", "SEEN", "TAKES", "NOW"].map(String::from).to_vec();
    let shown = queue.handlers.iter().take(HANDLERS).map(|handler| {
        let jobs: Vec<JobId> = handler.jobs.iter().map(|job| JobId(*job)).collect();
        let doing = match (handler.live, jobs.is_empty(), &handler.takes_nothing_because) {
            (false, ..) => "not live".into(),
            (true, false, _) => ids(&jobs),
            (true, true, Some(why)) => plain(why),
            (true, true, None) => "free".into(),
        };
        vec![
            plain(&handler.who.plugin),
            plain(host(&handler.who)),
            format!("{} ago", since(now, handler.seen_at.0)),
            plain(&handler.scope),
            doing,
        ]
    });
    let mut lines = table(&std::iter::once(head).chain(shown).collect::<Vec<_>>());
    if let Some(more) = queue.handlers.len().checked_sub(HANDLERS).filter(|more| *more > 0) {
        lines.push(format!("and {more} more handlers; --json shows all"));
    }
    lines
}

fn jobs(queue: &QueueReport, now: Millis) -> Vec<String> {
    let head = ["JOB", "STATE", "SINCE", "FOR", "TRY", "REPOSITORY"].map(String::from).to_vec();
    let rows = queue.jobs.iter().map(|job| {
        vec![
            job.id.to_string(),
            job.state.to_owned(),
            job.stored_at.text(),
            since(now, job.stored_at.0),
            job.attempt.to_string(),
            plain(&job.repository),
        ]
    });
    let mut table = table(&std::iter::once(head).chain(rows).collect::<Vec<_>>()).into_iter();
    let mut lines: Vec<String> = table.next().into_iter().collect();
    for (line, job) in table.zip(&queue.jobs) {
        lines.push(line);
        lines.extend(details(job, now).into_iter().map(|detail| format!("  {detail}")));
    }
    lines
}

fn details(job: &Job, now: Millis) -> Vec<String> {
    let template = job.labels.iter().filter(|label| label.starts_with("anka-template"));
    let words = Some(&job.name).into_iter().chain(template).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(|word| plain(word)).collect();
    let mut lines = Vec::new();
    if !words.is_empty() {
        lines.push(words.join(", "));
    }
    lines.extend(held(job, now));
    if let Some(Moment(ask_at)) = job.ask_at {
        lines.push(format!("waits for an approval; GitHub is asked again in {}", since(ask_at, now)));
    } else if matches!(job.state, "queued") {
        lines.extend(not_taken(&job.not_taken_by));
    }
    if let (Some(reason), Some(Moment(at))) = (&job.reason, job.ended_at) {
        lines.push(format!("given up {} ago: {}", since(now, at), plain(reason)));
    }
    lines
}

/// Who has the job, and the runner that it runs on or that is made for it.
pub fn held(job: &Job, now: Millis) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(holder) = &job.held_by {
        let lost = match holder.lease_until {
            Some(Moment(until)) if until < now => {
                format!("; its claim has run out {} ago, GitHub is asked", since(now, until))
            }
            _ if !holder.live => "; it is not live".to_owned(),
            _ => holder.held_up_because.as_ref().map_or_else(String::new, |why| format!("; {}", plain(why))),
        };
        lines.push(format!("held by {}{lost}", name(&holder.who)));
    }
    let made = job.held_by.as_ref().and_then(|holder| holder.runner.as_ref());
    if let Some(runner) = job.runner.as_ref().or(made) {
        let stranger =
            if job.state == "running" && job.held_by.is_none() { ", not held by any handler" } else { "" };
        lines.push(format!("runner {}{stranger}", plain(runner)));
    }
    lines
}

/// A line a reason, with those that it holds for.
fn not_taken(all: &[NotTaken]) -> Vec<String> {
    if all.is_empty() {
        return vec!["nobody takes it: no handler of this queue is live".into()];
    }
    let mut reasons: Vec<(&str, Vec<&NotTaken>)> = Vec::new();
    for one in all {
        match reasons.iter_mut().find(|(text, _)| *text == one.text) {
            Some((_, those)) => those.push(one),
            None => reasons.push((&one.text, vec![one])),
        }
    }
    let line = |(text, those): &(&str, Vec<&NotTaken>)| {
        let named: Vec<String> = those.iter().take(NAMED).map(|one| name(&one.who)).collect();
        let more = match those.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{}{more}: {}", named.join(", "), plain(text))
    };
    reasons.iter().map(line).collect()
}

fn left_out(queue: &QueueReport) -> Vec<String> {
    let shown = |state| queue.jobs.iter().filter(|job| job.state == state).count() as u64;
    let mut more: Vec<String> = Vec::new();
    if queue.not_shown > 0 {
        for state in ORDER {
            let left = queue.counts.of(state).saturating_sub(shown(state));
            if left > 0 {
                more.push(format!("{} more {state}", count(left)));
            }
        }
    }
    let mut lines = Vec::new();
    if !more.is_empty() {
        lines.push(format!("and {}; --limit N shows more", more.join(", ")));
    }
    if queue.unreadable > 0 {
        lines.push(format!("{} jobs that this version cannot read are not shown", queue.unreadable));
    }
    lines
}

fn table(rows: &[Vec<String>]) -> Vec<String> {
    let widths = widths(rows);
    rows.iter().map(|cells| row(cells, &widths)).collect()
}
