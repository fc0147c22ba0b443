//! Three places that tell of jobs, read since the last look and turned into moments.

use crate::stage::Stage;
use crate::stage::calls::{AnkaCall, RestCall};
use crate::stage::tail::Tail;
use crate::stage::when;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;

/// Something that happened to a job. Job 0 is none.
pub struct Moment {
    pub at: OffsetDateTime,
    pub job: u64,
    pub what: What,
}

pub enum What {
    /// GitHub's `queued` was answered.
    Delivered {
        status: u16,
        answer: String,
    },
    Claimed {
        vm: String,
        plugin: String,
    },
    /// The VM holds this job now, and was made for another.
    Crossed {
        vm: String,
        plugin: String,
    },
    Pulling(String),
    Started {
        vm: String,
    },
    Running {
        runner: String,
    },
    Cancelled {
        by_anklet: bool,
    },
    Done {
        conclusion: String,
    },
    Cleaned {
        vm: String,
    },
    /// The daemon's log says something that somebody should read.
    Said {
        level: String,
        message: String,
    },
}

/// What is so now.
pub struct Now {
    pub online: BTreeSet<String>,
    pub leaks: BTreeSet<String>,
    pub names: Vec<(u64, String)>,
}

pub struct Sources {
    log: Tail,
    anka: Tail,
    rest: Tail,
    /// The job that each VM of the log holds.
    held: BTreeMap<String, u64>,
    /// How much of each job's history, and how many deliveries, have been told.
    told: BTreeMap<u64, usize>,
    delivered: usize,
    /// The job of each run, and when its last cancel was asked for.
    runs: BTreeMap<u64, u64>,
    asked: BTreeMap<u64, OffsetDateTime>,
}

#[derive(Deserialize)]
struct State {
    jobs: Vec<Job>,
    runners: Vec<Runner>,
    deliveries: Vec<Delivery>,
}

#[derive(Deserialize)]
struct Job {
    id: u64,
    run_id: u64,
    name: String,
    history: Vec<Note>,
}

#[derive(Deserialize)]
struct Note {
    at: String,
    what: String,
}

#[derive(Deserialize)]
struct Runner {
    name: String,
    online: bool,
    job: Option<u64>,
    leaks: Vec<String>,
}

#[derive(Deserialize)]
struct Delivery {
    action: String,
    job: u64,
    sent_at: String,
    status_code: u16,
    answer: String,
}

/// What is read of a line of the daemon's log.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    time: String,
    level: String,
    msg: String,
    #[serde(default)]
    plugin: String,
    #[serde(default)]
    plugin_name: String,
    #[serde(default)]
    workflow_job_id: u64,
    #[serde(default)]
    vm_name: String,
}

impl Sources {
    pub fn of(stage: &Stage) -> Self {
        Self {
            log: Tail::of(stage.folder.log()),
            anka: Tail::of(stage.folder.anka().join("calls.log")),
            rest: Tail::of(stage.github.calls()),
            held: BTreeMap::new(),
            told: BTreeMap::new(),
            delivered: 0,
            runs: BTreeMap::new(),
            asked: BTreeMap::new(),
        }
    }

    /// What has happened since the last look, and what is so now.
    pub fn look(&mut self, stage: &Stage) -> Result<(Vec<Moment>, Now), String> {
        let github: State = serde_json::from_value(stage.github.get("state")?).map_err(|e| e.to_string())?;
        let mut moments = self.log_moments();
        moments.extend(self.anka_moments());
        moments.extend(self.github_moments(&github));
        moments.extend(self.rest_moments());
        let ours = github.runners.iter().filter(|runner| runner.name.starts_with("anklet-vm-"));
        let free = ours.clone().filter(|runner| runner.online && runner.job.is_none());
        let now = Now {
            online: free.map(|runner| runner.name.clone()).collect(),
            leaks: ours.flat_map(|runner| runner.leaks.clone()).collect(),
            names: github.jobs.iter().map(|job| (job.id, job.name.clone())).collect(),
        };
        Ok((moments, now))
    }

