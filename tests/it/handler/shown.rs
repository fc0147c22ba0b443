//! What operators see and do: statuses, totals, the drain file, the sleep interval.

use std::time::Instant;

use super::*;

fn totals(world: &World) -> [Value; 3] {
    let metrics = world.metrics();
    ["successful", "failed", "canceled"].map(|what| metrics[format!("total_{what}_runs_since_start")].clone())
}

#[test]
fn each_conclusion_counts_where_it_belongs_and_once() {
    let world = World::new();
    script(&world, "start", QUICK_START);
    let _daemon = world.start(1);
    let mut expected = [0, 0, 0];
    let cases = [
        ("success", Some(0)),
        ("failure", Some(1)),
        ("timed_out", Some(1)),
        ("action_required", Some(1)),
        ("cancelled", Some(2)),
        ("skipped", None),
        ("neutral", None),
    ];
    for (conclusion, place) in cases {
        let job = world.order(json!({ "conclusion": conclusion, "duration_ms": 50 }))[0];
        assert_eq!(end_of(&world, job), conclusion);
        clean(&world);
        shows(&world, "RUNNER1", "idle");
        if let Some(place) = place {
            expected[place] += 1;
        }
        assert_eq!(totals(&world), expected.map(Value::from), "{conclusion}");
        let row = row(&world, "RUNNER1");
        let last = |what: &str| {
            row[format!("last_{what}_run_job_url")].as_str().unwrap().contains(&format!("/job/{job}"))
        };
        assert_eq!(last("successful"), place == Some(0), "{row}");
        assert_eq!(last("failed"), place == Some(1), "{row}");
    }
    assert_eq!(world.said("WARN"), [""; 0]);
    assert_eq!(world.said("ERROR"), [""; 0]);
}

#[test]
fn statuses_follow_the_job() {
    let world = World::new();
    world.anka("set", &["timing_ms.registry pull=500", "timing_ms.start=500", "timing_ms.delete=2000"]);
    let mut daemon = world.start(1);
    assert_eq!(row(&world, "RECEIVER")["status"], "running");
    shows(&world, "RUNNER1", "idle");
    let since = row(&world, "RUNNER1")["status_since"].clone();
    let labels = ["self-hosted", "anka-template:macos-14", "anka-template-tag:v1"];
    let job = world.order(json!({ "labels": labels, "duration_ms": 1500 }))[0];
    shows(&world, "RUNNER1", "pulling");
    shows(&world, "RUNNER1", "running");
    assert_eq!(world.metrics()["total_running_vms"], 0, "not before start's success");
    shows(&world, "RUNNER1", "in_progress");
    assert_eq!(world.metrics()["total_running_vms"], 1);
    assert_ne!(row(&world, "RUNNER1")["status_since"], since);
    assert_eq!(end_of(&world, job), "success");
    eventually("it is counted", SOON, || world.metrics()["total_successful_runs_since_start"] == 1);
    assert_eq!(world.vms().len(), 1, "whatever the clean-up takes");
    shows(&world, "RUNNER1", "idle");
    assert_eq!(world.metrics()["total_running_vms"], 0);
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn a_drain_file_keeps_new_jobs_away_and_lets_running_ones_finish() {
    let world = World::new();
    let _daemon = world.start(2);
    let running = world.order(json!({ "duration_ms": 2000 }))[0];
    world.until(running, "in_progress", SOON);
    let file = world.dir.join(".config/anklet/.drain");
    fs::write(&file, "").unwrap();
    eventually("one drains", Duration::from_secs(6), || {
        ["RUNNER1", "RUNNER2"].iter().any(|name| row(&world, name)["status"] == "draining")
    });
    let late = world.order(json!({}))[0];
    assert_eq!(end_of(&world, running), "success");
    eventually("both drain", SOON, || {
        ["RUNNER1", "RUNNER2"].iter().all(|name| row(&world, name)["status"] == "draining")
    });
    assert_eq!(job_now(&world, late)["status"], "queued");
    assert_eq!(calls(&world, "clone").len(), 1);
    fs::remove_file(&file).unwrap();
    assert_eq!(end_of(&world, late), "success");
}

#[test]
fn a_sleep_interval_is_the_pause_between_looks() {
    let world = World::new();
    script(&world, "start", QUICK_START);
    let slow = and_handler(&world.configuration(0, ""), "SLOW", &["sleep_interval: 3"]);
    let _daemon = world.start_with(&slow);
    eventually("it has looked", SOON, || row(&world, "SLOW")["status"] == "idle");
    crate::support::pause(300);
    let begin = Instant::now();
    let jobs = world.order(json!({ "count": 2, "duration_ms": 20 }));
    assert_eq!(end_of(&world, jobs[0]), "success");
    assert!((1.5..5.0).contains(&begin.elapsed().as_secs_f64()), "{:?}", begin.elapsed());
    assert_eq!(end_of(&world, jobs[1]), "success");
    assert!(begin.elapsed() > Duration::from_millis(4500), "{:?}", begin.elapsed());
}

/// A longer interval is a lower priority.
#[test]
fn a_handler_without_an_interval_takes_the_job_first() {
    let world = World::new();
    script(&world, "start", QUICK_START);
    let text = and_handler(&world.configuration(0, ""), "SLOW", &["sleep_interval: 5"]);
    let _daemon = world.start_with(&and_handler(&text, "QUICK", &[]));
    shows(&world, "QUICK", "idle");
    crate::support::pause(300);
    for _ in 0..2 {
        let job = world.order(json!({ "duration_ms": 20 }))[0];
        assert_eq!(end_of(&world, job), "success");
        clean(&world);
    }
    let took = |name: &str| {
        world.log().iter().filter(|l| l["pluginName"] == name && l["msg"] == "the job runs").count()
    };
    assert_eq!((took("QUICK"), took("SLOW")), (2, 0));
}
