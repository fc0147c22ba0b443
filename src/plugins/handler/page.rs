//! The journal's page as JSON: the only serde of the undo log. Version 1.
//!
//! Claim and job are written as a store writes them.

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::conclusion::Conclusion;
use crate::domain::event::End;
use crate::domain::ids::{JobId, RunnerId, RunnerName, VmName};
use crate::domain::job::Job;
use crate::domain::undo::{Closing, Page};
use crate::store::record::{ClaimRecord, JobRecord};

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    #[serde(flatten)]
    claim: ClaimRecord,
    job: JobRecord,
    vm: String,
    slot: usize,
    runner: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    runner_id: Option<u64>,
    verdict: Option<WrittenClosing>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenClosing {
    Release { counted: bool, pause_ms: u64 },
    Park,
    Over { conclusion: String },
    Dead { reason: String },
}

/// The page as it is written. Errors: it cannot be put into JSON.
pub fn text(page: &Page) -> io::Result<Vec<u8>> {
    let written = Written {
        version: VERSION,
        claim: ClaimRecord::from(&page.claim),
        job: JobRecord::from(&page.job),
        vm: page.vm.0.clone(),
        slot: page.slot,
        runner: page.runner.as_ref().map(|r| r.0.clone()),
        runner_id: page.runner_id.map(|id| id.0),
        verdict: page.verdict.as_ref().map(written_closing),
    };
    Ok(serde_json::to_vec_pretty(&written)?)
}

/// The page that was written; the error says what is wrong with it.
pub fn read(text: &[u8]) -> Result<Page, String> {
    let written: Written = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if written.version > VERSION {
        return Err(format!("version {} is newer than this anklet, which knows {VERSION}", written.version));
    }
    let job: Job = written.job.into();
    let verdict = written.verdict.map(|written| closing(written, job.id));
    Ok(Page {
        claim: written.claim.into(),
        job,
        vm: VmName(written.vm),
        slot: written.slot,
        runner: written.runner.map(RunnerName),
        runner_id: written.runner_id.map(RunnerId),
        verdict,
    })
}

/// Whose page it is, if it is one.
pub fn plugin(text: &[u8]) -> Option<String> {
    read(text).ok().map(|page| page.claim.owner.plugin)
}

fn written_closing(closing: &Closing) -> WrittenClosing {
    match closing {
        Closing::Release { counted, pause, .. } => {
            WrittenClosing::Release { counted: *counted, pause_ms: pause.as_millis() as u64 }
        }
        Closing::Park(_) => WrittenClosing::Park,
        Closing::Settle(_, End::Over(conclusion)) => {
            WrittenClosing::Over { conclusion: conclusion.as_text().into() }
        }
        Closing::Settle(_, End::Dead(reason)) => WrittenClosing::Dead { reason: reason.clone() },
    }
}

/// What is owed is of the page's own job.
fn closing(written: WrittenClosing, job: JobId) -> Closing {
    match written {
        WrittenClosing::Release { counted, pause_ms } => {
            let job = counted.then_some(job);
            Closing::Release { job, counted, pause: Duration::from_millis(pause_ms) }
        }
        WrittenClosing::Park => Closing::Park(job),
        WrittenClosing::Over { conclusion } => {
            Closing::Settle(job, End::Over(Conclusion::from_text(&conclusion)))
        }
        WrittenClosing::Dead { reason } => Closing::Settle(job, End::Dead(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{ClaimId, JobId, Owner, RunId};
    use crate::domain::job::Job;

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
            runner_id: None,
            verdict,
        }
    }

    #[test]
    fn a_page_survives_the_way_to_the_disk_and_back() {
        let closings = [
            Closing::Release { job: Some(JobId(1)), counted: true, pause: Duration::from_secs(5) },
            Closing::Park(JobId(1)),
            Closing::Settle(JobId(1), End::Over(Conclusion::Success)),
            Closing::Settle(JobId(1), End::Dead("why".into())),
        ];
        for (at, verdict) in closings.into_iter().map(Some).chain([None]).enumerate() {
            let page = Page { runner_id: (at > 1).then_some(RunnerId(7)), ..page(verdict) };
            assert_eq!(read(&text(&page).unwrap()), Ok(page));
        }
        assert_eq!(plugin(&text(&page(None)).unwrap()).as_deref(), Some("RUNNER 1"));
    }

    #[test]
    fn a_newer_or_broken_page_is_refused_with_the_reason() {
        let newer = String::from_utf8(text(&page(None)).unwrap())
            .unwrap()
            .replace("\"version\": 1", "\"version\": 2");
        assert!(read(newer.as_bytes()).unwrap_err().contains("newer"));
        assert!(read(b"{").is_err());
        assert_eq!(plugin(b"garbage"), None);
    }

    /// A change that breaks this needs a new [`VERSION`] and must go on reading what stands here.
    #[test]
    fn version_1_is_read_and_written_as_ever() {
        let first = r#"{"version":1,"host":"h","plugin":"RUNNER 1","turn":18446744073709551615,
            "job":{"id":1,"run_id":2,"run_attempt":3,"owner":"o","repo":"r","name":"n\"\n","workflow_name":"w",
            "labels":["anka-template:ü"],"url":"u"},"vm":"anklet-vm-1","slot":1,"runner":"anklet-vm-1",
            "verdict":{"release":{"counted":true,"pause_ms":5000}}}"#;
        let page = page(Some(Closing::Release {
            job: Some(JobId(1)),
            counted: true,
            pause: Duration::from_secs(5),
        }));
        assert_eq!(read(first.as_bytes()).as_ref(), Ok(&page));
        let value = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&text(&page).unwrap()), value(first.as_bytes()));
    }
}
