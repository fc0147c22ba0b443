//! The figures against their goals, as a table and as JSON.

use super::idle::Idle;
use super::jobs::Timed;
use super::load::{Rate, Round};
use super::shared::Shared;
use super::shared::depth::Round as Depth;
use serde_json::{Value, json};

const MEGABYTE: f64 = 1_000_000.0;

/// All that was measured.
pub struct Report {
    pub binary: u64,
    pub idle: Idle,
    pub jobs: Vec<Timed>,
    pub rounds: Vec<Round>,
    pub loaded_memory: Option<u64>,
    pub shared: Option<Shared>,
}

/// One figure of the table. `None`: not measured on this system.
#[derive(Clone)]
struct Figure {
    key: &'static str,
    name: &'static str,
    value: Option<f64>,
    unit: &'static str,
    goal: Goal,
}

#[derive(Clone, Copy)]
enum Goal {
    AtLeast(f64),
    AtMost(f64),
    Below(f64),
    None,
}

impl Report {
    pub fn print(&self) {
        let figures = [self.figures(), self.on_redis()].concat();
        println!("{:<52} {:>10} {:<7} {:<8}", "figure", "found", "", "goal");
        for figure in &figures {
            println!("{}", figure.line().trim_end());
        }
        println!("{}", self.json(&figures));
    }

    #[rustfmt::skip]
    fn figures(&self) -> Vec<Figure> {
        use Goal::{AtLeast, AtMost, Below, None as NoGoal};
        let clone = sorted(self.jobs.iter().map(|job| job.accepted_to_clone_ms));
        let delete = sorted(self.jobs.iter().map(|job| job.completed_to_delete_ms));
        let most = |of: fn(&Timed) -> usize| self.jobs.iter().map(of).max().map(|most| most as f64);
        let rate = |of: fn(&Round) -> &Rate| at(&sorted(self.rounds.iter().map(|round| of(round).per_second())), 50);
        let (anklet, bare) = (rate(|round| &round.anklet), rate(|round| &round.bare));
        let ratio = at(&sorted(self.rounds.iter().map(Round::ratio)), 50);
        let bytes = |of: Option<u64>| of.map(|bytes| bytes as f64 / MEGABYTE);
        let figure = |key, name, value, unit, goal| Figure { key, name, value, unit, goal };
        vec![
            figure("deliveries_per_second", "deliveries, 16 connections", anklet, "/s", NoGoal),
            figure("bare_per_second", "the same to a bare tiny_http", bare, "/s", NoGoal),
            figure("ratio", "ratio, median of the rounds", ratio, "", AtLeast(1.0)),
            figure("delivery_p50_ms", "a delivery's answer, median", self.answer_ms(50), "ms", NoGoal),
            figure("delivery_p99_ms", "a delivery's answer, p99", self.answer_ms(99), "ms", NoGoal),
            figure("accepted_to_clone_p50_ms", "accepted until anka clone begins, median", at(&clone, 50), "ms", Below(10.0)),
            figure("accepted_to_clone_p99_ms", "accepted until anka clone begins, p99", at(&clone, 99), "ms", NoGoal),
            figure("completed_to_delete_p50_ms", "completed until anka delete begins, median", at(&delete, 50), "ms", Below(10.0)),
            figure("completed_to_delete_p99_ms", "completed until anka delete begins, p99", at(&delete, 99), "ms", NoGoal),
            figure("anka_processes_a_job", "anka processes of one job, at most", most(|job| job.anka_processes), "", AtMost(9.0)),
            figure("github_calls_a_job", "GitHub calls of one job, at most", most(|job| job.github_calls), "", AtMost(1.0)),
            figure("idle_resident_mb", "resident memory, idle", bytes(self.idle.resident_bytes), "MB", Below(12.0)),
            figure("loaded_resident_mb", "resident memory after the deliveries", bytes(self.loaded_memory), "MB", NoGoal),
            figure("idle_wakeups_per_second", "wake-ups, idle", self.idle.wakeups_per_second, "/s", NoGoal),
            figure("idle_threads", "threads, idle", self.idle.threads.map(|threads| threads as f64), "", NoGoal),
            figure("binary_mb", "binary", Some(self.binary as f64 / MEGABYTE), "MB", Below(6.0)),
        ]
    }

