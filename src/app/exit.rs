//! The exit codes: closed, in the manual, compared by a test.

use std::process::ExitCode;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Stopped by one or two signals, or run-once done.
    Done,
    /// A plugin ended by a fault.
    PluginFault,
    /// What was asked for is not there.
    NotFound,
    /// GitHub cannot be reached (`check` only).
    GitHubAway,
    /// The command line is wrong.
    Usage,
    /// The configuration is wrong.
    Configuration,
    /// Another daemon holds the pid file.
    AlreadyRunning,
    /// An address is in use.
    AddressInUse,
    /// The store cannot be reached (run-once, `check` and `queue` only).
    StoreAway,
    /// No plugin of the configuration can work on this host.
    NoPlugin,
    /// The third signal: at once, so that lines which a terminal or a pipe has not taken yet are lost.
    ThirdSignal,
}

/// Code and meaning, as the manual lists them.
pub const CODES: [(Exit, u8, &str); 11] = [
    (Exit::Done, 0, "stopped by one or two signals, or run-once done"),
    (Exit::PluginFault, 1, "a plugin ended by a fault"),
    (Exit::NotFound, 1, "no queue knows the job (queue show only)"),
    (Exit::GitHubAway, 1, "GitHub cannot be reached, or allows no more calls for now (check only)"),
    (Exit::Usage, 2, "the command line is wrong"),
    (Exit::Configuration, 3, "the configuration is wrong, or (check) something that it speaks of at GitHub"),
    (Exit::AlreadyRunning, 4, "another daemon holds the pid file"),
    (Exit::AddressInUse, 5, "an address is in use"),
    (Exit::StoreAway, 6, "the store cannot be reached (run-once, check and queue only)"),
    (Exit::NoPlugin, 7, "no plugin can work on this host (no Anka, no licence, no scripts)"),
    (Exit::ThirdSignal, 130, "the third signal"),
];

impl Exit {
    /// The number that the process ends with.
    pub fn code(self) -> u8 {
        CODES.iter().find(|(exit, ..)| *exit == self).map_or(1, |(_, code, _)| *code)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