    /// A handler's line names its job and its VM from the claim on.
    fn log_moments(&mut self) -> Vec<Moment> {
        let lines = self.log.lines();
        let lines = lines.iter().filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let mut moments = Vec::new();
        for line in lines {
            let Some(at) = when::read(&line.time) else { continue };
            let job = line.workflow_job_id;
            let mut tell = |what| moments.push(Moment { at, job, what });
            if line.plugin == "github" && job != 0 && !line.vm_name.is_empty() {
                let (vm, plugin) = (line.vm_name.clone(), line.plugin_name);
                match self.held.insert(line.vm_name, job) {
                    None => tell(What::Claimed { vm, plugin }),
                    Some(before) if before != job => tell(What::Crossed { vm, plugin }),
                    Some(_) => {}
                }
            }
            if let Some(what) = line.msg.strip_prefix("pulling ") {
                tell(What::Pulling(what.into()));
            }
            if matches!(line.level.as_str(), "WARN" | "ERROR") {
                tell(What::Said { level: line.level, message: line.msg });
            }
        }
        moments
    }

    /// Starts and deletes that worked.
    fn anka_moments(&mut self) -> Vec<Moment> {
        let lines = self.anka.lines();
        let told = lines.iter().filter_map(|line| {
            let call = AnkaCall::read(line)?;
            let (at, vm) = (call.at, call.last);
            let job = *self.held.get(&vm)?;
            match (call.ended, call.verb.as_str()) {
                (Some(0), "start") => Some(Moment { at, job, what: What::Started { vm } }),
                (Some(0), "delete") => Some(Moment { at, job, what: What::Cleaned { vm } }),
                _ => None,
            }
        });
        told.collect()
    }

    fn github_moments(&mut self, state: &State) -> Vec<Moment> {
        let mut moments = Vec::new();
        for job in &state.jobs {
            self.runs.insert(job.run_id, job.id);
            let told = self.told.entry(job.id).or_default();
            let fresh = job.history.iter().skip(*told);
            for note in fresh.clone().filter(|note| note.what.ends_with("cancel asked for")) {
                self.asked.extend(when::read(&note.at).map(|at| (job.id, at)));
            }
            moments.extend(fresh.filter_map(|note| from_note(job.id, note)));
            *told = job.history.len();
        }
        let fresh = state.deliveries.iter().skip(self.delivered);
        moments.extend(fresh.filter(|one| one.action == "queued").filter_map(from_delivery));
        self.delivered = state.deliveries.len();
        moments
    }

    /// Cancels that the daemon asked for, at the time that GitHub noted: the call is logged when it has been answered.
    fn rest_moments(&mut self) -> Vec<Moment> {
        let lines = self.rest.lines();
        let told = lines.iter().filter_map(|line| {
            let call = RestCall::read(line)?;
            let run: u64 = call.path.strip_suffix("cancel")?.rsplit('/').nth(1)?.parse().ok()?;
            let job = *self.runs.get(&run)?;
            let at = self.asked.get(&job).copied().unwrap_or(call.at);
            Some(Moment { at, job, what: What::Cancelled { by_anklet: true } })
        });
        told.collect()
    }
}

fn from_note(job: u64, note: &Note) -> Option<Moment> {
    let at = when::read(&note.at)?;
    let what = if let Some(runner) = note.what.strip_prefix("in_progress on ") {
        What::Running { runner: runner.into() }
    } else {
        What::Done { conclusion: note.what.strip_prefix("completed: ")?.into() }
    };
    Some(Moment { at, job, what })
}

fn from_delivery(delivery: &Delivery) -> Option<Moment> {
    let body: Value = serde_json::from_str(&delivery.answer).unwrap_or_default();
    let word = body["result"].as_str().or(body["error"].as_str()).unwrap_or_default();
    let what = What::Delivered { status: delivery.status_code, answer: word.into() };
    Some(Moment { at: when::read(&delivery.sent_at)?, job: delivery.job, what })
}