    #[rustfmt::skip]
    fn on_redis(&self) -> Vec<Figure> {
        use Goal::{AtMost, Below, None as NoGoal};
        let rounds = self.shared.as_ref().map(|shared| shared.depths.rounds.as_slice()).unwrap_or_default();
        let claims = self.shared.as_ref().map(|shared| &shared.claims);
        let median = |of: &dyn Fn(&Depth) -> Option<f64>| at(&sorted(rounds.iter().filter_map(of)), 50);
        let wait = |share| at(&claims?.waits_ms, share);
        let figure = |key, name, value, unit, goal| Figure { key, name, value, unit, goal };
        vec![
            figure("redis_deliveries_per_second", "Redis: deliveries, 16 connections", median(&|round| Some(round.empty.per_second())), "/s", NoGoal),
            figure("redis_bare_per_second", "the same to a bare tiny_http", median(&|round| Some(round.bare.per_second())), "/s", NoGoal),
            figure("redis_ratio", "ratio, median of the rounds", median(&|round| Some(round.ratio())), "", NoGoal),
            figure("redis_delivery_p99_ms", "Redis: a delivery's answer, p99", median(&|round| round.empty.answer_ms(99)), "ms", NoGoal),
            figure("redis_delivery_deep_p99_ms", "the same with 100,000 queued", median(&|round| round.deep.answer_ms(99)), "ms", NoGoal),
            figure("redis_slowdown", "ratio, median of the rounds", median(&|round| round.slowdown()), "", AtMost(1.3)),
            figure("redis_claim_p50_ms", "Redis: accepted until claimed, 500 wait, median", wait(50), "ms", NoGoal),
            figure("redis_claim_p99_ms", "Redis: accepted until claimed, 500 wait, p99", wait(99), "ms", Below(50.0)),
            figure("redis_unclaimed", "jobs that were not claimed, or twice", claims.map(|claims| (claims.unclaimed + claims.doubled) as f64), "", AtMost(0.0)),
            figure("redis_cores", "Redis: processors used at 50 jobs/s", claims.map(|claims| claims.cores), "", Below(0.1)),
            figure("redis_idle_cores", "the same while all wait", claims.map(|claims| claims.idle_cores), "", NoGoal),
            figure("redis_commands_a_job", "Redis: commands a job, waiting and all", claims.map(|claims| claims.commands_a_job), "", NoGoal),
        ]
    }

    fn answer_ms(&self, share: usize) -> Option<f64> {
        let all = self.rounds.iter().flat_map(|round| &round.anklet.micros);
        at(&sorted(all.map(|micros| *micros as f64 / 1000.0)), share)
    }

    fn json(&self, figures: &[Figure]) -> Value {
        let mut all: Value =
            figures.iter().map(|figure| (figure.key.to_owned(), json!(figure.value.map(rounded)))).collect();
        let rates = |of: fn(&Round) -> &Rate| -> Vec<f64> {
            self.rounds.iter().map(|round| rounded(of(round).per_second())).collect()
        };
        all["rounds"] = json!({ "anklet": rates(|round| &round.anklet), "bare": rates(|round| &round.bare) });
        all["rounds"]["ratio"] = self.rounds.iter().map(|round| rounded(round.ratio())).collect();
        let failed = |of: fn(&Round) -> &Rate| self.rounds.iter().map(|round| of(round).failed).sum::<u64>();
        all["failed"] =
            json!({ "anklet": failed(|round| &round.anklet), "bare": failed(|round| &round.bare) });
        all["jobs"] = json!(self.jobs.len());
        all
    }
}

impl Figure {
    fn line(&self) -> String {
        let Some(value) = self.value else { return format!("{:<52} {:>10}", self.name, "not measured") };
        let (goal, met) = match self.goal {
            Goal::AtLeast(least) => (format!("≥ {least}"), value >= least),
            Goal::AtMost(most) => (format!("≤ {most}"), value <= most),
            Goal::Below(limit) => (format!("< {limit}"), value < limit),
            Goal::None => (String::new(), true),
        };
        let missed = if met { "" } else { "missed" };
        format!("{:<52} {:>10} {:<7} {goal:<8} {missed}", self.name, rounded(value), self.unit)
    }
}

/// Three figures, or whole numbers above a hundred.
fn rounded(value: f64) -> f64 {
    let scale = match value {
        100.0.. => 1.0,
        1.0.. => 100.0,
        _ => 1000.0,
    };
    (value * scale).round() / scale
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The value below which so many percent lie.
fn at(sorted: &[f64], share: usize) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((sorted.len() * share / 100).min(last)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_few_and_of_many() {
        assert_eq!(at(&[], 50), None);
        assert_eq!(at(&[1.0, 2.0, 9.0], 50), Some(2.0));
        assert_eq!(at(&[1.0, 2.0, 9.0], 99), Some(9.0));
    }

    #[test]
    fn a_goal_that_is_missed_says_so() {
        let figure = |value| Figure { key: "k", name: "n", value, unit: "ms", goal: Goal::Below(10.0) };
        assert!(figure(Some(10.0)).line().contains("missed"));
        assert!(!figure(Some(9.9)).line().contains("missed"));
        assert!(figure(None).line().contains("not measured"));
    }
}
