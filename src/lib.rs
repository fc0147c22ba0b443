//! Anklet gives every GitHub Actions job its own fresh macOS VM.
//!
//! Layers, lowest first; a module imports only from layers below its own (`tests/it/tidy.rs` holds it):
//! 0 `domain`, 1 `config` `runtime` `log`, 2 the adapters, 3 `plugins`, 4 `app` `commands`, 5 `cli` and `main`.

// 0: words and rules; std only.
pub mod domain;

// 1: the process itself.
pub mod config;
pub mod log;
pub mod runtime;

// 2: adapters; none knows a sibling.
pub mod anka;
pub mod github;
pub mod host;
pub mod http;
pub mod metrics;
pub mod store;

// 3: compose what is below.
pub mod plugins;

// 4: the only wiring.
pub mod app;
pub mod commands;

// 5: what to run.
pub mod cli;
