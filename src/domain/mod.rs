//! Words and rules: what is true of jobs, claims, slots and undoing, whatever stores or runs them.
//!
//! Uses `std` only and does no I/O, so that every rule can be tested by calling it.

pub mod absence;
pub mod base64;
pub mod claim;
pub mod conclusion;
pub mod entry;
pub mod event;
pub mod ids;
pub mod job;
pub mod life;
pub mod outcome;
pub mod percent;
pub mod scope;
pub mod secret;
pub mod slots;
pub mod undo;
