//! The metrics page: a snapshot of plain data, and its three forms as pure functions.
//!
//! Names and types are the ordering document's; `json` is what machines of the old program read, `prometheus`
//! an exposition that Prometheus accepts, `plain` the document's own text.

pub mod fleet;
pub mod health;
pub mod page;
pub mod snapshot;

mod exposition;
mod json;
mod own;
mod plain;
mod prometheus;
mod table;

pub use page::{Page, page};
pub use snapshot::Snapshot;
