//! host

pub mod stats;
