//! The process itself: threads, the stop, the clock, what plugins are and how they are supervised.

pub mod effect;
pub mod filename;
pub mod stop;
pub mod thread;
