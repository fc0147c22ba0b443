//! Every family, by name.

use super::{Counter, Histogram};
use crate::domain::outcome::COUNTED;

/// From the first storing of a job to its claim.
pub static QUEUE_WAIT: Histogram = Histogram::new(
    "anklet_queue_wait_seconds",
    "From the first storing of a job to its claim by a handler of this process.",
    &[0.01, 0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0],
);
/// One `anka registry pull`.
pub static TEMPLATE_PULL: Histogram = Histogram::new(
    "anklet_template_pull_seconds",
    "Pulls of a template that worked.",
    &[1.0, 5.0, 15.0, 60.0, 180.0, 600.0, 1800.0, 3600.0],
);
/// From the clone to a VM that runs.
pub static VM_BOOT: Histogram = Histogram::new(
    "anklet_vm_boot_seconds",
    "From the beginning of the clone to a VM that runs.",
    &[0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0],
);
/// From the first script to the start of the job.
pub static RUNNER_REGISTRATION: Histogram = Histogram::new(
    "anklet_runner_registration_seconds",
    "From the first script in the VM to GitHub's word that its runner has a job.",
    &[0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0],
);
/// From the start of the job to its end.
pub static JOB: Histogram = Histogram::new(
    "anklet_job_seconds",
    "From the start of a job in a VM of this process to its end.",
    &[1.0, 5.0, 15.0, 60.0, 180.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0, 21600.0],
);
/// From the end of the job to a deleted VM.
pub static CLEAN_UP: Histogram = Histogram::new(
    "anklet_cleanup_seconds",
    "From the end of a VM's use to its deletion.",
    &[0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0],
);

/// Deliveries at the receivers.
pub static DELIVERIES: Counter = Counter::new(
    "anklet_deliveries_total",
    "Deliveries by event, action and what became of them.",
    &["event", "action", "result"],
);
/// Deliveries whose signature is missing or wrong.
pub static SIGNATURE_FAILURES: Counter =
    Counter::new("anklet_signature_failures_total", "Deliveries whose signature is missing or wrong.", &[]);
/// Clients that had to go because the house was full.
pub static SHOWN_OUT: Counter = Counter::new(
    "anklet_guests_shown_out_total",
    "Slow or silent clients that were shown out of a full house.",
    &["listener"],
);
/// Calls to GitHub.
pub static GITHUB_CALLS: Counter = Counter::new(
    "anklet_github_calls_total",
    "Calls to GitHub, tries included, by endpoint and status (0: no answer).",
    &["endpoint", "status"],
);
/// Verbs of a store that failed.
pub static STORE_ERRORS: Counter =
    Counter::new("anklet_store_errors_total", "Calls of the store that failed.", &["store"]);
/// Tries that counted.
pub static ATTEMPTS: Counter = Counter::new(
    "anklet_failed_attempts_total",
    "Tries of a job that failed and count, by reason.",
    &["reason"],
)
.of(&COUNTED);

/// All families of times, in the order of the page.
pub static HISTOGRAMS: [&Histogram; 6] =
    [&QUEUE_WAIT, &TEMPLATE_PULL, &VM_BOOT, &RUNNER_REGISTRATION, &JOB, &CLEAN_UP];
/// Families of counts that only plugins have, in the order of the page.
pub static COUNTERS: [&Counter; 4] = [&DELIVERIES, &SIGNATURE_FAILURES, &GITHUB_CALLS, &ATTEMPTS];
/// Families of counts that an aggregator has as well.
pub static COUNTERS_OF_ALL: [&Counter; 2] = [&SHOWN_OUT, &STORE_ERRORS];
