//! The host: its places for VMs, and its figures.

pub mod places;
pub mod stats;
