//! Many schedules from a printed seed, on the state table alone and on a real Redis. One that fails is shown shortened.
//!
//! `ANKLET_SEED` has a run again; `ANKLET_SCHEDULES` is how many schedules there are.
#![expect(clippy::disallowed_methods, reason = "a test has no configuration")]

use super::queue::{Queue, Table};
use super::shared::Servers;
use super::stage::Stage;
use super::steps::{Step, schedule, shortened};
use crate::life::dice::{Dice, seed};

const STEPS: usize = 160;

fn many(usual: u64) -> u64 {
    std::env::var("ANKLET_SCHEDULES").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Why a day on this queue fails.
fn fault(queue: &mut dyn Queue, steps: &[Step]) -> Option<String> {
    Stage::new(queue).day(steps).err()
}

fn all_hold(count: u64, fault: impl Fn(&[Step]) -> Option<String>) {
    let seed = seed();
    for number in 0..count {
        let steps = schedule(&mut Dice::new(seed.wrapping_add(number)), STEPS);
        if fault(&steps).is_some() {
            let short = shortened(&steps, |steps| fault(steps).is_some());
            let why = fault(&short).unwrap();
            let steps: Vec<String> = short.iter().map(|step| format!("{step:?}")).collect();
            panic!(
                "ANKLET_SEED={}, {} steps:\n{}\n{why}",
                seed.wrapping_add(number),
                steps.len(),
                steps.join("\n")
            );
        }
    }
}

#[test]
fn no_schedule_runs_a_job_twice_by_the_state_table() {
    all_hold(many(1500), |steps| fault(&mut Table::at(1_700_000_000_000), steps));
}

#[test]
fn no_schedule_runs_a_job_twice_on_redis() {
    let servers = Servers::new();
    all_hold(many(40), |steps| fault(&mut servers.queue(), steps));
}
