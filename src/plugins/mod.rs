//! The plugins: each composes the adapters below into one duty.

mod broken;
pub mod handler;
pub mod receiver;

pub use broken::Broken;
