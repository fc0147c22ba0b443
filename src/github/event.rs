//! What a verified delivery says. Lenient where GitHub's payloads differ by version, strict in what a job is known by.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::form;
use super::webhook::Verified;
use crate::domain::conclusion::Conclusion;
use crate::domain::ids::{JobId, RunId, RunnerName};
use crate::domain::job::Job;

/// A delivery, by its `X-GitHub-Event`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The webhook was made or tested.
    Ping,
    /// A job was queued, waits, began or ended.
    WorkflowJob(Box<JobEvent>),
    /// `workflow_job` with an action that this version does not know.
    UnknownAction(String),
    /// Any other event.
    Other,
}

/// A `workflow_job` delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobEvent {
    /// What happened.
    pub action: Action,
    /// To which job.
    pub job: Job,
    /// The job's `status` at that moment: an action `queued` can carry `waiting`. Empty when absent.
    pub status: String,
    /// The runner that took the job.
    pub runner: Option<RunnerName>,
    /// `enterprise.slug`.
    pub enterprise: Option<String>,
}

impl Event {
    /// Event and action, each a word of a closed list: for metrics.
    pub fn words(&self) -> (&'static str, &'static str) {
        match self {
            Event::Ping => ("ping", ""),
            Event::Other => ("other", ""),
            Event::UnknownAction(_) => ("workflow_job", "other"),
            Event::WorkflowJob(event) => ("workflow_job", event.action.word()),
        }
    }
}

impl Action {
    fn word(&self) -> &'static str {
        match self {
            Action::Queued => "queued",
            Action::Waiting => "waiting",
            Action::InProgress => "in_progress",
            Action::Completed(_) => "completed",
        }
    }
}

/// The action of a `workflow_job` delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// To be run by any runner with its labels.
    Queued,
    /// For a person's approval.
    Waiting,
    /// A runner took it.
    InProgress,
    /// It is over.
    Completed(Conclusion),
}

/// Why a delivery cannot be read; holds nothing of its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// A form without a well-formed `payload`.
    NotAForm,
    /// No JSON, or not an object of the event's shape; counted from 1.
    NotJson {
        /// Line of the payload.
        line: usize,
        /// Column of the payload.
        column: usize,
    },
    /// A field is missing or is something else than it must be.
    Field {
        /// Its path in the payload.
        path: &'static str,
        /// What it must be.
        wants: &'static str,
    },
}

/// The most labels, and the longest label and name that is kept: GitHub's own limits lie far below.
const MOST_LABELS: usize = 256;
const LONGEST_LABEL: usize = 1024;
const LONGEST_NAME: usize = 1024;

