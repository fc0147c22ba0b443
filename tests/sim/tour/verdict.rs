//! What must have come of the eight jobs, compared with what was seen.

use super::cast::{CAST, Part, TOTALS};
use super::record::Record;
use super::screen::short;
use super::watch::Watch;
use crate::anka::world::World;
use crate::stage::calls::AnkaCall;
use crate::stage::tail::Tail;
use serde_json::Value;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

/// The daemon counts a run a moment after its VM is gone.
const SETTLED_WITHIN: Duration = Duration::from_secs(5);
/// Apple's licence.
const VMS_A_HOST: usize = 2;

/// Shows the summary and the metrics; what is not as it must be.
pub fn of_the_jobs(watch: &mut Watch) -> Result<Vec<String>, String> {
    let metrics = settled_metrics(watch)?;
    watch.look()?;
    watch.show_all();
    let mut faults = Vec::new();
    watch.screen.heading("what came of them");
    let mut rows = vec![
        ["job", "what is special", "GitHub says", "anklet did", "VM", "tries"].map(str::to_owned).to_vec(),
    ];
    for part in &CAST {
        let Some(job) = watch.seen.named(part.name) else {
            faults.push(format!("{} was never ordered", part.name));
            continue;
        };
        rows.push(row(part, job));
        faults.extend(compared(part, job).into_iter().map(|fault| format!("{}: {fault}", part.name)));
    }
    watch.screen.table(&rows);
    faults.extend(claims(CAST.iter().filter_map(|part| watch.seen.named(part.name))));
    faults.extend(cost(watch)?);
    watch.screen.heading(&format!("metrics ({}?format=json)", watch.stage.daemon.metrics_url()));
    watch.screen.metrics(&metrics);
    faults.extend(totals(&metrics));
    faults.extend(watch.seen.leaks.iter().map(|leak| format!("a runner could see {leak}")));
    Ok(faults)
}

/// The metrics once they say what they must, or as they are in the end.
fn settled_metrics(watch: &mut Watch) -> Result<Value, String> {
    let end = Instant::now() + SETTLED_WITHIN;
    loop {
        let metrics = watch.stage.daemon.metrics()?;
        if totals(&metrics).is_empty() || Instant::now() > end {
            return Ok(metrics);
        }
        thread::sleep(Duration::from_millis(20));
        watch.look()?;
    }
}

/// Shows what they cost; more than two VMs at once are too many.
fn cost(watch: &Watch) -> Result<Option<String>, String> {
    let stage = &watch.stage;
    let lines = |path: PathBuf| Tail::of(path).lines();
    let anka = lines(stage.folder.anka().join("calls.log"));
    let begun = |verb: &str| {
        let calls = anka.iter().filter_map(|line| AnkaCall::read(line));
        calls.filter(|call| call.ended.is_none() && (verb.is_empty() || call.verb == verb)).count()
    };
    let most = World::load(&stage.folder.anka()).map_err(String::from)?.peak_running;
    watch.screen.line("");
    watch.screen.judged("VMs", &format!("{}, at most {most} at a time", begun("clone")), most <= VMS_A_HOST);
    watch.screen.fact("anka", &format!("{} processes, those of the start included", begun("")));
    watch.screen.fact("GitHub", &format!("{} calls of its API", lines(stage.github.calls()).len()));
    Ok((most > VMS_A_HOST).then(|| format!("{most} VMs ran at a time")))
}

fn row(part: &Part, job: &Record) -> Vec<String> {
    let on = job.ran_on.as_deref().map_or("-", |runner| job.vm().map_or("another's", |_| short(runner)));
    vec![
        part.name.into(),
        part.special.into(),
        job.conclusion.clone(),
        job.deed().into(),
        on.into(),
        job.claims.len().to_string(),
    ]
}

/// In all: on a slow machine the runners of `lint` and `test` cross by chance, and then one job has been claimed twice
/// and the other never.
fn claims<'a>(jobs: impl Iterator<Item = &'a Record>) -> Option<String> {
    let (made, wanted) =
        (jobs.map(|job| job.claims.len()).sum::<usize>(), CAST.iter().map(|p| p.end.claims).sum::<usize>());
    (made != wanted).then(|| format!("the number of all claims is {made}, not {wanted}"))
}

fn compared(part: &Part, job: &Record) -> Vec<String> {
    let mut faults = Vec::new();
    let mut want = |what: &str, found: String, wanted: String| {
        if found != wanted {
            faults.push(format!("{what} is {found}, not {wanted}"));
        }
    };
    let end = &part.end;
    want("its conclusion", job.conclusion.clone(), end.conclusion.into());
    want("the number of its VMs", usize::from(job.vm().is_some()).to_string(), end.vms.to_string());
    want("the answer to its `queued`", format!("{:?}", job.answers), format!("{:?}", end.answers));
    faults
}

fn totals(metrics: &Value) -> Vec<String> {
    let wrong = TOTALS.iter().filter(|(name, wanted)| metrics[name].as_u64() != Some(*wanted));
    wrong.map(|(name, wanted)| format!("{name} is {}, not {wanted}", metrics[name])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_otherwise_than_it_must_be_is_named() {
        let vm = "anklet-vm-1".to_owned();
        let good = || Record {
            conclusion: "failure".into(),
            claims: vec![(vm.clone(), "RUNNER1".into())],
            ran_on: Some(vm.clone()),
            answers: vec![202],
            ..Record::default()
        };
        let lint = Part::named("lint").unwrap();
        assert!(compared(lint, &good()).is_empty());
        let jobs: Vec<Record> = (0..6).map(|_| good()).collect();
        assert_eq!(claims(jobs.iter()), None);
        assert_eq!(claims(jobs.iter().take(5)).as_deref(), Some("the number of all claims is 5, not 6"));
        let elsewhere = Record { ran_on: Some("mac-mini".into()), ..good() };
        assert_eq!(compared(lint, &elsewhere), ["the number of its VMs is 0, not 1"]);
    }
}
