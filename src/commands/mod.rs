//! Commands other than running the daemon.

pub mod check;
pub mod healthcheck;
pub mod queue;
