//! The plugins: each composes the adapters below into one duty.

mod broken;
mod fields; // what a log line says of a job
pub mod handler;
pub mod receiver;

pub use broken::Broken;
