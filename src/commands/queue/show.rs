//! One job, as text: a line a fact.

use super::list::held;
use super::report::{Job, Moment, QueueReport, Report};
use super::words::{name, plain, row, since, widths};
use crate::domain::ids::Millis;

/// The page; empty when no queue knows the job.
pub fn page(report: &Report) -> String {
    let of = |queue: &QueueReport| -> Vec<String> {
        let now = queue.now.map_or(Millis(0), |Moment(now)| now);
        let unreadable = queue.unreadable_because.as_ref().map(|why| {
            let (queue, store, place) = (plain(&queue.queue), queue.store, &queue.place);
            format!("in queue {queue}, {store} store {place}, and left alone: {}", plain(why))
        });
        queue.jobs.iter().map(|job| one(queue, job, now)).chain(unreadable).collect()
    };
    report.queues.iter().flat_map(of).collect::<Vec<_>>().join("\n\n")
}

fn one(queue: &QueueReport, job: &Job, now: Millis) -> String {
    let at = |moment: Moment| format!("{} ({} ago)", moment.text(), since(now, moment.0));
    let to_come = |moment: Moment| format!("{} (in {})", moment.text(), since(moment.0, now));
    let tries = match job.failed_attempts {
        failed if failed == 0 || job.state == "dead" => String::new(),
        failed => format!(" ({failed} failed)"),
    };
    let mut facts: Vec<(&str, String)> = vec![
        ("state", job.state.to_owned()),
        ("since", at(job.stored_at)),
        ("try", format!("{}{tries}", job.attempt)),
        ("repository", plain(&job.repository)),
        ("job", plain(&job.name)),
        ("workflow", plain(&job.workflow_name)),
        ("run", format!("{}, attempt {}", job.run_id, job.run_attempt)),
        ("labels", plain(&job.labels.join(", "))),
        ("page", plain(&job.url)),
    ];
    facts.extend(job.not_before.map(|until| ("pauses until", to_come(until))));
    facts.extend(job.ask_at.map(|ask_at| ("approval", format!("GitHub is asked {}", to_come(ask_at)))));
    let mut holding = held(job, now).into_iter();
    facts.extend(holding.next().map(|line| ("who", line)));
    facts.extend(holding.map(|line| ("", line)));
    facts.extend(job.held_by.as_ref().and_then(|holder| Some(("lease until", holder.lease_until?.text()))));
    facts.extend(job.conclusion.as_ref().map(|word| ("conclusion", plain(word))));
    facts.extend(job.reason.as_ref().map(|reason| ("given up", plain(reason))));
    facts.extend(job.ended_at.map(|ended| ("ended", at(ended))));
    let mut lines = vec![format!(
        "job {} in queue {}, {} store {}",
        job.id,
        plain(&queue.queue),
        queue.store,
        queue.place
    )];
    let facts: Vec<Vec<String>> = facts
        .into_iter()
        .filter(|(_, fact)| !fact.is_empty())
        .map(|(what, fact)| vec![format!("  {what}"), fact])
        .collect();
    let wide = widths(&facts);
    lines.extend(facts.iter().map(|fact| row(fact, &wide)));
    lines.extend(not_taken(job, now));
    lines.join("\n")
}

fn not_taken(job: &Job, now: Millis) -> Vec<String> {
    if !matches!(job.state, "queued" | "parked") {
        return Vec::new();
    }
    if job.not_taken_by.is_empty() {
        return vec!["nobody takes it: no handler of this queue is live".into()];
    }
    let told = job.not_taken_by.iter().map(|one| {
        let seen = format!("seen {} ago", since(now, one.seen_at.0));
        vec![format!("  {}", name(&one.who)), seen, plain(&one.text)]
    });
    let rows: Vec<Vec<String>> = told.collect();
    let wide = widths(&rows);
    std::iter::once("not taken by".to_owned()).chain(rows.iter().map(|cells| row(cells, &wide))).collect()
}
