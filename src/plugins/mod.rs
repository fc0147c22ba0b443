//! The plugins: each composes the adapters below into one duty.

pub mod handler;
pub mod receiver;
