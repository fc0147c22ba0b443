//! Run-once: receivers ask once, and end when the handlers have.

use super::*;

#[test]
fn a_run_once_does_the_job_that_was_lost() {
    let world = World::new();
    let job = world.order(json!({}))[0];
    eventually("it is lost", SOON, || {
        web::get_json(&format!("{}/_sim/deliveries", world.github)).as_array().unwrap().len() == 1
    });
    world.control("settings", &json!({ "redeliver_ms": 2000 }));
    let mut once = Daemon::start(&world, &configuration(&world, 1, &[]), &["--once"], &[]);
    assert_eq!(once.wait(Duration::from_secs(30)).code(), Some(0));
    world.until(job, "completed", SOON);
    assert_eq!((looks(&world), asks(&world)), (1, 1));
    world.assert_clean();
}

#[test]
fn with_nothing_lost_and_nothing_to_do_it_ends_at_once() {
    let world = World::new();
    let begun = std::time::Instant::now();
    let mut once = Daemon::start(&world, &configuration(&world, 1, &[]), &["--once"], &[]);
    assert_eq!(once.wait(SOON).code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!((looks(&world), asks(&world)), (1, 0));
}
