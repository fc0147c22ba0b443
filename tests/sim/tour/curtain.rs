//! The end: play on if that is wanted, press Ctrl+C, and look for what is left.

use super::watch::Watch;
use crate::anka::seed;
use crate::stage::leftovers::{self, Left};
use std::thread;
use std::time::Duration;

const LOOK: Duration = Duration::from_millis(50);
/// An idle daemon stops at once.
const STOPS_WITHIN: Duration = Duration::from_secs(10);

/// Says how to play, and shows what happens until the user presses Ctrl+C.
pub fn play_on(watch: &mut Watch) -> Result<(), String> {
    watch.screen.heading("it is yours");
    let (github, folder) = (&watch.stage.github.url, watch.stage.folder.path().display());
    let order = format!("curl -d '{{\"name\": \"mine\", \"duration_ms\": 5000}}' {github}/_sim/jobs");
    let metrics = format!("curl '{}?format=prometheus'", watch.stage.daemon.metrics_url());
    for (name, command) in [
        ("order a job", order),
        ("cancel its run", format!("curl -X POST {github}/_sim/runs/RUN_ID/cancel")),
        ("GitHub's state", format!("curl {github}/_sim/state")),
        ("metrics", metrics),
        ("log", format!("tail -f '{folder}/anklet.log'")),
        ("anka", format!("'{folder}/anka/bin/anka' -j list")),
        ("drain", format!("touch '{folder}/.config/anklet/.drain'")),
        ("more", "tests/sim/README.md".into()),
        ("stop", "Ctrl+C here; a second one does not wait for running jobs".into()),
    ] {
        watch.screen.fact(name, &command);
    }
    watch.screen.line("");
    while watch.interrupt.presses() == 0 {
        watch.look()?;
        if let Some(status) = watch.stage.daemon.ended() {
            return Err(format!("anklet ended by itself ({status}): {}", watch.stage.daemon.output()));
        }
        thread::sleep(LOOK);
    }
    Ok(())
}

/// Stops everything; what is not as it must be.
pub fn falls(mut watch: Watch, kept: bool) -> Result<Vec<String>, String> {
    watch.screen.heading("Ctrl+C");
    let mut faults = Vec::new();
    if kept {
        stop_with_the_user(&mut watch)?;
    } else {
        stop(&mut watch)?;
    }
    let code = watch.stage.daemon.ended().and_then(|status| status.code());
    let said = code.map_or_else(|| "killed".into(), |code| code.to_string());
    watch.screen.judged("exit code", &said, code == Some(0));
    if code != Some(0) {
        faults.push(format!("anklet ended with exit code {said}: {}", watch.stage.daemon.output()));
    }
    let detached = watch.interrupt.presses() > 1;
    let mut left = leftovers::of_the_world(&watch.stage.folder, &watch.stage.github)?;
    watch.stage.github.stop();
    if detached {
        watch.screen.line("  running jobs were left to a next start; their VMs end now");
        seed::main(vec!["reboot".into(), watch.stage.folder.anka().to_string_lossy().into_owned()])?;
        left.clear();
    }
    left.push(leftovers::processes(&watch.stage.folder));
    faults.extend(left.iter().flat_map(|kind| told(&watch, kind)));
    if faults.is_empty() {
        watch.screen.line(&format!("\nall well; the log: {}", watch.stage.folder.log().display()));
    }
    Ok(faults)
}

fn stop(watch: &mut Watch) -> Result<(), String> {
    watch.stage.daemon.interrupt();
    if watch.stage.daemon.ends_within(STOPS_WITHIN).is_none() {
        return Err(format!("anklet does not stop within {} s of Ctrl+C", STOPS_WITHIN.as_secs()));
    }
    watch.look()?;
    watch.show_all();
    Ok(())
}

/// Each Ctrl+C of the user is one for the daemon; running jobs may take their time.
fn stop_with_the_user(watch: &mut Watch) -> Result<(), String> {
    let mut passed_on = 0;
    while watch.stage.daemon.ended().is_none() {
        if passed_on < watch.interrupt.presses() {
            watch.stage.daemon.interrupt();
            passed_on += 1;
        }
        watch.look()?;
        thread::sleep(LOOK);
    }
    watch.show_all();
    Ok(())
}

fn told(watch: &Watch, left: &Left) -> Vec<String> {
    let (kind, found) = (left.kind, &left.found);
    let said = if found.is_empty() { "none left".into() } else { format!("{} left", found.len()) };
    watch.screen.judged(kind, &said, found.is_empty());
    found.iter().map(|one| format!("{kind}: {one} is left")).collect()
}
