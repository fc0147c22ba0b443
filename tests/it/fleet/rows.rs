//! Rows of a job's life, as one host lives them, on Redis: the receiver on one machine, the handlers on two others.

use std::sync::Mutex;
use std::thread;

use crate::handler::{approval, attempts, cancel, crossing, deliveries, races, restart, uncounted};
use crate::support::spread::spread;

/// Every row that the store has a part in. Each is also a test of its own, on the embedded store.
const ROWS: &[fn()] = &[
    attempts::a_clone_that_fails_is_a_try,
    attempts::the_count_is_the_job_s_own_and_outlives_the_daemon,
    attempts::a_refused_cancel_ends_it_all_the_same,
    crossing::two_equal_jobs_cross,
    crossing::the_vm_of_the_longer_job_stays,
    crossing::our_vm_serves_a_job_that_never_named_us,
    crossing::a_vm_whose_job_a_stranger_took_serves_an_equal_job_first,
    crossing::a_runner_that_is_busy_when_it_is_to_be_removed_is_watched_again,
    races::a_drain_that_meets_a_starting_job_waits_for_it,
    races::an_interrupt_that_meets_a_starting_job_leaves_it_running,
    races::a_job_that_starts_while_the_daemon_is_dead_is_adopted,
    races::a_job_that_ran_while_the_daemon_was_dead_is_settled_and_counted,
    races::a_crossing_while_the_daemon_is_dead_costs_no_job,
    races::a_stop_in_the_middle_of_a_recovery_gives_no_running_job_up,
    uncounted::a_drain_before_the_start_gives_the_job_back,
    uncounted::an_interrupt_before_the_start_gives_the_job_back,
    uncounted::a_crash_does_not_count,
    restart::a_removed_plugin_s_running_job_is_watched_to_its_end,
    restart::a_job_that_ended_meanwhile_is_settled_and_counted,
    restart::after_a_reboot_all_vms_are_gone_and_github_s_verdict_counts,
    approval::a_job_that_waits_is_parked_and_queued_again_when_it_is_approved,
    approval::a_claimed_job_that_waits_is_let_go,
    deliveries::a_lost_in_progress_costs_nothing,
    deliveries::a_lost_completed_is_asked_for_at_the_next_start,
    deliveries::doubled_deliveries_count_once,
    deliveries::what_is_known_as_over_or_running_is_never_queued_again,
    cancel::while_its_runner_waits_the_vm_is_cleaned_up_at_once,
    cancel::while_it_runs_it_counts_as_cancelled,
];
/// Rows side by side.
const LANES: usize = 6;

#[test]
fn rows_of_one_host_hold_on_redis_with_two() {
    let rows = Mutex::new(ROWS.iter());
    thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                loop {
                    let Some(row) = rows.lock().unwrap().next() else { return };
                    spread(*row);
                }
            });
        }
    });
}