#[derive(Deserialize)]
struct Payload {
    #[serde(default)]
    action: Value,
    #[serde(default)]
    workflow_job: Option<JobText>,
    #[serde(default)]
    repository: Option<RepositoryText>,
    #[serde(default)]
    enterprise: Option<EnterpriseText>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct JobText {
    id: Value,
    run_id: Value,
    run_attempt: Value,
    name: Value,
    workflow_name: Value,
    labels: Value,
    html_url: Value,
    status: Value,
    conclusion: Value,
    runner_name: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RepositoryText {
    full_name: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct EnterpriseText {
    slug: Value,
}

impl Verified<'_> {
    /// The event that `X-GitHub-Event` names, with the payload in the form that `Content-Type` says.
    pub fn event(&self, name: &str, content_type: Option<&str>) -> Result<Event, Unreadable> {
        let json = if form::is_form(content_type) {
            Cow::Owned(form::payload(self.body).ok_or(Unreadable::NotAForm)?)
        } else {
            Cow::Borrowed(self.body)
        };
        match name {
            "workflow_job" => workflow_job(&json),
            "ping" => parsed::<IgnoredAny>(&json).map(|_| Event::Ping),
            _ => parsed::<IgnoredAny>(&json).map(|_| Event::Other),
        }
    }
}

fn workflow_job(json: &[u8]) -> Result<Event, Unreadable> {
    let payload: Payload = parsed(json)?;
    let told = payload.workflow_job.unwrap_or_default();
    let Some(word) = text(&payload.action, "action")?.filter(|word| !word.is_empty()) else {
        return Err(Unreadable::Field { path: "action", wants: "a text" });
    };
    let action = match word {
        "queued" => Action::Queued,
        "waiting" => Action::Waiting,
        "in_progress" => Action::InProgress,
        "completed" => Action::Completed(conclusion(&told)?),
        other => return Ok(Event::UnknownAction(shortened(other))),
    };
    let enterprise = payload.enterprise.unwrap_or_default();
    Ok(Event::WorkflowJob(Box::new(JobEvent {
        action,
        status: owned(&told.status, "workflow_job.status")?,
        runner: some_text(&told.runner_name, "workflow_job.runner_name")?.map(RunnerName),
        enterprise: some_text(&enterprise.slug, "enterprise.slug")?,
        job: job(&told, &payload.repository.unwrap_or_default())?,
    })))
}

fn job(told: &JobText, repository: &RepositoryText) -> Result<Job, Unreadable> {
    let (owner, repo) = full_name(&repository.full_name)?;
    Ok(Job {
        id: JobId(number(&told.id, "workflow_job.id")?),
        run_id: RunId(number(&told.run_id, "workflow_job.run_id")?),
        run_attempt: attempt(&told.run_attempt)?,
        owner,
        repo,
        name: owned(&told.name, "workflow_job.name")?,
        workflow_name: owned(&told.workflow_name, "workflow_job.workflow_name")?,
        labels: labels(&told.labels)?,
        url: owned(&told.html_url, "workflow_job.html_url")?,
    })
}

fn conclusion(told: &JobText) -> Result<Conclusion, Unreadable> {
    let word = text(&told.conclusion, "workflow_job.conclusion")?;
    Ok(Conclusion::from_text(&shortened(word.unwrap_or_default())))
}

fn full_name(value: &Value) -> Result<(String, String), Unreadable> {
    let name = value.as_str().filter(|name| name.len() <= LONGEST_NAME);
    let parts = name.and_then(|name| name.split_once('/'));
    let whole = parts.filter(|(owner, repo)| !owner.is_empty() && !repo.is_empty() && !repo.contains('/'));
    let (owner, repo) =
        whole.ok_or(Unreadable::Field { path: "repository.full_name", wants: "a text OWNER/REPOSITORY" })?;
    Ok((owner.to_owned(), repo.to_owned()))
}

/// Positive, and small enough for every store.
fn number(value: &Value, path: &'static str) -> Result<u64, Unreadable> {
    let fits = value.as_i64().and_then(|n| u64::try_from(n).ok()).filter(|&n| n > 0);
    fits.ok_or(Unreadable::Field { path, wants: "a whole number from 1 to 2^63 - 1" })
}

fn attempt(value: &Value) -> Result<u32, Unreadable> {
    if value.is_null() {
        return Ok(1);
    }
    let fits = value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|&n| n > 0);
    fits.ok_or(Unreadable::Field {
        path: "workflow_job.run_attempt",
        wants: "a whole number from 1 to 2^32 - 1",
    })
}

fn labels(value: &Value) -> Result<Vec<String>, Unreadable> {
    let fault = Unreadable::Field {
        path: "workflow_job.labels",
        wants: "a list of at most 256 texts of at most 1024 bytes each",
    };
    let list = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(list) if list.len() <= MOST_LABELS => list,
        _ => return Err(fault),
    };
    let short = |label: &Value| label.as_str().filter(|text| text.len() <= LONGEST_LABEL).map(str::to_owned);
    list.iter().map(short).collect::<Option<_>>().ok_or(fault)
}

/// `None` when absent or null.
fn text<'v>(value: &'v Value, path: &'static str) -> Result<Option<&'v str>, Unreadable> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(Unreadable::Field { path, wants: "a text" }),
    }
}

fn owned(value: &Value, path: &'static str) -> Result<String, Unreadable> {
    Ok(text(value, path)?.map(shortened).unwrap_or_default())
}

fn some_text(value: &Value, path: &'static str) -> Result<Option<String>, Unreadable> {
    Ok(text(value, path)?.filter(|text| !text.is_empty()).map(shortened))
}

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_NAME).collect()
}

fn parsed<'j, T: Deserialize<'j>>(json: &'j [u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(json)
        .map_err(|fault| Unreadable::NotJson { line: fault.line(), column: fault.column() })
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::NotAForm => f.write_str("the form has no well-formed field payload"),
            Unreadable::NotJson { line, column } => write!(
                f,
                "the payload is not JSON, or not of the event's shape (line {line}, column {column})"
            ),
            Unreadable::Field { path, wants } => write!(f, "{path} is missing or not {wants}"),
        }
    }
}

impl std::error::Error for Unreadable {}
