//! The page of an aggregator: what the hosts of a fleet said last, and how long ago.
//!
//! - [`host`] one host's page as it was read
//! - `json`, `prometheus`, `plain` the forms; pure functions

pub mod host;

mod json;
mod plain;
mod prometheus;

use std::time::SystemTime;

pub use host::{Host, Unreadable};

use super::page::{Format, Page, written};

/// The page for a query and an `Accept` header, as `super::page` has it.
pub fn page(query: &str, accept: Option<&str>, hosts: &[Host], now: SystemTime) -> Page {
    written(query, accept, |format| match format {
        Format::Json => json::page(hosts, now),
        Format::Prometheus => prometheus::page(hosts, now),
        Format::Plain => plain::page(hosts),
    })
}
