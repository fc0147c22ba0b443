//! The plugins: each composes the adapters below into one duty.

pub mod aggregator;
mod broken;
mod fields; // what a log line says of a job
pub mod handler;
mod licensed; // a handler whose Anka is looked at first
pub mod receiver;

pub use broken::Broken;
pub use licensed::{Licensed, Options as LicensedOptions};
