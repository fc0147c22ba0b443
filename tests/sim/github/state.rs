//! What this GitHub knows: settings, jobs, runners, tokens. One lock holds all of it.

use super::apps::{self, App};
use super::outbox::Knob;
use super::rules::Rule;
use crate::clock;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::TcpStream;
use std::time::Instant;

#[derive(Default)]
pub struct State {
    pub settings: Settings,
    pub jobs: Vec<Job>,
    pub runners: Vec<Runner>,
    pub registration_tokens: Vec<RegistrationToken>,
    pub installation_tokens: Vec<apps::Token>,
    pub rules: Vec<Rule>,
    /// REST calls so far, by method and path with its numbers as `{n}`.
    pub calls: BTreeMap<String, u64>,
    pub rate_used: u64,
    /// The last number given out: jobs, runs and runners draw from one row.
    pub last_id: u64,
}

/// Changed by `POST /_sim/settings` with any part of it.
#[derive(Serialize, Deserialize, Clone)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Tokens that may call the API.
    pub tokens: Vec<String>,
    /// Those of a classic token, as `X-OAuth-Scopes` lists them; none: a fine-grained token.
    pub token_scopes: Option<String>,
    /// GitHub Apps, by which one may sign in as well.
    pub apps: Vec<App>,
    /// How many seconds this GitHub's clock is ahead of the host's.
    pub clock_ahead: i64,
    /// Every REST call breaks off without an answer, and no delivery is sent.
    pub outage: bool,
    /// Every delivery is lost on its way.
    pub lose_deliveries: bool,
    /// From the request to send a delivery again to its sending.
    pub redeliver_ms: u64,
    pub rate_limit: u64,
    /// Seconds from now to `x-ratelimit-reset`.
    pub rate_reset_seconds: i64,
    /// How long a token to register a runner lives.
    pub registration_seconds: u64,
    /// From a runner's death to the failure of its job.
    pub lost_runner_ms: u64,
    /// How long a runner takes to wind up a cancelled job.
    pub cancel_ms: u64,
    /// A cancel is accepted and nothing happens, until it is forced.
    pub ignore_cancel: bool,
    /// Queued jobs are not given out.
    pub hold_jobs: bool,
    /// The runner that gets a job when several are free: `oldest`, `newest`.
    pub pick: Pick,
    /// Older runners are refused as deprecated.
    pub min_runner_version: Option<String>,
    /// What happens to the webhooks of jobs that do not say it themselves, by action.
    pub webhooks: BTreeMap<String, Knob>,
    /// Runner groups beside the default one.
    pub groups: Vec<String>,
    pub hooks: Vec<Hook>,
    /// The runner's version in `releases/latest` and `runners/downloads`.
    pub runner_release: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tokens: vec!["sim-token".into()],
            token_scopes: Some("admin:org, admin:org_hook, manage_runners:enterprise, repo".into()),
            apps: Vec::new(),
            clock_ahead: 0,
            outage: false,
            lose_deliveries: false,
            redeliver_ms: 0,
            rate_limit: 5000,
            rate_reset_seconds: 3600,
            registration_seconds: 3600,
            lost_runner_ms: 2000,
            cancel_ms: 200,
            ignore_cancel: false,
            hold_jobs: false,
            pick: Pick::Oldest,
            min_runner_version: None,
            webhooks: BTreeMap::new(),
            groups: Vec::new(),
            hooks: Vec::new(),
            runner_release: "2.330.0".into(),
        }
    }
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    Oldest,
    Newest,
}

/// Where deliveries go.
#[derive(Serialize, Deserialize, Clone, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Hook {
    pub id: u64,
    pub url: String,
    pub secret: String,
    /// `json` or `form`.
    pub content_type: String,
    /// Empty: of every owner.
    pub owner: String,
    pub repo: String,
    /// Of an App: its number. It carries the events of all its installations.
    pub app: u64,
    /// Only shown, as are the events: it delivers all the same.
    pub inactive: bool,
    /// Empty: `workflow_job`.
    pub events: Vec<String>,
}

