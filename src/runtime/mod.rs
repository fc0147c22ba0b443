//! The process itself: threads, the stop, the clock, what plugins are and how they are supervised.

pub mod clock;
pub mod effect;
pub mod figures;
pub mod random;
pub mod stop;
pub mod thread;
