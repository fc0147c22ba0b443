//! One test binary. Each module is one subject; `support` makes each test a few lines.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

mod aggregator; // the metrics of a fleet from one place
mod check; // the configuration through the binary: files, environment, `anklet check`
mod check_github; // `anklet check`: what GitHub says of the configuration
mod config; // files, faults, environment
mod crash; // dies at every effect, starts again, finds a clean world
mod daemon; // pid lock, signals, run-once, exit codes, logs
mod door; // attacks on the listener
mod fleet; // hosts that share a queue, through the real binary
mod github; // the client against a server that misbehaves
mod handler; // rows of the job's life, through the real binary
mod health; // alive, ready, healthcheck, the port taken
mod install; // scripts/install and scripts/uninstall in an empty home folder, and an upgrade under load
mod life; // the state table, cell by cell
mod logs; // levels, forms, rotation, a log that cannot be written
mod manual; // the manual pages and the completions, held against the code
mod metrics; // the page in its forms, and what an idle daemon costs
mod observe; // rules and dashboard: valid, firing, naming what exists
mod package; // example configurations, the container
mod queue; // what `anklet queue` tells
mod quickstart; // eight jobs from webhook to a clean host, as a newcomer sees them
mod receiver; // deliveries, through the real binary
mod redis; // the store that hosts share, and what may happen to its server
mod release; // what reads released binaries, and the release where there is one
mod schedule; // no schedule runs a job twice, on the state table and on Redis
mod scripts; // the three runner scripts
mod store; // one conformance suite over every store
mod tidy; // house rules: layers, sizes, docs, example configuration
