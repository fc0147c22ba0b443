//! What the daemon tells: JSON lines in a file, a short form on a terminal, `dev` for developers.
//!
//! Everybody else calls `log::info!` and its siblings; what a thread works on is added by [`scope`].
//! A log never ends a job: what cannot be written is counted, and said when it can be written again.

pub mod fields;
pub mod level;
pub mod scope;
pub mod seldom;
pub mod stamp;

mod event;
mod init;
mod json;
mod logger;
mod outlet;
mod pen;
mod sink;
mod stream;
mod terminal;

pub use fields::{Field, Fields};
pub use init::{Destination, FILE_NAME, InitError, Options, init};
pub use level::Level;
pub use seldom::Seldom;
pub use sink::dropped_lines;
