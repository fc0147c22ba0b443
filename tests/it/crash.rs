//! Dies before and after every effect on the outer world, starts again, and finds the job done and the host clean.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Daemon, World, eventually, pause, web};

/// Longer than GitHub's first asking: a delivery that is lost on the way heals.
const SOON: Duration = Duration::from_mins(1);
/// Worlds side by side.
const LANES: usize = 4;

#[test]
fn a_death_at_any_effect_leaves_no_litter_and_loses_no_job() {
    let edges = edges_of_one_job();
    assert!(edges > 40, "only {edges} edges: the list of effects is not complete");
    let next = AtomicUsize::new(1);
    thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                let world = World::new();
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number > edges {
                        break;
                    }
                    die_at(&world, number);
                }
            });
        }
    });
}

/// How many edges the daemon passes from its start to the end of one job.
fn edges_of_one_job() -> usize {
    let world = World::new();
    let file = world.dir.join("effects");
    let mut daemon = Daemon::start(
        &world,
        &world.configuration(1, ""),
        &[],
        &[("ANKLET_EFFECTS_FILE", file.to_str().unwrap())],
    );
    world.wait_until_it_serves();
    let job = world.order(json!({}))[0];
    world.until(job, "completed", SOON);
    eventually("the host is clean", SOON, || world.vms().is_empty());
    daemon.stop();
    let text = fs::read_to_string(file).unwrap();
    for effect in [
        "Journal(\"write\")",
        "Journal(\"clear\")",
        "Anka(\"clone\")",
        "Anka(\"delete\")",
        "GitHub(",
        "Store(",
    ] {
        assert!(text.contains(effect), "{effect} is not among the effects:\n{text}");
    }
    text.lines().count()
}

fn die_at(world: &World, number: usize) {
    let file = world.dir.join(format!("effects-{number}"));
    let die_at = number.to_string();
    let env = [("ANKLET_DIE_AT", die_at.as_str()), ("ANKLET_EFFECTS_FILE", file.to_str().unwrap())];
    let mut daemon = Daemon::start(world, &world.configuration(1, ""), &[], &env);
    let serves = Instant::now() + Duration::from_secs(10);
    while daemon.is_running() && std::net::TcpStream::connect(("127.0.0.1", world.port)).is_err() {
        assert!(Instant::now() < serves);
        pause(5);
    }
    let job = world.order(json!({ "duration_ms": 100 }))[0];
    let end = Instant::now() + SOON;
    while daemon.is_running() && Instant::now() < end {
        let clean = status(world, job) == "completed" && world.vms().is_empty();
        if clean {
            break;
        }
        pause(20);
    }
    daemon.kill();
    let died = fs::read_to_string(&file).unwrap_or_default();
    let at = died.lines().last().unwrap_or_default().to_owned();
    let mut daemon = world.start(1);
    world.bring_back_lost();
    let name = format!("after a death at edge {number} ({at})");
    eventually(&name, SOON, || {
        world.bring_back_lost();
        status(world, job) == "completed" && world.vms().is_empty() && world.pages().is_empty()
    });
    assert_eq!(world.until(job, "completed", SOON)["conclusion"], "success", "{name}");
    assert_eq!(daemon.stop(), 0, "{name}");
    world.assert_clean();
}

fn status(world: &World, job: u64) -> String {
    let found = web::get_json(&format!("{}/_sim/jobs/{job}", world.github));
    found["status"].as_str().unwrap_or_default().to_owned()
}
