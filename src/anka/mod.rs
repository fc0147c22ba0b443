//! The Anka CLI: every call as a method, with our own types and one closed error.
//!
//! Every call is `anka -j …`; its answer is the last line of its output, one JSON object (`envelope`).
//! A call on a VM asks for its ticket, a pull for the one right to pull, a deletion for the right to delete.

mod client;
mod command;
mod env_file;
mod envelope;
mod error;
mod facts;
mod registry;
mod run;
pub mod scripts;
mod tail;
pub mod template;
mod version;
mod vm;

#[cfg(test)]
mod tests;

pub use client::{Anka, Options};
pub use command::find;
pub use env_file::{Var, sweep};
pub use error::AnkaError;
pub use facts::Facts;
pub use registry::{Registry, RegistryTemplate};
pub use run::RunnerCall;
pub use version::{License, LicenseError, Version};
pub use vm::{StartFailure, Vm};
