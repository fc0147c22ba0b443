//! What must have come of the eight jobs, compared with what was seen.

use super::cast::{CAST, Part, TOTALS};
use super::record::Record;
use super::screen::short;
use super::watch::Watch;
use serde_json::Value;
use std::thread;
use std::time::{Duration, Instant};

/// The daemon counts a run a moment after its VM is gone.
const SETTLED_WITHIN: Duration = Duration::from_secs(5);

/// Shows the summary and the metrics; what is not as it must be.
pub fn of_the_jobs(watch: &mut Watch) -> Result<Vec<String>, String> {
    let metrics = settled_metrics(watch)?;
    watch.look()?;
    watch.show_all();
    let mut faults = Vec::new();
    watch.screen.heading("what came of them");
    let mut rows =
        vec![["job", "what is special", "GitHub says", "anklet", "on", "tries"].map(str::to_owned).to_vec()];
    for part in &CAST {
        let Some(job) = watch.seen.named(part.name) else {
            faults.push(format!("{} was never ordered", part.name));
            continue;
        };
        rows.push(row(part, job));
        faults.extend(compared(part, job).into_iter().map(|fault| format!("{}: {fault}", part.name)));
    }
    watch.screen.table(&rows);
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

fn row(part: &Part, job: &Record) -> Vec<String> {
    let on = job.ran_on.as_deref().map_or("-", short);
    vec![
        part.name.into(),
        part.special.into(),
        job.conclusion.clone(),
        job.deed(),
        on.into(),
        job.claims.len().to_string(),
    ]
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
    want("the number of its claims", job.claims.len().to_string(), end.claims.to_string());
    want("the number of its VMs", usize::from(job.vm().is_some()).to_string(), end.vms.to_string());
    want("the answer to its `queued`", format!("{:?}", job.answers), format!("{:?}", end.answers));
    faults
}

fn totals(metrics: &Value) -> Vec<String> {
    let wrong = TOTALS.iter().filter(|(name, wanted)| metrics[name].as_u64() != Some(*wanted));
    wrong.map(|(name, wanted)| format!("{name} is {}, not {wanted}", metrics[name])).collect()
}
