//! What the values mean together. Nothing outside this room sees how they were written.

mod credentials;
mod cross;
mod database;
mod folders;
mod github;
mod handler;
mod metrics;
mod plugin;
mod reader;
mod receiver;
mod top;

pub(super) use top::resolve;
