//! The objects of GitHub's REST API, with every field that its description requires.

use super::payload;
use super::state::{Job, Runner, State, Status};
use serde_json::{Value, json};

const HEAD_SHA: &str = "3484a3fb816e0859fd6e1cea078d76385ff50625";

/// A job, as the API and as `workflow_job` in a delivery has it.
pub fn job(job: &Job, url: &str) -> Value {
    let (owner, repo, id) = (&job.spec.owner, &job.spec.repo, job.id);
    let api = format!("{url}/repos/{owner}/{repo}");
    let conclusion = (job.status == Status::Completed).then_some(&job.ended_as);
    let group = job.runner_id.map(|_| json!(1));
    json!({
        "id": id,
        "run_id": job.spec.run_id,
        "run_url": format!("{api}/actions/runs/{}", job.spec.run_id),
        "run_attempt": job.spec.run_attempt,
        "node_id": format!("CR_{id}"),
        "head_sha": HEAD_SHA,
        "head_branch": "main",
        "url": format!("{api}/actions/jobs/{id}"),
        "html_url": format!("{url}/{owner}/{repo}/actions/runs/{}/job/{id}", job.spec.run_id),
        "status": job.status.word(),
        "conclusion": conclusion,
        "created_at": job.created_at,
        "started_at": job.started_at.as_ref().unwrap_or(&job.created_at),
        "completed_at": job.completed_at,
        "name": job.spec.name,
        "steps": steps(job),
        "check_run_url": format!("{api}/check-runs/{id}"),
        "labels": job.spec.labels,
        "runner_id": job.runner_id,
        "runner_name": job.runner_name,
        "runner_group_id": group,
        "runner_group_name": job.runner_id.map(|_| "Default"),
        "workflow_name": job.spec.workflow,
    })
}

fn steps(job: &Job) -> Value {
    if job.runner_id.is_none() {
        return json!([]);
    }
    let over = job.status == Status::Completed;
    json!([{
        "name": "Set up job", "number": 1,
        "status": if over { "completed" } else { "in_progress" },
        "conclusion": over.then_some(&job.ended_as),
        "started_at": job.started_at, "completed_at": job.completed_at,
    }])
}

pub fn runner(runner: &Runner) -> Value {
    let labels: Vec<Value> = runner
        .labels
        .iter()
        .enumerate()
        .map(|(at, name)| json!({ "id": at + 1, "name": name, "type": "custom" }))
        .collect();
    json!({
        "id": runner.id, "name": runner.name, "os": "macOS", "runner_group_id": runner.group_id,
        "status": if runner.online { "online" } else { "offline" },
        "busy": runner.job.is_some(), "labels": labels, "ephemeral": runner.ephemeral, "version": runner.version,
    })
}

/// A run, put together from its jobs.
pub fn run(state: &State, run_id: u64, url: &str) -> Option<Value> {
    let jobs: Vec<&Job> =
        state.jobs.iter().filter(|job| job.spec.run_id == run_id && !job.forgotten).collect();
    let first = jobs.first()?;
    let (owner, repo) = (&first.spec.owner, &first.spec.repo);
    let api = format!("{url}/repos/{owner}/{repo}");
    let this = format!("{api}/actions/runs/{run_id}");
    let repository = payload::repository(owner, repo);
    let (status, conclusion) = verdict(&jobs);
    Some(json!({
        "id": run_id, "name": first.spec.workflow, "node_id": format!("WFR_{run_id}"),
        "head_branch": "main", "head_sha": HEAD_SHA, "path": ".github/workflows/build.yml",
        "run_number": 1, "run_attempt": first.spec.run_attempt, "event": "push",
        "display_title": "Build", "status": status, "conclusion": conclusion, "workflow_id": 159_038,
        "url": this, "html_url": format!("{url}/{owner}/{repo}/actions/runs/{run_id}"), "pull_requests": [],
        "created_at": first.created_at, "updated_at": first.completed_at.as_ref().unwrap_or(&first.created_at),
        "run_started_at": first.created_at,
        "jobs_url": format!("{this}/jobs"), "logs_url": format!("{this}/logs"),
        "check_suite_url": format!("{api}/check-suites/42"), "artifacts_url": format!("{this}/artifacts"),
        "cancel_url": format!("{this}/cancel"), "rerun_url": format!("{this}/rerun"),
        "previous_attempt_url": null, "workflow_url": format!("{api}/actions/workflows/159038"),
        "head_commit": {
            "id": HEAD_SHA, "tree_id": HEAD_SHA, "message": "Build", "timestamp": first.created_at,
            "author": { "name": "Mona", "email": "mona@example.com" },
            "committer": { "name": "Mona", "email": "mona@example.com" },
        },
        "head_repository": repository.clone(), "repository": repository,
    }))
}

fn verdict(jobs: &[&Job]) -> (&'static str, Option<String>) {
    let any = |status: Status| jobs.iter().any(|job| job.status == status);
    if any(Status::InProgress) {
        return ("in_progress", None);
    }
    if any(Status::Queued) {
        return ("queued", None);
    }
    if any(Status::Waiting) {
        return ("waiting", None);
    }
    let worst = ["failure", "timed_out", "cancelled", "action_required"]
        .into_iter()
        .find(|conclusion| jobs.iter().any(|job| job.ended_as == *conclusion));
    ("completed", Some(worst.unwrap_or(&jobs[0].ended_as).to_owned()))
}

/// A repository by its own address.
pub fn repository(owner: &str, repo: &str) -> Value {
    let mut repository = payload::repository(owner, repo);
    for (key, value) in
        [("network_count", json!(0)), ("subscribers_count", json!(0)), ("has_discussions", json!(false))]
    {
        repository[key] = value;
    }
    repository
}
