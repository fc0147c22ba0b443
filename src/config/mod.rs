//! The configuration: what was written → the environment laid over it → what it means.
//!
//! [`load`] reads a file once and collects all its faults. Nothing here creates, logs or ends anything, and nothing
//! outside sees how a value was written.
//!
//! | file | what it knows |
//! |---|---|
//! | `keys` | every key and variable, as data |
//! | `load` | which file, and the order of the steps |
//! | `raw`, `syntax`, `node` | YAML with lines; the only place that knows the parsers |
//! | `env` | the environment, read once |
//! | `check` | each value against its key's row; unknown keys |
//! | `real` | what a value of each kind means |
//! | `resolve` | what the values mean together |
//! | `settings`, `plugin`, `database` | the result |
//! | `report`, `note`, `suggest` | what is said, and where |

pub mod database;
pub mod env;
pub mod keys;
pub mod load;
pub mod note;
pub mod plugin;
pub mod settings;

mod check;
mod node;
mod raw;
mod real;
mod report;
mod resolve;
mod suggest;
mod syntax;

pub use crate::domain::secret::Secret;
pub use database::{Database, Redis, Tls};
pub use load::{Checked, Inputs, load};
pub use note::{Faults, Note, Place};
pub use plugin::{
    Common, Credentials, Github, HandlerConfig, Hook, Plugin, ReceiverConfig, Redelivery, RunnerRegistration,
};
pub use settings::{Aggregator, Config, Folder, Log, LogDestination, LogLevel, Metrics, Mount, StopOnTerm};