/// How a job is ordered (`POST /_sim/jobs`).
#[derive(Serialize, Deserialize, Clone)]
#[serde(default, deny_unknown_fields)]
pub struct JobSpec {
    pub owner: String,
    pub repo: String,
    /// The slug that deliveries carry; empty: none.
    pub enterprise: String,
    pub labels: Vec<String>,
    pub name: String,
    pub workflow: String,
    /// Jobs of one run name the same number; 0 is a run of its own.
    pub run_id: u64,
    pub run_attempt: u64,
    pub duration_ms: u64,
    pub conclusion: String,
    pub waits_for_approval: bool,
    /// Given out only by `POST /_sim/assign`.
    pub hold: bool,
    /// Jobs of one such word are given out together, once as many runners are free: the eldest job to the runner
    /// that registered last.
    pub cross: String,
    /// A cancel of its run is accepted and nothing happens, until it is forced.
    pub ignores_cancel: bool,
    pub webhooks: BTreeMap<String, Knob>,
    /// So many jobs like this.
    pub count: u64,
}

impl Default for JobSpec {
    fn default() -> Self {
        Self {
            owner: "veertuinc".into(),
            repo: "anklet".into(),
            enterprise: String::new(),
            labels: vec!["self-hosted".into(), "anka-template:macos-15".into()],
            name: "build".into(),
            workflow: "Build".into(),
            run_id: 0,
            run_attempt: 1,
            duration_ms: 500,
            conclusion: "success".into(),
            waits_for_approval: false,
            hold: false,
            cross: String::new(),
            ignores_cancel: false,
            webhooks: BTreeMap::new(),
            count: 1,
        }
    }
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Queued,
    Waiting,
    InProgress,
    Completed,
}

impl Status {
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Waiting => "waiting",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
        }
    }
}

#[derive(Serialize, Clone)]
pub struct Job {
    pub id: u64,
    #[serde(flatten)]
    pub spec: JobSpec,
    pub status: Status,
    /// Empty until it is completed.
    pub ended_as: String,
    pub runner_id: Option<u64>,
    pub runner_name: Option<String>,
    pub created_at: String,
    pub started_at: Option<String>,
    pub completed_at: Option<String>,
    /// What happened, each with its time in microseconds.
    pub history: Vec<Value>,
    /// What its runner could see that it must not.
    pub leaks: Vec<String>,
    /// The API says 404 of it.
    pub forgotten: bool,
    #[serde(skip)]
    pub cancel_due: Option<Instant>,
    /// When it ends on a stranger, behind whom there is no process.
    #[serde(skip)]
    pub end_due: Option<Instant>,
}

impl Job {
    pub fn note(&mut self, what: impl Into<String>) {
        self.history.push(json!({ "at": clock::stamp(), "what": what.into() }));
    }

    pub fn is_at(&self, owner: &str, repo: &str) -> bool {
        self.spec.owner.eq_ignore_ascii_case(owner) && self.spec.repo.eq_ignore_ascii_case(repo)
    }
}

#[derive(Serialize)]
pub struct Runner {
    pub id: u64,
    pub name: String,
    /// `OWNER/REPO`, `OWNER`, or `enterprises/SLUG`.
    pub scope: String,
    pub labels: Vec<String>,
    pub group_id: u64,
    pub ephemeral: bool,
    pub version: String,
    pub online: bool,
    pub job: Option<u64>,
    /// Environment variables and files through which the runner could see what it must not.
    pub leaks: Vec<String>,
    #[serde(skip)]
    pub secret: String,
    #[serde(skip)]
    pub session: Option<TcpStream>,
    #[serde(skip)]
    pub lost_at: Option<Instant>,
}

impl Runner {
    /// Whether it serves the job's repository.
    pub fn serves(&self, job: &Job) -> bool {
        match self.scope.split_once('/') {
            Some(("enterprises", slug)) => slug.eq_ignore_ascii_case(&job.spec.enterprise),
            Some((owner, repo)) => job.is_at(owner, repo),
            None => self.scope.eq_ignore_ascii_case(&job.spec.owner),
        }
    }

    /// Its labels are a superset of the job's, without regard to case.
    pub fn has_all(&self, labels: &[String]) -> bool {
        labels.iter().all(|wanted| self.labels.iter().any(|have| have.eq_ignore_ascii_case(wanted)))
    }
}

pub struct RegistrationToken {
    pub token: String,
    pub scope: String,
    pub expires: Instant,
}

impl State {
    pub fn next_id(&mut self) -> u64 {
        self.last_id = self.last_id.max(41_000_000) + 1;
        self.last_id
    }

    pub fn job(&self, id: u64) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id == id)
    }

    pub fn job_mut(&mut self, id: u64) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.id == id)
    }

    pub fn runner_mut(&mut self, id: u64) -> Option<&mut Runner> {
        self.runners.iter_mut().find(|runner| runner.id == id)
    }
}
