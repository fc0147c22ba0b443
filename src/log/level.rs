//! How much is told.

use log::LevelFilter;

/// `LOG_LEVEL`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// Everything.
    Debug,
    /// What happens to jobs, and what is worth knowing.
    #[default]
    Info,
    /// What is tried again, and what a workflow's author must mend.
    Warn,
    /// What an operator must act on.
    Error,
    /// Everything, in the developers' form.
    Dev,
}

impl Level {
    /// The least important of what is still told.
    pub fn filter(self) -> LevelFilter {
        match self {
            Level::Debug | Level::Dev => LevelFilter::Debug,
            Level::Info => LevelFilter::Info,
            Level::Warn => LevelFilter::Warn,
            Level::Error => LevelFilter::Error,
        }
    }
}
