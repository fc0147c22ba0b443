//! The journal's page as JSON: the only serde of the undo log. Version 1.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::conclusion::Conclusion;
use crate::domain::event::End;
use crate::domain::ids::{ClaimId, JobId, Owner, RunId, RunnerName, VmName};
use crate::domain::job::Job;
use crate::domain::undo::{Closing, Page};

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    host: String,
    plugin: String,
    turn: u64,
    job: WrittenJob,
    vm: String,
    slot: usize,
    runner: Option<String>,
    verdict: Option<WrittenClosing>,
}

#[derive(Serialize, Deserialize)]
struct WrittenJob {
    id: u64,
    run_id: u64,
    run_attempt: u32,
    owner: String,
    repo: String,
    name: String,
    workflow_name: String,
    labels: Vec<String>,
    url: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenClosing {
    Release { counted: bool, pause_ms: u64 },
    Park,
    Over { conclusion: String },
    Dead { reason: String },
}

/// The page as it is written.
pub fn text(page: &Page) -> Vec<u8> {
    let job = &page.job;
    let written = Written {
        version: VERSION,
        host: page.claim.owner.host.clone(),
        plugin: page.claim.owner.plugin.clone(),
        turn: page.claim.turn,
        job: WrittenJob {
            id: job.id.0,
            run_id: job.run_id.0,
            run_attempt: job.run_attempt,
            owner: job.owner.clone(),
            repo: job.repo.clone(),
            name: job.name.clone(),
            workflow_name: job.workflow_name.clone(),
            labels: job.labels.clone(),
            url: job.url.clone(),
        },
        vm: page.vm.0.clone(),
        slot: page.slot,
        runner: page.runner.as_ref().map(|r| r.0.clone()),
        verdict: page.verdict.as_ref().map(written_closing),
    };
    serde_json::to_vec_pretty(&written).unwrap_or_default()
}

/// The page that was written; the error says what is wrong with it.
pub fn read(text: &[u8]) -> Result<Page, String> {
    let written: Written = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if written.version > VERSION {
        return Err(format!("version {} is newer than this anklet, which knows {VERSION}", written.version));
    }
    let job = written.job;
    Ok(Page {
        claim: ClaimId { owner: Owner { host: written.host, plugin: written.plugin }, turn: written.turn },
        job: Job {
            id: JobId(job.id),
            run_id: RunId(job.run_id),
            run_attempt: job.run_attempt,
            owner: job.owner,
            repo: job.repo,
            name: job.name,
            workflow_name: job.workflow_name,
            labels: job.labels,
            url: job.url,
        },
        vm: VmName(written.vm),
        slot: written.slot,
        runner: written.runner.map(RunnerName),
        verdict: written.verdict.map(closing),
    })
}

/// Whose page it is, if it is one.
pub fn plugin(text: &[u8]) -> Option<String> {
    read(text).ok().map(|page| page.claim.owner.plugin)
}

fn written_closing(closing: &Closing) -> WrittenClosing {
    match closing {
        Closing::Release { counted, pause } => {
            WrittenClosing::Release { counted: *counted, pause_ms: pause.as_millis() as u64 }
        }
        Closing::Park => WrittenClosing::Park,
        Closing::Settle(End::Over(conclusion)) => {
            WrittenClosing::Over { conclusion: conclusion.as_text().into() }
        }
        Closing::Settle(End::Dead(reason)) => WrittenClosing::Dead { reason: reason.clone() },
    }
}

fn closing(written: WrittenClosing) -> Closing {
    match written {
        WrittenClosing::Release { counted, pause_ms } => {
            Closing::Release { counted, pause: Duration::from_millis(pause_ms) }
        }
        WrittenClosing::Park => Closing::Park,
        WrittenClosing::Over { conclusion } => Closing::Settle(End::Over(Conclusion::from_text(&conclusion))),
        WrittenClosing::Dead { reason } => Closing::Settle(End::Dead(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(verdict: Option<Closing>) -> Page {
        Page {
            claim: ClaimId { owner: Owner { host: "h".into(), plugin: "RUNNER 1".into() }, turn: u64::MAX },
            job: Job {
                id: JobId(1),
                run_id: RunId(2),
                run_attempt: 3,
                owner: "o".into(),
                repo: "r".into(),
                name: "n\"\n".into(),
                workflow_name: "w".into(),
                labels: vec!["anka-template:ü".into()],
                url: "u".into(),
            },
            vm: VmName("anklet-vm-1".into()),
            slot: 1,
            runner: Some(RunnerName("anklet-vm-1".into())),
            verdict,
        }
    }

    #[test]
    fn a_page_survives_the_way_to_the_disk_and_back() {
        let closings = [
            Closing::Release { counted: true, pause: Duration::from_secs(5) },
            Closing::Park,
            Closing::Settle(End::Over(Conclusion::Success)),
            Closing::Settle(End::Dead("why".into())),
        ];
        for verdict in closings.into_iter().map(Some).chain([None]) {
            let page = page(verdict);
            assert_eq!(read(&text(&page)), Ok(page));
        }
        assert_eq!(plugin(&text(&page(None))).as_deref(), Some("RUNNER 1"));
    }

    #[test]
    fn a_newer_or_broken_page_is_refused_with_the_reason() {
        let newer = String::from_utf8(text(&page(None))).unwrap().replace("\"version\": 1", "\"version\": 2");
        assert!(read(newer.as_bytes()).unwrap_err().contains("newer"));
        assert!(read(b"{").is_err());
        assert_eq!(plugin(b"garbage"), None);
    }
}
