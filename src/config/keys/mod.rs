//! Every key and variable, as data: checks, suggestions, the environment, the defaults, the example file's test
//! and the man page are all derived from these tables.

mod database;
mod key;
mod plugin;
mod rows;
mod top;

pub use database::DATABASE;
pub use key::{Choices, From, Key, Kind, READY, UsedBy};
pub use plugin::PLUGIN;
pub use rows::{Row, plugin_rows, plugin_variables, prefix, top_rows};
pub use top::{TOP, VARIABLES};
