//! The process itself: threads, the stop, the clock, what plugins are and how they are supervised.

pub mod board;
pub mod children;
pub mod clock;
pub mod effect;
pub mod figures;
pub mod filename;
pub mod meters;
pub mod outlook;
pub mod pace;
pub mod pidlock;
pub mod plugin;
pub mod random;
mod same_file;
mod seat;
pub mod signals;
pub mod status;
pub mod stop;
pub mod supervisor;
pub mod thread;
