//! Begins the log as the configuration says.

use crate::config::{Config, LogDestination, LogLevel};
use crate::log::{Destination, Level, Options, init};
use crate::runtime::clock;

/// This program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Begins the log.
pub fn begin(config: &Config, stderr_is_terminal: bool) -> Result<(), String> {
    let options = Options {
        destination: match &config.log.destination {
            LogDestination::Folder(folder) => Destination::Folder(folder.clone()),
            LogDestination::Stdout => Destination::Stdout,
        },
        split_by_plugin: config.log.split_by_plugin,
        level: match config.log.level {
            LogLevel::Error => Level::Error,
            LogLevel::Warn => Level::Warn,
            LogLevel::Info => Level::Info,
            LogLevel::Debug => Level::Debug,
            LogLevel::Dev => Level::Dev,
        },
        version: VERSION,
        clock: clock::now,
        stderr_is_terminal,
    };
    init(&options).map_err(|error| format!("failed to {error}"))
}
