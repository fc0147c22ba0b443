//! What happens, in order.

use super::watch::Watch;
use serde_json::json;
use std::time::Duration;

/// Much longer than any step takes.
const PATIENCE: Duration = Duration::from_secs(15);
/// The runner of somebody else that takes `docs`.
const STRANGER: &str = "mac-mini-of-somebody";

/// From the first order to the last clean-up.
pub fn play(watch: &mut Watch) -> Result<(), String> {
    watch.screen.heading("eight jobs");
    both_slots_are_taken(watch)?;
    one_is_cancelled_while_it_waits(watch)?;
    one_is_over_before_it_is_announced(watch)?;
    runners_cross(watch)?;
    for name in ["legacy", "lint", "test", "deploy"] {
        watch.order(name)?;
    }
    watch.until("`deploy` runs", PATIENCE, |seen| seen.runs("deploy"))?;
    watch.cancel("deploy")?;
    watch.until("all jobs are over", PATIENCE, |seen| seen.all(|job| job.is_over()))?;
    watch.until("all is cleaned up", PATIENCE, |seen| seen.all(|job| job.is_settled()))
}

fn both_slots_are_taken(watch: &mut Watch) -> Result<(), String> {
    watch.order("unit")?;
    watch.order("ui")?;
    watch.until("two runners are online", PATIENCE, |seen| seen.online.len() == 2)
}

fn one_is_cancelled_while_it_waits(watch: &mut Watch) -> Result<(), String> {
    watch.order("nightly")?;
    watch.until("`nightly` is queued", PATIENCE, |seen| seen.is_delivered("nightly"))?;
    watch.cancel("nightly")
}

/// A runner that is none of ours takes it, and GitHub's `queued` comes last.
fn one_is_over_before_it_is_announced(watch: &mut Watch) -> Result<(), String> {
    let id = watch.order("docs")?;
    watch.stage.github.post("strangers", &json!({ "name": STRANGER, "labels": ["none-of-ours"] }))?;
    watch.stage.github.post("assign", &json!({ "job": id, "runner": STRANGER }))?;
    watch.until("`queued` comes after `completed`", PATIENCE, |seen| seen.is_delivered("docs"))
}

/// GitHub gives each job to the runner that was made for the other.
fn runners_cross(watch: &mut Watch) -> Result<(), String> {
    for (job, other) in [("unit", "ui"), ("ui", "unit")] {
        let (id, runner) = watch.crossed(job, other)?;
        watch.stage.github.post("assign", &json!({ "job": id, "runner": runner }))?;
    }
    Ok(())
}
