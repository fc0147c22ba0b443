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
use crate::runtime::outlook::Found;

/// What the page is made of.
pub struct View {
    /// The hosts, in the order of the configuration.
    pub hosts: Vec<Host>,
    /// Their pages' age counts from here.
    pub now: SystemTime,
    /// What the looks at the aggregator's own store found.
    pub found: Found,
    /// Of the aggregator's own log.
    pub log_lines_dropped: u64,
}

/// The page for a query and an `Accept` header, as `super::page` has it.
pub fn page(query: &str, accept: Option<&str>, view: &View) -> Page {
    written(query, accept, |format| match format {
        Format::Json => json::page(&view.hosts, view.now),
        Format::Prometheus => prometheus::page(view),
        Format::Plain => plain::page(&view.hosts),
    })
}
