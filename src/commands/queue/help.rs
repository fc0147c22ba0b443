//! What `anklet queue --help` prints.

/// How many jobs of each state are listed when `--limit` is not given.
pub const LIMIT: usize = 100;

/// The manual of `queue`.
pub const HELP: &str = "\
Shows the queues of a configuration: what waits, since when, who holds what, and why
nobody takes it. Changes nothing; works while daemons run, and without any.

Usage: anklet queue list [--limit N] [OPTIONS]
       anklet queue show ID [OPTIONS]

  list               jobs that are queued, parked (they wait for an approval), claimed,
                     running, or dead (given up), and the handlers that serve them
  show ID            one job, by GitHub's number; also when it is over (for 7 days)

Options:
  -c, --config FILE  configuration (default: ~/.config/anklet/config.yml)
      --queue NAME   only this queue (default: all of the configuration)
      --limit N      list at most N jobs of each state (default: 100)
      --json         as JSON
  -h, --help         print this

Handlers say every 30 s, and within 5 s of a change, that they live and why they take
nothing; one that is not seen for three times its sleep_interval (at least 90 s) is not
live.

JSON: one object {\"queues\": [QUEUE...]}. Times are RFC 3339 texts; what is not known is
null. Fields may be added in later versions.
  QUEUE    queue, store (embedded, redis), place (file, or HOST:PORT/DATABASE; of a
           cluster HOST:PORT,HOST:PORT.../0), exists (false: no store yet), error, now,
           counts {queued, parked, claimed, running, dead}, not_shown (by --limit),
           unreadable (how many this version cannot read), unreadable_because (show: why),
           handlers, jobs
  handler  plugin, host_name, host (its id), scope, live, seen_at, jobs (ids that it
           holds), takes_nothing_because
  job      id, state, repository, name, workflow_name, labels, url, run_id, run_attempt,
           stored_at, age_seconds, failed_attempts, attempt (the present one), not_before,
           ask_at (a parked one: GitHub is asked), held_by {plugin, host_name, host, live,
           runner, held_up_because, lease_until}, runner, conclusion, reason (of a dead
           one), ended_at, not_taken_by [{plugin, host_name, host, why, text, seen_at}]
  why      parked, scope (takes other repositories), not_here (no such template),
           gave_back, pause (after a failed try), busy, host (takes nothing now), silent
           (not seen for longer than usual), free
show gives the same object, with the queues that know the job and that job alone.

Exit codes: 0 told (also when nothing waits or no store is there yet), 1 no queue knows
the job, 2 usage, 3 configuration, 6 a store cannot be reached or read.
";
